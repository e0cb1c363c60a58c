"""What belongs to one timeline: a question, its answer and its draft; the models of a workspace and the workspace."""

from collections.abc import Iterable

from django.db.models import Model

from answers.models import Answer, Draft, WorkspaceModels
from workspaces.trail import told_with


def _with_answer(answer: Answer) -> Iterable[Model]:
    return [answer.question, *([answer.draft] if hasattr(answer, "draft") else [])]


def _with_draft(draft: Draft) -> Iterable[Model]:
    return [draft.answer, draft.answer.question]


def _with_models(models: WorkspaceModels) -> Iterable[Model]:
    return [models.workspace]


told_with[WorkspaceModels] = _with_models
told_with[Answer] = _with_answer
told_with[Draft] = _with_draft
