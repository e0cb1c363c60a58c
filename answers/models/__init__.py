"""Questions, answers with their evidence and citations, drafts under review, and the models that write."""

from answers.models.answer import SEARCH_LIMITED, Answer, AnswerUserGrant, StepRun
from answers.models.comment import Comment
from answers.models.conversation import Conversation, SuggestedQuestion
from answers.models.declassification import Declassification
from answers.models.draft import Decision, Draft, Grounding, Priority, Review
from answers.models.endpoint import EndpointKind, ModelEndpoint, WorkspaceModels
from answers.models.evidence import Citation, Evidence
from answers.models.question import Question
from answers.models.queue import DUE_HOURS, ReviewTime, SavedView
from answers.models.replay import OPEN_REPLAYS, Replay, ReplayState
from answers.models.suspension import Suspension

__all__ = [
    "DUE_HOURS",
    "OPEN_REPLAYS",
    "SEARCH_LIMITED",
    "Answer",
    "AnswerUserGrant",
    "Citation",
    "Comment",
    "Conversation",
    "Decision",
    "Declassification",
    "Draft",
    "EndpointKind",
    "Evidence",
    "Grounding",
    "ModelEndpoint",
    "Priority",
    "Question",
    "Replay",
    "ReplayState",
    "Review",
    "ReviewTime",
    "SavedView",
    "StepRun",
    "SuggestedQuestion",
    "Suspension",
    "WorkspaceModels",
]
