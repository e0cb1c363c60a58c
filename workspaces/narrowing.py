"""What a token's scope, and an administrator's view as somebody else, leave of a person's rights.

Both hold for the person who is acting (`audit.context`); other people's rights are what they are.
"""

from typing import cast

from django.db.models import QuerySet

from audit import context
from workspaces.models import User, Workspace
from workspaces.roles import READING, Action


def is_whole(user: User) -> bool:
    """Whether `user` acts in person: through no token, and with nobody looking as them."""
    return scope_of(user) is None and viewer_of(user) is None


def scope_of(user: User) -> context.Scope | None:
    """What the token that acts for `user` may do."""
    acting = context.current()
    return acting.scope if acting.by is None or acting.by.pk == user.pk else None


def viewer_of(user: User) -> User | None:
    """The administrator who looks at the portal as `user` now."""
    acting = context.current()
    if acting.viewer is None or acting.viewer.pk == user.pk:
        return None
    return cast(User, acting.viewer) if acting.by is None or acting.by.pk == user.pk else None


def left_of(held: frozenset[str], user: User, workspace: Workspace) -> frozenset[str]:
    """The actions that remain of those `user` holds in `workspace`."""
    if viewer_of(user) is not None:
        held &= READING
    scope = scope_of(user)
    if scope is None:
        return held
    return held & _codes(scope) if workspace.pk in scope.workspaces else frozenset()


def narrowed(user: User, action: str, workspaces: QuerySet[Workspace]) -> QuerySet[Workspace]:
    """The workspaces that remain of those in which `user` may do `action`: the set form of `left_of`."""
    if viewer_of(user) is not None and action not in READING:
        return workspaces.none()
    scope = scope_of(user)
    if scope is None:
        return workspaces
    return workspaces.filter(pk__in=scope.workspaces) if action in _codes(scope) else workspaces.none()


def _codes(scope: context.Scope) -> frozenset[str]:
    """Whoever may do anything in a workspace may know that it exists."""
    return scope.actions | {Action.ENTER}
