"""Answers whose ground is gone: released ones are suspended with a deleted document, and erased with its text.

What is held or under way is ended by answers/withdrawal.py; both take part in a deletion through documents/dependants.
Sources that change and stay are for answers/source_changes.py, and whether an answer stands is asked here or there.
"""

from collections.abc import Iterable, Sequence
from functools import partial
from uuid import UUID

from django.db import transaction
from django.db.models import Q, QuerySet
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext, gettext_lazy

from answers import news, streaming
from answers.models import (
    Answer,
    Citation,
    Confirmation,
    Conversation,
    Declassification,
    Draft,
    Evidence,
    Question,
    Review,
    Suspension,
)
from answers.states import HELD, OPEN, RELEASED, AnswerStatus
from answers.suspension.standing import is_standing, standing
from answers.withdrawal import withdraw_drafts
from audit.chain import digest
from audit.events import EventType
from audit.record import Entry, record, record_all
from documents.deletion import dependants
from documents.deletion.dependants import Resting
from documents.deletion.telling import repeating, take_out, telling
from documents.models import Deletion, Document
from workspaces import access
from workspaces.models import User

__all__ = ["erase", "is_standing", "resting_on", "resume", "standing", "suspend"]

#: Names and addresses told before a deletion.
SHOWN = 5


def resting_on(document: Document, by: User) -> Iterable[Resting]:
    """The answers that rest on `document`; of those `by` may not know of, the number alone."""
    answers = _over(Evidence.objects.filter(document=document))
    yield _resting(
        answers.filter(status__in=RELEASED),
        by,
        gettext_lazy("Released answers"),
        gettext_lazy("They are suspended at once: nobody reads them any more."),
    )
    yield _resting(
        answers.filter(status=AnswerStatus.SUSPENDED),
        by,
        gettext_lazy("Suspended answers"),
        gettext_lazy("They are closed already, because something they rest on was deleted or changed."),
    )
    yield _resting(
        answers.filter(status__in=HELD),
        by,
        gettext_lazy("Answers awaiting review"),
        gettext_lazy("They end without a text, and their askers are told why."),
    )
    yield _resting(
        answers.filter(status__in=OPEN),
        by,
        gettext_lazy("Answers being made"),
        gettext_lazy("They are refused: a source of theirs is gone."),
    )


def suspend(deletion: Deletion) -> None:
    """Close every released answer that rests on what was deleted, and end the held ones; in the same transaction."""
    withdraw_drafts(deletion)
    standing = Q(status__in=RELEASED) | Q(status=AnswerStatus.SUSPENDED)
    answers = _locked(_over(_evidence(deletion)).filter(standing))
    before = dict(Suspension.objects.filter(answer__in=answers, ended_at=None).values_list("answer", "status_before"))
    entries, closed = [], []
    for answer in answers:
        Suspension.objects.get_or_create(
            answer=answer,
            deletion=deletion,
            ended_at=None,
            defaults={
                "document_id": deletion.document_id,
                "status_before": before.get(answer.pk, answer.status),
                "suspended_by": deletion.deleted_by,
            },
        )
        if answer.status != AnswerStatus.SUSPENDED:
            closed.append(answer)
            entries.append(_become(answer, AnswerStatus.SUSPENDED, EventType.ANSWER_SUSPENDED, deletion))
    if entries:
        news.suspended(closed, workspace_id=deletion.workspace_id)
        record_all(entries, workspace=deletion.workspace_id, by=deletion.deleted_by)


def resume(deletion: Deletion) -> None:
    """Open again what this deletion had closed, unless it is erased or something else it rests on is gone too."""
    mine = Suspension.objects.filter(deletion=deletion, ended_at=None)
    answers = _locked(Answer.objects.filter(pk__in=mine.values("answer")))
    status_before = dict(mine.values_list("answer", "status_before"))
    mine.update(ended_at=timezone.now(), ended_by=deletion.restored_by)
    closed = Q(ended_at=None) | Q(erased_at__isnull=False)
    others = set(Suspension.objects.filter(closed, answer__in=answers).values_list("answer", flat=True))
    opened = [answer for answer in answers if answer.pk not in others]
    entries = [
        _become(answer, AnswerStatus(status_before[answer.pk]), EventType.ANSWER_RESUMED, deletion) for answer in opened
    ]
    if entries:
        news.resumed(opened, workspace_id=deletion.workspace_id)
        record_all(entries, workspace=deletion.workspace_id, by=deletion.restored_by)


