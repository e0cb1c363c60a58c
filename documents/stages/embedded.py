"""split → embedded: a vector for every passage, saved batch by batch, so that none is ever computed twice."""

from collections.abc import Iterator, Sequence
from typing import Any

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
    space = _known_space()
    missing = _without_vector(version, space)
    before = version.passage_count - missing.count()
    lease.renew(done=before)
    computed = 0
    for batch in _batches(missing):
        try:
            rows = _rows(version.document.title, batch, space)
        except EmbeddingUnavailable as error:
            raise StageFailed(
                "embedding_unavailable",
                gettext_noop("The embedding model is not available. Tell the operator, then try again."),
                retryable=True,
            ) from error
        computed += len(batch)
        with transaction.atomic():
            # First, so that the row is locked and ours while the vectors are written.
            lease.renew(done=before + computed)
            Embedding.objects.bulk_create(rows)
        killpoint("embedding_batch")
    return computed


def embed_again(version: Version) -> int:
    """Make the vectors that a ready version lacks, which happens when rows were lost or the space is another now.

    How many those were. The text of a ready version is for ever, so nobody has to hold it meanwhile; what others made
    or deleted in between stays as it is. Raises EmbeddingUnavailable.
    """
    space = _known_space()
    made = 0
    for batch in _batches(_without_vector(version, space)):
        rows = _rows(version.document.title, batch, space)
        with transaction.atomic():
            locked = Passage.objects.filter(pk__in=[row.passage_id for row in rows]).select_for_update(no_key=True)
            there = set(locked.values_list("pk", flat=True))
            Embedding.objects.bulk_create([row for row in rows if row.passage_id in there], ignore_conflicts=True)
        made += len(there)
    return made


def _known_space() -> Space:
    """The space to embed in, with the row that vectors point to."""
    space = indexing.space()
    EmbeddingSpace.objects.get_or_create(
        fingerprint=space.fingerprint, defaults={"name": space.name, "dimension": space.dimension}
    )
    return space


def _without_vector(version: Version, space: Space) -> QuerySet[Passage]:
    there = Embedding.objects.filter(passage=OuterRef("pk"), space_id=space.fingerprint)
    return version.passages.filter(~Exists(there)).order_by("position")


def _batches(passages: QuerySet[Passage]) -> Iterator[list[Passage]]:
    """The passages in order, read as they are needed: a long document does not have to fit into memory."""
    last = -1
    while batch := list(passages.filter(position__gt=last).only("position", "text", "locator")[:BATCH]):
        last = batch[-1].position
        yield batch


def _rows(title: str, batch: Sequence[Passage], space: Space) -> list[Embedding]:
    vectors = embeddings.embed_passages([framed(title, each.locator, each.text) for each in batch], space)
    return [
        Embedding(passage_id=passage.pk, space_id=space.fingerprint, vector=vector.astype("<f4").tobytes())
        for passage, vector in zip(batch, vectors, strict=True)
    ]


def save(version: Version, computed: int) -> dict[str, Any]:
    """Note how many vectors were made and how many were there already."""
    version.done = version.passage_count
    return {"computed": computed, "reused": version.passage_count - computed, "space": indexing.space().name}


STAGE = Stage(VersionState.EMBEDDED, embed, save, writes=("done",))
