"""Documents as their managers govern them: what there is, in which state, and who may open it."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin import SimpleListFilter
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST
from unfold.decorators import display

from documents.access import restriction
from documents.analysis import fold
from documents.deletion import admin as deletion_admin  # noqa: F401  (they register their own)
from documents.embedding import admin as embedding_admin  # noqa: F401  (they register their own)
from documents.models import Document
from documents.reranking import admin as reranking_admin  # noqa: F401  (they register their own)
from documents.sources import admin as source_admin  # noqa: F401  (they register their own)
from documents.states import VersionState
from workspaces import access
from workspaces.admin_base import GovernedAdmin, WorkspaceFilter
from workspaces.bars.rules import Holder
from workspaces.exceptions import PortalError
from workspaces.models import PeopleGroup, User
from workspaces.roles import Action

_DONE = {
    "restrict": _("Restricted. Only people it is granted to can open it now."),
    "unrestrict": _("Open to everybody in its workspace who may open documents."),
    "grant": _("Granted."),
    "revoke": _("Taken back."),
}


class RestrictedFilter(SimpleListFilter):
    """Restricted to named people, or open to the workspace."""

    title = _("open to")
    parameter_name = "restricted"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("no", _("The workspace")), ("yes", _("Named people"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Document]) -> QuerySet[Document]:
        return queryset.filter(restricted=self.value() == "yes") if self.value() else queryset


@admin.register(Document)
class DocumentAdmin(GovernedAdmin):
    """Uploading, retrying and deleting happen in the portal; here the rights on a document are governed."""

    view_action = Action.OPEN
    list_display = (
        "title",
        "workspace_name",
        "state",
        "open_to",
        "classification",
        "owner_name",
        "holds",
        "added",
    )
    list_filter = (WorkspaceFilter, RestrictedFilter, "classification")
    search_fields = ("folded",)
    ordering = ("title",)
    fields = (
        "title",
        "path",
        "workspace",
        "what_answers",
        "who_may_open",
        "classification",
        "owner_name",
        "holds",
        "review_on",
        "filed_in",
        "tagged",
        "passages",
        "added",
        "added_by",
        "in_the_portal",
    )
    readonly_fields = (
        "what_answers",
        "who_may_open",
        "passages",
        "in_the_portal",
        "owner_name",
        "holds",
        "filed_in",
        "tagged",
        "added",
        "added_by",
    )
    change_form_outer_after_template = "admin/documents/document/_grants.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Document]:
        rows = (
            super()
            .get_queryset(request)
            .select_related("workspace", "current_version", "created_by", "owner", "folder")
        )
        return rows.defer("current_version__text", "current_version__sections")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Document], search_term: str
    ) -> tuple[QuerySet[Document], bool]:
        """Titles and paths as people type them, in either script and without accents."""
        return super().get_search_results(request, queryset, fold(search_term))

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        document = self.get_object(request, object_id or "")
        governs = access.allows(request.user, Action.MANAGE_DOCUMENTS, document)
        context = {
            "governs": governs,
            "granted": restriction.granted_people(document) if document.restricted else [],
            "grantable": restriction.people_to_grant(document) if governs and document.restricted else [],
            "granted_groups": restriction.granted_groups(document) if document.restricted else [],
            "grantable_groups": restriction.groups_to_grant(document) if governs and document.restricted else [],
        }
        return super().changeform_view(request, object_id, form_url, {**context, **(extra_context or {})})

    def get_urls(self) -> list[URLPattern]:
        own = [
            path(f"<uuid:pk>/{act}/", self.admin_site.admin_view(self._act_view(act)), name=f"documents_document_{act}")
            for act in _DONE
        ]
        return own + super().get_urls()

    def _act_view(self, act: str) -> Callable[..., HttpResponse]:
        @require_POST
        def view(request: HttpRequest, pk: Any) -> HttpResponse:
            document = access.find(request.user, Action.MANAGE_DOCUMENTS, Document, pk=pk)
            try:
                _do(
                    act,
                    document,
                    _Named(request.POST.get("person", ""), request.POST.get("group", "")),
                    by=request.user,
                )
            except PortalError as error:
                messages.error(request, str(error))
            else:
                messages.success(request, str(_DONE[act]))
            return HttpResponseRedirect(reverse("admin:documents_document_change", args=[pk]))

        return view

    @display(description=_("workspace"), ordering="workspace__name")
    def workspace_name(self, document: Document) -> str:
        return document.workspace.name

    @display(description=_("state"), label={VersionState.READY: "success", "none": "warning"})
    def state(self, document: Document) -> tuple[str, Any]:
        version = document.current_version
        return (version.state, version.get_state_display()) if version else ("none", _("Nothing answers yet"))

    @display(description=_("open to"), label={"yes": "danger", "no": "info"}, ordering="restricted")
    def open_to(self, document: Document) -> tuple[str, Any]:
        return ("yes", _("Named people")) if document.restricted else ("no", _("The workspace"))

    @display(description=_("state"))
    def what_answers(self, document: Document) -> Any:
        return self.state(document)[1]

    @display(description=_("open to"))
    def who_may_open(self, document: Document) -> Any:
        return self.open_to(document)[1]

    @display(description=_("owner"), ordering="owner__username")
    def owner_name(self, document: Document) -> Any:
        return document.owner.name if document.owner else "–"

    @display(description=_("valid until"), ordering="valid_until")
    def holds(self, document: Document) -> Any:
        if not document.is_expired:
            return document.valid_until or "–"
        return format_html("{} ({})", date_format(document.valid_until), _("expired"))

    @display(description=_("folder"))
    def filed_in(self, document: Document) -> Any:
        return document.folder.path if document.folder else "–"

    @display(description=_("tags"))
    def tagged(self, document: Document) -> Any:
        return ", ".join(tag.name for tag in document.tags.all()) or "–"

    @display(description=_("passages"))
    def passages(self, document: Document) -> Any:
        return document.current_version.passage_count if document.current_version else "–"

    @display(description=_("Added"), ordering="created_at")
    def added(self, document: Document) -> Any:
        return document.created_at

    @display(description=_("Added by"))
    def added_by(self, document: Document) -> str:
        return document.created_by.name if document.created_by else "–"

    @display(description=_("in the portal"))
    def in_the_portal(self, document: Document) -> str:
        address = reverse("documents:detail", args=[document.workspace.slug, document.pk])
        return format_html('<a class="text-primary-600 dark:text-primary-500" href="{}">{}</a>', address, _("Open it"))


@dataclass(frozen=True, slots=True)
class _Named:
    """Whom a form names: a person by user name, or a group of people by id."""

    person: str
    group: str

    def among(self, people: Iterable[User], groups: Iterable[PeopleGroup]) -> Holder:
        """The one that is named. Raises PortalError for anybody who was not there to choose."""
        for group in groups if self.group else ():
            if str(group.pk) == self.group:
                return group
        for person in people if not self.group else ():
            if person.username == self.person:
                return person
        raise PortalError(str(_("There is nobody called “%(name)s” to choose here.")) % {"name": self.person})


def _do(act: str, document: Document, named: _Named, *, by: User) -> None:
    match act:
        case "restrict":
            restriction.restrict(document, by=by)
        case "unrestrict":
            restriction.unrestrict(document, by=by)
        case "grant":
            holder = named.among(restriction.people_to_grant(document), restriction.groups_to_grant(document))
            restriction.grant(document, holder, by=by)
        case "revoke":
            holder = named.among(restriction.granted_people(document), restriction.granted_groups(document))
            restriction.revoke_grant(document, holder, by=by)
