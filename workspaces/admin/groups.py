"""Groups of people, for platform administrators: what they are called, who is in them, and what rests on them."""

from typing import Any
from uuid import UUID

from django import forms
from django.contrib import admin, messages
from django.db.models import Count, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST
from unfold.decorators import display

from workspaces import access, groups
from workspaces.admin_base import GovernedAdmin, PlatformRights
from workspaces.exceptions import PortalError
from workspaces.models import PeopleGroup, User
from workspaces.roles import PlatformAction


@admin.register(PeopleGroup)
class PeopleGroupAdmin(PlatformRights, GovernedAdmin):
    """A group holds no role by itself: it is granted or barred somewhere."""

    view_action = PlatformAction.MANAGE_ACCOUNTS
    change_action = PlatformAction.MANAGE_ACCOUNTS
    list_display = ("name", "description", "people_count", "created_at")
    search_fields = ("name", "description", "group__memberships__user__username")
    search_help_text = _("Search by name, purpose, or the user name of somebody in it")
    ordering = ("name",)
    fields = ("name", "description")
    change_form_outer_after_template = "admin/workspaces/peoplegroup/_people.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[PeopleGroup]:
        return super().get_queryset(request).annotate(people=Count("group__memberships__user", distinct=True))

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self.may(request, self.change_action, None)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.may(request, self.change_action, obj)

    def save_model(self, request: HttpRequest, obj: PeopleGroup, form: forms.ModelForm, change: bool) -> None:
        data = form.cleaned_data
        if change:
            groups.change_group(obj, by=request.user, **data)
            return
        made = groups.create_group(by=request.user, **data)
        # The verb made the row; Django goes on with the object of its form.
        obj.pk, obj._state.adding = made.pk, False

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        context = extra_context or {}
        if object_id:
            group = self.get_object(request, object_id)
            context = {"rows": groups.memberships(group), "uses": groups.uses(group), **context}
        return super().changeform_view(request, object_id, form_url, context)

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Say what would end, and delete once that is confirmed."""
        group = self.get_object(request, object_id)
        if request.method == "POST":
            try:
                groups.delete_group(group, by=request.user, with_its_uses="with_its_uses" in request.POST)
            except PortalError as error:
                messages.error(request, str(error))
            else:
                messages.success(request, str(_("Deleted the group “%(name)s”.")) % {"name": group.name})
                return HttpResponseRedirect(reverse("admin:workspaces_peoplegroup_changelist"))
        context = {
            **self.admin_site.each_context(request),
            "title": _("Delete the group?"),
            "subtitle": group.name,
            "opts": self.opts,
            "original": group,
            "people": len({row.user_id for row in groups.memberships(group)}),
            "uses": groups.uses(group),
        }
        return TemplateResponse(request, "admin/workspaces/peoplegroup/delete.html", context)

    # --- Who is in it ---

    def get_urls(self) -> list[URLPattern]:
        own = [
            path("<int:pk>/add-person/", self._act(self.add_person), name="workspaces_peoplegroup_add_person"),
            path("<int:pk>/remove-person/", self._act(self.remove_person), name="workspaces_peoplegroup_remove_person"),
        ]
        return own + super().get_urls()

    def add_person(self, request: HttpRequest, group: PeopleGroup) -> str:
        """Put the person whose user name was sent into the group."""
        name = request.POST.get("username", "").strip()
        user = User.objects.filter(username__iexact=name, is_active=True).first()
        if user is None:
            raise PortalError(str(_("There is no active account called “%(name)s”.")) % {"name": name})
        groups.add_to_group(group, user, by=request.user)
        return str(_("%(name)s is in the group.")) % {"name": user.name}

    def remove_person(self, request: HttpRequest, group: PeopleGroup) -> str:
        """Take the person whose id was sent out of it."""
        user = User.objects.filter(memberships__group=group.pk, pk=_uuid(request.POST.get("person", ""))).first()
        if user is None:
            raise PortalError(str(_("This person is not in the group.")))
        groups.remove_from_group(group, user, by=request.user)
        return str(_("%(name)s is no longer in the group.")) % {"name": user.name}

    def _act(self, act: Any) -> Any:
        @require_POST
        def view(request: HttpRequest, pk: int) -> HttpResponse:
            access.require(request.user, PlatformAction.MANAGE_ACCOUNTS, None)
            group = self.get_object(request, str(pk))
            try:
                messages.success(request, act(request, group))
            except PortalError as error:
                messages.error(request, str(error))
            return HttpResponseRedirect(reverse("admin:workspaces_peoplegroup_change", args=[group.pk]))

        return self.admin_site.admin_view(view)

    @display(description=_("people"), ordering="people")
    def people_count(self, group: Any) -> int:
        return group.people


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
