"""The reasons reviewers choose from, in the workspace's own words or the built-in ones. Each can be written over."""

from collections.abc import Mapping, Sequence

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from answers.drafts.text import MAX_REASON_CHARACTERS
from answers.exceptions import DraftError
from answers.models import ReviewReasons
from audit.events import EventType
from audit.record import record
from workspaces import access
from workspaces.models import User, Workspace
from workspaces.roles import Action

MOST_REASONS = 20
#: Act → what a manager sees it called. Codes are those of `WHEN`.
ACTS = {
    "approve": gettext_lazy("Approve"),
    "edit": gettext_lazy("Edit"),
    "return": gettext_lazy("Return"),
    "reject": gettext_lazy("Reject"),
    "reopen": gettext_lazy("Put under review again"),
    "take_back": gettext_lazy("Take back"),
}


def built_in() -> dict[str, list[str]]:
    """What is offered where a workspace has no reasons of its own, in the reader's language."""
    return {
        "approve": [_("Every sentence stands in its source.")],
        "edit": [_("Said as the source says it."), _("Left out what no source supports.")],
        "return": [
            _("A sentence says more than its source."),
            _("A source is out of date."),
            _("It is not clear what was asked."),
        ],
        "reject": [
            _("The sources do not answer the question."),
            _("The answer needs advice from a person."),
            _("This is not to be answered here."),
        ],
        "reopen": [_("A reader doubts it."), _("The rule behind it changed.")],
        "take_back": [_("It was wrong."), _("It should not have been released.")],
    }


def offered(workspace: Workspace) -> dict[str, list[str]]:
    """Act → the reasons offered there."""
    kept = ReviewReasons.objects.filter(workspace=workspace).values_list("reasons", flat=True).first()
    return built_in() if kept is None else {act: list(kept.get(act, [])) for act in ACTS}


@transaction.atomic
def change(workspace: Workspace, reasons: Mapping[str, Sequence[str]], *, by: User) -> dict[str, list[str]]:
    """Offer these reasons from now on, act by act. Raises as access does, and DraftError for what cannot be kept."""
    access.require(by, Action.MANAGE, workspace)
    if unknown := set(reasons) - set(ACTS):
        raise DraftError(_("There is no such act: %(list)s.") % {"list": ", ".join(sorted(unknown))})
    after = {act: _checked(reasons.get(act, ())) for act in ACTS}
    Workspace.objects.select_for_update(no_key=True).get(pk=workspace.pk)
    before = offered(workspace)
    if before == after:
        return before
    ReviewReasons.objects.update_or_create(workspace=workspace, defaults={"reasons": after, "changed_by": by})
    record(EventType.REVIEW_REASONS_CHANGED, on=workspace, workspace=workspace, by=by, before=before, after=after)
    return after


def _checked(reasons: Sequence[str]) -> list[str]:
    kept = list(dict.fromkeys(text for text in (" ".join(each.replace("\0", "").split()) for each in reasons) if text))
    if len(kept) > MOST_REASONS:
        raise DraftError(_("At most %(most)d reasons for an act.") % {"most": MOST_REASONS})
    if any(len(text) > MAX_REASON_CHARACTERS for text in kept):
        raise DraftError(_("A reason has at most %(limit)d characters.") % {"limit": MAX_REASON_CHARACTERS})
    return kept
