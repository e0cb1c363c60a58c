"""What was given again stands and falls with the approval it was given under."""

from functools import partial

from django.db import transaction
from django.utils import timezone

from answers import streaming
from answers.models import Answer, Suspension
from answers.states import RELEASED, AnswerStatus
from audit.events import EventType
from audit.record import Entry, record_all
from workspaces.models import User
from workspaces.notifications import notify
from workspaces.notifications.registry import Kind


def close_what_was_given(approved: Answer, *, by: User) -> int:
    """Take back every answer that is `approved` given again, and tell its asker; how many.

    In the transaction in which that one is put under review again or taken back: nobody reads its text from then on.
    """
    rows = Answer.objects.select_for_update(of=("self",), no_key=True).select_related("asked_by")
    given = list(rows.filter(reuse__approved=approved, status__in=(*RELEASED, AnswerStatus.SUSPENDED)).order_by("pk"))
    if not given:
        return 0
    # Else a document that comes back would bring them back.
    standing = Suspension.objects.filter(answer__in=given, ended_at=None)
    standing.update(ended_at=timezone.now(), ended_by=by)
    entries = [_taken_back(answer, approved) for answer in given]
    record_all(entries, workspace=approved.workspace_id, by=by)
    for answer in given:
        notify(Kind.ANSWER_TAKEN_BACK, to=[answer.asked_by], about=answer, workspace=approved.workspace, by=by)
    return len(given)


def _taken_back(answer: Answer, approved: Answer) -> Entry:
    sha256, answer.status = answer.released_sha256, AnswerStatus.REFUSED_TAKEN_BACK
    answer.released_text = answer.released_sha256 = ""
    answer.released_by = answer.released_at = None
    answer.save(update_fields=["status", "released_text", "released_sha256", "released_by", "released_at"])
    transaction.on_commit(partial(streaming.announce, answer))
    details = {"status": answer.status, "approved": approved.pk, "text_sha256": sha256}
    return Entry(EventType.ANSWER_TAKEN_BACK, answer, details=details)
