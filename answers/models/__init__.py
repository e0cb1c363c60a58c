"""Questions, answers with their evidence and citations, drafts under review, and the models that write."""

from answers.models.answer import SEARCH_LIMITED, Answer, AnswerUserGrant, StepRun
from answers.models.declassification import Declassification
from answers.models.draft import Decision, Draft, Review
from answers.models.endpoint import EndpointKind, ModelEndpoint, WorkspaceModels
from answers.models.evidence import Citation, Evidence
from answers.models.question import Question
from answers.models.suspension import Suspension

__all__ = [
    "SEARCH_LIMITED",
    "Answer",
    "AnswerUserGrant",
    "Citation",
    "Decision",
    "Declassification",
    "Draft",
    "EndpointKind",
    "Evidence",
    "ModelEndpoint",
    "Question",
    "Review",
    "StepRun",
    "Suspension",
    "WorkspaceModels",
]
