"""Whom the acts of review tell beyond what `answers/news.py` says of every draft: the asker, and who asked them."""

from answers import news
from answers.models import Answer, Draft
from workspaces.models import User
from workspaces.notifications import notify
from workspaces.notifications.registry import Kind


def asked(draft: Draft, by: User) -> None:
    """The asker is wanted: a reviewer put questions to them."""
    _asker(Kind.ANSWER_ASKED, draft.answer, by)


def replied(draft: Draft, officer: User, by: User) -> None:
    """The asker replied to all that was asked: the officer who did, for whom the draft waits again."""
    notify(Kind.DRAFT_REPLIED, to=[officer], about=draft, workspace=draft.workspace_id, by=by)


def reopened(draft: Draft, by: User) -> None:
    """What the asker had is closed, and those who may decide have it before them again."""
    _asker(Kind.ANSWER_REOPENED, draft.answer, by)
    news.waiting(draft)


def taken_back(draft: Draft, by: User) -> None:
    """What the asker had is not to be relied on."""
    _asker(Kind.ANSWER_TAKEN_BACK, draft.answer, by)


def _asker(kind: Kind, answer: Answer, by: User) -> None:
    notify(kind, to=[answer.asked_by], about=answer, workspace=answer.workspace_id, by=by)
