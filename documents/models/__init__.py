"""Documents, their immutable versions, the passages and embeddings made from them, and the sources they come from."""

from documents.models.document import Document, DocumentBar, DocumentGroupGrant, DocumentUserGrant, Reclassification
from documents.models.passage import Embedding, Passage
from documents.models.reembedding import ComparisonKind, ComparisonState, SpaceComparison, SpaceMigration
from documents.models.source import OPEN_RUNS, RunKind, RunState, Schedule, Source, SourceItem, SourceRun
from documents.models.space import EmbeddingEndpoint, EmbeddingSpace, WorkspaceSpace
from documents.models.version import HEAVY, StageRun, Version, original_path

__all__ = [
    "HEAVY",
    "OPEN_RUNS",
    "ComparisonKind",
    "ComparisonState",
    "Document",
    "DocumentBar",
    "DocumentGroupGrant",
    "DocumentUserGrant",
    "Embedding",
    "EmbeddingEndpoint",
    "EmbeddingSpace",
    "Passage",
    "Reclassification",
    "RunKind",
    "RunState",
    "Schedule",
    "Source",
    "SourceItem",
    "SourceRun",
    "SpaceComparison",
    "SpaceMigration",
    "StageRun",
    "Version",
    "WorkspaceSpace",
    "original_path",
]
