"""Training sets on their pages: asked for, looked through, sealed, and taken away."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.db import transaction
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from answers.exceptions import TrainingError
from answers.finetuning import changes, jobs, page, sealing, sets
from answers.finetuning.forms import JobForm, SetForm
from answers.finetuning.views import as_file
from answers.models import SetState, TrainingExample, TrainingSet
from audit.chain import digest
from audit.events import EventType
from audit.record import record
from documents.models import UsageRight
from workspaces import access
from workspaces.decorators import in_workspace, says_why
from workspaces.exceptions import PortalError
from workspaces.models import Workspace
from workspaces.roles import Action

PAGE = 50
#: What of a set is shown, by `show`.
_SHOWN: dict[str, Q] = {
    "learnt": Q(dropped_at=None),
    "personal": Q(dropped_at=None) & ~Q(personal=[]),
    "out": Q(dropped_at__isnull=False),
}


@require_http_methods(["GET", "POST"])
@in_workspace(Action.MANAGE)
def ask(request: HttpRequest, workspace: Workspace) -> HttpResponse:
    """Ask for a set, which is built in the background."""
    form = SetForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            made = sets.ask(workspace, **form.cleaned_data, by=request.user)
        except PortalError as error:
            form.add_error(None, str(error))
        else:
            return redirect("answers:training_set", slug=workspace.slug, pk=made.pk)
    return render(request, "answers/finetuning/new_set.html", {"form": form}, status=400 if form.errors else 200)


@require_GET
@in_workspace(Action.MANAGE)
def show(request: HttpRequest, workspace: Workspace, pk: UUID) -> HttpResponse:
    """A set: what is in it, what was left out and why, and what can be done with it next."""
    return _page(request, workspace, _find(request, workspace, pk))


@require_POST
@in_workspace(Action.MANAGE)
@says_why("answers:training_set", "pk")
def choose(request: HttpRequest, workspace: Workspace, pk: UUID) -> HttpResponse:
    """Take the examples that were ticked (`example`) out, or keep them with what looks like data of a person."""
    found = _find(request, workspace, pk)
    ids = _ids(request.POST.getlist("example"))
    if request.POST.get("act") == "keep":
        count = sets.keep(found, ids, by=request.user)
        told = ngettext("%(count)d example is kept.", "%(count)d examples are kept.", count)
    else:
        count = sets.drop(found, ids, by=request.user)
        told = ngettext("%(count)d example is taken out.", "%(count)d examples are taken out.", count)
    if not count:
        raise TrainingError(_("Choose examples that are still to be decided about."))
    messages.success(request, told % {"count": count})
    return redirect("answers:training_set", slug=workspace.slug, pk=pk)


@require_POST
@in_workspace(Action.MANAGE)
@says_why("answers:training_set", "pk")
def seal(request: HttpRequest, workspace: Workspace, pk: UUID) -> HttpResponse:
    """Fix the bytes of the set."""
    sealing.seal(_find(request, workspace, pk), by=request.user)
    messages.success(request, _("Sealed. It is exactly these examples from now on."))
    return redirect("answers:training_set", slug=workspace.slug, pk=pk)


@require_GET
@in_workspace(Action.MANAGE)
@says_why("answers:training_set", "pk")
def take(request: HttpRequest, workspace: Workspace, pk: UUID, what: str) -> HttpResponse:
    """A file of the set, or its manifest."""
    return as_file(sealing.take(_find(request, workspace, pk), what, by=request.user))


@require_POST
@in_workspace(Action.MANAGE)
@says_why("answers:training_set", "pk")
def train(request: HttpRequest, workspace: Workspace, pk: UUID) -> HttpResponse:
    """Have a model trained on the set."""
    found = _find(request, workspace, pk)
    form = JobForm(request.POST, workspace=workspace)
    if not form.is_valid():
        return _page(request, workspace, found, form=form)
    job = jobs.begin(found, **form.cleaned_data, by=request.user)
    return redirect("answers:tuning_job", slug=workspace.slug, pk=job.pk)


# --- Inside -------------------------------------------------------------------------------------------------


def _find(request: HttpRequest, workspace: Workspace, pk: UUID) -> TrainingSet:
    return access.find(request.user, Action.MANAGE, TrainingSet, pk=pk, workspace=workspace)


def _ids(sent: list[str]) -> list[UUID]:
    try:
        return [UUID(one) for one in sent]
    except ValueError as error:
        raise TrainingError(_("Choose examples that are still to be decided about.")) from error


def _page(request: HttpRequest, workspace: Workspace, found: TrainingSet, form: JobForm | None = None) -> HttpResponse:
    context: dict[str, Any] = {"set": found, "tone": page.SET_TONES[SetState(found.state)]}
    if request.htmx:
        if found.state == SetState.BUILDING:
            return render(request, "answers/finetuning/_set_state.html", context)
        return HttpResponse(status=204, headers={"HX-Refresh": "true"})
    shown = request.GET.get("show", "")
    shown = shown if shown in _SHOWN else "learnt"
    opened = sets.examples_shown(found, to=request.user)
    examples = opened.filter(_SHOWN[shown])
    listed = Paginator(examples, PAGE).get_page(request.GET.get("page"))
    rows = page.shown(listed, to=request.user, doubted=changes.doubted(found))
    _record_reading(request, workspace, found, rows)
    is_sealed = found.state == SetState.SEALED
    context |= {
        "shown": shown,
        "page": listed,
        "pages_query": f"show={shown}&",
        "rows": rows,
        "counts": {name: opened.filter(those).count() for name, those in _SHOWN.items()},
        "undecided": _undecided(opened).count(),
        "closed": found.examples.count() - opened.count(),
        "left_out": page.left_out(found),
        "usages": [one.label for one in UsageRight if one.value in found.usages],
        "files": found.files.all(),
        "manifest_sha256": digest(found.manifest) if is_sealed else "",
        "flags": page.doubts(list(found.flags.select_related("settled_by")), to=request.user),
        "why_not": sealing.why_not(found) if is_sealed else "",
        "jobs": [(one, page.JOB_TONES[one.state]) for one in found.jobs.select_related("asked_by", "result")],
        "form": form or (JobForm(workspace=workspace) if is_sealed else None),
    }
    return render(request, "answers/finetuning/set.html", context, status=400 if form else 200)


def _undecided(examples: QuerySet[TrainingExample]) -> QuerySet[TrainingExample]:
    return examples.filter(dropped_at=None, kept_at=None).exclude(personal=[])


def _record_reading(request: HttpRequest, workspace: Workspace, found: TrainingSet, rows: list[page.Shown]) -> None:
    texts = sum(bool(row.question or row.reply) for row in rows)
    if not texts:
        return
    with transaction.atomic():
        record(EventType.TRAINING_READ, on=found, workspace=workspace, by=request.user, examples=texts)
