"""Have a second model read each sentence against the passages it cites.

Its word may lower a verdict, and may raise one that rests on a lack of common words. It never outweighs a number, a
date, a name or a denial that differs, and where it says nothing the other checks stand alone, which is told.
"""

import logging
from collections.abc import Sequence

from answers import governing, leases
from answers.checks import settings as checks
from answers.citations import marks
from answers.endpoints import label_of
from answers.exceptions import EndpointError, LeaseLost, ModelFailed
from answers.governing import Purpose
from answers.models import Grounding, ModelEndpoint
from answers.prompts import judging
from answers.steps.compose import spoken
from answers.steps.sending import Closed, Sending
from answers.steps.state import Quote, Sentence, State

logger = logging.getLogger(__name__)

_ORDER = (Grounding.UNSUPPORTED, Grounding.PARTLY, Grounding.SUPPORTED)
#: Doubts that a judge may clear: words that differ say little about meaning.
_CLEARED = frozenset({"words", "language", "near"})


def judge(state: State) -> dict[str, object] | None:
    """Let the workspace's judge look at the sentences of `state`; what the record keeps of it, None without a judge.

    Raises LeaseLost.
    """
    endpoint = state.checks.judge if state.checks else None
    if endpoint is None:
        return None
    told: dict[str, object] = {"judge": label_of(endpoint)}
    doubtful = [sentence for sentence in state.sentences if _needs_a_judge(sentence, state.quotes)]
    if not doubtful:
        return told | {"judged": 0}
    verdicts = _ask(state, endpoint, doubtful)
    for sentence, verdict in zip(doubtful, verdicts, strict=True):
        apply(sentence, verdict)
    return told | {"judged": sum(bool(verdict) for verdict in verdicts), "of": len(doubtful)}


def apply(sentence: Sentence, verdict: str) -> None:
    """Weigh a judge's verdict into the sentence's; "" is none."""
    if not verdict:
        sentence.reasons.append({"code": "judge_failed", "what": ""})
        return
    lower = _ORDER.index(Grounding(verdict)) < _ORDER.index(Grounding(sentence.verdict))
    may_raise = all(reason["code"] in _CLEARED for reason in sentence.reasons)
    if lower or may_raise:
        sentence.verdict = str(Grounding(verdict))
    sentence.reasons.append({"code": f"judge_{verdict}", "what": ""})


def _needs_a_judge(sentence: Sentence, quotes: Sequence[Quote]) -> bool:
    """Whether it cites something and is more than a quotation of it."""
    said = " ".join(marks.take_out(sentence.text).text.split())
    cited = [quote.source.text for quote in quotes if quote.number in sentence.citations]
    return bool(cited) and not any(said in " ".join(text.split()) for text in cited)


def _ask(state: State, endpoint: ModelEndpoint, sentences: Sequence[Sentence]) -> list[str]:
    """A verdict for each sentence; "" where the judge gave none."""
    cited = {number for sentence in sentences for number in sentence.citations}
    sources = {quote.source.number: quote.source for quote in state.quotes if quote.number in cited}
    if not checks.may_judge(endpoint):
        return [""] * len(sentences)
    source_of = {quote.number: quote.source.number for quote in state.quotes}
    statements = [
        (marks.take_out(one.text).text.strip(), {source_of[n] for n in one.citations if n in source_of})
        for one in sentences
    ]
    prompt = judging.render(statements, list(sources.values()))
    watch = leases.Watch(state.answer)
    try:
        pieces = governing.ask(
            endpoint,
            prompt,
            purpose=Purpose.JUDGE if state.trial is None else Purpose(state.trial.purpose),
            workspace=state.workspace,
            by=state.asker,
            # A sentence may say what stood in any source of the model, cited or not.
            documents={source.document_id for source in state.sources},
            answers=(state.answer.pk,) if state.trial is None else (),
            answer=state.answer.pk if state.trial is None else None,
            should_stop=watch.should_stop,
            sending=Sending(state, list(sources.values()), to="judge"),
        )
        reply = spoken("".join(pieces))
    except (ModelFailed, EndpointError, Closed) as error:
        # Never a reason to release more: the sentences say that they were not judged.
        logger.warning("Answer %s: its judge gave no verdict: %s", state.answer.pk, type(error).__name__)
        reply = ""
    if watch.lost:
        raise LeaseLost(state.answer.pk)
    verdicts = judging.taken(reply)
    return [verdicts.get(number, "") for number in range(1, len(sentences) + 1)]
