"""What every admin class of ours is made of: rights from `workspaces.access` alone, changes through domain verbs."""

from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

from django.contrib import messages
from django.contrib.admin import SimpleListFilter
from django.contrib.admin.utils import unquote
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.db import models
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils.functional import cached_property
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _
from simple_history.admin import SimpleHistoryAdmin
from unfold.admin import ModelAdmin
from unfold.views import ChangeList

from workspaces import access
from workspaces.auditing import trail
from workspaces.exceptions import Forbidden, Hidden, PortalError
from workspaces.glass import breaking as glass
from workspaces.models import Workspace

T = TypeVar("T")


class PagePaginator(Paginator):
    """Find the ids of a page first and only then the rows, and count no further than anybody turns pages.

    Asked for both at once, the database computes joins and annotations for every row it may have to sort; and each
    row that is counted is one whose sources were looked at. Filters and the search reach what lies beyond.
    """

    most = 2000
    #: Unfold includes this one where it would say how many there are.
    template_name = "admin/_pages.html"

    @cached_property
    def count(self) -> int:
        return min(self._counted, self.most)

    @property
    def goes_on(self) -> bool:
        """Whether there are more than are counted."""
        return self._counted > self.most

    @cached_property
    def _counted(self) -> int:
        return self.object_list.order_by().values("pk")[: self.most + 1].count()

    def page(self, number: Any) -> Any:
        page = super().page(number)
        ids = list(page.object_list.values_list("pk", flat=True))
        page.object_list = self.object_list.filter(pk__in=ids)
        return page


def asked_once(request: HttpRequest, question: str, ask: Callable[[], T]) -> T:
    """The answer to a question about the person at large, which a page asks for every entry of its menu.

    Only for whether a page or a list has a place: each row and each act asks `workspaces.access` itself.
    """
    known: dict[tuple[Any, str], T] = request.__dict__.setdefault("_asked_once", {})
    key = request.user.pk, question
    if key not in known:
        known[key] = ask()
    return known[key]


def platform_actions(request: HttpRequest) -> frozenset[str]:
    """What the person may do across the installation, asked once for a page."""
    return asked_once(request, "platform", partial(access.platform_actions, request.user))


def actions_anywhere(request: HttpRequest) -> frozenset[str]:
    """What the person may do in one workspace at least, asked once for a page."""
    return asked_once(request, "anywhere", partial(access.actions_anywhere, request.user))


class GovernedChangeList(ChangeList):
    """A list that offers to show all only where it is narrowed."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        if not (self.query or self.has_active_filters):
            # The theme offers it wherever these two differ, and the whole is not counted a second time.
            self.full_result_count = self.result_count


class GovernedAdmin(ModelAdmin):
    """The admin of things that belong to a workspace.

    `view_action` and `change_action` name the action a person needs in the thing's workspace; None means nobody
    may. Lists, look-ups, history and pages all start from `access.visible`; an unknown id and one that is not open
    give the same 404. Adding and deleting are closed unless a class opens them.
    """

    view_action: str | None = None
    change_action: str | None = None

    #: The theme's own words are in English alone.
    search_help_text = _("Search")
    list_per_page = 50
    paginator = PagePaginator
    show_full_result_count = False
    list_filter_sheet = False
    list_fullwidth = True
    actions = None

    # --- Who may ---

    def may(self, request: HttpRequest, action: str | None, obj: models.Model | None) -> bool:
        """Whether the person may do `action` with `obj`, or (without one) with anything at all."""
        if action is None:
            return False
        if obj is None:
            return request.user.is_superuser or action in actions_anywhere(request)
        if access.allows(request.user, action, obj):
            return True
        # Broken glass passes here; `get_object` has left the entry.
        workspace = self.workspace_of(obj)
        return workspace is not None and access.broken_glass(request.user, workspace) is not None

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def has_view_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return self.may(request, self.view_action, obj)

    def has_change_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return self.may(request, self.change_action, obj)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return False

    # --- What is there for them ---

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return access.visible(request.user, self.model).order_by(*self.get_ordering(request))

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        """The one row, or Hidden or Forbidden, which the portal answers with 404 and 403 and records."""
        return access.find(request.user, str(self.view_action), self.model, pk=unquote(object_id))

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return GovernedChangeList

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        # A guessed look-up must not read, one character at a time, a column that the list does not show.
        declared = {getattr(one, "parameter_name", one) for one in self.get_list_filter(request)}
        return lookup in declared or lookup.removesuffix("__exact") in declared

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        self.require_list(request)
        title = capfirst(str(self.opts.verbose_name_plural))
        return super().changelist_view(request, {"title": title, **(extra_context or {})})

    def require_list(self, request: HttpRequest) -> None:
        """Raise Forbidden unless the person may list this at all; what broken glass adds to the list is recorded."""
        if not self.has_view_permission(request):
            raise Forbidden(user=request.user, action=str(self.view_action))
        glass.record_listing(request.user, str(self.view_action), self.opts.label_lower)

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """What the trail tells of the thing, to whoever may read its chain."""
        obj = self.get_object(request, object_id)
        context = {
            **self.admin_site.each_context(request),
            "title": _("Timeline"),
            "subtitle": str(obj),
            "opts": self.opts,
            "object": obj,
            "timeline": trail.timeline(obj, by=request.user),
            **(extra_context or {}),
        }
        return TemplateResponse(request, "admin/timeline.html", context)

    # --- Changes ---

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        obj = self.get_object(request, object_id) if object_id else None
        if obj is None and not self.has_add_permission(request):
            raise Forbidden(user=request.user, action="add")
        if obj is not None and request.method == "POST" and not self.has_change_permission(request, obj):
            raise Forbidden(
                user=request.user, workspace=self.workspace_of(obj), action=str(self.change_action), thing=obj
            )
        try:
            return super().changeform_view(request, object_id, form_url, extra_context)
        except PortalError as error:
            # Raised inside Django's transaction, which is undone by now.
            messages.error(request, str(error))
            return HttpResponseRedirect(request.get_full_path())

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        obj = self.get_object(request, object_id)
        if not self.has_delete_permission(request, obj):
            raise Forbidden(user=request.user, workspace=self.workspace_of(obj), action="delete", thing=obj)
        return super().delete_view(request, object_id, extra_context)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Classes that open a form call their domain verb here."""
        raise NotImplementedError(f"{type(self).__name__} opens a form without naming the verb that saves it.")

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """Many-to-many fields belong to the verb as well."""

    def workspace_of(self, obj: Any) -> Workspace | None:
        """The workspace whose trail hears of a refusal."""
        return getattr(obj, "workspace", None)


