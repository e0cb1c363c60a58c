"""Decide who may do what.

Every permission question in the product is answered here: views, admin, tasks and retrieval ask, and none of them
looks at guardian directly. Rights are read from the database at the moment of use and never cached. What a person
holds is said in `workspaces/rights.py`; a token's scope and an administrator's view as another only narrow it.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, TypeVar, cast
from uuid import UUID

from django.contrib.auth.models import Group
from django.contrib.postgres.expressions import ArraySubquery
from django.core.exceptions import ObjectDoesNotExist, ValidationError
from django.db import models, transaction
from django.db.models import Exists, F, Func, OuterRef, Q, QuerySet, Value
from django.utils import timezone
from guardian.shortcuts import assign_perm, remove_perm

from audit import context
from audit.events import EventType
from audit.record import record
from workspaces import narrowing, rights
from workspaces.compiled import Compiled
from workspaces.exceptions import Forbidden, Hidden, ReasonNeeded, Refused, ViewerMayNot
from workspaces.models import BreakGlass, RoleBar, User, Workspace
from workspaces.roles import FOR_MANAGERS, PLATFORM_ADMINISTRATOR, PLATFORM_CHARTER, Action, PlatformAction

M = TypeVar("M", bound=models.Model)


@dataclass(frozen=True, slots=True)
class Rule:
    """How one model is guarded: which of its rows a person may know of, and which workspace each belongs to."""

    visible: Callable[[User], QuerySet[Any]]
    workspace_of: Callable[[Any], Workspace]
    names_only: bool


_rules: dict[type[models.Model], Rule] = {}

#: Whether broken glass counts in the sets of `visible` and `workspaces_allowing` that are made now.
_glass_counts: ContextVar[bool] = ContextVar("glass_counts", default=True)


def guard(
    model: type[models.Model],
    *,
    visible: Callable[[User], QuerySet[Any]],
    workspace_of: Callable[[Any], Workspace],
    names_only: bool = False,
) -> None:
    """Register the rule of `model`; the app that owns a model calls this once, when it is loaded.

    `names_only`: a list of these rows shows names and no text, so that it may be shown to an administrator who looks
    at the portal as somebody else.
    """
    _rules[model] = Rule(visible, workspace_of, names_only)


# --- Questions ----------------------------------------------------------------------------------------------


def require(user: Any, action: str, thing: models.Model | None) -> None:
    """Return if `user` may do `action` with `thing` (None: the platform itself), else raise.

    Raises Hidden when the person may not even know of the thing, Forbidden when they may know of it but not do this,
    and ReasonNeeded when a superuser has to break the glass first; each use of broken glass leaves an entry.
    """
    if thing is None:
        return _require_platform(user, action)
    if not _is_person(user):
        raise Hidden(user=None, action=action, thing=thing)
    _require_of_person(user, action, thing, is_known=False)
    return None


def allows(user: Any, action: str, thing: models.Model | None) -> bool:
    """Whether the person's own rights let them, without leaving a trace. Broken glass does not count here."""
    if thing is None:
        return action in platform_actions(user)
    if not _is_person(user):
        return False
    return _refusal(user, action, thing, _workspace_of(thing)) is None


def actions(user: Any, workspace: Workspace) -> frozenset[str]:
    """What `user` may do in `workspace`, by the roles they hold there. One query."""
    return _held(user, workspace) if _is_person(user) else frozenset()


def held_by(person: str | Value, workspace: str) -> Func:
    """What a row's `person` holds in its `workspace`, read with the row, for `actions_as_read` right after."""
    return rights.held_by(person, workspace)


def actions_as_read(user: Any, workspace: Workspace, held: Iterable[str]) -> frozenset[str]:
    """As `actions`, from what was read by `held_by` at this moment; never from what is kept."""
    return narrowing.left_of(frozenset(held), user, workspace) if _is_person(user) else frozenset()


def require_as_read(user: Any, action: str, workspace: Workspace, held: Iterable[str] | None) -> None:
    """As `require` in a workspace, from what was read by `held_by` at this moment; None where no row was found."""
    if not {Action.ENTER, action} <= actions_as_read(user, workspace, held or ()):
        require(user, action, workspace)


def reach(user: Any, workspace: Workspace) -> frozenset[str]:
    """What `require` lets the person use now: what they hold, and everything once they broke the glass."""
    if broken_glass(user, workspace) is not None:
        return frozenset(Action.values)
    return actions(user, workspace)


def visible(user: Any, model: type[M]) -> QuerySet[M]:
    """The rows of `model` that `user` may know of: the only way a list, search or look-up starts.

    For a superuser: every workspace, but what is inside only of those where they hold a role or broke the glass.
    """
    if not _is_person(user):
        return model._default_manager.none()
    rows = _known(user, model)
    if model is Workspace or _rule(model).names_only:
        return rows
    return within_view(rows)


def within_view(rows: QuerySet[M]) -> QuerySet[M]:
    """`rows`, less those an administrator who looks at the portal as somebody else may not open themselves."""
    viewer = context.current().viewer
    if viewer is None:
        return rows
    return rows.filter(pk__in=_known(viewer, rows.model).order_by().values("pk"))


