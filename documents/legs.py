"""Ask the two indexes of a workspace, and keep only what the asker may open.

An index is never believed about rights, nor about being complete: each leg is asked
for more than is needed, and when too little of that is open it is asked wider, or the
open passages are searched exactly.
"""

import logging
import os
from collections import OrderedDict
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from uuid import UUID

import numpy as np

from documents import index, vectors
from documents.embeddings import Space, embed_query
from documents.fusion import WIDTH
from documents.index import IndexUnavailable
from documents.replicas import matching
from documents.scope import Candidate, Scope
from workspaces.models import User, Workspace

logger = logging.getLogger(__name__)

Find = tuple[str, float]
Words = Sequence[tuple[str, ...]]
#: The question's vector, while the model still works on it; None where nothing is embedded.
Embedding = Future[np.ndarray] | None

#: A leg that had more to give, and of whose finds fewer are open, is asked again.
ENOUGH = 30
#: Up to this many open passages are searched exactly: 7.5 MB of vectors.
EXACT_UP_TO = 5000
#: Whoever has no more than this open is searched so without asking the index first the next time.
_EXACT_AT_ONCE = 2000
_WIDEST = 5000


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

    def __init__(self, user: User, workspace: Workspace) -> None:
        self.scope = Scope(user, workspace)
        self.known: dict[str, Candidate] = {}
        self._workspace_id: UUID = workspace.pk
        self._asker = user.pk, workspace.pk

    def ask(self, query: str, asked: Words, space: Space) -> tuple[Leg, Leg]:
        """The vector leg, asked with `query`, and the keyword leg, asked with its words; "" and [] stay silent.

        Raises EmbeddingUnavailable.
        """
        # The model and the index work beside this thread, which has keywords to look up and a rule to compile.
        embedding = _beside().submit(embed_query, query, space) if query else None
        if _had_few_open(self._asker) and self._few_are_open():
            return self._exactly(embedding, asked, space)
        looking = _beside().submit(self._look_near, embedding, space)
        match = matching(self._workspace_id, asked, WIDTH) if asked else []
        self.scope.prepare()
        vector, near, fault = looking.result()
        self._learn([*near, *match])
        enough_near = vector is None or len(self._open(near)) >= ENOUGH
        # Keywords that found less than they were asked for found all there is.
        enough_match = len(match) < WIDTH or len(self._open(match)) >= ENOUGH
        if not (enough_near and enough_match) and self._few_are_open():
            return self._exactly(embedding, asked, space, fault)
        near_leg = Leg("vectors", self._open(near), WIDTH, fault=fault)
        if vector is not None and not enough_near:
            near_leg = self._wider(vector, space, fault)
        return near_leg, Leg("keywords", self._open(match), WIDTH) if enough_match else self._matching_open(asked)

    def _look_near(self, embedding: Embedding, space: Space) -> tuple[np.ndarray | None, list[Find], str]:
        if embedding is None:
            return None, [], ""
        # Handed in before this was, so that a thread has it already: waiting here blocks nobody.
        vector = embedding.result()
        return vector, *self._nearest(vector, space, WIDTH)

    def _exactly(self, embedding: Embedding, asked: Words, space: Space, fault: str = "") -> tuple[Leg, Leg]:
        match = self._match_open(asked)
        near = vectors.nearest(list(self.scope.versions), space, embedding.result(), WIDTH) if embedding else []
        self._learn([*near, *match])
        return (
            Leg("vectors", self._open(near), WIDTH, exact=True, fault=fault),
            Leg("keywords", self._open(match), WIDTH, exact=True),
        )

    def _match_open(self, asked: Words) -> list[Find]:
        versions = {str(id) for id in self.scope.versions}
        return matching(self._workspace_id, asked, WIDTH, versions=versions) if asked else []

    def _matching_open(self, asked: Words) -> Leg:
        found = self._match_open(asked)
        self._learn(found)
        return Leg("keywords", self._open(found), WIDTH, exact=True)

    def _wider(self, vector: np.ndarray, space: Space, fault: str) -> Leg:
        """Ask the index for more until enough of it is open; many passages are."""
        width, kept = WIDTH, 0
        while not fault and width < _WIDEST:
            width = min(_WIDEST, width * 10 if not kept else width * ENOUGH * 3 // (2 * kept))
            found, fault = self._nearest(vector, space, width)
            self._learn(found)
            open_finds = self._open(found)
            kept = len(open_finds)
            if kept >= ENOUGH:
                return Leg("vectors", open_finds[:WIDTH], width)
            if len(found) < width:
                # The index has no more to give, yet more is open: passages are missing from it.
                return Leg("vectors", open_finds, width, fault=fault or "incomplete")
        if fault:
            return Leg("vectors", (), width, fault=fault)
        found = vectors.nearest(list(self.scope.versions), space, vector, WIDTH)
        self._learn(found)
        return Leg("vectors", self._open(found), width, exact=True)

    def _few_are_open(self) -> bool:
        count = sum(version.passages for version in self.scope.versions.values())
        _note(self._asker, count <= _EXACT_AT_ONCE)
        return count <= EXACT_UP_TO

    def _nearest(self, vector: np.ndarray, space: Space, n: int) -> tuple[list[Find], str]:
        try:
            return index.query(self._workspace_id, space, vector, n), ""
        except IndexUnavailable as error:
            logger.warning("workspace %s is searched without its vector index: %s", self._workspace_id, error)
            return [], "unavailable"

    def _learn(self, finds: Sequence[Find]) -> None:
        unknown = {id for id, _score in finds} - self.known.keys()
        if unknown:
            self.known |= self.scope.among(unknown)

    def _open(self, finds: Sequence[Find]) -> tuple[Find, ...]:
        return tuple(find for find in finds if find[0] in self.known)


# Who had few passages open the last time, by person and workspace: where to look first, never what may be seen.
_FEW_REMEMBERED = 10_000
_few: OrderedDict[tuple[UUID, UUID], None] = OrderedDict()


def _had_few_open(asker: tuple[UUID, UUID]) -> bool:
    return asker in _few


def _note(asker: tuple[UUID, UUID], few: bool) -> None:
    _few.pop(asker, None)
    if few:
        _few[asker] = None
    if len(_few) > _FEW_REMEMBERED:
        _few.popitem(last=False)


@cache
def _beside() -> ThreadPoolExecutor:
    """Threads for the vector leg. They never touch the database."""
    return ThreadPoolExecutor(max_workers=8, thread_name_prefix="search")


os.register_at_fork(after_in_child=_beside.cache_clear)
