"""Documents, their immutable versions, and the passages and embeddings made from them."""

from documents.models.document import Document, DocumentBar, DocumentGroupGrant, DocumentUserGrant, Reclassification
from documents.models.passage import Embedding, EmbeddingSpace, Passage
from documents.models.version import HEAVY, StageRun, Version, original_path

__all__ = [
    "HEAVY",
    "Document",
    "DocumentBar",
    "DocumentGroupGrant",
    "DocumentUserGrant",
    "Embedding",
    "EmbeddingSpace",
    "Passage",
    "Reclassification",
    "StageRun",
    "Version",
    "original_path",
]
