"""Ask the two indexes of a workspace, and keep only what the asker may open.

An index is never believed about rights, nor about being complete: each leg is asked
for more than is needed, and when too little of that is open it is asked wider, or the
open passages are searched exactly. What the vector index says is held against what
the database has stored.
"""

import logging
import os
import threading
from collections import OrderedDict
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cache
from uuid import UUID

import numpy as np
from django.db.models import Q

from documents import agreement, index
from documents.embedding.vector_space import EmbeddingUnavailable, Space
from documents.embeddings import begin_query, embed_query
from documents.index import IndexDamaged, IndexUnavailable
from documents.indexing import vectors
from documents.indexing.replicas import matching
from documents.outgoing import Account
from documents.retrieval.fusion import WIDTH
from documents.retrieval.scope import Candidate, Scope
from workspaces.models import User, Workspace

logger = logging.getLogger(__name__)

Find = tuple[str, float]
#: Who searches where, within what.
Asker = tuple[UUID, UUID, str]
Words = Sequence[tuple[str, ...]]
#: The question's vector, while the model still works on it; None where nothing is embedded.
Embedding = Future[np.ndarray] | None

#: A leg that had more to give, and of whose finds fewer are open, is asked again.
ENOUGH = 30
#: Up to this many open passages are searched exactly: 7.5 MB of vectors.
EXACT_UP_TO = 5000
#: Whoever has no more than this open is searched so without asking the index first the next time.
EXACT_AT_ONCE = 2000
_WIDEST = 5000
#: So much is asked for without counting first what is open. Keywords are not asked for more: a search among the open
#: passages alone costs less.
_A_LITTLE_MORE = 1000


@dataclass(frozen=True)
class Leg:
    """What one leg did. `finds` are (passage id, score), best first, all open to the asker."""

    name: str
    finds: tuple[Find, ...]
    asked_for: int
    exact: bool = False
    #: "unavailable" or "incomplete" where it has less to say than it should.
    fault: str = ""


