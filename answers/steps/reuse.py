"""Give an approved answer to the same question at once, where the workspace chose so and the asker may read all."""

from django.db import transaction

from answers import leases
from answers.models import Answer
from answers.reuse import giving
from answers.states import AnswerStatus
from answers.steps import evidence
from answers.steps.state import Outcome, State


def reuse(state: State) -> Outcome:
    """Ends the answer with the approved text; whoever asks the same question once more gets a fresh one."""
    rules = getattr(state.workspace, "reuse_rules", None)
    if rules is None or not rules.enabled:
        return Outcome(code="off")
    if Answer.objects.filter(question=state.answer.question_id).exclude(pk=state.answer.pk).exists():
        return Outcome(code="asked_afresh")
    given = giving.find(state, state.question)
    if given is None:
        return Outcome(code="none")
    state.reused = given
    state.sources, state.quotes = list(given.sources), list(given.quotes)
    state.text, state.sentences = given.text, list(given.sentences)
    with transaction.atomic():
        leases.renew(state.answer)
        evidence.store(state)
    detail = {"approved": str(given.approved.answer_id), "similarity": given.similarity}
    return Outcome(ending=AnswerStatus.ANSWERED_APPROVED, detail=detail)
