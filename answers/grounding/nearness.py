"""How near a sentence is to a quote in meaning, by the vectors of the workspace; asked only where words leave doubt."""

import logging
from uuid import UUID

from answers.grounding.sentence import Nearness, Place
from documents import analysis
from documents.ceiling import AboveCeiling, require_below_ceiling
from documents.embeddings import EmbeddingUnavailable, embed_passages
from documents.spaces import space_of

logger = logging.getLogger(__name__)

#: Pairs compared for one answer: each costs two vectors, and a long answer has a reviewer's eye instead.
_MOST = 6


def nearness_in(workspace_id: UUID) -> Nearness:
    """Compares in the workspace's embedding space: never text of a document above its endpoint's ceiling."""
    left = _MOST
    space = None

    def near(text: str, place: Place) -> float | None:
        nonlocal left, space
        if not left:
            return None
        space = space or space_of(workspace_id)
        if not (space.reads(analysis.detect_language(text)) and space.reads(place.language)):
            return None
        left -= 1
        try:
            if isinstance(place.document, UUID):
                require_below_ceiling(place.document, space)
            one, other = embed_passages([text, place.quote], space)
        except AboveCeiling:
            return None
        except EmbeddingUnavailable as error:
            left = 0
            logger.warning("Sentences are checked without vectors: %s", error)
            return None
        return float(one @ other)

    return near
