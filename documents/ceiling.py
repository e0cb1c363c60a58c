"""How high a document may be classified for its text to be sent to a server of vectors: asked before each batch."""

from uuid import UUID

from django.db.models import QuerySet
from django.utils.translation import gettext, gettext_noop

from documents.embedding.vector_space import Space
from documents.models import Document, EmbeddingEndpoint
from workspaces.classification import Classification
from workspaces.exceptions import PortalError


class AboveCeiling(PortalError):
    """A document's text may not be sent to this space's endpoint. `template` is the sentence, untranslated."""

    template = gettext_noop(
        "This document is classified higher than the embedding endpoint of this workspace may read, so its text was "
        "not sent there. Lower its classification, or change the workspace's embedding model, then try again."
    )

    def __init__(self) -> None:
        super().__init__(gettext(self.template))


def require_below_ceiling(document_id: UUID, space: Space) -> None:
    """Return if text of the document may go where vectors of `space` are made. Raises AboveCeiling.

    Both sides are read now: neither what the document was nor what the endpoint took a minute ago counts.
    """
    if space.remote is not None and above_ceiling(space).filter(pk=document_id).exists():
        raise AboveCeiling


def above_ceiling(space: Space) -> QuerySet[Document]:
    """Documents that are classified too high for the endpoint of `space`; none where vectors are made here."""
    if space.remote is None:
        return Document.objects.none()
    ceiling = EmbeddingEndpoint.objects.values_list("ceiling", flat=True).get(pk=space.remote.endpoint)
    too_high = [level for level in Classification if level.rank > Classification(ceiling).rank]
    return Document.objects.filter(classification__in=too_high)
