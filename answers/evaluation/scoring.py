"""What one question came to, measured against what its case expects: shares from 0 to 1, None where one does not apply.

A wrong refusal and a failure find and say nothing, so they count as 0 where something was expected. What a text
claims without having been asked for it is measured by grounding, not here.
"""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from answers.evaluation.trial import Tried
from answers.grounding import figures
from answers.models import Grounding, ModelEndpoint, QuestionCase
from answers.states import AnswerStatus
from answers.steps.state import Source
from documents import analysis

_MILLION = 1_000_000


@dataclass(frozen=True, slots=True)
class Scores:
    """The measures of one case.

    `recall`: the share of the expected places among the passages the model was given. `precision`: the share of the
    citations that stand in an expected place. `grounding`: the share of the sentences that their passages support.
    `facts`: the share of the expected facts that the text says. `refusal_right`: refused for want of evidence exactly
    where that was expected.
    """

    recall: float | None = None
    precision: float | None = None
    grounding: float | None = None
    facts: float | None = None
    refusal_right: bool | None = None


def score(case: QuestionCase, tried: Tried) -> Scores:
    """The measures of a trial of `case`."""
    answered = tried.ending == AnswerStatus.ANSWERED
    refused = tried.ending == AnswerStatus.REFUSED_NO_EVIDENCE
    state = tried.state
    recall = precision = facts = grounding = None
    if case.expected:
        met = sum(any(stands_in(item, source) for source in state.sources) for item in case.expected)
        recall = met / len(case.expected)
        if answered and state.quotes:
            precision = sum(is_expected(case, quote.source) for quote in state.quotes) / len(state.quotes)
    if case.facts:
        facts = sum(says(state.text, fact) for fact in case.facts) / len(case.facts) if answered else 0.0
    if answered and state.sentences:
        supported = sum(sentence.verdict == Grounding.SUPPORTED for sentence in state.sentences)
        grounding = supported / len(state.sentences)
    return Scores(recall, precision, grounding, facts, refused if case.must_refuse else answered)


def is_expected(case: QuestionCase, source: Source) -> bool:
    """Whether `source` is one of the places the case expects."""
    return any(stands_in(item, source) for item in case.expected)


def stands_in(item: dict[str, Any], source: Source) -> bool:
    """Whether an expected place is this passage: the document, and the page and words where they are named."""
    if item["document"] != str(source.document_id):
        return False
    if item["page"] is not None and item["page"] != source.page:
        return False
    return not item["quote"] or _flat(item["quote"]) in _flat(source.text)


def says(text: str, fact: str) -> bool:
    """Whether `text` has every word and every figure of `fact`, in whatever order and inflexion."""
    language = analysis.detect_language(text)
    claimed, stands = figures.read(fact), figures.read(text)
    if not all(one.agrees(stands.numbers) or one.is_same_amount(stands.numbers) for one in claimed.numbers):
        return False
    if not all(date.agrees(stands.dates, stands.numbers) for date in claimed.dates):
        return False
    words = analysis.words(figures.without(fact), language)
    return set(words) <= set(analysis.words(text, language))


def cost_of(usage: dict[str, int], endpoint: ModelEndpoint) -> Decimal | None:
    """What the tokens cost at the endpoint's prices; None where a price or the tokens are not known."""
    if endpoint.input_price == 0 and endpoint.output_price == 0:
        return Decimal(0)
    if endpoint.input_price is None or endpoint.output_price is None or not {"input", "output"} <= set(usage):
        return None
    return (usage["input"] * endpoint.input_price + usage["output"] * endpoint.output_price) / _MILLION


def _flat(text: str) -> str:
    return " ".join(analysis.fold(text).split())
