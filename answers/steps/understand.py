"""Settle what a follow-up asks for: the question as one that stands alone, which is what is searched for.

A chat model is told the earlier turns that the asker may still read, whole or not at all; where the built-in model
answers, or the other fails, rules carry over the asker's own words. What a model put in from an earlier answer rests on
that answer's sources, so this one rests on them too.
"""

import logging

from django.db import transaction

from answers import governing, leases, streaming
from answers.chat import followups
from answers.chat.earlier_turns import Earlier, Turn, before
from answers.exceptions import EndpointError, LeaseLost, ModelFailed
from answers.governing import Purpose
from answers.models import EndpointKind, Evidence, ModelEndpoint
from answers.models.evidence import FIRST_INHERITED
from answers.prompts import follow_up
from answers.steps.compose import spoken
from answers.steps.sending import Closed
from answers.steps.state import Outcome, State
from audit.chain import digest
from audit.events import EventType
from audit.record import record
from documents.models import Document
from documents.reranking import rerankers as reranking

logger = logging.getLogger(__name__)

#: Among the scores of a passage that came with an earlier turn: the answer it was given for.
FROM_TURN = "turn"


def understand(state: State) -> Outcome:
    """Never ends the answer: a question that is not understood better is searched for as it was asked."""
    if state.answer.asked_as:
        # An attempt before this one got so far.
        _keep(state, "", ())
    earlier = before(state.answer)
    if not earlier.turns:
        return Outcome(detail=_told(earlier))
    by, asked_as = "rules", ""
    used: tuple[Turn, ...] = ()
    endpoint = state.endpoint
    if endpoint is not None and endpoint.kind != EndpointKind.EXTRACTIVE:
        by, asked_as, used, earlier = _by_model(state, endpoint)
    if by == "rules":
        asked_as = followups.stand_alone(state.question, [turn.question for turn in earlier.turns])
    if asked_as:
        _keep(state, asked_as, used)
    return Outcome(detail=_told(earlier) | {"by": by, "asked_as_sha256": digest(asked_as) if asked_as else ""})


def _told(earlier: Earlier) -> dict[str, int]:
    return {"turns": len(earlier.turns), "left_out": earlier.left_out}


def _by_model(state: State, endpoint: ModelEndpoint) -> tuple[str, str, tuple[Turn, ...], Earlier]:
    """What the model makes of the question, the turns it was sent, and what may be looked back at by then.

    By "rules" where it could not be asked, and where one of those turns was closed to the asker while it wrote.
    """
    earlier = before(state.answer)
    if not earlier.turns:
        return "rules", "", (), earlier
    prompt = follow_up.render(state.question, earlier.turns)
    watch = leases.Watch(state.answer)
    try:
        pieces = governing.ask(
            endpoint,
            prompt,
            purpose=Purpose.FOLLOW_UP,
            workspace=state.workspace,
            by=state.asker,
            documents=(),
            answers={turn.answer_id for turn in earlier.turns},
            question=state.question,
            answer=state.answer.pk,
            should_stop=watch.should_stop,
            sending=lambda asked: _note(state, earlier, asked),
        )
        reply = follow_up.taken(spoken("".join(pieces).replace("\0", "")), state.question, earlier.turns)
    except (ModelFailed, EndpointError, Closed) as error:
        logger.info("Answer %s: its follow-up is read by rules: %s", state.answer.pk, type(error).__name__)
        reply = None
    if watch.lost:
        raise LeaseLost(state.answer.pk)
    still = before(state.answer)
    if reply is None or not set(earlier.turns) <= set(still.turns) or not _may_be_asked(state, earlier.turns):
        return "rules", "", (), still
    return "model", reply, earlier.turns, still


def _may_be_asked(state: State, used: tuple[Turn, ...]) -> bool:
    """Whether what a model took from earlier answers may go to the servers that search: they have ceilings, too."""
    rests_on = Evidence.objects.filter(answer__in=[turn.answer_id for turn in used]).order_by().values("document")
    return reranking.may_be_asked(state.workspace, Document.objects.filter(pk__in=rests_on))


def _note(state: State, earlier: Earlier, endpoint: ModelEndpoint) -> None:
    """The entry that the turns are sent, if all may still be told at this moment. Raises Closed and LeaseLost."""
    leases.renew(state.answer)
    if not set(earlier.turns) <= set(before(state.answer).turns):
        raise Closed
    record(
        EventType.TURNS_SENT,
        on=state.answer,
        workspace=state.workspace,
        by=state.asker,
        attempt=state.answer.attempt,
        endpoint=endpoint.label,
        turns=[{"answer": turn.answer_id, "text_sha256": digest(turn.text)} for turn in earlier.turns],
        left_out=earlier.left_out,
    )


def _keep(state: State, asked_as: str, used: tuple[Turn, ...]) -> None:
    """Write down what is asked, and what that rests on, before anybody is shown it."""
    with transaction.atomic():
        if not leases.ours(state.answer).update(asked_as=asked_as):
            raise LeaseLost(state.answer.pk)
        Evidence.objects.filter(answer=state.answer, rank__gte=FIRST_INHERITED).delete()
        _rest_on(state, used)
    state.asked_as = state.answer.asked_as = asked_as
    if asked_as:
        streaming.append(state.answer.pk, streaming.ASKED, {"text": asked_as})


def _rest_on(state: State, used: tuple[Turn, ...]) -> None:
    """One passage of every version the used answers rest on: enough for every right and every deletion to reach it."""
    answers = [turn.answer_id for turn in used if turn.text]
    rows = Evidence.objects.filter(answer__in=answers).order_by("version_id", "rank").distinct("version_id")
    inherited = [
        Evidence(
            answer=state.answer,
            rank=FIRST_INHERITED + place,
            passage_id=row.passage_id,
            document_id=row.document_id,
            version_id=row.version_id,
            start=row.start,
            end=row.end,
            page=row.page,
            locator=row.locator,
            sha256=row.sha256,
            scores={FROM_TURN: str(row.answer_id)},
        )
        for place, row in enumerate(rows)
    ]
    Evidence.objects.bulk_create(inherited)
