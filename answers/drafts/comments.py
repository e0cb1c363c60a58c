"""What reviewers say to each other about a draft: seen by who may review it, never by who asked.

A comment is not changed or taken back; it is erased when a document whose words it repeats is.
"""

import re
from collections.abc import Sequence

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.utils.translation import gettext as _

from answers import news
from answers.exceptions import DraftError
from answers.models import Comment, Draft, Evidence, SavedView
from answers.querysets import drafts_open_to
from audit.chain import digest
from audit.events import EventType
from audit.record import record
from documents.deletion import dependants
from documents.deletion.telling import ERASED, repeating, take_out, telling
from documents.models import Deletion, Document
from documents.querysets import not_closed_to
from workspaces import access
from workspaces.exceptions import Forbidden
from workspaces.models import User
from workspaces.roles import Action

MAX_CHARACTERS = 4_000
#: A name after an @ that does not stand inside of a word, as it does in an e-mail address.
_MENTION = re.compile(r"(?<![\w.+-])@([\w.@+-]*\w)")


@transaction.atomic
def write(draft: Draft, *, text: str, by: User) -> Comment:
    """Add a comment; people named in it with an @ are mentioned.

    Raises DraftError for a text that is empty or too long, and when somebody is mentioned who may not review this
    draft: the same sentence whether there is such a person or not.
    """
    access.require(by, Action.REVIEW, draft)
    if not access.allows(by, Action.REVIEW, draft):
        # Broken glass reads what reviewers say; it does not speak among them.
        raise Forbidden(user=by, workspace=draft.workspace_id, action=Action.REVIEW, thing=draft)
    text = text.replace("\r\n", "\n").replace("\0", "").strip()
    if not text:
        raise DraftError(_("Write something first."))
    if len(text) > MAX_CHARACTERS:
        raise DraftError(_("A comment has at most %(limit)d characters.") % {"limit": MAX_CHARACTERS})
    mentioned = _mentioned(draft, text)
    comment = Comment.objects.create(draft=draft, text=text, written_by=by)
    comment.mentioned.set(mentioned)
    record(
        EventType.DRAFT_COMMENTED,
        on=draft,
        workspace=draft.workspace_id,
        by=by,
        answer=draft.answer_id,
        comment=comment.pk,
        text_sha256=digest(text),
        mentioned=[person.pk for person in mentioned],
    )
    news.mentioned(draft, to=mentioned, by=by)
    return comment


def names_in(text: str) -> list[str]:
    """The user names that `text` mentions, each once, in order."""
    return list(dict.fromkeys(match[1] for match in _MENTION.finditer(text)))


def mentionable(draft: Draft) -> QuerySet[User]:
    """Who may review this draft now: by role, with every source open to them, and not the asker."""
    opened = Document.objects.filter(not_closed_to(OuterRef(OuterRef("pk"))), deleted_at=None)
    closed = Evidence.objects.filter(answer=draft.answer_id).exclude(document__in=opened.order_by().values("pk"))
    people = access.people_allowed(draft.workspace, Action.REVIEW, Action.OPEN)
    return people.exclude(pk=draft.answer.asked_by_id).filter(~Exists(closed)).order_by("username")


def comments_open_to(user: User) -> QuerySet[Comment]:
    """The comments on drafts that `user` may review."""
    return Comment.objects.filter(draft__in=drafts_open_to(user).order_by().values("pk"))


def erase(deletion: Deletion, phrases: Sequence[str], _keeps_answers: bool) -> dict[str, int]:
    """Erase what reviewers wrote that repeats an erased document word for word: comments, and names of saved views.

    Whether answers keep their texts does not matter here: what people say of a text is not that text.
    """
    told = telling(deletion, phrases)
    if not told:
        return {"comments": 0}
    comments = Comment.objects.filter(repeating(("text",), told), draft__workspace=deletion.workspace_id)
    found = take_out(comments, "text")
    views = SavedView.objects.filter(repeating(("name",), told)).select_for_update(no_key=True)
    for view in views.order_by("pk"):
        view.name = f"{ERASED} {view.pk.hex[:8]}"
        view.save(update_fields=["name"])
    if found:
        record(
            EventType.REPETITIONS_ERASED,
            on=deletion.document,
            workspace=deletion.workspace_id,
            deletion=deletion.pk,
            comments=found,
        )
    return {"comments": len(found)}


def _mentioned(draft: Draft, text: str) -> list[User]:
    names = names_in(text)
    people = {person.username: person for person in mentionable(draft).filter(username__in=names)}
    for name in names:
        if name not in people:
            raise DraftError(_("Nobody called “%(name)s” may review this draft.") % {"name": name})
    return [people[name] for name in names]


access.guard(Comment, visible=comments_open_to, workspace_of=lambda comment: comment.draft.workspace)
# Comments are closed with the drafts they stand on.
dependants.kinds.append(dependants.Kind(erase=erase))
