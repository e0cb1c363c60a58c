"""Which declassification of an answer is in force, and how one ends."""

from django.utils import timezone

from answers.models import Answer, Declassification
from audit.events import EventType
from audit.record import record
from workspaces.models import User


def in_force(answer: Answer) -> Declassification | None:
    """The declassification of the text as it stands, if there is one."""
    return answer.declassifications.filter(ended_at=None, text_sha256=answer.released_sha256).first()


def end_all(answer: Answer, *, by: User, reason: str = "") -> None:
    """End what was declassified of the answer, whatever its text is by now. The answer is locked."""
    for found in answer.declassifications.filter(ended_at=None):
        end(found, by=by, reason=reason)


def end(found: Declassification, *, by: User, reason: str = "") -> None:
    """End this one. In the caller's transaction."""
    found.ended_at, found.ended_by = timezone.now(), by
    found.save(update_fields=["ended_at", "ended_by"])
    record(
        EventType.DECLASSIFICATION_ENDED,
        on=found.answer,
        workspace=found.answer.workspace_id,
        by=by,
        reason=reason,
        declassification=found.pk,
        text_sha256=found.text_sha256,
    )
