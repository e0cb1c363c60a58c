"""What belongs to one timeline: a question, its answer and its draft; the models of a workspace and the workspace.
And the reasons of approvals, of which the trail has the hashes, and the words for the states of answers.
"""

from collections.abc import Iterable
from typing import Any

from django.db.models import Model
from django.utils.translation import pgettext_lazy

from answers.models import Answer, Draft, Review, WorkspaceModels
from answers.queue.reminders import LATE, SOON
from answers.rag_templates.built_in import name_of
from answers.states import AnswerStatus
from audit.events import EventType
from audit.timeline import kept_reasons, spoken
from workspaces.auditing.trail import told_with


def _with_answer(answer: Answer) -> Iterable[Model]:
    return [answer.question, *([answer.draft] if hasattr(answer, "draft") else [])]


def _with_draft(draft: Draft) -> Iterable[Model]:
    return [draft.answer, draft.answer.question]


def _with_models(models: WorkspaceModels) -> Iterable[Model]:
    return [models.workspace]


def _reason_of_approval(details: dict[str, Any]) -> str:
    return Review.objects.filter(pk=details.get("review")).values_list("reason", flat=True).first() or ""


kept_reasons.append(_reason_of_approval)
told_with[WorkspaceModels] = _with_models
told_with[Answer] = _with_answer
told_with[Draft] = _with_draft
spoken[EventType.DRAFT_REMINDED, "when"] = spoken[EventType.EXAMINATION_REMINDED, "when"] = {
    SOON: pgettext_lazy("entry of the trail", "due soon"),
    LATE: pgettext_lazy("entry of the trail", "overdue"),
}
spoken[EventType.GAP_REMINDED, "when"] = {
    SOON: pgettext_lazy("entry of the trail", "due on this day"),
    LATE: pgettext_lazy("entry of the trail", "overdue"),
}
spoken[EventType.ANSWER_REFUSED, "status"] = spoken[EventType.ANSWER_FAILED, "status"] = dict(AnswerStatus.choices)
for _type in (
    EventType.TEMPLATE_ADOPTED,
    EventType.TEMPLATE_SAVED,
    EventType.TEMPLATE_IN_FORCE,
    EventType.TEMPLATE_SWITCHED,
    EventType.TEMPLATE_TRIED,
    EventType.TEMPLATE_TRIAL_ENDED,
    EventType.TEMPLATE_TRIAL_READ,
):
    spoken[_type, "template"] = name_of
