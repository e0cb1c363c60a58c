"""Do one run: make every check that was not made yet, one after another, and come to a verdict.

The row is the job: a run whose worker died is taken up by another, which goes on behind the last check that was kept.
Whatever a check writes is rolled back, so that a look leaves nothing but its result.
"""

import logging
from time import perf_counter
from uuid import UUID

from django.db import transaction
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext_noop as _

from audit import context
from audit.chain import digest
from audit.events import EventType
from audit.record import record
from workspaces.killpoints import killpoint
from workspaces.models import OPEN_READINESS, Outcome, ReadinessResult, ReadinessRun, ReadinessState
from workspaces.readiness import lapsing, phases, registry, report, scoring, warning
from workspaces.readiness.holding import Held, from_now, ours
from workspaces.readiness.registry import Check, Found, Scene, blocked

logger = logging.getLogger(__name__)

#: Attempts whose worker went away before a run is given up.
MOST_ATTEMPTS = 3


class LeaseLost(Exception):
    """Another worker has the run by now."""


def unheld() -> Q:
    """Open runs that no living worker holds."""
    return Q(state__in=OPEN_READINESS) & (Q(lease_until=None) | Q(lease_until__lt=Now()))


def run(run_id: UUID) -> None:
    """Bring the run to its verdict, unless it has one or another worker is at it."""
    taken = ReadinessRun.objects.filter(unheld(), pk=run_id).update(
        state=ReadinessState.WORKING, attempt=F("attempt") + 1, lease_until=from_now()
    )
    if not taken:
        return
    row = ReadinessRun.objects.select_related("workspace", "asked_by").get(pk=run_id)
    with context.acting(None):
        try:
            _work(row)
        except LeaseLost:
            logger.info("Readiness %s was taken over; attempt %s ends.", row.pk, row.attempt)
        except BaseException:
            # Whatever ended this attempt, the next sweep need not wait for the lease.
            ours(row).update(lease_until=None)
            raise


def _work(row: ReadinessRun) -> None:
    if row.attempt > MOST_ATTEMPTS:
        return _give_up(row)
    scene, made = Scene(row.workspace), set(row.results.values_list("code", flat=True))
    with Held(row):
        for place, check in enumerate(registry.checks()):
            if check.code not in made:
                _keep(row, check, place, scene)
                killpoint("readiness_check_kept")
    _conclude(row)
    report.issue(row)
    return None


def look(check: Check, scene: Scene) -> tuple[Found, int]:
    """What the check finds and in how many milliseconds. One that fails has found that it cannot be relied on."""
    began = perf_counter()
    try:
        with transaction.atomic():
            found = check.look(scene)
            transaction.set_rollback(True)
    except Exception:
        # Not to carry on as if nothing were: it blocks until somebody has read this.
        logger.exception("The check %s failed in workspace %s", check.code, scene.workspace.pk)
        found = blocked(_("The check itself failed. The portal's log tells more under “%(check)s”."), check=check.code)
    for act in registry.afterwards:
        act()
    return found, round(1000 * (perf_counter() - began))


def _keep(row: ReadinessRun, check: Check, place: int, scene: Scene) -> None:
    found, milliseconds = look(check, scene)
    with transaction.atomic():
        if not ours(row).update(lease_until=from_now()):
            raise LeaseLost
        ReadinessResult.objects.create(
            run=row,
            code=check.code,
            area=check.area,
            place=place,
            outcome=found.outcome,
            sentence=found.sentence,
            facts=found.facts,
            milliseconds=milliseconds,
        )


@transaction.atomic
def _give_up(row: ReadinessRun) -> None:
    """No verdict, and the entry that there is none. Raises LeaseLost."""
    if not ours(row).update(state=ReadinessState.FAILED, ended_at=timezone.now(), lease_until=None):
        raise LeaseLost
    record(
        EventType.READINESS_GIVEN_UP,
        on=row,
        workspace=row.workspace,
        by=row.asked_by,
        attempts=MOST_ATTEMPTS,
        made=row.results.count(),
        planned=row.planned,
    )


@transaction.atomic
def _conclude(row: ReadinessRun) -> None:
    """The verdict, its entry, and a word to those whom a new blocker concerns. Raises LeaseLost."""
    # A workspace does not come into pilot by an older go while this says that something blocks.
    phases.lock(row.workspace)
    results = list(row.results.all())
    before = warning.standing_blocks(row)
    row.is_go = not any(one.outcome == Outcome.BLOCK for one in results)
    row.score, row.scores = scoring.overall(results), scoring.by_area(results)
    row.state, row.ended_at, row.lease_until = ReadinessState.DONE, timezone.now(), None
    names = ("is_go", "score", "scores", "state", "ended_at", "lease_until")
    if not ours(row).update(**{name: getattr(row, name) for name in names}):
        raise LeaseLost
    record(
        EventType.READINESS_CHECKED,
        on=row,
        workspace=row.workspace,
        by=row.asked_by,
        is_go=row.is_go,
        score=row.score,
        outcomes=scoring.counts(results),
        blocks=[one.code for one in results if one.outcome == Outcome.BLOCK],
        results_sha256=digest(report.results_in(results)),
    )
    warning.tell(row, results, before)
    lapsing.follow(row)
