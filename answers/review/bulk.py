"""Approve several drafts in one act: word for word the same, on the same versions, and of low risk.

Each draft is checked and approved on its own, in a transaction of its own, exactly as if it were the only one; what
does not pass stays where it is and says why.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from answers import separation
from answers.exceptions import DraftError, WrongState
from answers.models import Draft
from answers.policy.facts import Facts
from answers.policy.rules import Condition, defaults
from answers.policy.verdicts import first_that_applies
from answers.review.deciding import approve as approve_one
from answers.review.keeping import sources
from answers.review.locking import WHEN
from audit.chain import digest
from audit.events import EventType
from audit.record import record
from workspaces import access
from workspaces.exceptions import PortalError, Refused
from workspaces.models import User
from workspaces.roles import Action

MOST = 100
#: By these figures an answer is of low risk; the model and the chance of a sample say nothing about its text.
_RISKS = frozenset({Condition.CLASSIFICATION, Condition.UNSUPPORTED, Condition.GROUNDING})


@dataclass(frozen=True, slots=True)
class Item:
    """One draft of a bulk: why it cannot be approved with the others, empty when it can, or what became of it."""

    draft: Draft
    objection: str
    is_done: bool = False


def checked(drafts: Sequence[Draft], *, by: User) -> list[Item]:
    """Each draft with what stands against approving it in one act with the first. Changes nothing."""
    if not drafts:
        return []
    alike = _likeness(drafts[0])
    return [Item(draft, _objection(draft, by, alike)) for draft in drafts]


def approve(
    drafts: Sequence[Draft], *, by: User, seen_sha256: str, reason: str = "", read: Draft | None = None
) -> list[Item]:
    """Approve those of `drafts` that pass; what became of each, in their order.

    `seen_sha256` is the hash of the one text that `by` read, and `read` the draft they read it on, the first of them if
    it is not given. Raises DraftError for too many.
    """
    if len(drafts) > MOST:
        raise DraftError(_("Approve at most %(most)d drafts at a time.") % {"most": MOST})
    if not drafts:
        return []
    alike = (seen_sha256, _likeness(read or drafts[0])[1])
    items = [_approve_one(draft, by, alike, reason) for draft in drafts]
    done: dict[UUID, list[Item]] = {}
    for item in items:
        done.setdefault(item.draft.workspace_id, []).append(item)
    for of_workspace in done.values():
        record(
            EventType.DRAFTS_BULK_APPROVED,
            on=of_workspace[0].draft.workspace,
            workspace=of_workspace[0].draft.workspace,
            by=by,
            text_sha256=seen_sha256,
            approved=[str(item.draft.pk) for item in of_workspace if item.is_done],
            left=[str(item.draft.pk) for item in of_workspace if not item.is_done],
        )
    return items


def _approve_one(draft: Draft, by: User, alike: tuple[str, object], reason: str) -> Item:
    try:
        with transaction.atomic():
            approve_one(draft, by=by, seen_sha256=alike[0], reason=reason)
            # Under the locks of the approval; an objection takes it back.
            if told := _unlike(draft, alike) or _risk(draft):
                raise WrongState(told)
    except (PortalError, Refused) as error:
        return Item(draft, str(error))
    draft.refresh_from_db()
    return Item(draft, "", is_done=True)


def _objection(draft: Draft, by: User, alike: tuple[str, object]) -> str:
    if not access.allows(by, Action.REVIEW, draft):
        return _("You may not review this draft.")
    if draft.state not in WHEN["approve"]:
        return _("This draft is “%(state)s”, so this cannot be done now.") % {"state": draft.get_state_display()}
    refused = separation.refusal(by, draft, separation.APPROVE)
    return refused or _unlike(draft, alike) or _risk(draft)


def _unlike(draft: Draft, alike: tuple[str, object]) -> str:
    if _likeness(draft) == alike:
        return ""
    return _("Its text or the versions it rests on are not those of the first.")


def _likeness(draft: Draft) -> tuple[str, object]:
    """What makes two drafts the same to a reader: the text, what it cites, and all that it rests on."""
    evidence = draft.answer.evidence.order_by().values_list("version", flat=True).distinct()
    return digest(draft.text), (sorted(sources(draft).items()), frozenset(evidence))


def _risk(draft: Draft) -> str:
    """Why the draft wants a look of its own, by the figures of the release rules as they are built in."""
    if separation.needs_second(draft.answer):
        return _("It takes two approvals, so it is decided on by itself.")
    level = separation.classification_of(draft.answer)
    measured = draft.sentences if draft.edited_at else draft.answer.sentences
    figures = [one["grounding"] for one in measured if one.get("grounding") is not None]
    facts = Facts(
        classification=level.value if level else "",
        lowest_grounding=min(figures, default=None),
        unsupported_share=sum(one.get("verdict") == "unsupported" for one in measured) / len(measured)
        if measured
        else None,
    )
    rules = [rule for rule in defaults() if rule.condition in _RISKS]
    found = first_that_applies(rules, facts)
    return _("It is not of low risk: “%(rule)s” applies.") % {"rule": found.name} if found else ""
