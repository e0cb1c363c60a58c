"""Do one replay: authorise the passages again, ask the model, cite and ground its words, compare them.

The row is the job.
"""

import logging
from datetime import timedelta
from time import monotonic, perf_counter
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.db.models.expressions import Combinable
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext as _

from answers import governing, prompts
from answers.exceptions import Ended, EndpointError, LeaseLost, ModelFailed, ReplayError
from answers.governing import Purpose
from answers.language import speaking
from answers.models import OPEN_REPLAYS, Answer, ModelEndpoint, Replay, ReplayState
from answers.rag_templates.task import task_of
from answers.replays.sameness import endpoint_of, require_comparable, require_reviewer, sources_of
from answers.states import AnswerStatus
from answers.steps.cite import cite
from answers.steps.compose import spoken
from answers.steps.ground import ground
from answers.steps.state import State
from audit import context
from audit.chain import digest
from audit.events import EventType
from audit.record import record
from workspaces.exceptions import Refused
from workspaces.places import PLACES

logger = logging.getLogger(__name__)

#: Attempts whose worker went away before a replay is given up.
MOST_ATTEMPTS = 3
_GLANCE_SECONDS = 1.0


def unheld() -> Q:
    """Open replays that no living worker holds."""
    return Q(state__in=OPEN_REPLAYS) & (Q(lease_until=None) | Q(lease_until__lt=Now()))


def run(replay_id: UUID) -> None:
    """Bring the replay to its ending, unless it has one or another worker is at it.

    It waits for a place in this process as a question does.
    """
    with PLACES.taken(replay_id) as is_ours:
        if is_ours:
            _run(replay_id)


def _run(replay_id: UUID) -> None:
    taken = Replay.objects.filter(unheld(), pk=replay_id).update(
        state=ReplayState.WORKING, attempt=F("attempt") + 1, lease_until=_from_now()
    )
    if not taken:
        return
    related = ("asked_by", "answer__question", "answer__asked_by", "answer__endpoint", "answer__workspace__models")
    replay = Replay.objects.select_related(*related).get(pk=replay_id)
    with context.acting(None), speaking(replay.answer.question.language):
        try:
            _work(replay)
        except LeaseLost:
            logger.info("Replay %s was ended or taken over; attempt %s ends.", replay.pk, replay.attempt)
        except BaseException:
            # Whatever ended this attempt, the next sweep need not wait for the lease.
            _ours(replay).update(lease_until=None)
            raise


def _work(replay: Replay) -> None:
    if replay.attempt > MOST_ATTEMPTS:
        return _end(replay, ReplayState.FAILED, problem=_("Three attempts were broken off."))
    started = perf_counter()
    try:
        state = _prepared(replay)
        raw = _written(replay, state)
    except (ReplayError, Refused) as error:
        return _end(replay, ReplayState.REFUSED, problem=str(error))
    except (ModelFailed, EndpointError) as error:
        label = AnswerStatus(error.status).label if isinstance(error, ModelFailed) else ""
        detail = error.detail if isinstance(error, ModelFailed) else str(error)
        return _end(replay, ReplayState.FAILED, problem=": ".join(part for part in (str(label), detail) if part))
    replay.checks, replay.seconds = _checked(state, raw), round(perf_counter() - started, 3)
    return _compare(replay, raw)


@transaction.atomic
def _prepared(replay: Replay) -> State:
    """Everything the model is to be given, as far as who asked for the replay may open it."""
    answer = replay.answer
    require_reviewer(answer, replay.asked_by)
    require_comparable(answer)
    state = State(answer)
    state.asked_as = answer.asked_as
    state.policy, state.endpoint = answer.policy, endpoint_of(answer)
    state.sources = sources_of(answer, replay.asked_by)
    state.prompt = prompts.render(state.question, state.sources, task_of(answer.template))
    replay.prompt_sha256 = state.prompt.sha256
    _renew(replay, prompt_sha256=replay.prompt_sha256)
    return state


def _note(replay: Replay, endpoint: ModelEndpoint) -> None:
    """The entry that the model is given the passages, if who asked for this may still open them at this moment."""
    answer = replay.answer
    require_reviewer(answer, replay.asked_by)
    sources = sources_of(answer, replay.asked_by)
    _renew(replay)
    record(
        EventType.ANSWER_REPLAY_SENT,
        on=answer,
        workspace=answer.workspace_id,
        by=replay.asked_by,
        replay=replay.pk,
        attempt=replay.attempt,
        endpoint=endpoint.label,
        prompt_sha256=replay.prompt_sha256,
        passages=[{"id": source.passage_id, "sha256": source.sha256} for source in sources],
    )


