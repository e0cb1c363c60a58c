"""Decide whether what a search found can carry an answer at all, before a model sees it.

Two signs are weighed: how near the best passage is in meaning, and how much of the
question (each word weighed by its rarity in the workspace) stands in one passage.
Of a passage in another language than the question, nearness alone is asked.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from documents.embedding.vector_space import Space, usual

#: A word in one passage counts half as much as nearness of meaning, and both together must reach this far
#: above the space's floor. Measured with MiniLM on SQuAD 2.0's development set: 97 % of 1,299 answerable
#: questions pass; of questions from elsewhere, 0 % (aerodynamics, 225) and 20 % (the same questions with
#: their own article taken away, where other articles are about related things). Asked of 5,183 scientific
#: abstracts, 7 % of general questions pass. On-topic questions without an answer pass (93 %): scores cannot
#: tell them, the text has to.
_COVERAGE_SHARE = 0.5
_ABOVE_FLOOR = 0.25
#: Without nearness (Serbian with an English model, or vectors out of reach): all 16 answerable Serbian
#: questions about a Serbian book reach 0.51; of 18 about other things one reaches 0.46, the rest stay below 0.37.
_COVERAGE_ALONE = 0.47
#: Between languages, above the floor. Asked of a Serbian book with multilingual-e5-small-q4: 95 % of the English
#: sentences that begin its sections pass, 2 % of 217 of SQuAD's questions, none of 113 about aerodynamics.
_NEARNESS_ALONE = -0.09


@dataclass(frozen=True)
class Evidence:
    """`cosine` is None where nearness means nothing; `coverage` is a share from 0 to 1.

    `across` is that of the nearest of the first hits in another language than the question, None where there is none or
    nearness means nothing there. `floor` and `scale` are the space's: its distances are made as long as those of the
    model this was measured with.
    """

    cosine: float | None
    coverage: float
    floor: float
    scale: float = 1.0
    across: float | None = None

    @property
    def usable(self) -> bool:
        """Whether the finds may be used as evidence for an answer."""
        if self.cosine is None:
            return self.coverage >= _COVERAGE_ALONE
        if self.across is not None and self.nearness(self.across) >= _NEARNESS_ALONE:
            return True
        return self.nearness(self.cosine) + _COVERAGE_SHARE * self.coverage >= _ABOVE_FLOOR

    def nearness(self, cosine: float) -> float:
        """How far a cosine of the same search is above the space's floor, as long as with that model."""
        return (cosine - self.floor) * self.scale

    def usual(self, cosine: float) -> float:
        """A cosine of the same search as it would be with that model."""
        return float(usual(cosine, self.floor, self.scale))


def means_something(space: Space, question_language: str, passage_language: str) -> bool:
    """Whether the cosine between a question and a passage measures meaning. Unknown languages are given credit."""
    return space.reads(question_language) and space.reads(passage_language)


def speaks_otherwise(question_language: str, passage_language: str) -> bool:
    """Whether the passage is in another language than the question, so that their words tell nothing.

    A text that shows no language is given credit.
    """
    return bool(question_language and passage_language) and question_language != passage_language


def coverage(weights: Sequence[float], asked: Sequence[tuple[str, ...]], passages: Iterable[Collection[str]]) -> float:
    """The largest share of the question's weight that stands in one of `passages`, each given by its words."""
    whole = sum(weights)
    if not whole:
        return 0.0
    pairs = list(zip(weights, asked, strict=True))
    held = [set(passage) for passage in passages]
    shares = (sum(weight for weight, forms in pairs if words.intersection(forms)) for words in held)
    return max(shares, default=0.0) / whole
