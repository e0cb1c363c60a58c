"""Pages about one's own account that django-allauth has not, or has otherwise."""

from allauth.usersessions.adapter import get_adapter
from allauth.usersessions.models import UserSession
from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from workspaces.exceptions import Hidden
from workspaces.identity import sessions
from workspaces.identity.decorators import OWN_ACCOUNT, own_account
from workspaces.identity.forms import OwnPasswordForm
from workspaces.identity.rotation import still_listed


@own_account
@sensitive_post_parameters("old_password", "new_password1", "new_password2")
@require_http_methods(["GET", "POST"])
def change_password(request: HttpRequest) -> HttpResponse:
    """Another password for oneself. Who came through an identity provider has none here."""
    if not request.user.has_usable_password():
        raise Hidden(user=request.user, action=OWN_ACCOUNT)
    form = OwnPasswordForm(request.user, request.POST or None)
    if request.method == "POST" and form.is_valid():
        with transaction.atomic():
            form.save()
            sessions.end_others(request)
            with still_listed(request):
                update_session_auth_hash(request, request.user)
        messages.success(request, _("Your password is changed, and your other sessions have ended."))
        return redirect("mfa_index")
    return render(request, "account/password.html", {"form": form}, status=400 if form.errors else 200)


@own_account
@require_POST
def end_session(request: HttpRequest, pk: int) -> HttpResponse:
    """End one of one's own sessions; the present one is ended by signing out."""
    session = UserSession.objects.filter(user=request.user, pk=pk).first()
    if session is None or session.is_current():
        raise Hidden(user=request.user, action=OWN_ACCOUNT)
    get_adapter().end_sessions([session])
    messages.success(request, _("The session has ended."))
    return redirect("usersessions_list")
