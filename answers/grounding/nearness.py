"""How near a sentence is to a quote in meaning, by the vectors of the workspace; asked only where words leave doubt."""

import logging
from collections.abc import Collection
from uuid import UUID

from answers.grounding.sentence import Nearness, Place
from documents import analysis
from documents.ceiling import above_ceiling
from documents.embedding.spaces import space_of
from documents.embeddings import EmbeddingUnavailable, embed_passages
from documents.outgoing import Account

logger = logging.getLogger(__name__)

#: Pairs compared for one answer: each costs two vectors, and a long answer has a reviewer's eye instead.
_MOST = 6


def nearness_in(workspace_id: UUID, documents: Collection[UUID]) -> Nearness:
    """Compares in the workspace's embedding space, where its endpoint may read all of `documents`.

    Those are all that the sentences rest on: a sentence may say what stood in any source, cited or not. Cosines are as
    the built-in model's would be.
    """
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
        if above_ceiling(space).filter(pk__in=documents).exists():
            left = 0
            return None
        try:
            account = Account.of(workspace_id, None, *documents)
            one, other = embed_passages([text, place.quote], space, account=account)
        except EmbeddingUnavailable as error:
            left = 0
            logger.warning("Sentences are checked without vectors: %s", error)
            return None
        return float(space.usual(one @ other))

    return near
