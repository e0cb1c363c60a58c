"""Compare the vector index with the database, both ways, and bring it back to what the database says.

Vectors come from the embeddings stored with the passages. Only what has none is embedded again.
"""

import logging
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from uuid import UUID

from django.db import transaction
from django.db.models import Case, Exists, F, OuterRef, Q, When

from audit.events import EventType
from audit.record import record
from documents import index
from documents.ceiling import AboveCeiling
from documents.embedding.spaces import space_of
from documents.embedding.vector_space import Space
from documents.indexing import vectors
from documents.indexing import writing as indexing
from documents.indexing.replicas import current_versions, discard, replica_of
from documents.models import HEAVY, Embedding, Passage, SpaceMigration, Version
from documents.stages.embedded import embed_again
from documents.states import BOTH_KEPT
from workspaces.models import Workspace

logger = logging.getLogger(__name__)

#: Passages that become current while a rebuild runs are caught by its next round.
_ROUNDS = 5
#: Passages read at once.
_PIECE = 10_000


@dataclass(frozen=True, slots=True)
class Difference:
    """What index and database disagree about in one workspace, as passage ids."""

    workspace: str
    passages: int
    #: Current passages that the index lacks.
    missing: frozenset[str]
    #: Ids in the index that no version in the database accounts for.
    foreign: frozenset[str]
    #: Current passages whose vector the database lacks.
    unembedded: frozenset[str]
    #: Whether the index answers no question, because it was begun anew and not completed yet.
    partial: bool = False

    @property
    def is_none(self) -> bool:
        return self.ids_agree and not self.partial

    @property
    def ids_agree(self) -> bool:
        return not (self.missing or self.foreign or self.unembedded)


def compare(workspace: Workspace, space: Space | None = None) -> Difference:
    """What is missing from the index of `workspace`, and what does not belong there. Raises IndexUnavailable.

    `space`: another than the one the workspace is searched in. Nothing is changed by looking.
    """
    space = space or space_of(workspace.pk)
    left = index.ids(workspace.pk, space)
    passages = 0
    missing: list[str] = []
    unembedded: list[str] = []
    # Read after the index: a version that is being indexed meanwhile is in the database first.
    for id, is_current, is_embedded in _known(workspace, space):
        is_held = id in left
        left.discard(id)
        if not is_current:
            continue
        passages += 1
        if not is_embedded:
            unembedded.append(id)
        elif not is_held:
            missing.append(id)
    return Difference(
        workspace=workspace.slug,
        passages=passages,
        missing=frozenset(missing),
        foreign=frozenset(left),
        unembedded=frozenset(unembedded),
        partial=index.is_partial(workspace.pk, space),
    )


def rebuild(workspace: Workspace) -> Difference:
    """Make the index of `workspace` anew from stored embeddings, and its keyword replica on this host.

    Passages without a stored vector are embedded, after all others are back. Returns what still differs afterwards.
    Until it is done, searches say that passages may be missing. Raises IndexUnavailable and EmbeddingUnavailable;
    running it again is safe.
    """
    # What a change of the embedding model keeps beside it is looked at again, and brought back from stored vectors.
    SpaceMigration.objects.filter(workspace=workspace, state__in=BOTH_KEPT).update(covered_revision=None)
    with index.anew(workspace.pk, space_of(workspace.pk)):
        _put_all(workspace)
    left = compare(workspace)
    if left.unembedded:
        _embed(left)
        left = compare(workspace)
    for _round in range(_ROUNDS):
        if not (left.missing or left.foreign or left.partial):
            break
        mend(workspace, left)
        left = compare(workspace)
    discard(workspace.pk)
    replica_of(workspace.pk)
    with transaction.atomic():
        record(
            EventType.INDEX_REBUILT,
            on=workspace,
            workspace=workspace,
            passages=left.passages,
            missing=len(left.missing),
            foreign=len(left.foreign),
        )
    logger.info("Workspace %s: index made anew, %s passages", workspace.pk, left.passages)
    return left


def mend(workspace: Workspace, difference: Difference) -> None:
    """Put what the index lacks into it, take out what does not belong there, and embed what has no vector.

    Raises IndexUnavailable and EmbeddingUnavailable; running it again is safe.
    """
    space = space_of(workspace.pk)
    if index.is_whole(workspace.pk, space):
        _put_passages(workspace, space, difference.missing)
    else:
        # Lost, perhaps only after the comparison, or left half made: what was missing then is not all of it.
        with index.completed(workspace.pk, space):
            _put_all(workspace)
    index.delete(workspace.pk, space, sorted(difference.foreign))
    if difference.unembedded:
        _embed(difference)
        _put_passages(workspace, space, difference.unembedded)


def _put_all(workspace: Workspace) -> None:
    versions = [UUID(id) for id in sorted(current_versions(workspace.pk))]
    indexing.put_versions(workspace.pk, versions, space_of(workspace.pk))


def _put_passages(workspace: Workspace, space: Space, passages: Collection[str]) -> None:
    for ids, matrix in vectors.of_passages(sorted(passages), space):
        indexing.put(workspace.pk, space, ids, matrix)


def _embed(difference: Difference) -> None:
    lacking = Version.objects.filter(passages__in=difference.unembedded).distinct().defer(*HEAVY)
    for version in lacking.select_related("document"):
        try:
            made = embed_again(version)
        except AboveCeiling:
            # Said by what is left: its text may not be sent to where the vectors are made.
            logger.warning("Version %s is classified too high for its workspace's embedding endpoint", version.pk)
            continue
        logger.info("Version %s: %s lost vectors made again", version.pk, made)


def _known(workspace: Workspace, space: Space) -> Iterator[tuple[str, bool, bool]]:
    """Every passage that the index may hold: its id, whether it answers, and whether it has a vector in `space`.

    One statement, so that what becomes current meanwhile is met whole or not at all, and read a piece at a time.
    """
    answers = Q(version__document__deleted_at=None, version__document__current_version=F("version"))
    embedded = Embedding.objects.filter(passage=OuterRef("pk"), space=space.fingerprint)
    rows = Passage.objects.filter(answers | Q(version__in_index=True), workspace=workspace).order_by()
    marked = rows.values_list("pk", Case(When(answers, then=True), default=False), Exists(embedded))
    for id, is_current, is_embedded in marked.iterator(chunk_size=_PIECE):
        yield str(id), is_current, is_embedded
