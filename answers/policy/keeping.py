"""The sets of rules a workspace had: the one in force, and the verb that puts another one in its place."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from answers.exceptions import PolicyError, WrongState
from answers.models import ReleaseRules
from answers.policy.rules import Rule, checked, defaults, read, stored
from audit.events import EventType
from audit.record import record
from workspaces import access
from workspaces.models import User, Workspace
from workspaces.roles import Action


@dataclass(frozen=True, slots=True)
class RuleSet:
    """The rules of a workspace. `number` 0 are the built-in ones, which nobody made."""

    number: int
    rules: list[Rule]
    made_at: datetime | None = None
    made_by: User | None = None
    #: The stored set cannot be read: everything is held until another one is saved.
    is_broken: bool = False


def in_force(workspace: Workspace) -> RuleSet:
    """The newest set, or the built-in rules."""
    newest = ReleaseRules.objects.filter(workspace=workspace).select_related("made_by").order_by("-number").first()
    if newest is None:
        return RuleSet(0, defaults())
    try:
        rules = read(newest.rules)
    except PolicyError:
        return RuleSet(newest.number, [], newest.made_at, newest.made_by, is_broken=True)
    return RuleSet(newest.number, rules, newest.made_at, newest.made_by)


@transaction.atomic
def change(workspace: Workspace, rules: Sequence[Rule], *, by: User, seen: int, reason: str = "") -> RuleSet:
    """Put `rules` in force for the answers finished from now on; what is held stays held.

    `seen` is the number of the set that `by` had before them. Raises as access does for who does not manage the
    workspace, PolicyError for what is no set of rules, and WrongState when somebody saved another set meanwhile.
    """
    access.require(by, Action.MANAGE, workspace)
    sound = checked(rules)
    Workspace.objects.select_for_update(no_key=True).get(pk=workspace.pk)
    before = in_force(workspace)
    if before.number != seen:
        raise WrongState(_("Somebody was faster: the rules were changed after you opened them. Look at them again."))
    if before.rules == sound and not before.is_broken:
        return before
    made = ReleaseRules.objects.create(workspace=workspace, number=before.number + 1, rules=stored(sound), made_by=by)
    record(
        EventType.RELEASE_RULES_CHANGED,
        on=workspace,
        workspace=workspace,
        by=by,
        reason=reason.replace("\0", "").strip()[:300],
        number=made.number,
        before=stored(before.rules),
        after=made.rules,
    )
    return RuleSet(made.number, sound, made.made_at, by)
