"""Measure what a new model's cosines mean, by what the old model's mean for the same passages.

Whether a search found evidence is decided by how far a cosine lies above a floor (documents/retrieval/evidence.py), and
that was measured with the built-in model. Models differ in where unrelated texts lie and in how far related ones are
from them. Two points of each are compared on the workspace's own passages: the mean of all pairs, and of each passage
with its nearest other one.
"""

from dataclasses import dataclass

import numpy as np

from documents.embedding.vector_space import Space
from documents.models import Embedding
from documents.reembedding.spaces import answering
from workspaces.models import Workspace

#: A matrix of pairs of so many is a second's work; fewer than the least say too little.
SAMPLED, LEAST = 400, 30
_SMALLEST_SPREAD = 1e-3


@dataclass(frozen=True, slots=True)
class Calibration:
    """A floor and a scale for cosines of the new space; see `Space`."""

    floor: float
    scale: float


def calibrate(workspace: Workspace, old: Space, new: Space) -> Calibration | None:
    """What the new space's cosines mean in this workspace; None where too few passages can be read by both models."""
    ids = [
        id
        for id, language in answering(workspace).order_by("pk").values_list("pk", "language")[: 5 * SAMPLED]
        if old.reads(language) and new.reads(language)
    ][:SAMPLED]
    before, after = _vectors(ids, old), _vectors(ids, new)
    both = sorted(before.keys() & after.keys())
    if len(both) < LEAST:
        return None
    far, near = _points(np.stack([before[id] for id in both]))
    new_far, new_near = _points(np.stack([after[id] for id in both]))
    if near - far < _SMALLEST_SPREAD or new_near - new_far < _SMALLEST_SPREAD:
        return None
    stretch = (new_near - new_far) / (near - far)
    return Calibration(floor=new_far + (old.floor - far) * stretch, scale=old.scale / stretch)


def _vectors(ids: list[object], space: Space) -> dict[object, np.ndarray]:
    rows = Embedding.objects.filter(space_id=space.fingerprint, passage__in=ids).values_list("passage_id", "vector")
    return {id: np.frombuffer(vector, dtype="<f4") for id, vector in rows}


def _points(vectors: np.ndarray) -> tuple[float, float]:
    """The mean cosine of all pairs, and of each vector with the nearest other one."""
    cosines = vectors @ vectors.T
    count = len(vectors)
    others = cosines[~np.eye(count, dtype=bool)].reshape(count, count - 1)
    return float(others.mean()), float(others.max(axis=1).mean())
