"""Pages of workspaces and their people."""

from collections import defaultdict

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from workspaces import access, members
from workspaces.access_review import reviewing as access_review
from workspaces.charters import charters
from workspaces.decorators import in_workspace, on_platform
from workspaces.exceptions import PortalError
from workspaces.forms import AddPersonForm, RolesForm, WorkspaceForm, WorkspaceSettingsForm
from workspaces.models import Membership, User, Workspace
from workspaces.roles import Action, PlatformAction


@require_GET
def home(request: HttpRequest) -> HttpResponse:
    """The person's workspaces; with only one, straight into it."""
    visible = list(access.visible(request.user, Workspace))
    mine = [workspace for workspace in visible if workspace.archived_at is None]
    archived = [workspace for workspace in visible if workspace.archived_at is not None]
    if len(mine) == 1 and not archived and not access.platform_actions(request.user):
        return redirect("workspaces:detail", slug=mine[0].slug)
    return render(request, "workspaces/home.html", {"workspaces": mine, "archived": archived})


@require_GET
@in_workspace(Action.ENTER)
def detail(request: HttpRequest, workspace: Workspace) -> HttpResponse:
    """Where a person lands in a workspace: asking, or the first page their roles open."""
    held = access.reach(request.user, workspace)
    if Action.ASK in held:
        return redirect("answers:ask", slug=workspace.slug)
    return render(request, "workspaces/detail.html", {"roles": members.roles_of(workspace, request.user)})


@require_http_methods(["GET", "POST"])
@on_platform(PlatformAction.CREATE_WORKSPACE)
def create(request: HttpRequest) -> HttpResponse:
    form = WorkspaceForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        try:
            workspace = members.create_workspace(
                slug=data["slug"],
                name=data["name"],
                description=data["description"],
                policy=data["review_policy"],
                by=request.user,
                manager=request.user,
            )
        except PortalError as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, _("The workspace is ready. Add people and documents next."))
            return redirect("workspaces:people", slug=workspace.slug)
    return render(request, "workspaces/create.html", {"form": form}, status=400 if form.errors else 200)


@require_GET
@in_workspace(Action.ENTER)
def people(request: HttpRequest, workspace: Workspace) -> HttpResponse:
    return _people_page(request, workspace, AddPersonForm())


@require_POST
@in_workspace(Action.MANAGE_PEOPLE)
def add_person(request: HttpRequest, workspace: Workspace) -> HttpResponse:
    form = AddPersonForm(request.POST)
    if not form.is_valid():
        return _people_page(request, workspace, form, status=400)
    user = form.cleaned_data["username"]
    roles = set(form.cleaned_data["roles"]) | set(members.roles_of(workspace, user))
    members.change_roles(workspace, user, roles, by=request.user)
    messages.success(request, _("%(name)s can now use this workspace.") % {"name": user.name})
    return redirect("workspaces:people", slug=workspace.slug)


@require_POST
@in_workspace(Action.MANAGE_PEOPLE)
def change_person(request: HttpRequest, workspace: Workspace, pk: str) -> HttpResponse:
    """Replace a person's roles; sending none removes them."""
    user = _member_or_404(request, workspace, pk)
    form = RolesForm(request.POST)
    try:
        if form.is_valid():
            members.change_roles(workspace, user, form.cleaned_data["roles"], by=request.user)
            messages.success(request, _("Saved the roles of %(name)s.") % {"name": user.name})
        else:
            messages.error(request, _("These roles cannot be saved: one of them does not exist."))
    except PortalError as error:
        messages.error(request, str(error))
    return redirect("workspaces:people", slug=workspace.slug)


@require_http_methods(["GET", "POST"])
@in_workspace(Action.MANAGE)
def settings(request: HttpRequest, workspace: Workspace) -> HttpResponse:
    form = WorkspaceSettingsForm(request.POST or None, instance=workspace)
    if request.method == "POST" and form.is_valid():
        members.change_workspace(workspace, by=request.user, **form.cleaned_data)
        messages.success(request, _("Saved."))
        return redirect("workspaces:settings", slug=workspace.slug)
    return render(request, "workspaces/settings.html", {"form": form}, status=400 if form.errors else 200)


@require_POST
@in_workspace(Action.MANAGE)
def archive(request: HttpRequest, workspace: Workspace) -> HttpResponse:
    """Close the workspace to questions and uploads (`archived=yes`), or open it again."""
    archived = request.POST.get("archived") == "yes"
    members.set_archived(workspace, archived=archived, by=request.user)
    if archived:
        messages.success(request, _("The workspace is archived. Everything in it is kept, and nothing new gets in."))
    else:
        messages.success(request, _("The workspace is open again."))
    return redirect("workspaces:settings", slug=workspace.slug)


def _people_page(request: HttpRequest, workspace: Workspace, form: AddPersonForm, *, status: int = 200) -> HttpResponse:
    held: dict[User, list[Membership]] = defaultdict(list)
    in_force = charters()
    rows = (
        Membership.objects.filter(group__workspace_role__workspace=workspace, group__workspace_role__role__in=in_force)
        .select_related("user", "added_by", "group__workspace_role")
        .order_by("user__username")
    )
    for row in rows:
        row.role_label = in_force[row.group.workspace_role.role].label
        held[row.user].append(row)
    context = {
        "people": list(held.items()),
        "roles": [(code, charter.label, charter.purpose) for code, charter in in_force.items()],
        "form": form,
        "review_due": access_review.is_due(workspace),
    }
    return render(request, "workspaces/people.html", context, status=status)


def _member_or_404(request: HttpRequest, workspace: Workspace, pk: str) -> User:
    """A person id from the address counts only if that person belongs to this workspace."""
    try:
        return User.objects.filter(memberships__group__workspace_role__workspace=workspace).distinct().get(pk=pk)
    except User.DoesNotExist as error:
        raise access.Hidden(user=request.user, workspace=workspace, action=Action.MANAGE_PEOPLE) from error