def _written(replay: Replay, state: State) -> str:
    """All that the model writes. Nothing of it is streamed to anybody. Raises ModelFailed, EndpointError, LeaseLost."""
    if state.endpoint is None or state.prompt is None:
        raise ReplayError(_("The model that wrote this answer is not connected any more."))
    watch = _Watch(replay)
    pieces = governing.ask(
        state.endpoint,
        state.prompt,
        purpose=Purpose.REPLAY,
        workspace=state.workspace,
        by=replay.asked_by,
        documents={source.document_id for source in state.sources},
        answers=(replay.answer_id,),
        question=state.question,
        evidence=state.sources,
        answer=replay.answer_id,
        should_stop=watch.should_stop,
        sending=lambda asked: _note(replay, asked),
    )
    raw = "".join(pieces).replace("\0", "")  # which PostgreSQL does not store
    if watch.lost:
        raise LeaseLost(replay.pk)
    return raw


def _checked(state: State, raw: str) -> dict[str, Any]:
    """What citing and grounding make of it, as counts and figures."""
    state.raw, state.written = raw, spoken(raw)
    if state.written.lstrip("*`\"' ").startswith(prompts.NO_EVIDENCE):
        return {"ending": AnswerStatus.REFUSED_NO_EVIDENCE.value}
    try:
        cited, grounded = cite(state), ground(state)
    except Ended as ended:
        return {"ending": ended.status, "dropped": state.dropped}
    return {**cited.detail, "sentences": len(state.sentences), "lowest": grounded.detail.get("lowest")}


@transaction.atomic
def _compare(replay: Replay, raw: str) -> None:
    """Write the outcome, if the answer still is what it was compared with and still open to who asked for this."""
    answer = Answer.objects.select_for_update(of=("self",), no_key=True).get(pk=replay.answer_id)
    try:
        require_reviewer(answer, replay.asked_by)
        require_comparable(answer)
    except (ReplayError, Refused) as error:
        return _end(replay, ReplayState.REFUSED, problem=str(error))
    is_same = raw == answer.raw_output
    replay.text = "" if is_same else raw
    replay.text_sha256 = digest(raw)
    return _end(replay, ReplayState.SAME if is_same else ReplayState.DIFFERENT)


@transaction.atomic
def _end(replay: Replay, state: ReplayState, *, problem: str = "") -> None:
    """The ending and its entry, if the replay is still this attempt's. Raises LeaseLost."""
    written = {
        "state": state,
        "problem": problem[:300],
        "ended_at": timezone.now(),
        "lease_until": None,
        **{name: getattr(replay, name) for name in ("text", "text_sha256", "checks", "seconds")},
    }
    if not _ours(replay).update(**written):
        raise LeaseLost(replay.pk)
    record(
        EventType.ANSWER_REPLAYED,
        on=replay.answer,
        workspace=replay.answer.workspace_id,
        by=replay.asked_by,
        replay=replay.pk,
        outcome=state.value,
        text_sha256=replay.text_sha256,
        compared_sha256=replay.compared_sha256,
    )


# --- Holding the row ----------------------------------------------------------------------------------------


def _ours(replay: Replay) -> QuerySet[Replay]:
    return Replay.objects.filter(pk=replay.pk, attempt=replay.attempt, state=ReplayState.WORKING)


def _renew(replay: Replay, **changes: Any) -> None:
    if not _ours(replay).update(lease_until=_from_now(), **changes):
        raise LeaseLost(replay.pk)


def _from_now() -> Combinable:
    return Now() + timedelta(seconds=settings.LEASE_SECONDS)


class _Watch:
    """Asked as often as one likes whether to stop; looks at the row every second, which holds on to it as well."""

    def __init__(self, replay: Replay) -> None:
        self.replay, self.lost, self._looked_at = replay, False, monotonic()

    def should_stop(self) -> bool:
        if not self.lost and monotonic() - self._looked_at >= _GLANCE_SECONDS:
            self._looked_at = monotonic()
            self.lost = not _ours(self.replay).update(lease_until=_from_now())
        return self.lost
