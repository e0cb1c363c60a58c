"""Documents, their immutable versions, the passages and embeddings made from them, and the sources they come from."""

from documents.models.document import Document, DocumentBar, DocumentGroupGrant, DocumentUserGrant, Reclassification
from documents.models.passage import Embedding, EmbeddingSpace, Passage
from documents.models.source import OPEN_RUNS, RunKind, RunState, Schedule, Source, SourceItem, SourceRun
from documents.models.version import HEAVY, StageRun, Version, original_path

__all__ = [
    "HEAVY",
    "OPEN_RUNS",
    "Document",
    "DocumentBar",
    "DocumentGroupGrant",
    "DocumentUserGrant",
    "Embedding",
    "EmbeddingSpace",
    "Passage",
    "Reclassification",
    "RunKind",
    "RunState",
    "Schedule",
    "Source",
    "SourceItem",
    "SourceRun",
    "StageRun",
    "Version",
    "original_path",
]
