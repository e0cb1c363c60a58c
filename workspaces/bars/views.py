"""Pages of never rules in a workspace, and of why one person may do what there."""

from uuid import UUID

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from audit.events import EventType
from audit.record import record
from workspaces import access, explain
from workspaces.bars import rules as bars
from workspaces.charters import charters
from workspaces.decorators import in_workspace
from workspaces.exceptions import Hidden, PortalError
from workspaces.forms import RoleBarForm
from workspaces.models import RoleBar, User, Workspace
from workspaces.roles import Action


@require_http_methods(["GET", "POST"])
@in_workspace(Action.MANAGE_PEOPLE)
def rules(request: HttpRequest, workspace: Workspace) -> HttpResponse:
    """The workspace's never rules; a POST makes one."""
    form = RoleBarForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        try:
            bars.bar(workspace, data["holder"], role=data["role"], reason=data["reason"], by=request.user)
        except PortalError as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, _("The rule holds from now on, whatever else lets them in."))
            return redirect("workspaces:bars", slug=workspace.slug)
    in_force = charters()
    found = workspace.bars.select_related("user", "group__people_group", "created_by").order_by("-created_at")
    context = {
        "rules": [(rule, in_force[rule.role].label if rule.role in in_force else rule.role) for rule in found],
        "form": form,
    }
    return render(request, "workspaces/bars.html", context, status=400 if form.errors else 200)


@require_POST
@in_workspace(Action.MANAGE_PEOPLE)
def lift(request: HttpRequest, workspace: Workspace, pk: UUID) -> HttpResponse:
    """End a rule of this workspace, with a reason."""
    rule = RoleBar.objects.filter(workspace=workspace, pk=pk).first()
    if rule is None:
        raise Hidden(user=request.user, workspace=workspace, action=Action.MANAGE_PEOPLE)
    try:
        bars.lift(rule, by=request.user, reason=request.POST.get("reason", ""))
    except PortalError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, _("Lifted. Their roles count again."))
    return redirect("workspaces:bars", slug=workspace.slug)


@require_GET
@in_workspace(Action.MANAGE_PEOPLE)
def person(request: HttpRequest, workspace: Workspace, pk: UUID) -> HttpResponse:
    """What one person may do and see in this workspace, and why."""
    user = User.objects.filter(pk=pk).first()
    places = {place.workspace.pk: place for place in explain.what_can_see(user)} if user else {}
    place = places.get(workspace.pk)
    if place is None:
        raise Hidden(user=request.user, workspace=workspace, action=Action.MANAGE_PEOPLE)
    with transaction.atomic():
        record(EventType.RIGHTS_READ, on=user, workspace=workspace, by=request.user)
    context = {
        "person": user,
        "place": place,
        "held": [(action, action.label, action in place.actions) for action in Action],
        "things": place.things_for(access.reach(request.user, workspace)),
    }
    return render(request, "workspaces/person.html", context)
