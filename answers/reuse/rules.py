"""Whether a workspace gives approved answers again, and how long an approval counts: its manager's choice.

Off by default: an answer given again is a text of yesterday, and a workspace should have chosen that.
"""

from datetime import timedelta

from django.db import transaction
from django.db.models import F
from django.utils.translation import gettext as _

from answers.exceptions import ReuseError
from answers.models import ApprovedAnswer, ReuseRules
from audit.events import EventType
from audit.record import record
from workspaces import access
from workspaces.models import User, Workspace
from workspaces.roles import Action

_SET = ("enabled", "days", "remind_days")


def rules_of(workspace: Workspace) -> ReuseRules:
    """The rules in force; those of a workspace that chose nothing are not stored."""
    return ReuseRules.objects.filter(workspace=workspace).first() or ReuseRules(workspace=workspace)


@transaction.atomic
def change(workspace: Workspace, *, enabled: bool, days: int, remind_days: int, by: User) -> ReuseRules:
    """Choose whether and for how long; what is approved already expires by the new number of days.

    Raises Hidden or Forbidden as access does, and ReuseError when the reminder would come before the approval.
    """
    access.require(by, Action.MANAGE, workspace)
    if remind_days >= days:
        raise ReuseError(_("The reminder has to come later than the approval itself: choose fewer days for it."))
    ReuseRules.objects.get_or_create(workspace=workspace)
    rules = ReuseRules.objects.select_for_update(no_key=True).get(workspace=workspace)
    before = {name: getattr(rules, name) for name in _SET}
    after = {"enabled": enabled, "days": days, "remind_days": remind_days}
    if before == after:
        return rules
    for name, value in after.items():
        setattr(rules, name, value)
    rules.save(update_fields=list(after))
    if before["days"] != days:
        approved = ApprovedAnswer.objects.filter(workspace=workspace)
        approved.update(expires_at=F("verified_at") + timedelta(days=days), reminded_at=None)
    record(EventType.REUSE_CHANGED, on=workspace, by=by, before=before, after=after)
    return rules
