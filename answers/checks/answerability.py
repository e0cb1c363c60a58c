"""Decide whether what was found can carry an answer, before a model is asked: a calibrated chance and a strictness.

Signs are read from the best passages and weighed into a chance from 0 to 100; how sure a workspace wants to be is its
own setting. docs/benchmarks.md has the curve, and `tests/bench/quality/refusal.py` makes the coefficients.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from answers.grounding import figures
from answers.grounding.names import missing, names
from answers.grounding.polarity import denial_differs, opposite
from answers.models import Strictness
from documents import analysis
from documents.indexing.replicas import weights
from documents.retrieval.evidence import speaks_otherwise
from documents.search import Hit, SearchResult
from documents.sentences import sentence_spans
from workspaces.models import Workspace

#: Of the first hits that are read.
_READ = 5
#: Names or figures that are missing beyond these add nothing.
_MOST_COUNTED = 2

#: The least chance at which an answer is written. Of 1,299 answerable questions, of 1,529 whose answer is missing from
#: the right paragraph, and of 375 about other things, these let pass: 98, 87 and 0 %; 97, 83 and 0 %; 88, 65 and 0 %.
LEAST_CHANCE: dict[str, int] = {Strictness.LENIENT: 20, Strictness.BALANCED: 25, Strictness.STRICT: 40}

#: Weights of the signs, fitted on SQuAD 2.0's development set and questions from elsewhere: where words and meaning
#: can be compared, words alone, and meaning alone. The constant of words alone is set so that the same chances let
#: pass about as little from elsewhere; AUC of near misses 0.68, 0.64 and 0.59, from elsewhere 0.99, 0.97 and 1.00.
COEFFICIENTS: dict[str, dict[str, float]] = {
    "both": {
        "one": -1.43,
        "nearness": 3.87,
        "covered": 1.74,
        "nowhere": -0.26,
        "unnamed": -0.41,
        "uncounted": -2.42,
        "denied": -1.76,
        "opposed": -1.93,
    },
    "words": {
        "one": -1.19,
        "covered": 1.93,
        "nowhere": -0.84,
        "unnamed": -0.87,
        "uncounted": -1.71,
        "denied": -1.57,
        "opposed": -2.29,
    },
    "meaning": {"one": -0.69, "nearness": 4.43},
}


@dataclass(frozen=True, slots=True)
class Signs:
    """What speaks for an answer in the passages, each 0 to about 1. None: cannot be told.

    `nearness`: the cosine of the nearest passage above its space's floor, as long as with the built-in model.
    `covered`: the share of the question's words, rare ones weighing more, in the one sentence that holds most.
    `nowhere`: the share of them in none of the passages. `unnamed`, `uncounted`: names and figures of the question
    that no passage has, `denied`, `opposed`: whether that sentence denies or reverses what is asked.
    """

    nearness: float | None
    covered: float | None
    nowhere: float = 0.0
    unnamed: float = 0.0
    uncounted: float = 0.0
    denied: float = 0.0
    opposed: float = 0.0

    @property
    def formula(self) -> str:
        """Which of the coefficients weigh these signs; "" where there is nothing to weigh."""
        if self.nearness is None:
            return "words" if self.covered is not None else ""
        return "both" if self.covered is not None else "meaning"

    @property
    def chance(self) -> int:
        """0 to 100: how likely the passages hold an answer, as calibrated where answerable questions are half."""
        if not self.formula:
            return 0
        total = sum(
            factor * (1.0 if name == "one" else getattr(self, name))
            for name, factor in COEFFICIENTS[self.formula].items()
        )
        return round(100 / (1 + math.exp(-total)))

    def are_enough(self, strictness: str) -> bool:
        """Whether a workspace of this strictness has an answer written."""
        return self.chance >= LEAST_CHANCE[strictness]


def signs_of(workspace: Workspace, result: SearchResult) -> Signs:
    """What the passages of a search say about its question: those in its language, or in another, if that is more."""
    hits, evidence = result.hits[:_READ], result.evidence
    if not hits:
        return Signs(None, None)
    nearness, across = (
        None if cosine is None else evidence.nearness(cosine) for cosine in (evidence.cosine, evidence.across)
    )
    # Words of another language tell nothing.
    comparable = [hit for hit in hits if not speaks_otherwise(result.language, hit.passage.language)]
    if not comparable:
        return Signs(nearness, None)
    asked = analysis.query_words(result.query)
    here = read(result.query, result.language, asked, weights(workspace.pk, asked), comparable, nearness)
    return max(here, Signs(across, None), key=lambda signs: signs.chance)


def read(
    question: str,
    language: str,
    asked: Sequence[tuple[str, ...]],
    rarity: Sequence[float],
    hits: Sequence[Hit],
    nearness: float | None,
) -> Signs:
    """The signs in passages of the question's language; `rarity` is the weight of each word that is asked for."""
    whole = sum(rarity)
    if not whole:
        return Signs(nearness, 0.0, 1.0)
    pairs = list(zip(rarity, asked, strict=True))
    best, closest, held = -1.0, "", set()
    for hit in hits:
        for start, end in sentence_spans(hit.passage.text):
            sentence = hit.passage.text[start:end]
            found = set(analysis.words(sentence, hit.passage.language or None))
            held |= found
            share = sum(weight for weight, forms in pairs if found.intersection(forms))
            if share > best:
                best, closest = share, sentence
        held |= set(analysis.words(f"{hit.document.title} {hit.locator}", hit.passage.language or None))
    text = "\n".join(f"{hit.document.title}\n{hit.passage.text}" for hit in hits)
    absent, unnamed = (
        _absent_figures(question, text),
        missing(names(figures.without(question), language), text, language),
    )
    return Signs(
        nearness=nearness,
        covered=max(best, 0.0) / whole,
        nowhere=sum(weight for weight, forms in pairs if not held.intersection(forms)) / whole,
        unnamed=min(len(unnamed), _MOST_COUNTED) / _MOST_COUNTED,
        uncounted=min(absent, _MOST_COUNTED) / _MOST_COUNTED,
        denied=float(denial_differs(question, closest, language)),
        opposed=float(opposite(question, closest) is not None),
    )


def _absent_figures(question: str, text: str) -> int:
    claimed = figures.read(question, only_claimed=True)
    if not claimed.numbers and not claimed.dates:
        return 0
    stands = figures.read(text)
    return sum(not number.agrees(stands.numbers) for number in claimed.numbers) + sum(
        not date.agrees(stands.dates, stands.numbers) for date in claimed.dates
    )
