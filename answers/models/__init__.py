"""Questions, answers with their evidence and citations, drafts under review, and the models that write."""

from answers.models.answer import SEARCH_LIMITED, Answer, AnswerUserGrant, StepRun
from answers.models.budget import Budget, Fallback
from answers.models.checks import Strictness, WorkspaceChecks
from answers.models.clarification import Clarification
from answers.models.comment import Comment
from answers.models.conversation import Conversation, SuggestedQuestion
from answers.models.declassification import Declassification
from answers.models.draft import Decision, Draft, Grounding, Priority, Review
from answers.models.draft_review import (
    EXAMINED,
    OPEN_EXAMINATIONS,
    Clause,
    ClauseSource,
    Examination,
    ExaminationState,
    Finding,
    FindingCategory,
    FindingClosure,
    FindingDecision,
    Severity,
)
from answers.models.endpoint import EndpointKind, ModelEndpoint, WorkspaceModels
from answers.models.evaluation import (
    OPEN_RUNS,
    CandidateState,
    CaseResult,
    EvaluationRun,
    GateCandidate,
    QuestionCase,
    QuestionSet,
    RunState,
    WorkspaceGate,
)
from answers.models.evidence import Citation, Evidence
from answers.models.feedback import Feedback, FeedbackReason
from answers.models.gap import UNSETTLED, Gap, GapCause, GapQuestion, GapState
from answers.models.policy import ReleaseDecision, ReleaseRules
from answers.models.question import Question
from answers.models.queue import DUE_HOURS, ReviewTime, SavedView
from answers.models.rag_template import (
    KNOWLEDGE,
    OPEN_PREVIEWS,
    PreviewResult,
    PreviewState,
    RagTemplate,
    Shape,
    TemplatePreview,
    TemplateVersion,
    WorkspaceTemplates,
)
from answers.models.reasons import ReviewReasons
from answers.models.replay import OPEN_REPLAYS, Replay, ReplayState
from answers.models.reuse import ApprovedAnswer, Reuse, ReuseRules
from answers.models.suspension import Confirmation, GroundLost, SourceChange, StandingQuote, Suspension
from answers.models.usage import Period, Purpose, Spend, Usage, UsageState

__all__ = [
    "DUE_HOURS",
    "EXAMINED",
    "KNOWLEDGE",
    "OPEN_EXAMINATIONS",
    "OPEN_PREVIEWS",
    "OPEN_REPLAYS",
    "OPEN_RUNS",
    "SEARCH_LIMITED",
    "UNSETTLED",
    "Answer",
    "AnswerUserGrant",
    "ApprovedAnswer",
    "Budget",
    "CandidateState",
    "CaseResult",
    "Citation",
    "Clarification",
    "Clause",
    "ClauseSource",
    "Comment",
    "Confirmation",
    "Conversation",
    "Decision",
    "Declassification",
    "Draft",
    "EndpointKind",
    "EvaluationRun",
    "Evidence",
    "Examination",
    "ExaminationState",
    "Fallback",
    "Feedback",
    "FeedbackReason",
    "Finding",
    "FindingCategory",
    "FindingClosure",
    "FindingDecision",
    "Gap",
    "GapCause",
    "GapQuestion",
    "GapState",
    "GateCandidate",
    "GroundLost",
    "Grounding",
    "ModelEndpoint",
    "Period",
    "PreviewResult",
    "PreviewState",
    "Priority",
    "Purpose",
    "Question",
    "QuestionCase",
    "QuestionSet",
    "RagTemplate",
    "ReleaseDecision",
    "ReleaseRules",
    "Replay",
    "ReplayState",
    "Reuse",
    "ReuseRules",
    "Review",
    "ReviewReasons",
    "ReviewTime",
    "RunState",
    "SavedView",
    "Severity",
    "Shape",
    "SourceChange",
    "Spend",
    "StandingQuote",
    "StepRun",
    "Strictness",
    "SuggestedQuestion",
    "Suspension",
    "TemplatePreview",
    "TemplateVersion",
    "Usage",
    "UsageState",
    "WorkspaceChecks",
    "WorkspaceGate",
    "WorkspaceModels",
    "WorkspaceTemplates",
]
