"""Workspaces: created by platform administrators, changed by their managers, staffed by both."""

from collections import defaultdict
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import admin, messages
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldBooleanSwitchWidget

from workspaces import access, members
from workspaces.admin_base import GovernedAdmin, platform_actions
from workspaces.charters import charters
from workspaces.exceptions import Hidden, PortalError
from workspaces.forms import SEPARATION, SEPARATION_HELP, SEPARATION_LABELS, AddPersonForm, RolesForm, say_separation
from workspaces.models import Membership, ReviewPolicy, User, Workspace
from workspaces.roles import Action, PlatformAction


class NewWorkspaceForm(forms.ModelForm):
    """A workspace and its first manager."""

    manager = forms.ModelChoiceField(
        label=_("First manager"),
        queryset=User.objects.filter(is_active=True).order_by("username"),
        empty_label=_("Choose a person"),
        widget=UnfoldAdminSelectWidget,
        help_text=_("Adds the other people and the documents."),
    )


class WorkspaceSettingsForm(forms.ModelForm):
    """What a manager changes."""

    class Meta:
        labels = SEPARATION_LABELS
        help_texts = SEPARATION_HELP

    archived = forms.BooleanField(
        label=_("Archived"),
        required=False,
        widget=UnfoldBooleanSwitchWidget,
        help_text=_("Closed to questions and uploads. Nothing in it is lost."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        say_separation(self)
        # A platform administrator who is no manager sees the page without these fields.
        if "archived" in self.fields:
            self.fields["archived"].initial = self.instance.archived_at is not None


#: How answers leave a workspace, in a column's width.
_HOW = {
    ReviewPolicy.OPEN: _("At once"),
    ReviewPolicy.REVIEW: _("After review"),
    ReviewPolicy.RISK: _("Held by rules"),
}


@admin.register(Workspace)
class WorkspaceAdmin(GovernedAdmin):
    """Platform administrators see that a workspace exists and who is in it, never what is in it."""

    view_action = Action.MANAGE
    change_action = Action.MANAGE
    list_display = ("name", "slug", "policy", "created_at", "is_archived")
    search_fields = ("name", "slug")
    ordering = ("name",)
    change_form_outer_before_template = "admin/workspaces/workspace/_people_link.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Workspace]:
        if self._administers(request):
            return Workspace.objects.order_by("name")
        return access.workspaces_allowing(request.user, Action.MANAGE).order_by("name")

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Workspace:
        if self._administers(request):
            found = self.get_queryset(request).filter(pk=_uuid(object_id)).first()
            if found is None:
                raise Hidden(user=request.user, action=Action.MANAGE)
            return found
        return super().get_object(request, object_id)

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        holds = PlatformAction.HOLD_WORKSPACES in access.platform_actions(request.user)
        extra = {"holds_workspaces": holds, **(extra_context or {})}
        return super().changeform_view(request, object_id, form_url, extra)

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        if obj is not None:
            return self._administers(request) or super().has_view_permission(request, obj)
        return PlatformAction.STAFF_WORKSPACES in platform_actions(request) or super().has_view_permission(request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return PlatformAction.CREATE_WORKSPACE in access.platform_actions(request.user)

    def get_form(self, request: HttpRequest, obj: Workspace | None = None, **kwargs: Any) -> Any:
        new = NewWorkspaceForm if self._administers(request) else forms.ModelForm
        return super().get_form(request, obj, form=WorkspaceSettingsForm if obj else new, **kwargs)

    def get_fields(self, request: HttpRequest, obj: Workspace | None = None) -> tuple[str, ...]:
        if obj is None:
            # Only who staffs workspaces sees whom there is to choose; others become its first manager themselves.
            chosen = ("manager",) if self._administers(request) else ()
            return ("name", "slug", "description", "review_policy", *chosen)
        if self.has_change_permission(request, obj):
            return ("name", "slug", "description", "review_policy", *SEPARATION, "archived")
        return ("name", "slug", "description", "review_policy", *SEPARATION, "created_at", "created_by")

    def get_readonly_fields(self, request: HttpRequest, obj: Workspace | None = None) -> tuple[str, ...]:
        return ("slug", "created_at", "created_by") if obj else ()

    def save_model(self, request: HttpRequest, obj: Workspace, form: Any, change: bool) -> None:
        data = form.cleaned_data
        if not change:
            made = members.create_workspace(
                slug=data["slug"],
                name=data["name"],
                description=data["description"],
                policy=data["review_policy"],
                manager=data.get("manager", request.user),
                by=request.user,
            )
            # The verb made the row; Django goes on with the object of its form.
            obj.pk, obj._state.adding = made.pk, False
            return
        fields = ("name", "description", "review_policy", *SEPARATION)
        stored = members.change_workspace(obj, by=request.user, **{field: data[field] for field in fields})
        if data["archived"] != (stored.archived_at is not None):
            members.set_archived(stored, archived=data["archived"], by=request.user)

    @display(
        description=_("release of answers"),
        label={ReviewPolicy.OPEN: "info", ReviewPolicy.REVIEW: "warning", ReviewPolicy.RISK: "warning"},
        ordering="review_policy",
    )
    def policy(self, workspace: Workspace) -> tuple[str, Any]:
        return workspace.review_policy, _HOW[workspace.review_policy]

    @display(description=_("archived"), ordering="archived_at")
    def is_archived(self, workspace: Workspace) -> Any:
        return workspace.archived_at or "–"

    def workspace_of(self, obj: Workspace) -> Workspace:
        return obj

    def _administers(self, request: HttpRequest) -> bool:
        return PlatformAction.STAFF_WORKSPACES in access.platform_actions(request.user)

    # --- People and roles ---

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.people_view)
        return [path("<uuid:pk>/people/", view, name="workspaces_workspace_people"), *super().get_urls()]

    def people_view(self, request: HttpRequest, pk: Any) -> HttpResponse:
        """Who is in the workspace in which roles; a POST changes one person."""
        workspace = self.get_object(request, str(pk))
        if request.method == "POST":
            try:
                _change_person(request, workspace)
            except PortalError as error:
                messages.error(request, str(error))
            return HttpResponseRedirect(reverse("admin:workspaces_workspace_people", args=[workspace.pk]))
        context = {
            **self.admin_site.each_context(request),
            "title": _("People and roles"),
            "subtitle": workspace.name,
            "opts": self.opts,
            "workspace": workspace,
            "people": _people(workspace),
            "roles": [(code, charter.label, charter.purpose) for code, charter in charters().items()],
        }
        return TemplateResponse(request, "admin/workspaces/workspace/people.html", context)


def _change_person(request: HttpRequest, workspace: Workspace) -> None:
    """Set the roles of the person whose user name was sent; without roles they leave the workspace."""
    form = AddPersonForm(request.POST) if "username" in request.POST else None
    if form is not None:
        if not form.is_valid():
            raise PortalError(" ".join(message for errors in form.errors.values() for message in errors))
        user = form.cleaned_data["username"]
        roles = set(form.cleaned_data["roles"]) | set(members.roles_of(workspace, user))
    else:
        user = _member(workspace, request)
        chosen = RolesForm(request.POST)
        if not chosen.is_valid():
            raise PortalError(str(_("These roles cannot be saved: one of them does not exist.")))
        roles = set(chosen.cleaned_data["roles"])
    members.change_roles(workspace, user, roles, by=request.user)
    messages.success(request, str(_("Saved the roles of %(name)s.")) % {"name": user.name})


def _member(workspace: Workspace, request: HttpRequest) -> User:
    found = User.objects.filter(memberships__group__workspace_role__workspace=workspace).distinct()
    user = found.filter(pk=_uuid(request.POST.get("person", ""))).first()
    if user is None:
        raise Hidden(user=request.user, workspace=workspace, action=Action.MANAGE_PEOPLE)
    return user


def _people(workspace: Workspace) -> list[tuple[User, list[str]]]:
    held: dict[User, list[str]] = defaultdict(list)
    rows = Membership.objects.filter(group__workspace_role__workspace=workspace)
    for row in rows.select_related("user", "group__workspace_role").order_by("user__username"):
        held[row.user].append(row.group.workspace_role.role)
    return list(held.items())


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