class GovernedHistoryAdmin(SimpleHistoryAdmin, GovernedAdmin):
    """A governed class whose forms over time are kept. Going back to an old form is an edit, through its verb."""

    object_history_template = "admin/forms_and_timeline.html"

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        obj = self.get_object(request, object_id)
        context = {"timeline": trail.timeline(obj, by=request.user), **(extra_context or {})}
        return super().history_view(request, object_id, context)

    def history_form_view(
        self, request: HttpRequest, object_id: str, version_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        obj = self.require_reading(request, object_id)
        if not (version_id.isascii() and version_id.isdecimal()):
            raise Hidden(user=request.user, workspace=self.workspace_of(obj), action=str(self.view_action))
        return super().history_form_view(request, object_id, version_id, extra_context)

    def require_reading(self, request: HttpRequest, object_id: str) -> Any:
        """The one row, for a request that only reads its past; Forbidden for any other."""
        obj = self.get_object(request, object_id)
        if request.method != "GET":
            raise Forbidden(user=request.user, workspace=self.workspace_of(obj), action="revert", thing=obj)
        return obj

    def revert_disabled(self, request: HttpRequest, obj: Any = None) -> bool:
        return True


class PlatformRights:
    """Mixed into admin classes of things that belong to the installation: rights are platform actions."""

    view_action: str = ""

    def may(self, request: HttpRequest, action: str | None, obj: models.Model | None) -> bool:
        if obj is not None:
            return action in access.platform_actions(request.user)
        return action in platform_actions(request)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows = self.model._default_manager.order_by(*self.get_ordering(request))  # type: ignore[attr-defined]
        return rows if self.may(request, self.view_action, None) else rows.none()

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        access.require(request.user, self.view_action, None)
        try:
            return self.get_queryset(request).get(pk=unquote(object_id))
        except (self.model.DoesNotExist, ValueError, ValidationError) as error:  # type: ignore[attr-defined]
            raise access.Hidden(user=request.user, action=self.view_action) from error

    def require_list(self, request: HttpRequest) -> None:
        access.require(request.user, self.view_action, None)


class WorkspaceFilter(SimpleListFilter):
    """Only the workspaces the person could see rows of; Django's own filter would name them all."""

    title = _("workspace")
    parameter_name = "workspace"

    def lookups(self, request: HttpRequest, model_admin: GovernedAdmin) -> list[tuple[str, str]]:
        open_to = access.workspaces_allowing(request.user, str(model_admin.view_action))
        return [(workspace.slug, workspace.name) for workspace in open_to]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(workspace__slug=self.value()) if self.value() else queryset
