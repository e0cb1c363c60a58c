"""Decide who may do what.

Every permission question in the product is answered here: views, admin, tasks and retrieval ask, and none of them
looks at guardian directly. Rights are read from the database at the moment of use and never cached.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar, cast
from uuid import UUID

from django.contrib.auth.models import Group
from django.core.exceptions import ObjectDoesNotExist, ValidationError
from django.db import models, transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from guardian.shortcuts import assign_perm, remove_perm

from audit.events import EventType
from audit.record import record
from workspaces.exceptions import Forbidden, Hidden
from workspaces.models import User, Workspace, WorkspaceGroupGrant, WorkspaceUserGrant
from workspaces.roles import FOR_MANAGERS, PLATFORM_ADMINISTRATOR, PLATFORM_CHARTER, Action, PlatformAction

M = TypeVar("M", bound=models.Model)


@dataclass(frozen=True, slots=True)
class Rule:
    """How one model is guarded: which of its rows a person may know of, and which workspace each belongs to."""

    visible: Callable[[User], QuerySet[Any]]
    workspace_of: Callable[[Any], Workspace]


_rules: dict[type[models.Model], Rule] = {}


def guard(
    model: type[models.Model],
    *,
    visible: Callable[[User], QuerySet[Any]],
    workspace_of: Callable[[Any], Workspace],
) -> None:
    """Register the rule of `model`; the app that owns a model calls this once, when it is loaded."""
    _rules[model] = Rule(visible, workspace_of)


# --- Questions ----------------------------------------------------------------------------------------------


def require(user: Any, action: str, thing: models.Model | None) -> None:
    """Return if `user` may do `action` with `thing` (None: the platform itself), else raise.

    Raises Hidden when the person may not even know of the thing, and Forbidden when they may know of it but not
    do this. A superuser who passes without holding the right leaves a break-glass entry in the trail.
    """
    if thing is None:
        return _require_platform(user, action)
    if not _is_person(user):
        raise Hidden(user=None, action=action, thing=thing)
    workspace = thing if isinstance(thing, Workspace) else _rule(type(thing)).workspace_of(thing)
    held = _held(user, workspace)
    if user.is_superuser and action not in held:
        return _break_glass(user, action, thing, workspace)
    if Action.ENTER not in held:
        raise Hidden(user=user, workspace=workspace, action=action, thing=thing)
    if not isinstance(thing, Workspace) and not visible(user, type(thing)).filter(pk=thing.pk).exists():
        raise Hidden(user=user, workspace=workspace, action=action, thing=thing)
    if action not in held:
        raise Forbidden(user=user, workspace=workspace, action=action, thing=thing)
    return None


def allows(user: Any, action: str, thing: models.Model | None) -> bool:
    """Whether `require` would return, without leaving a trace. Superusers count only by the roles they hold."""
    if thing is None:
        return action in platform_actions(user)
    if not _is_person(user):
        return False
    workspace = thing if isinstance(thing, Workspace) else _rule(type(thing)).workspace_of(thing)
    if action not in _held(user, workspace):
        return False
    return isinstance(thing, Workspace) or visible(user, type(thing)).filter(pk=thing.pk).exists()


def actions(user: Any, workspace: Workspace) -> frozenset[str]:
    """What `user` may do in `workspace`, by the roles they hold there. One query."""
    return _held(user, workspace) if _is_person(user) else frozenset()


def visible(user: Any, model: type[M]) -> QuerySet[M]:
    """The rows of `model` that `user` may know of: the only way a list, search or look-up starts."""
    if not _is_person(user):
        return model._default_manager.none()
    if model is Workspace:
        return cast("QuerySet[M]", workspaces_allowing(user, Action.ENTER))
    return cast("QuerySet[M]", _rule(model).visible(user))


def workspaces_allowing(user: Any, action: str) -> QuerySet[Workspace]:
    """The workspaces in which `user` may do `action`. For a superuser: all (`require` records the use)."""
    if not _is_person(user):
        return Workspace.objects.none()
    if user.is_superuser:
        return Workspace.objects.all()
    by_group = WorkspaceGroupGrant.objects.filter(
        content_object=OuterRef("pk"), permission__codename=action, group__memberships__user=user
    )
    by_person = WorkspaceUserGrant.objects.filter(content_object=OuterRef("pk"), permission__codename=action, user=user)
    return Workspace.objects.filter(Exists(by_group) | Exists(by_person))


def find(user: Any, action: str, model: type[M], **lookup: Any) -> M:
    """The one row of `model` that `lookup` names, if `user` may do `action` with it.

    Raises Hidden for a row that does not exist exactly as for one that is not visible, and Forbidden as `require`.
    """
    try:
        thing = visible(user, model).get(**lookup)
    except (ObjectDoesNotExist, ValueError, ValidationError) as error:
        # The row may exist: its workspace's trail, not the stranger, learns which one was asked for.
        thing_asked = _existing(model, lookup)
        workspace = _workspace_of(thing_asked) if thing_asked is not None else None
        raise Hidden(
            user=user if _is_person(user) else None, workspace=workspace, action=action, thing=thing_asked
        ) from error
    require(user, action, thing)
    return thing


def platform_actions(user: Any) -> frozenset[str]:
    """What `user` may do across the installation."""
    if not _is_person(user):
        return frozenset()
    if user.is_superuser or user.memberships.filter(group__name=PLATFORM_ADMINISTRATOR).exists():
        return PLATFORM_CHARTER.actions
    return FOR_MANAGERS if workspaces_allowing(user, Action.MANAGE).exists() else frozenset()


def may_enter_admin(user: Any) -> bool:
    """Whether the admin site opens at all: for those who review, manage or audit somewhere, and the platform's."""
    if not _is_person(user):
        return False
    if platform_actions(user):
        return True
    codes = [Action.REVIEW, Action.MANAGE, Action.MANAGE_PEOPLE, Action.READ_TRAIL]
    return any(workspaces_allowing(user, code).exists() for code in codes)


