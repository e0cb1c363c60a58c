"""The kinds of right an access review covers: who holds them now and why, and how one is ended.

A role is here; the apps above add what they grant by name when they load.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from django.utils import formats, timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from workspaces import access, members
from workspaces.bars import rules as bars
from workspaces.charters import charters
from workspaces.models import Membership, User, Workspace
from workspaces.roles import Action


@dataclass(frozen=True, slots=True)
class Right:
    """One right of one person: its code within its kind, its name, and why they hold it since when."""

    user: User
    code: str
    label: str
    reason: str


@dataclass(frozen=True, slots=True)
class Kind:
    """How one kind of right is found, held still while a review is signed, and ended.

    `lock` takes the rows that `end` will change, before any entry locks the chain. `end` raises PortalError for a
    right that cannot be ended, and does nothing for one that is gone. A right's own
    name, such as a document's title, is told to those who hold the action `named_to`.
    """

    label: Any
    held: Callable[[Workspace], Iterable[Right]]
    lock: Callable[[Workspace, list[str]], None]
    end: Callable[[Workspace, User, str, User], None]
    named_to: str = Action.ENTER

    def name_of(self, label: str, actions: frozenset[str]) -> str:
        """`label`, or the kind's own name, for a reader who holds `actions`."""
        return label if self.named_to in actions else str(self.label)


#: code of a kind → the kind, in the order in which a review shows them and its removals are carried out.
kinds: dict[str, Kind] = {}


def on(moment: Any) -> str:
    """A day as a reason names it."""
    return formats.date_format(timezone.localtime(moment), "DATE_FORMAT")


# --- Roles --------------------------------------------------------------------------------------------------


def _roles_held(workspace: Workspace) -> Iterable[Right]:
    """Roles in force that people have and are not barred from; those of closed accounts too, which may open again."""
    for code, charter in charters().items():
        places = Membership.objects.filter(
            group__workspace_role__workspace=workspace,
            group__workspace_role__role=code,
            user__in=access.holders(workspace, code, closed=True),
        )
        why: dict[User, list[str]] = defaultdict(list)
        for place in places.select_related("user", "added_by").order_by("added_at"):
            why[place.user].append(_why(place))
        for user, reasons in why.items():
            yield Right(user, code, str(charter.label), " ".join(reasons)[:300])


def _why(row: Membership) -> str:
    if row.source:
        words = {"source": row.source, "when": on(row.added_at)}
        return _("By the identity provider “%(source)s”, since %(when)s.") % words
    words = {"who": row.added_by.name if row.added_by else _("the operator"), "when": on(row.added_at)}
    return _("By hand by %(who)s, since %(when)s.") % words


def _lock_roles(workspace: Workspace, codes: list[str]) -> None:
    rows = Membership.objects.filter(group__workspace_role__workspace=workspace, group__workspace_role__role__in=codes)
    list(rows.select_for_update(of=("self",), no_key=True).order_by("pk").values_list("pk"))


def _end_role(workspace: Workspace, user: User, code: str, by: User) -> None:
    held = Membership.objects.filter(
        user=user, group__workspace_role__workspace=workspace, group__workspace_role__role=code
    )
    if held.exclude(source="").exists():
        # Taken by hand it would be back at the person's next sign-in.
        reason = _("Access review of %(when)s") % {"when": on(timezone.now())}
        bars.bar(workspace, user, role=code, reason=reason, by=by)
    if held.exists():
        members.remove_member(workspace, user, code, by=by)


def manages_people(kind: str, code: str) -> bool:
    """Whether this right is one by which a review is signed; its holder's own is ended last."""
    charter = charters().get(code) if kind == ROLE else None
    return charter is not None and Action.MANAGE_PEOPLE in charter.actions


ROLE = "role"
kinds[ROLE] = Kind(gettext_lazy("Role"), _roles_held, _lock_roles, _end_role)
