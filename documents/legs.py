"""Ask the two indexes of a workspace, and keep only what the asker may open.

An index is never believed about rights, nor about being complete: each leg is asked
for more than is needed, and when too little of that is open it is asked wider, or the
open passages are searched exactly.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import numpy as np

from documents import index, vectors
from documents.embeddings import Space
from documents.fusion import WIDTH
from documents.index import IndexUnavailable
from documents.replicas import matching
from documents.scope import Candidate, Scope

logger = logging.getLogger(__name__)

Find = tuple[str, float]

#: A leg that had more to give, and of whose finds fewer are open, is asked again.
ENOUGH = 30
#: Up to this many open passages are searched exactly: 7.5 MB of vectors.
EXACT_UP_TO = 5000
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

    def __init__(self, scope: Scope, workspace_id: UUID) -> None:
        self.known: dict[str, Candidate] = {}
        self._scope = scope
        self._workspace_id = workspace_id

    def ask(self, asked: Sequence[tuple[str, ...]] | None, vector: np.ndarray | None, space: Space) -> tuple[Leg, Leg]:
        """The vector leg and the keyword leg; one whose argument is None stays silent."""
        near, fault = self._nearest(vector, space, WIDTH)
        match = matching(self._workspace_id, asked, WIDTH) if asked else []
        self._learn([*near, *match])
        return self._vectors(near, fault, vector, space), self._keywords(match, asked)

    def _keywords(self, found: list[Find], asked: Sequence[tuple[str, ...]] | None) -> Leg:
        kept = self._open(found)
        if not asked or len(found) < WIDTH or len(kept) >= ENOUGH:
            return Leg("keywords", kept, WIDTH)
        versions = {str(id) for id in self._scope.versions}
        again = matching(self._workspace_id, asked, WIDTH, versions=versions)
        self._learn(again)
        return Leg("keywords", self._open(again), WIDTH, exact=True)

    def _vectors(self, found: list[Find], fault: str, vector: np.ndarray | None, space: Space) -> Leg:
        kept = self._open(found)
        if vector is None or len(kept) >= ENOUGH:
            return Leg("vectors", kept, WIDTH)
        versions = self._scope.versions
        if sum(versions.values()) <= EXACT_UP_TO:
            return self._exact(vector, space, fault)
        if fault:
            return Leg("vectors", kept, WIDTH, fault=fault)
        width = WIDTH
        while len(kept) < ENOUGH:
            if len(found) < width:
                # The index has no more to give, yet more is open: passages are missing from it.
                return Leg("vectors", kept, width, fault="incomplete")
            if width >= _WIDEST:
                return self._exact(vector, space, fault)
            width = min(_WIDEST, width * 10 if not kept else -(-width * ENOUGH * 3 // (2 * len(kept))))
            found, fault = self._nearest(vector, space, width)
            if fault:
                return Leg("vectors", kept, width, fault=fault)
            self._learn(found)
            kept = self._open(found)
        return Leg("vectors", kept[:WIDTH], width)

    def _exact(self, vector: np.ndarray, space: Space, fault: str) -> Leg:
        found = vectors.nearest(list(self._scope.versions), space, vector, WIDTH)
        self._learn(found)
        return Leg("vectors", self._open(found), len(found), exact=True, fault=fault)

    def _nearest(self, vector: np.ndarray | None, space: Space, n: int) -> tuple[list[Find], str]:
        if vector is None:
            return [], ""
        try:
            return index.query(self._workspace_id, space, vector, n), ""
        except IndexUnavailable as error:
            logger.warning("workspace %s is searched without its vector index: %s", self._workspace_id, error)
            return [], "unavailable"

    def _learn(self, finds: Sequence[Find]) -> None:
        unknown = {id for id, _ in finds} - self.known.keys()
        if unknown:
            self.known |= self._scope.among(unknown)

    def _open(self, finds: Sequence[Find]) -> tuple[Find, ...]:
        return tuple(find for find in finds if find[0] in self.known)
