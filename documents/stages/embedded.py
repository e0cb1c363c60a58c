"""split → embedded: a vector for every passage, saved batch by batch, so that none is ever computed twice."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import numpy as np
from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext_noop

from documents import embeddings
from documents.ceiling import AboveCeiling, require_below_ceiling
from documents.embedding import spaces
from documents.embedding.framing import framed
from documents.embedding.vector_space import EmbeddingRefused, EmbeddingUnavailable, Space
from documents.ingestion.leases import Lease
from documents.models import Document, Embedding, Passage, Version
from documents.outgoing import Account
from documents.reembedding.probe import require_same_model
from documents.reembedding.problems import Stopped, sentence
from documents.stages import Stage, StageFailed, StageWaits
from documents.states import VersionState
from workspaces.killpoints import killpoint

#: About a second of work: what a killed worker loses at most, and how often the progress bar moves.
BATCH = 32
#: A server that broke down over the text of a version for so long, and answers others, will not read it later either.
DOUBT = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Embedded:
    """How many vectors were made, the name of their space, and those of the last batch, which are still to be saved."""

    computed: int
    space: str
    rows: Sequence[Embedding]


def work(version: Version, lease: Lease) -> Embedded:
    """Embed in the space that the workspace is searched in now. Raises StageFailed and LeaseLost."""
    space = spaces.space_of(version.document.workspace_id)
    computed = 0
    for rows, done in _made(version, lease, space):
        computed += len(rows)
        if len(rows) < _size(space):
            return Embedded(computed, space.name, rows)
        _keep(rows, done, lease)
    return Embedded(computed, space.name, [])


def embed(version: Version, lease: Lease, space: Space) -> None:
    """Embed and save what has no vector in `space` yet. Raises StageFailed and LeaseLost."""
    for rows, done in _made(version, lease, space):
        _keep(rows, done, lease)


def _keep(rows: Sequence[Embedding], done: int, lease: Lease, refused_since: Any = None) -> None:
    """Save a batch of vectors, if the version is still ours. Raises LeaseLost."""
    with transaction.atomic():
        # First, so that the row is locked and ours while the vectors are written.
        lease.renew(done=done, refused_since=refused_since)
        Embedding.objects.bulk_create(rows)
    killpoint("embedding_batch")


def _made(version: Version, lease: Lease, space: Space) -> Iterator[tuple[list[Embedding], int]]:
    """Batches of new vectors for the passages that have none in `space`, each with how many passages have one then.

    All but the last are whole. Raises StageFailed and LeaseLost.
    """
    try:
        if version.refused_since is not None:
            _hold(lease, space)
            _compare_kept(version, lease, space)
        for number, batch in enumerate(_batches(_without_vector(version, space), _size(space))):
            if not number:
                spaces.row_of(space)
            require_below_ceiling(version.document_id, space)
            _hold(lease, space)
            rows = _paid_once(version, lease, batch, space)
            # As it is written with them: the server gives vectors again.
            version.refused_since = None
            # In order, so that all before the last of these have theirs.
            yield rows, batch[-1].position + 1
    except AboveCeiling as above:
        raise StageFailed("above_ceiling", above.template, retryable=True) from above
    except Stopped as stopped:
        raise StageFailed(
            stopped.code,
            gettext_noop(
                "The embedding model was exchanged for another one, whose vectors cannot be compared with those "
                "that are there. Tell the operator, then try again."
            ),
            retryable=True,
        ) from stopped
    except EmbeddingRefused as refused:
        raise StageFailed(
            "embedding_refused",
            gettext_noop(
                "The text of this document may not be sent to the embedding model now: that is not in use any "
                "more, or a budget for models is spent. Tell the operator, then try again."
            ),
            retryable=True,
        ) from refused
    except EmbeddingUnavailable as error:
        said = gettext_noop("The embedding model is not available. Tell the operator, then try again.")
        if error.is_busy:
            raise StageWaits("embedding_unavailable", said, after=error.after) from error
        raise StageFailed("embedding_unavailable", said, retryable=True) from error


def patience(space: Space) -> float:
    """Seconds for which a version is held from one answer of the server to the next: two requests may be between."""
    return 2.0 * space.remote.seconds if space.remote is not None else 0.0


def _hold(lease: Lease, space: Space) -> None:
    """Before a server is asked, and whenever it answered: it may take longer than a lease lasts. Raises LeaseLost."""
    if space.remote is not None:
        lease.renew(seconds=patience(space))


def _compare_kept(version: Version, lease: Lease, space: Space) -> None:
    """Look whether the server still has the model of what was kept when it last refused; if not, that is removed.

    What was made in other spaces is removed, too: it may be the server of one of those that refused before it could be
    asked for its model. Raises Stopped, EmbeddingUnavailable and LeaseLost.
    """
    try:
        require_same_model(space)
    except Stopped:
        with transaction.atomic():
            lease.renew(done=0)
            Embedding.objects.filter(passage__version=version, space_id=space.fingerprint).delete()
        raise
    others = Embedding.objects.filter(passage__version=version).exclude(space_id=space.fingerprint)
    if others.exists():
        with transaction.atomic():
            lease.renew()
            others.delete()


def _paid_once(version: Version, lease: Lease, batch: Sequence[Passage], space: Space) -> list[Embedding]:
    """As `rows_of`; what the server gave of them before it refused is saved."""
    try:
        return rows_of(version, batch, space, came=lambda: _hold(lease, space))
    except EmbeddingUnavailable as failed:
        if failed.made is not None:
            rows = _rows_made(batch, space, failed.made)
            done = batch[len(rows) - 1].position + 1
            _keep(rows, done, lease, refused_since=None if failed.is_compared else Now())
        elif failed.may_be_the_text and _refused_for(version) >= DOUBT:
            # Just before it gave the vector of another text, when its model was looked at: waiting heals nothing here.
            failed.passes = False
        raise


def _refused_for(version: Version) -> timedelta:
    return timezone.now() - version.refused_since if version.refused_since is not None else timedelta(0)


def _rows_made(batch: Sequence[Passage], space: Space, vectors: np.ndarray) -> list[Embedding]:
    """Those of the first passages of a batch, which a server gave before it refused."""
    return [row_of(passage, space, vector) for passage, vector in zip(batch, vectors, strict=False)]


def embed_again(version: Version) -> int:
    """Make the vectors that a ready version lacks, which happens when rows were lost or the space is another now.

    How many those were. The text of a ready version is for ever, so nobody has to hold it meanwhile; what others made
    or deleted in between stays as it is. Raises EmbeddingUnavailable and AboveCeiling.
    """
    space = spaces.space_of(version.document.workspace_id)
    spaces.row_of(space)
    made = 0
    for batch in _batches(_without_vector(version, space), _size(space)):
        require_below_ceiling(version.document_id, space)
        try:
            made += _keep_again(rows_of(version, batch, space))
        except Stopped as stopped:
            raise EmbeddingUnavailable(sentence(stopped.code, stopped.detail)) from stopped
        except EmbeddingUnavailable as failed:
            if failed.made is not None and failed.is_compared:
                _keep_again(_rows_made(batch, space, failed.made))
            raise
    return made


@transaction.atomic
def _keep_again(rows: Sequence[Embedding]) -> int:
    """Save vectors of passages that are still there; how many those are."""
    locked = Passage.objects.filter(pk__in=[row.passage_id for row in rows]).select_for_update(no_key=True)
    there = set(locked.values_list("pk", flat=True))
    Embedding.objects.bulk_create([row for row in rows if row.passage_id in there], ignore_conflicts=True)
    return len(there)


def _size(space: Space) -> int:
    return space.batch or BATCH


def _without_vector(version: Version, space: Space) -> QuerySet[Passage]:
    there = Embedding.objects.filter(passage=OuterRef("pk"), space_id=space.fingerprint)
    return version.passages.filter(~Exists(there)).order_by("position")


def _batches(passages: QuerySet[Passage], size: int) -> Iterator[list[Passage]]:
    """The passages in order, read as they are needed: a long document does not have to fit into memory."""
    # With the version's id: Django would ask for it again, passage by passage.
    passages, last = passages.only("position", "text", "locator", "version"), -1
    while batch := list(passages.filter(position__gt=last)[:size]):
        last = batch[-1].position
        yield batch
        if len(batch) < size:
            return


def rows_of(
    version: Version, batch: Sequence[Passage], space: Space, *, came: Callable[[], None] = lambda: None
) -> list[Embedding]:
    """Vectors of a version's passages below the title of their document, to be stored; `came` as for `vectors_of`.

    Raises EmbeddingUnavailable, with what was `made` before, and Stopped when a server gives other vectors than it gave
    before.
    """
    document = version.document
    texts = [text_of(document, each) for each in batch]
    vectors = vectors_of(texts, space, Account.of(document.workspace_id, None, document.pk), came=came)
    return [row_of(passage, space, vector) for passage, vector in zip(batch, vectors, strict=True)]


def vectors_of(
    texts: Sequence[str], space: Space, account: Account, *, came: Callable[[], None] = lambda: None
) -> np.ndarray:
    """Vectors of passages by the model that made the others: float32, one a row.

    `came` is called whenever a server answered with some of them. Raises EmbeddingUnavailable, with those that were
    `made` before, and Stopped when a server gives other vectors than it gave before.
    """
    try:
        vectors = embeddings.embed_passages(texts, space, account=account, count=lambda _tokens: came())
    except EmbeddingUnavailable as failed:
        if failed.made is not None:
            failed.is_compared = _is_compared(space)
        raise
    # Behind each batch, so that none is stored that another model made.
    try:
        require_same_model(space)
    except EmbeddingUnavailable as failed:
        failed.made = vectors
        raise
    return vectors


def _is_compared(space: Space) -> bool:
    """Whether the server could be asked, and has the model it had. Raises Stopped."""
    try:
        require_same_model(space)
    except EmbeddingUnavailable:
        return False
    return True


def text_of(document: Document, passage: Passage) -> str:
    """What is embedded for a passage of the document."""
    return framed(document.title, document.path, passage.locator, passage.text)


def row_of(passage: Passage, space: Space, vector: np.ndarray) -> Embedding:
    """A passage's vector, to be stored."""
    return Embedding(passage_id=passage.pk, space_id=space.fingerprint, vector=vector.astype("<f4").tobytes())


def save(version: Version, made: Embedded) -> dict[str, Any]:
    """Save the last batch; note how many vectors were made and how many were there already."""
    Embedding.objects.bulk_create(made.rows)
    version.done, version.refused_since = version.passage_count, None
    return {"computed": made.computed, "reused": version.passage_count - made.computed, "space": made.space}


# Not lasting: the workspace may be in another space by the next attempt; what has its vector costs nothing.
STAGE = Stage(VersionState.EMBEDDED, work, save, writes=("done", "refused_since"), lasting=False)
