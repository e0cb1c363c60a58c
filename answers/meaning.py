"""What a question means, as a vector of the space its workspace is searched in, and as words where none says it."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import numpy as np

from answers.models import Answer
from documents import analysis
from documents.embeddings import embed_query
from documents.spaces import space_of
from documents.vector_space import EmbeddingUnavailable, Space


@dataclass(frozen=True, slots=True)
class Meaning:
    """`vector` is little-endian float32 of length one, empty where the space reads no such text or cannot be reached;
    `space` is the fingerprint of the space, also then.
    """

    vector: bytes
    space: str

    def cosines(self, vectors: Sequence[bytes]) -> np.ndarray:
        """The cosine with each of `vectors`, which are of the same space: float32, shape (len(vectors),)."""
        own = np.frombuffer(self.vector, dtype="<f4")
        return np.frombuffer(b"".join(vectors), dtype="<f4").reshape(len(vectors), len(own)) @ own


def meaning_of(text: str, language: str, workspace_id: UUID) -> Meaning:
    """What `text` means where the workspace is searched now."""
    space = space_of(workspace_id)
    return Meaning(_vector(text, language, space), space.fingerprint)


def asked(answer: Answer) -> str:
    """What the answer was asked, as a question that stands alone; "" where it was erased."""
    return answer.asked_as or answer.question.text if answer.question.text else ""


def shared_words(one: str, other: str) -> float:
    """The share of words of content, stemmed and in one script, that two questions have in common: from 0 to 1."""
    language = analysis.detect_language(one) or analysis.detect_language(other)
    a, b = set(analysis.words(one, language)), set(analysis.words(other, language))
    return len(a & b) / len(a | b) if a | b else 0.0


def _vector(text: str, language: str, space: Space) -> bytes:
    if not space.reads(language):
        return b""
    try:
        return embed_query(text, space).astype("<f4").tobytes()
    except EmbeddingUnavailable:
        # A question is never kept waiting for this: it is compared by its words, or in the next sweep.
        return b""