def actions_anywhere(user: Any) -> frozenset[str]:
    """What `user` may do in one workspace at least, as `workspaces_allowing` has it for each action.

    One query for whoever acts in person and is no superuser.
    """
    if not _is_person(user):
        return frozenset()
    if user.is_superuser or not narrowing.is_whole(user):
        return frozenset(action for action in Action.values if workspaces_allowing(user, action).exists())
    return rights.held_anywhere(user.pk)


def workspaces_allowing(user: Any, action: str) -> QuerySet[Workspace]:
    """The workspaces in which `user` may do `action`, by what they hold there or by broken glass."""
    if not _is_person(user):
        return Workspace.objects.none()
    allowing = Q(pk__in=rights.workspaces(user.pk, action))
    if user.is_superuser:
        allowing |= Q(pk__in=workspaces_behind_glass(user).values("pk"))
    return narrowing.narrowed(user, action, Workspace.objects.filter(allowing))


def where_allowed(user: Any, action: str) -> Q:
    """Of rows with a `workspace`, those in `workspaces_allowing`: for what runs with every list and search."""
    if _is_person(user) and not user.is_superuser and narrowing.is_whole(user):
        return Q(_IsOneOf(F("workspace"), rights.allowing(user.pk, action)))
    allowing = workspaces_allowing(user, action).order_by()
    if allowing.query.is_empty():
        return Q(pk__in=[])
    # An array is found once for a statement and compared with; a set is looked into anew for each row of a sub-query.
    return Q(_IsOneOf(F("workspace"), ArraySubquery(allowing.values("pk"))))


class _IsOneOf(Func):
    """Whether a value is in an array."""

    output_field = models.BooleanField()
    template = "(%(expressions)s))"
    arg_joiner = " = ANY("


def find(user: Any, action: str, model: type[M], **lookup: Any) -> M:
    """The one row of `model` that `lookup` names, if `user` may do `action` with it.

    Raises Hidden for a row that does not exist exactly as for one that is not visible; the rest as `require`.
    """
    rows = _known(user, model) if _is_person(user) else model._default_manager.none()
    try:
        thing = rows.get(**lookup)
    except (ObjectDoesNotExist, ValueError, ValidationError) as error:
        # The row may exist: its workspace's trail, not the stranger, learns which one was asked for.
        thing_asked = _existing(model, lookup)
        workspace = _workspace_of(thing_asked) if thing_asked is not None else None
        person = user if _is_person(user) else None
        refusal = ReasonNeeded if workspace is not None and _could_break_glass(user, workspace) else Hidden
        raise refusal(user=person, workspace=workspace, action=action, thing=thing_asked) from error
    # It was just found among what they may know of, which for a superuser can be due to broken glass alone.
    _require_of_person(user, action, thing, is_known=not user.is_superuser)
    return thing


def find_workspace(user: Any, action: str, slug: str) -> Workspace:
    """As `find` of the workspace with this slug, in one statement for whoever may do `action` there by their roles."""
    if _is_person(user):
        for workspace in _with_rights(slug, user.pk):
            held = actions_as_read(user, workspace, workspace.held)
            # Nobody finds later what counted at this moment.
            del workspace.held
            if {Action.ENTER, action} <= held:
                return cast(Workspace, workspace)
    return find(user, action, Workspace, slug=slug)


def _slug_with_rights(slug: str, person: UUID) -> QuerySet[Any]:
    held = held_by(Value(person, models.UUIDField()), "pk")
    return Workspace.objects.filter(slug=slug).order_by().annotate(held=held)


_with_rights = Compiled(_slug_with_rights, str, UUID)


def platform_actions(user: Any) -> frozenset[str]:
    """What `user` may do across the installation. Nothing through a token, or while somebody looks as them."""
    if not _is_person(user) or not narrowing.is_whole(user):
        return frozenset()
    if user.is_superuser:
        return frozenset(PlatformAction.values)
    if user.memberships.filter(group__name=PLATFORM_ADMINISTRATOR).exists():
        return PLATFORM_CHARTER.actions
    return FOR_MANAGERS if Action.MANAGE in actions_anywhere(user) else frozenset()


def may_enter_admin(user: Any, platform: frozenset[str] | None = None) -> bool:
    """Whether the admin site opens at all: for those who review, manage or audit somewhere, and the platform's.

    `platform` is their `platform_actions`, where these were asked for already.
    """
    if not _is_person(user):
        return False
    if platform_actions(user) if platform is None else platform:
        return True
    # Whoever manages has actions across the installation.
    return not actions_anywhere(user).isdisjoint({Action.REVIEW, Action.MANAGE_PEOPLE, Action.READ_TRAIL})


def is_still_open(user: User) -> Exists:
    """Whether the account of a person who was read earlier is open now, to be asked within another query."""
    return Exists(User.objects.filter(pk=user.pk, is_active=True))


def people_allowed(workspace: Workspace | OuterRef, *actions: str) -> QuerySet[User]:
    """The active people who may do each of `actions` in `workspace` (or in the one an outer row refers to)."""
    place = workspace if isinstance(workspace, OuterRef) else workspace.pk
    return User.objects.filter(pk__in=rights.people(place, *actions), is_active=True)


