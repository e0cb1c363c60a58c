"""Conversations: questions that follow each other. Their owner names them and puts them away; nobody else sees one."""

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from answers.exceptions import QuestionError
from answers.models import Conversation, RagTemplate
from audit.chain import digest
from audit.events import EventType
from audit.record import record
from workspaces import access
from workspaces.exceptions import Forbidden
from workspaces.models import User, Workspace
from workspaces.roles import Action

LONGEST_TITLE = 120


def conversations_open_to(user: User) -> QuerySet[Conversation]:
    """The person's own, where they may still enter; somebody else's is nobody's business, a reviewer's neither."""
    return Conversation.objects.filter(access.where_allowed(user, Action.ENTER), started_by=user)


def shown_to(user: User, workspace: Workspace) -> QuerySet[Conversation]:
    """What stands in the list of `user` in `workspace`, the last one used first."""
    return access.visible(user, Conversation).filter(workspace=workspace, archived_at=None).order_by("-last_asked_at")


def begin(workspace: Workspace, template: RagTemplate | None, *, by: User) -> Conversation:
    """A new conversation of `by`, whose first question is asked with `template` (None: the workspace's standard)."""
    return Conversation.objects.create(workspace=workspace, started_by=by, template=template)


def for_question(conversation: Conversation, *, workspace: Workspace, by: User) -> Conversation:
    """The conversation a question of `by` goes into, locked and marked as used now.

    Raises Forbidden for somebody else's, for another workspace's, and QuestionError for one that was put away.
    """
    _require_own(conversation, by)
    if conversation.workspace_id != workspace.pk:
        raise Forbidden(user=by, workspace=workspace, action=Action.ASK, thing=conversation)
    # Locked, so that it is not put away while a question goes in.
    locked = Conversation.objects.select_for_update(no_key=True).get(pk=conversation.pk)
    if locked.archived_at is not None:
        raise QuestionError(_("This conversation was deleted. Begin a new one."))
    locked.last_asked_at = timezone.now()
    locked.save(update_fields=["last_asked_at"])
    return locked


def keep_template(conversation: Conversation, template: RagTemplate | None) -> None:
    """Remember what its last question was asked with. In the transaction that asks it."""
    if conversation.template_id != (template.pk if template else None):
        conversation.template = template
        conversation.save(update_fields=["template"])


@transaction.atomic
def rename(conversation: Conversation, *, title: str, by: User) -> None:
    """Give it a name; an empty one brings back its first question.

    Raises QuestionError for one that is too long, and for a conversation that was put away.
    """
    _require_own(conversation, by)
    title = " ".join(title.replace("\0", "").split())
    if len(title) > LONGEST_TITLE:
        raise QuestionError(_("A name has at most %(most)d characters.") % {"most": LONGEST_TITLE})
    locked = Conversation.objects.select_for_update(no_key=True).get(pk=conversation.pk)
    if locked.archived_at is not None:
        raise QuestionError(_("This conversation was deleted. Begin a new one."))
    before, conversation.title = locked.title, title
    if title == before:
        return
    conversation.save(update_fields=["title"])
    _note(EventType.CONVERSATION_RENAMED, conversation, by, before_sha256=digest(before), after_sha256=digest(title))


@transaction.atomic
def archive(conversation: Conversation, *, by: User) -> None:
    """Take it out of its owner's view, for good; answers, shares and the trail stay. Twice is once."""
    _require_own(conversation, by)
    archived_at = timezone.now()
    if Conversation.objects.filter(pk=conversation.pk, archived_at=None).update(archived_at=archived_at):
        conversation.archived_at = archived_at
        _note(EventType.CONVERSATION_ARCHIVED, conversation, by)


def _require_own(conversation: Conversation, by: User) -> None:
    access.require(by, Action.ASK, conversation)
    if conversation.started_by_id != by.pk:
        raise Forbidden(user=by, workspace=conversation.workspace_id, action=Action.ASK, thing=conversation)


def _note(type: EventType, conversation: Conversation, by: User, **details: str) -> None:
    record(type, on=conversation, workspace=conversation.workspace_id, by=by, **details)


access.guard(Conversation, visible=conversations_open_to, workspace_of=lambda conversation: conversation.workspace)
