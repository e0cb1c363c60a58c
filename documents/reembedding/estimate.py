"""What a change of the embedding model would take: passages, tokens, money, time, disk; and what stands against it.

Time and tokens come from a sample that is embedded now. It is text of our own: before somebody starts the change, no
word of a document is sent anywhere.
"""

import time
from typing import Any

from django.db.models import Count, Sum
from django.db.models.functions import Length

from documents import embeddings
from documents.ceiling import above_ceiling
from documents.embedding.vector_space import Space
from documents.models import EmbeddingEndpoint
from documents.outgoing import OURS
from documents.reembedding.spaces import answering, without_vector
from workspaces.models import Workspace

_SENTENCE = (
    "The reading room opens at nine on working days, and whoever wants to borrow a book brings the card that the "
    "library gave out; books come back within four weeks unless another reader has asked for them. "
)
#: As long as a passage commonly is.
_SAMPLE = [f"Rule {number}. {_SENTENCE * 4}" for number in range(1, 5)]
#: Where a server does not say how many tokens it read.
_CHARACTERS_A_TOKEN = 4.0
#: Bytes on disk for each byte of a vector: its row, and the index. Measured with 100,000 vectors of 384 numbers.
_DISK = 2.4


def estimate(workspace: Workspace, space: Space) -> dict[str, Any]:
    """What it takes to bring the workspace into `space`, ready to be stored. Raises EmbeddingUnavailable."""
    passages = answering(workspace).count()
    missing = without_vector(workspace, space).aggregate(count=Count("pk"), characters=Sum(Length("text")))
    count, characters = missing["count"], missing["characters"] or 0
    seconds, tokens = _sample(space)
    sampled = sum(map(len, _SAMPLE))
    needed = round(characters * (tokens / sampled if tokens else 1 / _CHARACTERS_A_TOKEN))
    price = _price(space)
    return {
        "passages": passages,
        "reused": passages - count,
        "to_embed": count,
        "characters": characters,
        "tokens": needed,
        "tokens_counted_by": "server" if tokens else "length",
        "money": str(round(price[0] * needed / 1_000_000, 2)) if price else None,
        "currency": price[1] if price else "",
        "seconds": round(seconds * characters / sampled, 1),
        "bytes": round(passages * space.dimension * 4 * _DISK),
        "above_ceiling": too_high(workspace, space),
    }


def too_high(workspace: Workspace, space: Space) -> int:
    """How many documents are classified too high for text of theirs, which is still to be embedded, to be sent."""
    lacking = without_vector(workspace, space).values("version__document")
    return above_ceiling(space).filter(workspace=workspace, deleted_at=None, pk__in=lacking).count()


def _sample(space: Space) -> tuple[float, int]:
    """Seconds and tokens that the sample took; once before it is timed, because a model or a connection is loaded."""
    embeddings.embed_passages(_SAMPLE[:1], space, account=OURS)
    counted: list[int] = []
    started = time.monotonic()
    embeddings.embed_passages(_SAMPLE, space, account=OURS, count=counted.append)
    return time.monotonic() - started, sum(counted)


def _price(space: Space) -> "tuple[Any, str] | None":
    if space.remote is None:
        return None
    endpoint = EmbeddingEndpoint.objects.only("price", "currency").get(pk=space.remote.endpoint)
    return (endpoint.price, endpoint.currency) if endpoint.price is not None else None
