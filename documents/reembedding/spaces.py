"""The two spaces of a migration: which one is searched, which one is kept beside it, and which passages both hold."""

from django.db.models import Exists, OuterRef, QuerySet

from documents.embedding.spaces import known, space_of
from documents.embedding.vector_space import Space
from documents.models import Document, Embedding, Passage, SpaceMigration
from workspaces.models import Workspace


def kept_beside(migration: SpaceMigration) -> Space:
    """The space of the two that the workspace is not searched in now."""
    searched = space_of(migration.workspace_id).fingerprint
    return known(migration.source if searched == migration.target_id else migration.target)


def unused(migration: SpaceMigration) -> Space:
    """The space that goes when the change is over: the old one after a switch, else the new one."""
    switched, back = migration.switched_at, migration.rolled_back_at
    stays = switched is not None and (back is None or back < switched)
    return known(migration.source if stays else migration.target)


def answering(workspace: Workspace) -> QuerySet[Passage]:
    """The passages of the workspace that answer questions now, whoever asks."""
    current = Document.objects.filter(workspace=workspace, deleted_at=None, current_version__isnull=False)
    return Passage.objects.filter(workspace=workspace, version__in=current.values("current_version")).order_by()


def without_vector(workspace: Workspace, space: Space) -> QuerySet[Passage]:
    """Those of them that have no vector in `space`."""
    there = Embedding.objects.filter(passage=OuterRef("pk"), space_id=space.fingerprint)
    return answering(workspace).filter(~Exists(there))
