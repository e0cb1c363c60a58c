"""Whose desk a draft is on, and who opened it."""

from django.db import transaction
from django.utils.translation import gettext as _

from answers import news, separation
from answers.drafts import desks
from answers.exceptions import DraftError
from answers.models import Draft
from answers.review.keeping import save
from answers.review.locking import locked
from audit.chain import digest
from audit.events import EventType
from audit.record import record
from workspaces import access
from workspaces.models import User
from workspaces.roles import Action


@transaction.atomic
def assign(draft: Draft, *, to: User | None, by: User) -> Draft:
    """Put the draft on one reviewer's desk, or on nobody's. It stays open to the others.

    Raises DraftError when `to` could not decide on it, and WrongState when it is decided already.
    """
    draft = locked(draft, "assign", by)
    if to is not None:
        if not access.allows(to, Action.REVIEW, draft):
            raise DraftError(_("%(name)s may not review this draft.") % {"name": to.name})
        reason = separation.refusal(to, draft, separation.APPROVE)
        if reason:
            told = _("%(name)s asked for, edited, approved or brought what this answer rests on.") % {"name": to.name}
            raise DraftError(reason if to == by else told)
    if draft.assigned_to_id == (to.pk if to else None):
        return draft
    save(draft, by, "", *desks.put(draft, to))
    record(
        EventType.DRAFT_ASSIGNED,
        on=draft,
        workspace=draft.workspace,
        by=by,
        answer=draft.answer_id,
        to=to.pk if to else None,
        to_label=to.get_username() if to else "",
    )
    news.assigned(draft, to=to, by=by)
    return draft


@transaction.atomic
def opened(draft: Draft, *, by: User) -> None:
    """Record that `by` reads the draft and everything it rests on. Raises as access does."""
    access.require(by, Action.REVIEW, draft)
    record(
        EventType.DRAFT_OPENED,
        on=draft,
        workspace=draft.workspace,
        by=by,
        answer=draft.answer_id,
        text_sha256=digest(draft.text),
        documents=sorted({str(pk) for pk in draft.answer.evidence.values_list("document", flat=True)}),
    )