def holders(workspace: Workspace, role: str, *, closed: bool = False) -> QuerySet[User]:
    """The active people who hold `role` in `workspace` and are not barred from it; `closed` counts closed accounts."""
    people = User.objects.filter(pk__in=rights.holders(workspace.pk, role))
    return people if closed else people.filter(is_active=True)


# --- Broken glass; `workspaces/glass/breaking.py` has the verbs -------------------------------------------------------


def broken_glass(user: Any, workspace: Workspace) -> BreakGlass | None:
    """The superuser's stated reason to use rights without a role here, while it lasts."""
    if not _is_person(user) or not user.is_superuser:
        return None
    return _open_glass(user).filter(workspace=workspace).order_by("-until").first()


def workspaces_behind_glass(user: User) -> QuerySet[Workspace]:
    """The workspaces a superuser has stated a reason for, while it lasts."""
    if not user.is_superuser or not _glass_counts.get():
        return Workspace.objects.none()
    return Workspace.objects.filter(pk__in=_open_glass(user).values("workspace"))


def _open_glass(user: User) -> QuerySet[BreakGlass]:
    """Stated reasons that last. None of a token, of a view as another, or where the person is never to be."""
    if not user.is_active or not narrowing.is_whole(user):
        return BreakGlass.objects.none()
    against = Q(user=user) | Q(group__memberships__user=user)
    never = RoleBar.objects.filter(against, role="", workspace=OuterRef("workspace"))
    return BreakGlass.objects.filter(~Exists(never), user=user, ended_at=None, until__gt=timezone.now())


def _could_break_glass(user: Any, workspace: Workspace) -> bool:
    """Whether stating a reason would help: for a superuser in person who has not done so."""
    if not _is_person(user) or not user.is_superuser or broken_glass(user, workspace) is not None:
        return False
    return narrowing.is_whole(user)


def _use_glass(refusal: Refused, user: User, action: str, thing: models.Model, workspace: Workspace) -> None:
    """Let a superuser past `refusal` if they stated a reason for this workspace, and record that they passed."""
    glass = broken_glass(user, workspace)
    if glass is None:
        if _could_break_glass(user, workspace):
            raise ReasonNeeded(user=user, workspace=workspace, action=action, thing=thing)
        raise refusal
    with transaction.atomic():
        record(
            EventType.BREAK_GLASS,
            on=thing,
            workspace=workspace,
            by=user,
            reason=glass.reason,
            action=action,
            glass=glass.pk,
        )


@contextmanager
def _own_rights_alone() -> Iterator[None]:
    token = _glass_counts.set(False)
    try:
        yield
    finally:
        _glass_counts.reset(token)


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


def _require_of_person(user: User, action: str, thing: models.Model, *, is_known: bool) -> None:
    """`require`; `is_known` spares the question whether the person's own rights let them know of the thing."""
    workspace = _workspace_of(thing)
    refusal = _refusal(user, action, thing, workspace, is_known=is_known)
    if refusal is not None:
        _use_glass(refusal, user, action, thing, workspace)
    viewer = narrowing.viewer_of(user)
    if viewer is not None and not isinstance(thing, Workspace):
        refusal = _refusal(viewer, action, thing, workspace)
        if refusal is not None and broken_glass(viewer, workspace) is None:
            raise ViewerMayNot(user=user, workspace=workspace, action=action, thing=thing)
        if refusal is not None:
            _use_glass(refusal, viewer, action, thing, workspace)


def _refusal(
    user: User, action: str, thing: models.Model, workspace: Workspace, *, is_known: bool = False
) -> Refused | None:
    """Why the person's own rights do not reach, or None; `is_known` where they let the person know of the thing."""
    held = _held(user, workspace)
    what: dict[str, Any] = {"user": user, "workspace": workspace, "action": action, "thing": thing}
    if Action.ENTER not in held:
        return Hidden(**what)
    if not is_known and not isinstance(thing, Workspace):
        with _own_rights_alone():
            known = _known(user, type(thing)).filter(pk=thing.pk)
        if not known.exists():
            return Hidden(**what)
    return None if action in held else Forbidden(**what)


def _known(user: User, model: type[M]) -> QuerySet[M]:
    if model is not Workspace:
        return cast("QuerySet[M]", _rule(model).visible(user))
    if user.is_superuser:
        return cast("QuerySet[M]", narrowing.narrowed(user, Action.ENTER, Workspace.objects.all()))
    return cast("QuerySet[M]", workspaces_allowing(user, Action.ENTER))


def _held(user: User, workspace: Workspace) -> frozenset[str]:
    return narrowing.left_of(rights.held(user.pk, workspace.pk), user, workspace)


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


def _existing(model: type[models.Model], lookup: dict[str, Any]) -> models.Model | None:
    try:
        return model._default_manager.filter(**lookup).first()
    except (ValueError, ValidationError):
        return None


def _workspace_of(thing: models.Model) -> Workspace:
    return thing if isinstance(thing, Workspace) else _rule(type(thing)).workspace_of(thing)