def people_allowed(workspace: Workspace | OuterRef, action: str) -> QuerySet[User]:
    """The active people who may do `action` in `workspace` (or in the one an outer row refers to)."""
    return User.objects.filter(
        Q(
            memberships__group__workspacegroupgrant__content_object=workspace,
            memberships__group__workspacegroupgrant__permission__codename=action,
        )
        | Q(workspaceusergrant__content_object=workspace, workspaceusergrant__permission__codename=action),
        is_active=True,
    ).distinct()


# --- Changes to object permissions; the verbs that call these do the checking and the recording --------------


def grant(permission: str, holder: User | Group, thing: models.Model) -> None:
    """Give `holder` the object permission `permission` on `thing`."""
    assign_perm(permission, holder, thing)


def revoke(permission: str, holder: User | Group, thing: models.Model) -> None:
    """Take the object permission `permission` on `thing` from `holder`."""
    remove_perm(permission, holder, thing)


# --- Inside -------------------------------------------------------------------------------------------------


def _is_person(user: Any) -> bool:
    return isinstance(user, User) and user.is_active


def _held(user: User, workspace: Workspace) -> frozenset[str]:
    by_group = WorkspaceGroupGrant.objects.filter(content_object=workspace, group__memberships__user=user).values_list(
        "permission__codename"
    )
    by_person = WorkspaceUserGrant.objects.filter(content_object=workspace, user=user).values_list(
        "permission__codename"
    )
    return frozenset(code for (code,) in by_group.union(by_person))


def _rule(model: type[models.Model]) -> Rule:
    try:
        return _rules[model]
    except KeyError:
        raise LookupError(f"{model.__name__} has no access rule: register one with access.guard().") from None


def _require_platform(user: Any, action: str) -> None:
    if action not in PlatformAction.values:
        raise LookupError(f"{action} is not a platform action.")
    if not _is_person(user):
        raise Hidden(action=action)
    if action not in platform_actions(user):
        raise Forbidden(user=user, action=action)


def _break_glass(user: User, action: str, thing: models.Model, workspace: Workspace) -> None:
    with transaction.atomic():
        record(EventType.BREAK_GLASS, on=thing, workspace=workspace, by=user, action=action)


def _existing(model: type[models.Model], lookup: dict[str, Any]) -> models.Model | None:
    try:
        return model._default_manager.filter(**lookup).first()
    except (ValueError, ValidationError):
        return None


def _workspace_of(thing: models.Model) -> UUID:
    return thing.pk if isinstance(thing, Workspace) else _rule(type(thing)).workspace_of(thing).pk
