"""What the portal knows and whether it can be asked: files on their way, indexes, sources, answers."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db.models import Count, Q
from django.utils import timezone

from answers.models import Answer
from documents.embeddings import built_in, is_installed
from documents.index import IndexUnavailable
from documents.indexing import checks as index_checks
from documents.models import IndexCheck, Source, Version, WorkspaceSpace
from documents.states import OPEN, VersionState
from inlock.health.finding import Finding
from workspaces.models import Workspace

#: Longer than any file takes that is worked on at all.
WAITS_LONG = timedelta(hours=1)
#: A sync that did not begin so long after its time.
OVERDUE = timedelta(hours=1)
#: A workspace is compared within minutes of its making.
NEVER_COMPARED = timedelta(hours=1)
LATELY = timedelta(days=1)
_NAMED = 5


def knowledge() -> list[Finding]:
    """Seven queries at most, however much there is; and one for each index that is being made anew."""
    return [_files(), _indexes(), *_missing_models(), _sources(), _answers()]


def _files() -> Finding:
    now = timezone.now()
    counts = Version.objects.aggregate(
        waiting=Count("pk", filter=Q(state__in=OPEN)),
        long=Count("pk", filter=Q(state__in=OPEN, created_at__lt=now - WAITS_LONG)),
        failed=Count("pk", filter=Q(state=VersionState.FAILED)),
        quarantined=Count("pk", filter=Q(state=VersionState.QUARANTINED)),
    )
    state = (
        f"{counts['waiting']} on their way, {counts['failed']} failed, {counts['quarantined']} set aside because they "
        "kept ending their worker"
    )
    if not counts["long"]:
        return Finding("files", state)
    step = "See the worker of the queue ingest and the vector index; files go on by themselves once both are there."
    return Finding("files", state, f"{counts['long']} wait for more than an hour.", step)


def _indexes() -> Finding:
    """What the last comparison of each workspace's index with the database found, and whether it is made at all."""
    workspaces = {pk: (slug, made) for pk, slug, made in Workspace.objects.values_list("pk", "slug", "created_at")}
    last = index_checks.latest(list(workspaces))
    passages = sum(check.passages for check in last.values())
    unlike = sorted(workspaces[pk][0] for pk, check in last.items() if not check.agrees)
    if unlike:
        step = "Compare them again; if they still differ, run `manage.py index rebuild SLUG`, which costs no embedding."
        fault = f"Index and database do not agree: {_some(unlike)}."
        return Finding("indexes", f"{len(unlike)} differ", fault, step)
    made = sorted(workspaces[pk][0] for pk in _being_made(workspaces))
    if made:
        step = "It goes on by itself, from stored vectors; see the worker of the queue ingest."
        fault = f"Searches go without vectors until the index is made anew: {_some(made)}."
        return Finding("indexes", f"{len(made)} being made anew", fault, step)
    missing = len(workspaces) - len(last)
    never = f"; {missing} not compared yet" if missing else ""
    oldest = min((check.started_at for check in last.values()), default=None)
    since = f", all compared since {timezone.localtime(oldest):%Y-%m-%d %H:%M}" if oldest else ""
    state = f"{len(last)} agree with the database, {passages} passages{since}{never}"
    late = sorted(slug for pk, (slug, made) in workspaces.items() if _is_late(last.get(pk), made))
    if not late:
        return Finding("indexes", state)
    step = "See the schedule and the workers, or compare them by hand on the page Health in the admin."
    return Finding("indexes", state, f"Indexes that were due were not compared with the database: {_some(late)}.", step)


def _missing_models() -> list[Finding]:
    """The workspaces that are searched with an optional embedding model that is not installed."""
    missing = [space.fingerprint for space in built_in() if not is_installed(space)]
    if not missing:
        return []
    searched = WorkspaceSpace.objects.filter(space__in=missing, workspace__archived_at=None)
    slugs = sorted(searched.values_list("workspace__slug", flat=True))
    if not slugs:
        return []
    fault = f"Searches go without vectors, and files wait: the embedding model is not installed ({_some(slugs)})."
    step = "Run `make multilingual` and start the portal again, or move these workspaces to another embedding model."
    return [Finding("embedding model", f"{len(slugs)} workspaces without theirs", fault, step)]


def _being_made(workspaces: Collection[UUID]) -> list[UUID]:
    try:
        return index_checks.being_made(workspaces)
    except IndexUnavailable:
        # The engine's own finding says so.
        return []


def _is_late(check: IndexCheck | None, made_at: datetime) -> bool:
    if check is None:
        return made_at < timezone.now() - NEVER_COMPARED
    return check.started_at < timezone.now() - 2 * timedelta(hours=settings.RECONCILE_HOURS)


def _some(slugs: Sequence[str]) -> str:
    return ", ".join(slugs[:_NAMED]) + (", …" if len(slugs) > _NAMED else "")


def _sources() -> Finding:
    counts = Source.objects.aggregate(
        all=Count("pk"), overdue=Count("pk", filter=Q(due_at__lt=timezone.now() - OVERDUE, workspace__archived_at=None))
    )
    if not counts["overdue"]:
        return Finding("sources", f"{counts['all']}, none overdue")
    step = "See the schedule and the workers; a source's own page says what its last run met."
    return Finding(
        "sources", f"{counts['all']}, {counts['overdue']} overdue", "Syncs that were due were not begun.", step
    )


def _answers() -> Finding:
    asked = Answer.objects.filter(created_at__gt=timezone.now() - LATELY)
    counts = asked.aggregate(all=Count("pk"), failed=Count("pk", filter=Q(status__startswith="failed_")))
    state = f"{counts['all']} asked in a day, {counts['failed']} of them failed"
    if 2 * counts["failed"] <= counts["all"]:
        return Finding("answers", state)
    step = "Test the model endpoints in the admin; the provenance of an answer names what failed."
    return Finding("answers", state, "More than half of what was asked lately failed.", step)
