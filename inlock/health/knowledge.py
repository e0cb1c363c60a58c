"""What the portal knows and whether it can be asked: files on their way, indexes, sources, answers."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db.models import Count, Min, Model, Q, QuerySet
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext as _

from answers import states
from answers.models import Answer
from documents.deletion import proving
from documents.embeddings import built_in, is_installed
from documents.index import IndexUnavailable
from documents.indexing import checks as index_checks
from documents.ingestion.left_originals import SWEPT, words_of_others
from documents.models import OPEN_RUNS, IndexCheck, Source, SourceRun, Version, WorkspaceSpace
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
    """Twelve queries at most, however much there is; and one for each index that is being made anew."""
    return [_files(), _leases(), _indexes(), *_missing_models(), _sources(), _answers()]


def _files() -> Finding:
    now = timezone.now()
    counts = Version.objects.aggregate(
        waiting=Count("pk", filter=Q(state__in=OPEN)),
        long=Count("pk", filter=Q(state__in=OPEN, created_at__lt=now - WAITS_LONG)),
        failed=Count("pk", filter=Q(state=VersionState.FAILED)),
        quarantined=Count("pk", filter=Q(state=VersionState.QUARANTINED)),
        again=Count("pk", filter=Q(state__in=OPEN, attempt__gte=2)),
    )
    state = _(
        "%(waiting)d on their way, %(failed)d failed, %(quarantined)d set aside because they kept ending their worker"
    )
    state %= counts
    if counts["again"]:
        state += _("; %(again)d on their way were begun twice or more") % counts
    if words_of_others():
        fault = _(
            "Stored files that no document has are kept: another database, or a later state of this one, used them."
        )
        step = _(
            "See “Backup and restore” in docs/operations.md, then delete the file %(name)s among the stored files."
        )
        return Finding("files", state, fault, step % {"name": SWEPT})
    if not counts["long"]:
        return Finding("files", state)
    step = _(
        "See the worker of the queue ingest, the vector index and the embedding servers; files go on by themselves "
        "once all are there."
    )
    return Finding("files", state, _("%(n)d wait for more than an hour.") % {"n": counts["long"]}, step)


def _leases() -> Finding:
    """Work that somebody began and no longer holds, by the database's clock: the next sweep has it taken up again."""
    held: tuple[QuerySet[Model], ...] = (
        Version.objects.filter(state__in=OPEN),
        SourceRun.objects.filter(state__in=OPEN_RUNS),
        proving.to_prove(),
        Answer.objects.filter(status__in=states.OPEN),
    )
    lapsed = [rows.filter(lease_until__lt=Now()).aggregate(n=Count("pk"), since=Min("lease_until")) for rows in held]
    n, since = sum(one["n"] for one in lapsed), min((one["since"] for one in lapsed if one["n"]), default=None)
    if since is None:
        return Finding("leases", _("none has expired"))
    state = _("%(n)d have expired, the first at %(when)s")
    state %= {"n": n, "when": f"{timezone.localtime(since):%Y-%m-%d %H:%M}"}
    if since > timezone.now() - WAITS_LONG:
        return Finding("leases", state)
    step = _("See the schedule and the workers; what a worker held when it ended goes on once another takes it up.")
    return Finding("leases", state, _("Work whose worker ended was not taken up for more than an hour."), step)


def _indexes() -> Finding:
    """What the last comparison of each workspace's index with the database found, and whether it is made at all."""
    workspaces = {pk: (slug, made) for pk, slug, made in Workspace.objects.values_list("pk", "slug", "created_at")}
    last = index_checks.latest(list(workspaces))
    passages = sum(check.passages for check in last.values())
    unlike = sorted(workspaces[pk][0] for pk, check in last.items() if not check.agrees)
    if unlike:
        step = _(
            "Compare them again; if they still differ, run `manage.py index rebuild SLUG`, which costs no embedding."
        )
        fault = _("Index and database do not agree: %(names)s.") % {"names": _some(unlike)}
        return Finding("indexes", _("%(n)d differ") % {"n": len(unlike)}, fault, step)
    made = sorted(workspaces[pk][0] for pk in _being_made(workspaces))
    if made:
        step = _("It goes on by itself, from stored vectors; see the worker of the queue ingest.")
        fault = _("Searches go without vectors until the index is made anew: %(names)s.") % {"names": _some(made)}
        return Finding("indexes", _("%(n)d being made anew") % {"n": len(made)}, fault, step)
    missing = len(workspaces) - len(last)
    oldest = min((check.started_at for check in last.values()), default=None)
    told = [
        _("%(n)d agree with the database, %(passages)d passages") % {"n": len(last), "passages": passages},
        _("all compared since %(when)s") % {"when": f"{timezone.localtime(oldest):%Y-%m-%d %H:%M}"} if oldest else "",
        _("%(n)d not compared yet") % {"n": missing} if missing else "",
    ]
    state = ", ".join(filter(None, told))
    late = sorted(slug for pk, (slug, made) in workspaces.items() if _is_late(last.get(pk), made))
    if not late:
        return Finding("indexes", state)
    step = _("See the schedule and the workers, or compare them by hand on the page Health in the admin.")
    fault = _("Indexes that were due were not compared with the database: %(names)s.") % {"names": _some(late)}
    return Finding("indexes", state, fault, step)


def _missing_models() -> list[Finding]:
    """The workspaces that are searched with an optional embedding model that is not installed."""
    missing = [space.fingerprint for space in built_in() if not is_installed(space)]
    if not missing:
        return []
    searched = WorkspaceSpace.objects.filter(space__in=missing, workspace__archived_at=None)
    slugs = sorted(searched.values_list("workspace__slug", flat=True))
    if not slugs:
        return []
    fault = _("Searches go without vectors, and new files fail: the embedding model is not installed (%(names)s).")
    step = _(
        "Run `make multilingual`, start the portal again and retry the files, or move these workspaces to another "
        "embedding model."
    )
    state = _("%(n)d workspaces without theirs") % {"n": len(slugs)}
    return [Finding("embedding model", state, fault % {"names": _some(slugs)}, step)]


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
        return Finding("sources", _("%(all)d, none overdue") % counts)
    step = _("See the schedule and the workers; a source's own page says what its last run met.")
    return Finding(
        "sources", _("%(all)d, %(overdue)d overdue") % counts, _("Syncs that were due were not begun."), step
    )


def _answers() -> Finding:
    asked = Answer.objects.filter(created_at__gt=timezone.now() - LATELY)
    counts = asked.aggregate(all=Count("pk"), failed=Count("pk", filter=Q(status__startswith="failed_")))
    state = _("%(all)d asked in a day, %(failed)d of them failed") % counts
    if 2 * counts["failed"] <= counts["all"]:
        return Finding("answers", state)
    step = _("Test the model endpoints in the admin; the provenance of an answer names what failed.")
    return Finding("answers", state, _("More than half of what was asked lately failed."), step)
