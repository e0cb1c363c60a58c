"""The verbs of an asker: ask, put it differently, ask again, stop."""

from contextlib import suppress
from functools import partial

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _

from answers import endpoints, streaming
from answers.chat import conversations
from answers.exceptions import QuestionError, TemplateError, WrongState
from answers.language import language_of
from answers.models import Answer, Conversation, ModelEndpoint, Question, TemplateVersion
from answers.rag_templates import choosing
from answers.rag_templates.choosing import Standard
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
def ask(
    *,
    workspace: Workspace,
    text: str,
    by: User,
    endpoint: ModelEndpoint | None = None,
    conversation: Conversation | None = None,
    template: TemplateVersion | Standard | None = None,
) -> Answer:
    """Put a question in line; the answer that is returned has no text yet.

    `endpoint` None is the workspace's default, `conversation` None a new one, `template` None the conversation's or
    else the workspace's standard. Raises QuestionError for a text that is blank or too long, for an archived workspace
    and a deleted conversation, TemplateError and EndpointError for a template or model the workspace does not offer.
    """
    if isinstance(template, TemplateVersion):
        choosing.require_askable(template, workspace, by=by)
    else:
        access.require(by, Action.ASK, workspace)
    _require_open(workspace)
    asked = _checked(text, conversation)
    thread = None
    if conversation is not None:
        thread = conversations.for_question(conversation, workspace=workspace, by=by)
    version = choosing.chosen_for(template, thread)
    kept = version.template if version else None
    if thread is None:
        thread = conversations.begin(workspace, kept, by=by)
    else:
        conversations.keep_template(thread, kept)
    question = Question.objects.create(workspace=workspace, asked_by=by, conversation=thread, **asked)
    return _put_in_line(question, by, endpoint, version)


@transaction.atomic
def rephrase(answer: Answer, *, text: str, by: User, endpoint: ModelEndpoint | None = None) -> Answer:
    """Put the question of `answer` differently and ask it; its earlier form and answers are kept behind the new one.

    Only the last question of a conversation: later ones build on the others. Raises as `ask` does, and WrongState for
    a question that is not the last one or was put differently already.
    """
    _require_asker(answer, by)
    _require_open(answer.workspace)
    earlier = answer.question
    asked = _checked(text, earlier.conversation)
    if earlier.conversation is None:
        raise WrongState(_("This question belongs to no conversation. Ask the new one by itself."))
    thread = conversations.for_question(earlier.conversation, workspace=answer.workspace, by=by)
    if Question.objects.filter(conversation=thread, asked_at__gt=earlier.asked_at).exists():
        raise WrongState(_("Only the last question of a conversation can be put differently."))
    still_open = Answer.objects.filter(question=earlier, status__in=OPEN).first()
    if still_open is not None:
        # One that came to its ending in this moment is kept with the earlier form.
        with suppress(WrongState):
            stop(still_open, by=by)
    question = Question.objects.create(
        workspace=answer.workspace, asked_by=by, conversation=thread, replaces=earlier, **asked
    )
    record(
        EventType.QUESTION_REPHRASED,
        on=answer,
        workspace=answer.workspace_id,
        by=by,
        question=question.pk,
        replaces=earlier.pk,
        before_sha256=digest(earlier.text),
    )
    return _put_in_line(question, by, endpoint or _still_offered(answer), _once_more(answer))


@transaction.atomic
def ask_again(answer: Answer, *, by: User, endpoint: ModelEndpoint | None = None) -> Answer:
    """Put the same question in line once more, with `endpoint` or the same model as before; only its asker may.

    Raises WrongState while an answer to it is still being made, EndpointError for a model the workspace does not offer.
    """
    _require_asker(answer, by)
    _require_open(answer.workspace)
    return _put_in_line(answer.question, by, endpoint or _still_offered(answer), _once_more(answer))


@transaction.atomic
def stop(answer: Answer, *, by: User) -> None:
    """End the answer now. Its worker finds its lease gone and lets the model go; stopping twice is one stop.

    Raises WrongState when the answer had already come to an ending of its own.
    """
    _require_asker(answer, by)
    stopped = Answer.objects.filter(pk=answer.pk, status__in=OPEN).update(
        status=AnswerStatus.STOPPED, attempt=F("attempt") + 1, lease_until=None, ended_at=timezone.now()
    )
    answer.refresh_from_db(fields=["status", "attempt", "lease_until", "ended_at"])
    if stopped:
        record(EventType.ANSWER_STOPPED, on=answer, workspace=answer.workspace_id, by=by)
        transaction.on_commit(partial(streaming.announce, answer))
    elif answer.status != AnswerStatus.STOPPED:
        raise WrongState(_("The answer was finished before it could be stopped."))


def _require_asker(answer: Answer, by: User) -> None:
    access.require(by, Action.ASK, answer)
    if answer.asked_by_id != by.pk:
        raise Forbidden(user=by, workspace=answer.workspace_id, action=Action.ASK, thing=answer)


def _still_offered(answer: Answer) -> ModelEndpoint | None:
    """The model that wrote it, where the workspace offers that still."""
    if answer.template is not None and answer.template.endpoint_id is not None:
        # The template named it, and names it again.
        return None
    endpoint = answer.endpoint
    return endpoint if endpoint is not None and endpoint in endpoints.choices_for(answer.workspace) else None


def _once_more(answer: Answer) -> TemplateVersion | None:
    version = choosing.once_more(answer)
    return version if isinstance(version, TemplateVersion) else None


def _checked(text: str, conversation: Conversation | None) -> dict[str, str]:
    """Text and language of a question, or QuestionError. PostgreSQL stores no NUL character."""
    text = text.replace("\0", "").strip()
    if not text:
        raise QuestionError(_("Write a question first."))
    if len(text) > settings.MAX_QUESTION_CHARACTERS:
        raise QuestionError(
            _("A question has at most %(most)d characters; this one has %(length)d.")
            % {"most": settings.MAX_QUESTION_CHARACTERS, "length": len(text)}
        )
    language = language_of(text)
    if not language and conversation is not None:
        # "1. 4. 2027?" is asked in the language of what came before.
        language = conversation.questions.order_by("-asked_at").values_list("language", flat=True).first() or ""
    return {"text": text, "language": language}


def _require_open(workspace: Workspace) -> None:
    if workspace.archived_at is not None:
        raise QuestionError(_("This workspace is archived: what was asked can be read, and nothing new can be asked."))


def _put_in_line(
    question: Question, by: User, endpoint: ModelEndpoint | None, template: TemplateVersion | None
) -> Answer:
    if endpoint is not None:
        endpoints.require_allowed(endpoint, question.workspace)
    if template is not None and template.endpoint is not None and endpoint not in (None, template.endpoint):
        raise TemplateError(
            _("“%(template)s” is always answered by the model “%(model)s”.")
            % {"template": template.name, "model": template.endpoint.name}
        )
    try:
        answer = Answer.objects.create(
            question=question,
            workspace=question.workspace,
            asked_by=by,
            endpoint=endpoint,
            template=template,
        )
    except IntegrityError as error:
        raise WrongState(_("An answer to this question is already being made.")) from error
    record(
        EventType.QUESTION_ASKED,
        on=answer,
        workspace=question.workspace,
        by=by,
        question=question.pk,
        conversation=question.conversation_id,
        question_sha256=digest(question.text),
        endpoint=endpoint.name if endpoint else "",
        **({"template": template.template.code, "template_number": template.number} if template else {}),
    )
    transaction.on_commit(partial(streaming.announce, answer))
    dispatch(answer_question, answer.pk)
    return answer
