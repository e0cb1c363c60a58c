"""Hold each sentence against the passages it cites; `answers/grounding` says how."""

from answers import grounding
from answers.grounding.judge import judge
from answers.steps.state import Outcome, State


def ground(state: State) -> Outcome:
    """Fill in the sentences of the answer with what supports each, and the figures of the whole."""
    near = grounding.nearness_in(state.workspace.pk, {source.document_id for source in state.sources})
    state.sentences = grounding.weigh(state.text, grounding.places_of(state.quotes), near)
    judged = judge(state)
    state.grounding = grounding.summarise(state.sentences)
    summary = state.grounding
    return Outcome(
        detail={
            "sentences": summary.sentences,
            "lowest": summary.lowest,
            "partly": summary.partly,
            "unsupported": summary.unsupported,
            **(judged or {}),
        }
    )
