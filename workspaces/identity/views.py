"""Pages about one's own account that django-allauth has not, or has otherwise."""

from typing import Any

from allauth.account.views import LoginView
from allauth.mfa.base.views import IndexView
from allauth.usersessions.adapter import get_adapter
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from workspaces.exceptions import Hidden
from workspaces.identity import links, sessions
from workspaces.identity.decorators import OWN_ACCOUNT, own_account
from workspaces.identity.forms import OwnPasswordForm
from workspaces.identity.rotation import still_listed


class SignInView(LoginView):
    """The sign-in page, with a form for a password only where one opens anything."""

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(local_sign_in=settings.LOCAL_SIGN_IN, **kwargs)


class EmergencyView(LoginView):
    """The sign-in of the emergency account: the same form and rules, at an address of its own."""

    template_name = "account/emergency.html"


sign_in, emergency = SignInView.as_view(), EmergencyView.as_view()


class OwnAccountView(IndexView):
    """What opens one's account: second factors, and the provider's identity."""

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        user = self.request.user
        shown = {"link": links.of(user), "opens_otherwise": links.opens_otherwise(user)} if settings.OIDC_ISSUER else {}
        return super().get_context_data(offers_provider=bool(settings.OIDC_ISSUER), **shown, **kwargs)


own_account_page = OwnAccountView.as_view()


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
