"""Find the passages that bear on a question, among those the asker may open now.

Vectors and keywords are asked, what the asker may not open is dropped, the rest is
fused, documents that the question names are lifted, and a reranker, where the
workspace has one, puts the first ones in order.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from django.db.models import Q
from django.utils.translation import gettext as _

from documents.analysis import detect_language, query_words, words
from documents.embedding.framing import framed
from documents.embedding.spaces import space_of
from documents.embedding.vector_space import Space
from documents.indexing import doubts
from documents.indexing.replicas import weights
from documents.models import Document, Passage, Version, WorkspaceReranker
from documents.reranking.rerankers import DEPTH, Reranked, chosen_for, in_order, rerank
from documents.retrieval.evidence import Evidence, coverage, means_something, speaks_otherwise
from documents.retrieval.legs import Leg, Legs
from documents.retrieval.ranking import Find, rank
from documents.retrieval.scope import Candidate, Scope
from workspaces import access
from workspaces.models import User, Workspace
from workspaces.roles import Action

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
    """One passage found. `cosine` and `keywords` are the legs' own scores, None where a leg did not find it.

    `rerank` is what the workspace's reranker said, None where it said nothing; `score` is that of the search.
    """

    rank: int
    score: float
    cosine: float | None
    keywords: float | None
    passage: Passage
    rerank: float | None = None

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
    reranked: Reranked | None = None

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
        if self.empty:
            return sentences[self.empty]
        if self.reranked and self.reranked.fault:
            return _("The reranker of this workspace did not answer: passages stand in the order of the search.")
        return ""


def is_usable(result: SearchResult) -> bool:
    """Whether the hits may carry an answer; `documents/retrieval/evidence.py` tells how that was measured."""
    return bool(result.hits) and result.evidence.usable


def search(
    user: User,
    workspace: Workspace,
    query: str,
    k: int = 10,
    *,
    mode: str = Mode.HYBRID,
    space: Space | None = None,
    within: Q | None = None,
    reranker: Callable[[Workspace], WorkspaceReranker | None] = chosen_for,
) -> SearchResult:
    """The `k` passages of `workspace` that bear most on `query`, among those `user` may open now.

    `space`: another than the one the workspace is searched in, to compare the two. `within`: only among the documents
    that meet this condition; it narrows what is open and opens nothing. `reranker` says what puts the finds in order.
    Raises Hidden or Forbidden as `access.require` does, ValueError for an unknown mode, and EmbeddingUnavailable where
    the model is part of the product.
    """
    access.require(user, Action.OPEN, workspace)
    mode = Mode(mode)
    space = space or space_of(workspace.pk)
    language, asked = detect_language(query), query_words(query)
    if not asked:
        return SearchResult(query, language, (), (), Evidence(None, 0.0, space.floor, space.scale), Empty.NO_WORDS)

    legs = Legs(user, workspace, within)
    near, match = legs.ask("" if mode == Mode.KEYWORDS else query, [] if mode == Mode.VECTORS else asked, space)
    if legs.doubted:
        doubts.ring(workspace.pk)
    ranked = rank(query, space, language, near.finds, match.finds, legs.known)

    chosen = reranker(workspace) if mode == Mode.HYBRID else None
    looked_at = max(k, _READ_FOR_EVIDENCE, DEPTH if chosen else 0)
    hits, reranked = _hits(ranked[:looked_at], dict(near.finds), dict(match.finds)), None
    if chosen and hits:
        is_trial = reranker is not chosen_for
        reranked = rerank(workspace, chosen, query, [hit.passage for hit in hits], by=user, is_trial=is_trial)
        hits = _reordered(hits, reranked, Scope(user, workspace, within))
    evidence = _weigh(workspace, space, language, asked, near.finds, hits, legs.known)
    return SearchResult(
        query=query,
        language=language,
        hits=hits[:k],
        legs=(near, match),
        evidence=evidence,
        empty=None if hits else (Empty.NOTHING_FOUND if legs.scope.versions else Empty.NOTHING_OPEN),
        reranked=reranked,
    )


def _hits(ranked: Sequence[Find], cosines: Mapping[str, float], keywords: Mapping[str, float]) -> tuple[Hit, ...]:
    found = Passage.objects.filter(pk__in=[id for id, _score in ranked]).order_by()
    rows = found.select_related("version__document").defer("version__text", "version__sections")
    passages = {str(passage.pk): passage for passage in rows}
    # A passage erased since the first look is not among the rows.
    still_there = [(id, score) for id, score in ranked if id in passages]
    return tuple(
        Hit(rank, score, cosines.get(id), keywords.get(id), passages[id])
        for rank, (id, score) in enumerate(still_there, start=1)
    )


def _reordered(hits: Sequence[Hit], reranked: Reranked, scope: Scope) -> tuple[Hit, ...]:
    by_id = {str(hit.passage.pk): hit for hit in hits}
    # A server was waited for, and rights may have gone meanwhile.
    still_open = scope.among(by_id)
    ordered = [id for id in in_order(list(by_id), reranked) if id in still_open]
    return tuple(
        replace(by_id[id], rank=rank, rerank=reranked.scores.get(id)) for rank, id in enumerate(ordered, start=1)
    )


def _weigh(
    workspace: Workspace,
    space: Space,
    language: str,
    asked: Sequence[tuple[str, ...]],
    near: Sequence[Find],
    hits: Sequence[Hit],
    known: Mapping[str, Candidate],
) -> Evidence:
    meant = [cosine for id, cosine in near if means_something(space, language, known[id].language)]
    read = [
        words(
            framed(hit.document.title, hit.document.path, hit.locator, hit.passage.text), hit.passage.language or None
        )
        for hit in hits[:_READ_FOR_EVIDENCE]
    ]
    covered = coverage(weights(workspace.pk, asked), asked, read)
    across = [
        hit.cosine
        for hit in hits[:_READ_FOR_EVIDENCE]
        if hit.cosine is not None
        and speaks_otherwise(language, hit.passage.language)
        and means_something(space, language, hit.passage.language)
    ]
    return Evidence(max(meant, default=None), covered, space.floor, space.scale, max(across, default=None))
