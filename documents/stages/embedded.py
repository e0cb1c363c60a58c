"""split → embedded: a vector for every passage, saved batch by batch, so that none is ever computed twice."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.utils.translation import gettext_noop

from documents import embeddings, indexing
from documents.embeddings import EmbeddingUnavailable, Space
from documents.framing import framed
from documents.leases import Lease
from documents.models import Embedding, EmbeddingSpace, Passage, Version
from documents.stages import Stage, StageFailed
from documents.states import VersionState
from workspaces.killpoints import killpoint

#: About a second of work: what a killed worker loses at most, and how often the progress bar moves.
BATCH = 32


def embed(version: Version, lease: Lease) -> int:
    """Embed the passages that have no vector yet; how many those were. Raises StageFailed and LeaseLost."""
    space = indexing.space()
    EmbeddingSpace.objects.get_or_create(
        fingerprint=space.fingerprint, defaults={"name": space.name, "dimension": space.dimension}
    )
    there = Embedding.objects.filter(passage=OuterRef("pk"), space_id=space.fingerprint)
    missing = version.passages.filter(~Exists(there)).order_by("position")
    before = version.passage_count - missing.count()
    lease.renew(done=before)
    computed = 0
    for batch in _batches(missing):
        vectors = _vectors(version.document.title, batch, space)
        computed += len(batch)
        with transaction.atomic():
            # First, so that the row is locked and ours while the vectors are written.
            lease.renew(done=before + computed)
            Embedding.objects.bulk_create(
                Embedding(passage_id=passage.pk, space_id=space.fingerprint, vector=vector.astype("<f4").tobytes())
                for passage, vector in zip(batch, vectors, strict=True)
            )
        killpoint("embedding_batch")
    return computed


def _batches(passages: QuerySet[Passage]) -> Iterator[list[Passage]]:
    """The passages in order, read as they are needed: a long document does not have to fit into memory."""
    last = -1
    while batch := list(passages.filter(position__gt=last).only("position", "text", "locator")[:BATCH]):
        last = batch[-1].position
        yield batch


def _vectors(title: str, batch: Sequence[Passage], space: Space) -> np.ndarray:
    try:
        return embeddings.embed_passages([framed(title, each.locator, each.text) for each in batch], space)
    except EmbeddingUnavailable as error:
        raise StageFailed(
            "embedding_unavailable",
            gettext_noop("The embedding model is not available. Tell the operator, then try again."),
            retryable=True,
        ) from error


def save(version: Version, computed: int) -> dict[str, Any]:
    """Note how many vectors were made and how many were there already."""
    version.done = version.passage_count
    return {"computed": computed, "reused": version.passage_count - computed, "space": indexing.space().name}


STAGE = Stage(VersionState.EMBEDDED, embed, save, writes=("done",))
