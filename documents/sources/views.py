"""Pages of sources: the list, one source with its runs, its form, and the acts on it."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.db.models import Count, OuterRef, Q, Subquery
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from documents.models import OPEN_RUNS, Document, RunKind, RunState, Source, SourceRun
from documents.sources import CONNECTORS
from documents.sources.forms import SourceForm
from documents.sources.keeping import (
    ask_run,
    change_source,
    confirm_removals,
    create_source,
    delete_source,
    pause_source,
    resume_source,
)
from documents.sources.naming import Told, closed_names, held_back
from documents.sources.problems import sentence
from documents.states import STOPPED
from workspaces import access
from workspaces.decorators import in_workspace
from workspaces.exceptions import PortalError
from workspaces.models import User, Workspace
from workspaces.roles import Action

RUNS_SHOWN = 12
_TONES = {RunState.DONE: "ok", RunState.HELD: "wait", RunState.FAILED: "fail"}


@dataclass(frozen=True)
class Look:
    """A run as a page shows it to one person: names of documents that are closed to them are counted, not told."""

    run: SourceRun
    person: User

    @property
    def tone(self) -> str:
        return _TONES.get(RunState(self.run.state), "run")

    @property
    def working(self) -> bool:
        return self.run.state in OPEN_RUNS

    @property
    def done(self) -> int:
        return self.run.added + self.run.changed + self.run.removed + self.run.failed

    @property
    def sentence(self) -> str:
        return sentence(self.run.problem, self.run.problem_detail) if self.run.problem else ""

    @cached_property
    def _closed(self) -> frozenset[str]:
        noted = [one["path"] for one in self.run.problems]
        sampled = [path for paths in self.run.found.get("samples", {}).values() for path in paths]
        tested = self.run.found.get("path", "")
        return closed_names(self.run.source, [*noted, *sampled, tested], to=self.person)

    @property
    def problems(self) -> list[tuple[str, str]]:
        noted = [one for one in self.run.problems if one["path"] not in self._closed]
        return [(one["path"], sentence(one["code"], one["detail"])) for one in noted]

    @property
    def more_problems(self) -> int:
        return max(0, self.run.failed - len(self.problems))

    @property
    def samples(self) -> dict[str, Told]:
        """By what a sync would do: some of the names, and how many of these are not told."""
        return {
            word: Told(
                [path for path in paths if path not in self._closed], sum(path in self._closed for path in paths)
            )
            for word, paths in self.run.found.get("samples", {}).items()
        }

    @property
    def tested(self) -> str:
        path = self.run.found.get("path", "")
        return "" if path in self._closed else path

    @cached_property
    def held_back(self) -> Told:
        return held_back(self.run, to=self.person)


@require_GET
@in_workspace(Action.MANAGE_DOCUMENTS)
def list_sources(request: HttpRequest, workspace: Workspace) -> HttpResponse:
    """The sources of the workspace, each with its last run."""
    last = SourceRun.objects.filter(source=OuterRef("pk")).order_by("-asked_at").values("pk")[:1]
    living = Count("items", filter=Q(items__document__deleted_at=None, items__document__isnull=False))
    sources = list(
        access.visible(request.user, Source).filter(workspace=workspace).annotate(last=Subquery(last), living=living)
    )
    runs = SourceRun.objects.in_bulk([source.last for source in sources if source.last])
    rows = [
        {
            "source": source,
            "label": CONNECTORS[source.kind].label,
            "look": Look(runs[source.last], request.user) if source.last else None,
        }
        for source in sources
    ]
    return render(request, "documents/sources/list.html", {"rows": rows, "kinds": CONNECTORS.values()})


@require_http_methods(["GET", "POST"])
@in_workspace(Action.MANAGE_DOCUMENTS)
def add_source(request: HttpRequest, workspace: Workspace) -> HttpResponse:
    """Choose a kind (`?kind=`), then fill in its form."""
    connector = CONNECTORS.get(request.GET.get("kind", ""))
    if connector is None:
        return render(request, "documents/sources/kinds.html", {"kinds": CONNECTORS.values()})
    form = SourceForm(request.POST or None, connector=connector)
    if request.method == "POST" and form.is_valid():
        try:
            source = create_source(workspace, connector.kind, form.wish(), by=request.user)
        except PortalError as error:
            form.add_error(None, str(error))
        else:
            ask_run(source, RunKind.PREVIEW, by=request.user)
            messages.success(request, _("Set up. Look at the preview: nothing is brought in before you start it."))
            return redirect("documents:source", slug=workspace.slug, pk=source.pk)
    status = 400 if form.errors else 200
    return render(request, "documents/sources/form.html", {"form": form, "connector": connector}, status=status)


@require_GET
@in_workspace(Action.MANAGE_DOCUMENTS)
def show_source(request: HttpRequest, workspace: Workspace, pk: UUID) -> HttpResponse:
    """One source: what it is, what its last run did, what went wrong, and the runs before."""
    source = _find(request, workspace, pk)
    connector = CONNECTORS[source.kind]
    context = _looks(source, request.user) | {
        "brought": _brought(source, request.user),
        "connector": connector,
        "options": [(one.label, source.options.get(one.name, "")) for one in connector.fields],
    }
    return render(request, "documents/sources/detail.html", context)


@require_GET
@in_workspace(Action.MANAGE_DOCUMENTS)
def source_progress(request: HttpRequest, workspace: Workspace, pk: UUID) -> HttpResponse:
    """The runs alone; htmx asks again while one is on its way."""
    return render(request, "documents/sources/_runs.html", _looks(_find(request, workspace, pk), request.user))


@require_http_methods(["GET", "POST"])
@in_workspace(Action.MANAGE_DOCUMENTS)
def edit_source(request: HttpRequest, workspace: Workspace, pk: UUID) -> HttpResponse:
    """Change a source."""
    source = _find(request, workspace, pk)
    connector = CONNECTORS[source.kind]
    form = SourceForm(request.POST or None, connector=connector, source=source)
    if request.method == "POST" and form.is_valid():
        try:
            is_dropped = change_source(source, form.wish(), by=request.user)
        except PortalError as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, _("Saved. From now on it runs with your rights."))
            if is_dropped:
                messages.warning(request, _("It points elsewhere now, so its secret was dropped. Enter it again."))
            return redirect("documents:source", slug=workspace.slug, pk=pk)
    context = {"form": form, "connector": connector, "source": source}
    return render(request, "documents/sources/form.html", context, status=400 if form.errors else 200)


@require_POST
@in_workspace(Action.MANAGE_DOCUMENTS)
def run_source(request: HttpRequest, workspace: Workspace, pk: UUID) -> HttpResponse:
    """Test, preview or sync a source now, as `kind` says."""
    source = _find(request, workspace, pk)
    try:
        ask_run(source, request.POST.get("kind", ""), by=request.user)
    except PortalError as error:
        messages.error(request, str(error))
    return redirect("documents:source", slug=workspace.slug, pk=pk)


@require_POST
@in_workspace(Action.MANAGE_DOCUMENTS)
def pause(request: HttpRequest, workspace: Workspace, pk: UUID) -> HttpResponse:
    """Keep the schedule of a source from starting runs."""
    return _with_schedule(request, workspace, pk, pause_source)


@require_POST
@in_workspace(Action.MANAGE_DOCUMENTS)
def resume(request: HttpRequest, workspace: Workspace, pk: UUID) -> HttpResponse:
    """Let the schedule of a source start runs again."""
    return _with_schedule(request, workspace, pk, resume_source)


@require_POST
@in_workspace(Action.MANAGE_DOCUMENTS)
def confirm_source(request: HttpRequest, workspace: Workspace, pk: UUID) -> HttpResponse:
    """Delete what a run held back."""
    source = _find(request, workspace, pk)
    run = access.find(
        request.user, Action.MANAGE_DOCUMENTS, SourceRun, pk=request.POST.get("run") or None, source=source
    )
    try:
        confirm_removals(run, by=request.user)
    except PortalError as error:
        messages.error(request, str(error))
    return redirect("documents:source", slug=workspace.slug, pk=pk)


@require_POST
@in_workspace(Action.MANAGE_DOCUMENTS)
def remove_source(request: HttpRequest, workspace: Workspace, pk: UUID) -> HttpResponse:
    """Take a source away; its documents stay."""
    source = _find(request, workspace, pk)
    delete_source(source, by=request.user)
    messages.success(request, _("“%(name)s” was taken away. Its documents stay.") % {"name": source.name})
    return redirect("documents:sources", slug=workspace.slug)


# --- Inside -------------------------------------------------------------------------------------------------


def _with_schedule(request: HttpRequest, workspace: Workspace, pk: UUID, verb: Callable[..., None]) -> HttpResponse:
    source = _find(request, workspace, pk)
    try:
        verb(source, by=request.user)
    except PortalError as error:
        messages.error(request, str(error))
    return redirect("documents:source", slug=workspace.slug, pk=pk)


def _find(request: HttpRequest, workspace: Workspace, pk: UUID) -> Source:
    return access.find(request.user, Action.MANAGE_DOCUMENTS, Source, pk=pk, workspace=workspace)


def _brought(source: Source, person: User) -> dict[str, int]:
    """How many documents of `source` this person may open, and how many of them could not be read."""
    documents = access.visible(person, Document).filter(
        workspace=source.workspace_id, deleted_at=None, source_items__source=source
    )
    unread = Count("pk", filter=Q(latest_version__state__in=STOPPED), distinct=True)
    return documents.aggregate(living=Count("pk", distinct=True), unread=unread)


def _looks(source: Source, person: User) -> dict[str, Any]:
    """What the page and its fragment say of the runs."""
    looks = [
        Look(run, person) for run in source.runs.select_related("asked_by", "source").order_by("-asked_at")[:RUNS_SHOWN]
    ]
    latest = looks[0] if looks else None
    previewed = any(look.run.kind == RunKind.PREVIEW and look.run.state == RunState.DONE for look in looks)
    return {"source": source, "latest": latest, "earlier": looks[1:], "previewed": previewed}