class Legs:
    """Both legs of one search. `known` describes every find of either."""

    def __init__(self, user: User, workspace: Workspace, within: Q | None = None) -> None:
        self.scope = Scope(user, workspace, within)
        self.known: dict[str, Candidate] = {}
        #: Whether the vector index could not read its files, or answered what the database contradicts.
        self.doubted = False
        self._workspace_id: UUID = workspace.pk
        self._account = Account.of(workspace, user)
        # What was wide enough for all of it says nothing about a part.
        self._asker = user.pk, workspace.pk, str(within or "")

    def ask(self, query: str, asked: Words, space: Space) -> tuple[Leg, Leg]:
        """The vector leg, asked with `query`, and the keyword leg, asked with its words; "" and [] stay silent.

        Raises EmbeddingUnavailable where the model is part of the product.
        """
        if not query:
            return self._ask(None, asked, space)
        try:
            sent = begin_query(query, space, self._account)
        except EmbeddingUnavailable as refused:
            silent: Future[np.ndarray] = Future()
            silent.set_exception(refused)
            return self._ask(silent, asked, space)
        try:
            # The model and the index work beside this thread, which has keywords to look up and a rule to compile.
            return self._ask(_beside().submit(embed_query, query, space, sent), asked, space)
        finally:
            if sent is not None:
                sent.end()

    def _ask(self, embedding: Embedding, asked: Words, space: Space) -> tuple[Leg, Leg]:
        before = _noted(self._asker)
        if before.few and self._few_are_open():
            return self._exactly(embedding, asked, space)
        near_width, match_width = max(before.near, WIDTH), max(before.match, WIDTH)
        looking = _beside().submit(self._look_near, embedding, space, near_width)
        match = matching(self._workspace_id, asked, match_width) if asked else []
        self.scope.prepare()
        vector, near, fault = looking.result()
        if vector is not None and not fault:
            near, fault = self._borne_out(near, vector, space, near_width, match)
        self._learn([*near, *match])
        near_open, match_open = self._open(near), self._open(match)
        enough_near = vector is None or len(near_open) >= ENOUGH
        # Keywords that found less than they were asked for found all there is.
        enough_match = len(match) < match_width or len(match_open) >= ENOUGH
        if not (enough_near and enough_match):
            wider = [_fitting(near_width, len(near_open))] * (not enough_near)
            wider += [_fitting(match_width, len(match_open))] * (not enough_match)
            has_more = enough_near or (not fault and len(near) == near_width)
            # To count what is open takes longer than to ask somebody's indexes for a little more.
            goes_wider = before.many and has_more and max(wider) <= _A_LITTLE_MORE
            if not goes_wider and self._few_are_open():
                return self._exactly(embedding, asked, space, fault)
        near_leg = Leg("vectors", near_open[:WIDTH], near_width, fault=fault)
        match_leg = Leg("keywords", match_open[:WIDTH], match_width)
        if not enough_near and vector is not None:
            near_leg = self._wider(vector, space, fault, near_width, len(near_open))
        elif vector is not None and not fault:
            self._note_near(near_width, len(near_open))
        if not enough_match:
            match_leg = self._matching_wider(asked, match_width, len(match_open))
        elif asked:
            self._note_match(match_width, len(match_open))
        return near_leg, match_leg

    def _borne_out(
        self, near: list[Find], vector: np.ndarray, space: Space, width: int, match: Sequence[Find]
    ) -> tuple[list[Find], str]:
        """All of it, or only what has a stored vector, by that, and "incomplete"."""
        elsewhere = [id for id, _score in match]
        if agreement.agrees(self._workspace_id, space, vector, near, width, elsewhere):
            return near, ""
        # What was erased, or became current, after the index answered is settled by its second answer.
        near, fault = self._nearest(vector, space, width)
        if fault or agreement.agrees(self._workspace_id, space, vector, near, width, elsewhere):
            return near, fault
        self.doubted = True
        cosines = agreement.stored_cosines(space, vector, [id for id, _cosine in near[:WIDTH]])
        return sorted(cosines.items(), key=lambda find: -find[1]), "incomplete"

    def _look_near(self, embedding: Embedding, space: Space, width: int) -> tuple[np.ndarray | None, list[Find], str]:
        if embedding is None:
            return None, [], ""
        # Handed in before this was, so that a thread has it already: waiting here blocks nobody.
        vector = self._vector(embedding, space)
        return (vector, *self._nearest(vector, space, width)) if vector is not None else (None, [], "unavailable")

    def _vector(self, embedding: Embedding, space: Space) -> np.ndarray | None:
        """The question's vector; None without one, or where a server does not give it or its model is not installed:
        keywords answer meanwhile.
        """
        if embedding is None:
            return None
        try:
            return embedding.result()
        except EmbeddingUnavailable as error:
            if not space.may_be_missing:
                raise
            logger.warning("workspace %s is searched without vectors: %s", self._workspace_id, error)
            return None

    def _exactly(self, embedding: Embedding, asked: Words, space: Space, fault: str = "") -> tuple[Leg, Leg]:
        match = self._match_open(asked)
        vector = self._vector(embedding, space)
        near = vectors.nearest(list(self.scope.versions), space, vector, WIDTH) if vector is not None else []
        self._learn([*near, *match])
        fault = "unavailable" if embedding and vector is None else fault
        return (
            Leg("vectors", self._open(near), WIDTH, exact=not (embedding and vector is None), fault=fault),
            Leg("keywords", self._open(match), WIDTH, exact=True),
        )

    def _match_open(self, asked: Words) -> list[Find]:
        versions = {str(id) for id in self.scope.versions}
        return matching(self._workspace_id, asked, WIDTH, versions=versions) if asked else []

    def _matching_wider(self, asked: Words, width: int, kept: int) -> Leg:
        """Ask the keywords for more than `width`, of which `kept` are open, and in the end the open passages alone."""
        while width < _A_LITTLE_MORE:
            width = min(_A_LITTLE_MORE, max(width + WIDTH, _fitting(width, kept)))
            found = matching(self._workspace_id, asked, width)
            self._learn(found)
            open_finds = self._open(found)
            kept = len(open_finds)
            if kept >= ENOUGH or len(found) < width:
                self._note_match(width, kept)
                return Leg("keywords", open_finds[:WIDTH], width)
        found = self._match_open(asked)
        # Whoever lost most of what was open to them is searched exactly at once from now on.
        self._few_are_open()
        self._learn(found)
        return Leg("keywords", self._open(found), WIDTH, exact=True)

    def _wider(self, vector: np.ndarray, space: Space, fault: str, width: int, kept: int) -> Leg:
        """Ask the index for more than `width`, of which `kept` are open, until enough is; many passages are."""
        while not fault and width < _WIDEST:
            width = min(_WIDEST, max(width + WIDTH, _fitting(width, kept)))
            found, fault = self._nearest(vector, space, width)
            self._learn(found)
            open_finds = self._open(found)
            kept = len(open_finds)
            if kept >= ENOUGH:
                self._note_near(width, kept)
                return Leg("vectors", open_finds[:WIDTH], width)
            if len(found) < width and not self._few_are_open():
                # The index has no more to give, yet more is open: passages are missing from it.
                return Leg("vectors", open_finds, width, fault=fault or "incomplete")
            if len(found) < width:
                break
        if fault:
            return Leg("vectors", (), width, fault=fault)
        found = vectors.nearest(list(self.scope.versions), space, vector, WIDTH)
        self._few_are_open()
        self._learn(found)
        return Leg("vectors", self._open(found), width, exact=True)

    def _few_are_open(self) -> bool:
        count = sum(version.passages for version in self.scope.versions.values())
        if count <= EXACT_AT_ONCE:
            _note(self._asker, _Widths(0, 0))
        else:
            before = _noted(self._asker)
            _note(self._asker, _Widths(max(before.near, WIDTH), max(before.match, WIDTH), many=True))
        return count <= EXACT_UP_TO

    def _note_near(self, width: int, kept: int) -> None:
        before = _noted(self._asker)
        _note(self._asker, replace(before, near=_next(width, kept)))

    def _note_match(self, width: int, kept: int) -> None:
        before = _noted(self._asker)
        _note(self._asker, replace(before, match=min(_A_LITTLE_MORE, _next(width, kept))))

    def _nearest(self, vector: np.ndarray, space: Space, n: int) -> tuple[list[Find], str]:
        try:
            return index.query(self._workspace_id, space, vector, n), ""
        except IndexUnavailable as error:
            self.doubted |= isinstance(error, IndexDamaged)
            logger.warning("workspace %s is searched without its vector index: %s", self._workspace_id, error)
            return [], "unavailable"

    def _learn(self, finds: Sequence[Find]) -> None:
        unknown = {id for id, _score in finds} - self.known.keys()
        if unknown:
            self.known |= self.scope.among(unknown)

    def _open(self, finds: Sequence[Find]) -> tuple[Find, ...]:
        return tuple(find for find in finds if find[0] in self.known)


