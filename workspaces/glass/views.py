"""The page on which a superuser states why they will use rights without a role, and ends it again."""

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_POST

from workspaces import access
from workspaces.decorators import on_platform
from workspaces.exceptions import PortalError
from workspaces.glass import breaking as glass
from workspaces.models import Workspace
from workspaces.roles import PlatformAction

TIMES = [(15, _("15 minutes")), (60, _("One hour")), (240, _("Four hours"))]


class ReasonForm(forms.Form):
    """Why, for how long, and where to go back to."""

    reason = forms.CharField(
        label=_("Why do you need it?"),
        max_length=glass.MAX_REASON,
        widget=forms.Textarea(attrs={"rows": 3, "autofocus": True}),
        help_text=_("Written into the audit trail of this workspace, which its auditors read."),
    )
    minutes = forms.TypedChoiceField(
        label=_("For how long?"), choices=TIMES, coerce=int, initial=60, widget=forms.RadioSelect
    )
    next = forms.CharField(required=False, max_length=2000, widget=forms.HiddenInput)


@require_http_methods(["GET", "POST"])
@on_platform(PlatformAction.BREAK_GLASS)
def state_reason(request: HttpRequest, slug: str) -> HttpResponse:
    """Ask for the reason; a POST with one opens the workspace and goes back to where the person was."""
    workspace = glass.find_workspace(slug, by=request.user)
    form = ReasonForm(request.POST or None, initial={"next": request.GET.get("next", ""), "minutes": 60})
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        try:
            glass.break_glass(workspace, by=request.user, reason=data["reason"], minutes=data["minutes"])
        except PortalError as error:
            form.add_error(None, str(error))
        else:
            return HttpResponseRedirect(_own_page(request, data["next"], workspace))
    context = {"form": form, "place": workspace, "glass": access.broken_glass(request.user, workspace)}
    return render(request, "workspaces/glass.html", context, status=400 if form.errors else 200)


@require_POST
@on_platform(PlatformAction.BREAK_GLASS)
def end(request: HttpRequest, slug: str) -> HttpResponse:
    """End one's own use of this workspace before its time."""
    workspace = glass.find_workspace(slug, by=request.user)
    broken = access.broken_glass(request.user, workspace)
    if broken is not None:
        glass.end(broken, by=request.user)
        messages.success(request, _("Ended. You see this workspace again only as your roles allow."))
    return redirect("home")


def _own_page(request: HttpRequest, address: str, workspace: Workspace) -> str:
    """Back to a page of ours, or to the workspace."""
    if url_has_allowed_host_and_scheme(address, {request.get_host()}, require_https=request.is_secure()):
        return address
    return reverse("workspaces:detail", kwargs={"slug": workspace.slug})
