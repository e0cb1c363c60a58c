"""The admin of answers: the review queue, the answers themselves, and the models that write them."""

from answers.admin.answers import AnswerAdmin
from answers.admin.budgets import BudgetAdmin
from answers.admin.drafts import DraftAdmin
from answers.admin.endpoints import ModelEndpointAdmin, WorkspaceModelsAdmin
from answers.admin.examinations import ExaminationAdmin

__all__ = ["AnswerAdmin", "BudgetAdmin", "DraftAdmin", "ExaminationAdmin", "ModelEndpointAdmin", "WorkspaceModelsAdmin"]