def erase(deletion: Deletion, phrases: Sequence[str], keeps_answers: bool) -> dict[str, int]:
    """Erase the texts of answers that rest on what was deleted, and every word for word repetition beside them.

    Hashes stay: in the trail, and of what was released in the answer. Running it again erases what came since.
    """
    answers = _over(_evidence(deletion)).exclude(status__in=OPEN)
    if keeps_answers:
        return {"answers_kept": answers.filter(status=AnswerStatus.SUSPENDED).count()}
    ids = list(answers.values_list("pk", flat=True))
    transaction.on_commit(partial(streaming.forget, ids))
    with_text = [pk for pk, *_texts in _with_text(answers).values_list("pk")]
    entries = [_erased(answer, deletion) for answer in _locked(Answer.objects.filter(pk__in=with_text))]
    citations = Citation.objects.filter(answer__in=ids).exclude(quote="").update(quote="", locator="")
    Evidence.objects.filter(answer__in=ids).exclude(locator="").update(locator="")
    # Bulk writes on purpose: a form of a draft that history kept would be the text again.
    # What history says of a form's reason is cut short, so that a phrase of the document may no longer be known in it.
    forms = Draft.history.filter(answer_id__in=ids).exclude(text="", history_change_reason=None)
    forms.update(text="", history_change_reason=None)
    Draft.objects.filter(answer__in=ids).exclude(text="").update(text="", sentences=[])
    Answer.objects.filter(pk__in=ids).update(
        text="", asked_as="", released_text="", raw_output="", sentences=[], failure_detail=""
    )
    Suspension.objects.filter(answer__in=ids, erased_at=None).update(erased_at=timezone.now())
    repeated = _erase_repetitions(deletion, ids, telling(deletion, phrases))
    if entries:
        record_all(entries, workspace=deletion.workspace_id, by=None)
    return {"answers": len(entries), "citations": citations, **repeated}


# --- Inside -------------------------------------------------------------------------------------------------


def _evidence(deletion: Deletion) -> QuerySet[Evidence]:
    if deletion.version_id is not None:
        return Evidence.objects.filter(version=deletion.version_id)
    return Evidence.objects.filter(document=deletion.document_id)


def _over(evidence: QuerySet[Evidence]) -> QuerySet[Answer]:
    return Answer.objects.filter(pk__in=evidence.order_by().values("answer"))


def _locked(answers: QuerySet[Answer]) -> list[Answer]:
    """As a review locks them, and in one order, so that neither waits for the other in a circle."""
    rows = answers.select_for_update(of=("self",), no_key=True).select_related("question", "asked_by", "released_by")
    return list(rows.order_by("pk"))


def _resting(answers: QuerySet[Answer], by: User, label: object, consequence: object) -> Resting:
    known = access.visible(by, Answer).filter(pk__in=answers.order_by().values("pk"))
    shown = known.select_related("question", "workspace").order_by("-created_at")[:SHOWN]
    return Resting(label, consequence, answers.count(), [(_name(answer), _address(answer)) for answer in shown])


def _name(answer: Answer) -> str:
    return answer.question.text or gettext("A question that was erased")


def _address(answer: Answer) -> str:
    return reverse("answers:answer", kwargs={"slug": answer.workspace.slug, "pk": answer.pk})


def _become(answer: Answer, status: AnswerStatus, type: EventType, deletion: Deletion) -> Entry:
    was, answer.status = answer.status, status
    answer.save(update_fields=["status"])
    transaction.on_commit(partial(streaming.announce, answer))
    details = {"document": deletion.document_id, "deletion": deletion.pk, "was": was, "status": status}
    return Entry(type, answer, details=details | {"text_sha256": answer.released_sha256})


def _with_text(answers: QuerySet[Answer]) -> QuerySet[Answer]:
    return answers.exclude(text="", released_text="", raw_output="")


def _erased(answer: Answer, deletion: Deletion) -> Entry:
    kept = {
        name: digest(text)
        for name, text in (("text_sha256", answer.text), ("output_sha256", answer.raw_output))
        if text
    }
    about = {"document": deletion.document_id, "deletion": deletion.pk, "released_sha256": answer.released_sha256}
    return Entry(EventType.ANSWER_ERASED, answer, details=about | kept)


def _erase_repetitions(deletion: Deletion, ids: Sequence[UUID], phrases: Sequence[str]) -> dict[str, int]:
    """Questions of the workspace and reasons given about these answers that hold a phrase of it word for word."""
    if not phrases:
        return {"questions": 0, "reasons": 0}
    questions = Question.objects.filter(repeating(("text",), phrases), workspace=deletion.workspace_id)
    reviews = Review.objects.filter(repeating(("reason",), phrases), draft__answer__in=ids)
    openings = Declassification.objects.filter(repeating(("reason",), phrases), answer__in=ids)
    confirmations = Confirmation.objects.filter(repeating(("reason",), phrases), answer__in=ids)
    asked = take_out(questions, "text", "")
    # What a follow-up was understood as, and how its owner called a conversation, are words of theirs too.
    here = {"workspace": deletion.workspace_id}
    asked |= take_out(Answer.objects.filter(repeating(("asked_as",), phrases), **here), "asked_as", "")
    asked |= take_out(Conversation.objects.filter(repeating(("title",), phrases), **here), "title", "")
    said = take_out(reviews, "reason") | take_out(openings, "reason")
    said |= take_out(confirmations, "reason")
    if asked or said:
        record(
            EventType.REPETITIONS_ERASED,
            on=deletion.document,
            workspace=deletion.workspace_id,
            deletion=deletion.pk,
            questions=asked,
            reasons=said,
        )
    return {"questions": len(asked), "reasons": len(said)}


dependants.kinds.append(dependants.Kind(told=resting_on, close=suspend, reopen=resume, erase=erase))
