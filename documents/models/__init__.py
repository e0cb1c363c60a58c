"""Documents, their immutable versions, the passages and embeddings made from them, and the sources they come from."""

from documents.models.bulk import BulkAct, BulkItem, BulkRun, ItemOutcome
from documents.models.deletion import MOST_DAYS, Cause, Deletion, LegalHold, RetentionRules
from documents.models.document import (
    Document,
    DocumentBar,
    DocumentGroupGrant,
    DocumentUserGrant,
    Reclassification,
    UsageRight,
)
from documents.models.filing import MAX_FOLDED_TAG, MAX_TAG, DocumentTag, Folder, Tag
from documents.models.index_check import CheckProblem, IndexCheck
from documents.models.passage import Embedding, Passage
from documents.models.reembedding import ComparisonKind, ComparisonState, SpaceComparison, SpaceMigration
from documents.models.reranking import RerankEndpoint, RerankProtocol, WorkspaceReranker
from documents.models.sketch import Sketch
from documents.models.source import OPEN_RUNS, RunKind, RunState, Schedule, Source, SourceItem, SourceRun
from documents.models.space import EmbeddingEndpoint, EmbeddingSpace, WorkspaceSpace
from documents.models.version import HEAVY, ORIGINALS, StageRun, Version, original_path

__all__ = [
    "HEAVY",
    "MAX_FOLDED_TAG",
    "MAX_TAG",
    "MOST_DAYS",
    "OPEN_RUNS",
    "ORIGINALS",
    "BulkAct",
    "BulkItem",
    "BulkRun",
    "Cause",
    "CheckProblem",
    "ComparisonKind",
    "ComparisonState",
    "Deletion",
    "Document",
    "DocumentBar",
    "DocumentGroupGrant",
    "DocumentTag",
    "DocumentUserGrant",
    "Embedding",
    "EmbeddingEndpoint",
    "EmbeddingSpace",
    "Folder",
    "IndexCheck",
    "ItemOutcome",
    "LegalHold",
    "Passage",
    "Reclassification",
    "RerankEndpoint",
    "RerankProtocol",
    "RetentionRules",
    "RunKind",
    "RunState",
    "Schedule",
    "Sketch",
    "Source",
    "SourceItem",
    "SourceRun",
    "SpaceComparison",
    "SpaceMigration",
    "StageRun",
    "Tag",
    "UsageRight",
    "Version",
    "WorkspaceReranker",
    "WorkspaceSpace",
    "original_path",
]
