"""The verbs of an asker: ask, ask again, stop."""

from functools import partial

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _

from answers import endpoints, streaming
from answers.exceptions import QuestionError, WrongState
from answers.language import language_of
from answers.models import Answer, ModelEndpoint, Question
from answers.states import OPEN, AnswerStatus
from answers.tasks import answer_question
from audit.chain import digest
from audit.events import EventType
from audit.record import record
from workspaces import access
from workspaces.dispatch import dispatch
from workspaces.exceptions import Forbidden
from workspaces.models import User, Workspace
from workspaces.roles import Action


@transaction.atomic
def ask(*, workspace: Workspace, text: str, by: User, endpoint: ModelEndpoint | None = None) -> Answer:
    """Put a question in line; the answer that is returned has no text yet.

    `endpoint` None is the workspace's default. Raises QuestionError for a text that is blank or too long and for an
    archived workspace, EndpointError for a model the workspace does not offer.
    """
    access.require(by, Action.ASK, workspace)
    _require_open(workspace)
    question = Question.objects.create(workspace=workspace, asked_by=by, **_checked(text))
    return _put_in_line(question, by, endpoint)


@transaction.atomic
def ask_again(answer: Answer, *, by: User) -> Answer:
    """Put the same question in line once more, with the same model if it was chosen; only its asker may.

    Raises WrongState while an answer to it is still being made.
    """
    access.require(by, Action.ASK, answer)
    if answer.asked_by_id != by.pk:
        raise Forbidden(user=by, workspace=answer.workspace_id, action=Action.ASK, thing=answer)
    _require_open(answer.workspace)
    endpoint = answer.endpoint
    if endpoint is not None and endpoint not in endpoints.choices_for(answer.workspace):
        endpoint = None
    return _put_in_line(answer.question, by, endpoint)


@transaction.atomic
def stop(answer: Answer, *, by: User) -> None:
    """End the answer now. Its worker finds its lease gone and lets the model go; stopping twice is one stop.

    Raises WrongState when the answer had already come to an ending of its own.
    """
    access.require(by, Action.ASK, answer)
    if answer.asked_by_id != by.pk:
        raise Forbidden(user=by, workspace=answer.workspace_id, action=Action.ASK, thing=answer)
    stopped = Answer.objects.filter(pk=answer.pk, status__in=OPEN).update(
        status=AnswerStatus.STOPPED, attempt=F("attempt") + 1, lease_until=None, ended_at=timezone.now()
    )
    answer.refresh_from_db(fields=["status", "attempt", "lease_until", "ended_at"])
    if stopped:
        record(EventType.ANSWER_STOPPED, on=answer, workspace=answer.workspace_id, by=by)
        transaction.on_commit(partial(streaming.announce, answer))
    elif answer.status != AnswerStatus.STOPPED:
        raise WrongState(_("The answer was finished before it could be stopped."))


def _checked(text: str) -> dict[str, str]:
    """Text and language of a question, or QuestionError. PostgreSQL stores no NUL character."""
    text = text.replace("\0", "").strip()
    if not text:
        raise QuestionError(_("Write a question first."))
    if len(text) > settings.MAX_QUESTION_CHARACTERS:
        raise QuestionError(
            _("A question has at most %(most)d characters; this one has %(length)d.")
            % {"most": settings.MAX_QUESTION_CHARACTERS, "length": len(text)}
        )
    return {"text": text, "language": language_of(text)}


def _require_open(workspace: Workspace) -> None:
    if workspace.archived_at is not None:
        raise QuestionError(_("This workspace is archived: what was asked can be read, and nothing new can be asked."))


def _put_in_line(question: Question, by: User, endpoint: ModelEndpoint | None) -> Answer:
    if endpoint is not None:
        endpoints.require_allowed(endpoint, question.workspace)
    try:
        with transaction.atomic():
            answer = Answer.objects.create(
                question=question, workspace=question.workspace, asked_by=by, endpoint=endpoint
            )
    except IntegrityError as error:
        raise WrongState(_("An answer to this question is already being made.")) from error
    record(
        EventType.QUESTION_ASKED,
        on=answer,
        workspace=question.workspace,
        by=by,
        question=question.pk,
        question_sha256=digest(question.text),
        endpoint=endpoint.name if endpoint else "",
    )
    transaction.on_commit(partial(streaming.announce, answer))
    dispatch(answer_question, answer.pk)
    return answer
