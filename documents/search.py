"""Find the passages that bear on a question, among those the asker may open now.

Vectors and keywords are asked, what the asker may not open is dropped, the rest is
fused, and documents that the question names are lifted.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from django.utils.translation import gettext as _

from documents.analysis import detect_language, query_words, words
from documents.embeddings import Space, default_space, embed_query
from documents.evidence import Evidence, coverage, means_something
from documents.framing import framed
from documents.fusion import HALF, fuse
from documents.legs import Leg, Legs
from documents.models import Document, Passage, Version
from documents.naming import named
from documents.replicas import replica_of
from documents.scope import Candidate, Scope
from workspaces import access
from workspaces.models import User, Workspace
from workspaces.roles import Action

#: The dense leg's share for a language the model was not trained on: it still matches pieces of words.
#: On a Serbian book: titles 0.526 → 0.612 nDCG@10, sentences 0.433 → 0.431; at one half sentences lose 0.046.
_FOREIGN_SHARE = 0.3
#: How much a document named in the question is lifted. Filings, page among the first ten: 0.56 → 0.585 (0.61
#: when the file is given); Cranfield nDCG@10 0.427 → 0.432; SciFact and SQuAD unchanged.
_NAMED_SHARE = 0.15
#: How many of the first hits are read for the question's words.
_READ_FOR_EVIDENCE = 5


class Mode(StrEnum):
    """Which legs are asked."""

    HYBRID = "hybrid"
    KEYWORDS = "keywords"
    VECTORS = "vectors"


class Empty(StrEnum):
    """Why a search came back with nothing."""

    NO_WORDS = "no_words"
    NOTHING_OPEN = "nothing_open"
    NOTHING_FOUND = "nothing_found"


@dataclass(frozen=True)
class Hit:
    """One passage found. `cosine` and `keywords` are the legs' own scores, None where a leg did not find it."""

    rank: int
    score: float
    cosine: float | None
    keywords: float | None
    passage: Passage

    @property
    def version(self) -> Version:
        return self.passage.version

    @property
    def document(self) -> Document:
        return self.passage.version.document

    @property
    def page(self) -> int | None:
        return self.passage.page

    @property
    def locator(self) -> str:
        return self.passage.locator


@dataclass(frozen=True)
class SearchResult:
    """Hits, best first, and how they came about. `empty` says why there are none."""

    query: str
    language: str
    hits: tuple[Hit, ...]
    legs: tuple[Leg, ...]
    evidence: Evidence
    empty: Empty | None = None

    @property
    def degraded(self) -> bool:
        """Whether an index was unavailable or incomplete and was not made up for, so that passages may be missing."""
        return any(leg.fault and not leg.exact for leg in self.legs)

    @property
    def sentence(self) -> str:
        """What a person should know besides the hits; "" when all is well."""
        if self.degraded:
            return _("Search is limited right now: part of the index is not available, and passages may be missing.")
        sentences = {
            Empty.NO_WORDS: _("There is no word to search for in this question."),
            Empty.NOTHING_OPEN: _("This workspace has no searchable documents that are open to you."),
            Empty.NOTHING_FOUND: _("No passage matches this question."),
        }
        return sentences[self.empty] if self.empty else ""


def is_usable(result: SearchResult) -> bool:
    """Whether the hits may serve as evidence for an answer; `documents.evidence` tells how that was measured."""
    return bool(result.hits) and result.evidence.usable


def search(user: User, workspace: Workspace, query: str, k: int = 10, *, mode: str = Mode.HYBRID) -> SearchResult:
    """The `k` passages of `workspace` that bear most on `query`, among those `user` may open now.

    Raises Hidden or Forbidden as `access.require` does, ValueError for an unknown mode, and
    EmbeddingUnavailable.
    """
    access.require(user, Action.OPEN, workspace)
    mode = Mode(mode)
    space = default_space()
    language, asked = detect_language(query), query_words(query)
    if not asked:
        return SearchResult(query, language, (), (), Evidence(None, 0.0, space.floor), Empty.NO_WORDS)

    scope = Scope(user, workspace)
    legs = Legs(scope, workspace.pk)
    vector = None if mode == Mode.KEYWORDS else embed_query(query, space)
    near, match = legs.ask(None if mode == Mode.VECTORS else asked, vector, space)
    comparable = [find for find in near.finds if _comparable(space, language, legs.known[find[0]].language)]
    ranked = _ranked(query, _share(space, language), comparable, match.finds, legs.known)

    passages = scope.passages.select_related("version__document").defer("version__text", "version__sections")
    rows = passages.in_bulk([id for id, _score in ranked[: max(k, _READ_FOR_EVIDENCE)]])
    hits = _hits(ranked, rows, dict(near.finds), dict(match.finds))
    evidence = _weigh(workspace, space, language, asked, comparable, hits, legs.known)
    return SearchResult(
        query=query,
        language=language,
        hits=hits[:k],
        legs=(near, match),
        evidence=evidence,
        empty=None if hits else (Empty.NOTHING_FOUND if scope.versions else Empty.NOTHING_OPEN),
    )


def _comparable(space: Space, question: str, passage: str) -> bool:
    """Whether a cosine may rank this passage: its meaning is understood, or at least its language is the same."""
    return question == passage or means_something(space, question, passage)


def _share(space: Space, language: str) -> float:
    return HALF if not language or language in space.languages else _FOREIGN_SHARE


def _ranked(
    query: str,
    share: float,
    near: Sequence[tuple[str, float]],
    match: Sequence[tuple[str, float]],
    known: dict[str, Candidate],
) -> list[tuple[str, float]]:
    fused = fuse(near, match, weight=share)
    titles = {known[id].document_id: known[id].titles for id, _score in fused}
    lift = named(query, titles)
    lifted = [(id, score + _NAMED_SHARE * lift[known[id].document_id]) for id, score in fused]
    return sorted(lifted, key=lambda find: (-find[1], find[0]))


def _hits(
    ranked: Sequence[tuple[str, float]],
    rows: dict[object, Passage],
    cosines: dict[str, float],
    keywords: dict[str, float],
) -> tuple[Hit, ...]:
    by_id = {str(id): passage for id, passage in rows.items()}
    # A passage that was closed to the asker since the first look is not among the rows.
    still_open = [(id, score) for id, score in ranked if id in by_id]
    return tuple(
        Hit(rank, score, cosines.get(id), keywords.get(id), by_id[id])
        for rank, (id, score) in enumerate(still_open, start=1)
    )


def _weigh(
    workspace: Workspace,
    space: Space,
    language: str,
    asked: Sequence[tuple[str, ...]],
    near: Sequence[tuple[str, float]],
    hits: Sequence[Hit],
    known: dict[str, Candidate],
) -> Evidence:
    meant = [cosine for id, cosine in near if means_something(space, language, known[id].language)]
    read = [
        words(framed(hit.document.title, hit.locator, hit.passage.text), known[str(hit.passage.pk)].language or None)
        for hit in hits[:_READ_FOR_EVIDENCE]
    ]
    return Evidence(max(meant, default=None), coverage(replica_of(workspace.pk), asked, read), space.floor)
