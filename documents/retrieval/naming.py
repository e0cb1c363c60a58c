"""Notice when a question names a document: by the words of its title that set it apart from the others."""

import math
from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from functools import lru_cache
from typing import TypeVar

from documents.analysis import joined_words, query_words, words

D = TypeVar("D", bound=Hashable)


def named(question: str, titles: Mapping[D, Sequence[str]]) -> dict[D, float]:
    """For each document, the share of its title that stands in the question: 0 to 1.

    Words count by how few of the documents share them. Of several titles (its own, its file's name) the
    best named one counts.
    """
    asked = joined_words(question).union(*query_words(question))
    held = {document: [_words(title) for title in names] for document, names in titles.items()}
    shared = Counter(word for names in held.values() for word in set().union(*names))
    rarity = {word: math.log1p((len(held) - count + 0.5) / (count + 0.5)) for word, count in shared.items()}

    def share(title: frozenset[str]) -> float:
        whole = sum(rarity[word] for word in title)
        return sum(rarity[word] for word in title & asked) / whole if whole else 0.0

    return {document: max(map(share, names), default=0.0) for document, names in held.items()}


@lru_cache(maxsize=20_000)
def _words(title: str) -> frozenset[str]:
    return frozenset(words(title))
