"""split → embedded: a vector for every passage, saved batch by batch, so that none is ever computed twice."""

from bisect import bisect_right
from collections.abc import Sequence
from typing import Any

from django.db import transaction
from django.db.models import Exists, OuterRef
from django.utils.translation import gettext_noop

from documents import embeddings, indexing
from documents.embeddings import EmbeddingUnavailable
from documents.killpoints import killpoint
from documents.leases import Lease
from documents.models import Embedding, EmbeddingSpace, Passage, Version
from documents.stages import Stage, StageFailed
from documents.states import VersionState

#: About a second of work: what a killed worker loses at most, and how often the progress bar moves.
BATCH = 32


def embed(version: Version, lease: Lease) -> int:
    """Embed the passages that have no vector yet; how many those were. Raises StageFailed and LeaseLost."""
    space = indexing.space()
    EmbeddingSpace.objects.get_or_create(
        fingerprint=space.fingerprint, defaults={"name": space.name, "dimension": space.dimension}
    )
    texts = Texts(version)
    vectors = Embedding.objects.filter(passage=OuterRef("pk"), space_id=space.fingerprint)
    missing = version.passages.filter(~Exists(vectors)).order_by("position").only("position", "text", "start")
    total = missing.count()
    lease.renew(done=version.passage_count - total)
    computed, last = 0, -1
    while batch := list(missing.filter(position__gt=last)[:BATCH]):
        try:
            computed_vectors = embeddings.embed_passages([texts.of(passage) for passage in batch], space)
        except EmbeddingUnavailable as error:
            raise StageFailed(
                "embedding_unavailable",
                gettext_noop("The embedding model is not available. Tell the operator, then try again."),
                retryable=True,
            ) from error
        last = batch[-1].position
        computed += len(batch)
        with transaction.atomic():
            lease.renew(done=version.passage_count - total + computed)
            Embedding.objects.bulk_create(
                Embedding(passage_id=passage.pk, space_id=space.fingerprint, vector=vector.astype("<f4").tobytes())
                for passage, vector in zip(batch, computed_vectors, strict=True)
            )
        killpoint("embedding_batch")
    return computed


def save(version: Version, computed: int) -> dict[str, Any]:
    """Note how many vectors were made and how many were there already."""
    version.done = version.passage_count
    return {"computed": computed, "reused": version.passage_count - computed, "space": indexing.space().name}


class Texts:
    """What is embedded for a passage: the title and the headings above it, then its text."""

    def __init__(self, version: Version) -> None:
        self.title = version.document.title
        sections: Sequence[dict[str, Any]] = version.sections
        self.starts = [section["start"] for section in sections]
        self.headings = [" › ".join(section["heading"]) for section in sections]

    def of(self, passage: Passage) -> str:
        heading = self.headings[bisect_right(self.starts, passage.start) - 1]
        above = [self.title, heading if heading != self.title else ""]
        return "\n".join(line for line in (*above, passage.text) if line)


STAGE = Stage(VersionState.EMBEDDED, embed, save, writes=("done",))
