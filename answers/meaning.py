"""What a question means, as a vector of the space its workspace is searched in, and as words where none says it."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import numpy as np
from django.db.models import Exists, OuterRef, Q

from answers.models import Answer, Evidence, StepRun
from answers.models.evidence import FIRST_INHERITED
from documents import analysis
from documents.embedding.spaces import space_of
from documents.embedding.vector_space import EmbeddingUnavailable, Space
from documents.embeddings import embed_query
from documents.outgoing import Account
from workspaces.models import User


@dataclass(frozen=True, slots=True)
class Meaning:
    """`vector` is little-endian float32 of length one, empty where the space reads no such text or cannot be reached;
    `made_in` is the space, also then.
    """

    vector: bytes
    made_in: Space

    @property
    def space(self) -> str:
        """The fingerprint of its space."""
        return self.made_in.fingerprint

    def cosines(self, vectors: Sequence[bytes]) -> np.ndarray:
        """The cosine with each of `vectors`, which are of the same space, as it would be with the built-in model.

        float32, shape (len(vectors),).
        """
        own = np.frombuffer(self.vector, dtype="<f4")
        return self.made_in.usual(np.frombuffer(b"".join(vectors), dtype="<f4").reshape(len(vectors), len(own)) @ own)


def meaning_of(text: str, language: str, workspace_id: UUID, *, answer: UUID, by: User | None = None) -> Meaning:
    """What `text`, which `answer` was asked, means where the workspace is searched now.

    A server of vectors is sent it where it may read what the question took from earlier answers.
    """
    space = space_of(workspace_id)
    return Meaning(_vector(text, language, space, workspace_id, answer, by), space)


def asked(answer: Answer) -> str:
    """What the answer was asked, as a question that stands alone; "" where it was erased."""
    return answer.asked_as or answer.question.text if answer.question.text else ""


def asked_is_erased(answer: str) -> Q:
    """Of rows with an answer in the field `answer`: its question was erased, or what a follow-up was understood as."""
    understood = StepRun.objects.filter(
        answer=OuterRef(answer),
        attempt=OuterRef(f"{answer}__attempt"),
        step="understand",
        detail__has_key="asked_as_sha256",
    )
    was_understood = Exists(understood.exclude(detail__asked_as_sha256=""))
    return Q(**{f"{answer}__question__text": ""}) | Q(was_understood, **{f"{answer}__asked_as": ""})


def shared_words(one: str, other: str) -> float:
    """The share of words of content, stemmed and in one script, that two questions have in common: from 0 to 1."""
    language = analysis.detect_language(one) or analysis.detect_language(other)
    a, b = set(analysis.words(one, language)), set(analysis.words(other, language))
    return len(a & b) / len(a | b) if a | b else 0.0


def _vector(text: str, language: str, space: Space, workspace_id: UUID, answer: UUID, by: User | None) -> bytes:
    if not space.reads(language):
        return b""
    account = None
    if space.remote is not None:
        rows = Evidence.objects.filter(answer=answer, rank__gte=FIRST_INHERITED)
        account = Account.of(workspace_id, by, *rows.values_list("document", flat=True).order_by())
    try:
        return embed_query(text, space, account=account).astype("<f4").tobytes()
    except EmbeddingUnavailable:
        # A question is never kept waiting for this: it is compared by its words, or in the next sweep.
        return b""
