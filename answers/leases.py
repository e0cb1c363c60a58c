"""Hold an answer while working on it.

The lease runs on database time and carries an attempt number; every later write names that number, so a worker
that was taken over, or whose asker pressed stop, changes nothing.
"""

from datetime import timedelta
from time import monotonic
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import Case, F, Q, QuerySet, Value, When
from django.db.models.functions import Now

from answers import endpoints
from answers.chat import earlier_turns
from answers.exceptions import LeaseLost
from answers.models import Answer
from answers.rag_templates import choosing
from answers.states import OPEN, AnswerStatus
from workspaces import access
from workspaces.compiled import Compiled

#: So many attempts may end without a word, or with an error of ours, before the answer ends as an internal fault.
MOST_DEATHS = 3
MOST_ERRORS = 3
#: How often a waiting worker looks whether the answer is still its own: a pressed stop is noticed within this.
GLANCE_SECONDS = 1.0

#: What the steps look at, in one statement, but for what few questions have. With templates and the chosen model joined
#: too these were fourteen tables, which the database planned for 27 ms and read in less than one; the version is read
#: beside them, by sub-queries that are planned by themselves.
_READ_WITH_IT = (
    "question",
    "asked_by",
    "workspace__models__default_endpoint",
    "workspace__templates_choice__standard",
    "workspace__reuse_rules",
    "workspace__checks__judge",
)


def take(answer_id: UUID) -> Answer | None:
    """The answer with all it needs loaded, ours under a new attempt; None when it is settled or held by another."""
    taken = Answer.objects.filter(unheld(), pk=answer_id).update(
        status=AnswerStatus.WORKING,
        attempt=F("attempt") + 1,
        # A lease that was left standing is a worker that died.
        deaths=F("deaths") + Case(When(lease_until__isnull=False, then=Value(1)), default=Value(0)),
        lease_until=_from_now(),
    )
    if not taken:
        return None
    [answer] = _taken(answer_id)
    answer.template = choosing.version_as_read(answer.version)
    choosing.keep_standard(answer.workspace, answer.standard)
    return answer if answer.status == AnswerStatus.WORKING else None


def _with_all(answer_id: UUID) -> QuerySet[Any]:
    # Not one that is got: that has a LIMIT, for which the database weighs every way to join for speed to the first row,
    # too, and plans thrice as long.
    return (
        Answer.objects.filter(pk=answer_id)
        .select_related(*_READ_WITH_IT)
        .prefetch_related("endpoint")
        .annotate(
            held=access.held_by("asked_by", "workspace"),
            follows=earlier_turns.is_follow_up(),
            built_in=endpoints.built_in_with(),
            version=choosing.version_with("template"),
            standard=choosing.version_with("workspace__templates_choice__standard__current"),
        )
    )


_taken = Compiled(_with_all, UUID)


def unheld() -> Q:
    """Open answers that no living worker holds."""
    return Q(status__in=OPEN) & (Q(lease_until=None) | Q(lease_until__lt=Now()))


def ours(answer: Answer) -> QuerySet[Any]:
    """The row, as long as it is still this attempt's; of an answer that is only tried, the row of its trial."""
    if (held := getattr(answer, "held_by_trial", None)) is not None:
        return held()  # type: ignore[no-any-return]
    return Answer.objects.filter(pk=answer.pk, attempt=answer.attempt, status=AnswerStatus.WORKING)


def renew(answer: Answer) -> None:
    """Hold on for another lease. Raises LeaseLost when the answer is no longer ours."""
    if not ours(answer).update(lease_until=_from_now()):
        raise LeaseLost(answer.pk)


def release(answer: Answer) -> None:
    """Let go, if the answer is still ours: the next sweep takes it without waiting for the lease."""
    ours(answer).update(lease_until=None)


def release_after_error(answer: Answer) -> None:
    """Let go, and count that this attempt ended with an error."""
    ours(answer).update(lease_until=None, errors=F("errors") + 1)


class Watch:
    """Asked as often as one likes whether to stop; looks at the row every second and renews the lease in time."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        self.lost = False
        self._looked_at = self._renewed_at = monotonic()

    def should_stop(self) -> bool:
        now = monotonic()
        if self.lost or now - self._looked_at < GLANCE_SECONDS:
            return self.lost
        self._looked_at = now
        if now - self._renewed_at > settings.LEASE_SECONDS / 3:
            self._renewed_at = now
            self.lost = not ours(self.answer).update(lease_until=_from_now())
        else:
            self.lost = not ours(self.answer).exists()
        return self.lost


def _from_now() -> Now:
    return Now() + timedelta(seconds=settings.LEASE_SECONDS)
