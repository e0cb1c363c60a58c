"""Put examples together whose questions are the same or nearly so, and share the groups out between the two splits.

Of the same question one answer is learnt. What is nearly the same stays in one split, so that a model is never
validated on what it was trained on in other words.
"""

import hashlib
from collections import defaultdict
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass
from uuid import UUID

import numpy as np

from answers.models import Split
from documents import analysis
from documents.embedding.vector_space import Space

#: Cosines of questions, as the built-in model's would be: other words for the same, and the same matter.
SAME, NEAR = 0.97, 0.86
_BLOCK = 512


@dataclass(frozen=True, slots=True)
class Question:
    """A question by its answer's id, and its meaning: float32 of length one, or None where no space says it."""

    id: UUID
    text: str
    language: str
    vector: np.ndarray | None


@dataclass(frozen=True, slots=True)
class Placed:
    """Where a question belongs: its group, and the earlier question it repeats, if it does."""

    group: UUID
    repeats: UUID | None


def group(questions: Sequence[Question], space: Space) -> dict[UUID, Placed]:
    """Place each question. The first of those that are the same stays; a group is named by its least id.

    `space`: the one in which the questions have their vectors.
    """
    near, same = _Sets(questions), _Sets(questions)
    for a, b, is_same in _pairs(questions, space):
        near.join(a, b)
        if is_same:
            same.join(a, b)
    first: dict[int, UUID] = {}
    placed = {}
    names = near.least()
    for at, question in enumerate(questions):
        root = same.root(at)
        repeats = first.setdefault(root, question.id)
        placed[question.id] = Placed(names[near.root(at)], None if repeats == question.id else repeats)
    return placed


def split_of(group: UUID, *, percent: int) -> Split:
    """By a hash of the group alone: the same however often it is asked, and whatever else is in the set."""
    number = int.from_bytes(hashlib.sha256(group.bytes).digest()[:8], "big") % 10_000
    return Split.VALIDATION if number < percent * 100 else Split.TRAIN


class _Sets:
    """Disjoint sets of positions (union-find)."""

    def __init__(self, questions: Sequence[Question]) -> None:
        self.parents = list(range(len(questions)))
        self.ids = [question.id for question in questions]

    def root(self, at: int) -> int:
        while self.parents[at] != at:
            self.parents[at] = at = self.parents[self.parents[at]]
        return at

    def join(self, a: int, b: int) -> None:
        a, b = sorted((self.root(a), self.root(b)))
        self.parents[b] = a

    def least(self) -> dict[int, UUID]:
        found: dict[int, UUID] = {}
        for at, id in enumerate(self.ids):
            root = self.root(at)
            found[root] = min(found.get(root, id), id)
        return found


def _pairs(questions: Sequence[Question], space: Space) -> Iterator[tuple[int, int, bool]]:
    """Pairs that belong together, and whether they are the same."""
    by_words: dict[Hashable, int] = {}
    for at, question in enumerate(questions):
        # Order counts: who pays whom is another question than who is paid by whom.
        words = tuple(analysis.words(question.text, question.language)) or question.text.casefold()
        if words in by_words:
            yield by_words[words], at, True
        else:
            by_words[words] = at
    lengths = defaultdict(list)
    for at, question in enumerate(questions):
        if question.vector is not None:
            lengths[len(question.vector)].append(at)
    for positions in lengths.values():
        matrix = np.stack([questions[at].vector for at in positions])  # type: ignore[misc]
        for begin in range(0, len(positions), _BLOCK):
            cosines = space.usual(matrix[begin : begin + _BLOCK] @ matrix[begin:].T)
            for row, column in np.argwhere(cosines >= NEAR):
                if column > row:
                    one, other = positions[begin + row], positions[begin + column]
                    yield one, other, bool(cosines[row, column] >= SAME) and _says_the_same(questions, one, other)


def _says_the_same(questions: Sequence[Question], one: int, other: int) -> bool:
    """Vectors hardly tell numbers apart: questions with other numbers are never the same."""
    a, b = questions[one].text, questions[other].text
    return [part for part in a.split() if any(map(str.isdecimal, part))] == [
        part for part in b.split() if any(map(str.isdecimal, part))
    ]