def _fitting(width: int, kept: int) -> int:
    """How much to ask for so that twice as much as is enough is open, when `kept` of `width` were: finds come in
    documents, so that one question meets half of what another does.
    """
    return min(_WIDEST, max(WIDTH, width * ENOUGH * 2 // kept if kept else width * 10))


def _next(width: int, kept: int) -> int:
    """How much to ask for the next time: at once more, and only little by little less."""
    return max(_fitting(width, kept), width * 9 // 10)


@dataclass(frozen=True, slots=True)
class _Widths:
    """How wide to ask for somebody, by what was open to them the last time. 0: few are, to be searched exactly.

    Where to look first, never what may be seen.
    """

    near: int = WIDTH
    match: int = WIDTH
    #: Whether it was counted that more is open than is searched exactly at once.
    many: bool = False

    @property
    def few(self) -> bool:
        return not self.near


_REMEMBERED = 10_000
_widths: OrderedDict[Asker, _Widths] = OrderedDict()
#: Threads that changed it at once made the interpreter crash: comparing two ids lets another thread in between.
_noting = threading.Lock()


def _noted(asker: Asker) -> _Widths:
    with _noting:
        return _widths.get(asker, _Widths())


def _note(asker: Asker, widths: _Widths) -> None:
    with _noting:
        _widths.pop(asker, None)
        _widths[asker] = widths
        if len(_widths) > _REMEMBERED:
            _widths.popitem(last=False)


@cache
def _beside() -> ThreadPoolExecutor:
    """Threads for the vector leg. They never touch the database."""
    return ThreadPoolExecutor(max_workers=8, thread_name_prefix="search")


def _forget_in_child() -> None:
    """A child has none of the threads, one of which may have been noting."""
    global _noting
    _noting = threading.Lock()
    _beside.cache_clear()


os.register_at_fork(after_in_child=_forget_in_child)
