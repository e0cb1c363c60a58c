"""API tokens: the credential of a program that acts for a person, never wider than they are.

The token itself is shown once and kept nowhere; its row is found by its SHA-256. What it may do is what it was given
and the person holds at that moment: `workspaces.access` narrows every question to the scope of the token that asks.
"""

import secrets
from collections.abc import Iterable
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib.postgres.expressions import ArraySubquery
from django.db import transaction
from django.db.models import OuterRef, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from audit import context
from audit.chain import digest
from audit.events import EventType
from audit.record import record
from workspaces import access
from workspaces.compiled import Compiled
from workspaces.exceptions import Forbidden, Hidden, TokenError, TokenRefused
from workspaces.models import ApiToken, User, Workspace
from workspaces.roles import Action, PlatformAction
from workspaces.tokens import vouching

MARK = "inl_"
DEFAULT_DAYS = 90
#: Characters by which a person recognises a token; 32 random bytes make 43.
_SHOWN = 12
_USE_IS_NOTED_EVERY = timedelta(minutes=1)

#: What a token may be given, each with what it is of no use without. Every token may see that its workspaces exist.
OFFERED: dict[Action, frozenset[Action]] = {
    # An answer quotes documents, and is shown only to those who may open them.
    Action.ASK: frozenset({Action.OPEN}),
    Action.OPEN: frozenset(),
    # Who brings a document waits until it is read, and learns why it was not.
    Action.ADD: frozenset({Action.OPEN}),
    Action.MANAGE_DOCUMENTS: frozenset({Action.OPEN}),
}


@transaction.atomic
def create(
    *, by: User, name: str, workspaces: Iterable[Workspace], actions: Iterable[str], days: int = DEFAULT_DAYS
) -> tuple[ApiToken, str]:
    """A token for `by` themselves, and its text, which is told this once.

    Raises TokenError for a scope or a lifetime that is not to be had, Hidden for a workspace `by` may not enter, and
    Forbidden to a token that would make another and to who only looks as `by`.
    """
    acting = context.current()
    if acting.scope is not None or acting.viewer is not None:
        raise Forbidden(user=by, action="create_token")
    scope, wanted = list(workspaces), set(actions)
    for workspace in scope:
        access.require(by, Action.ENTER, workspace)
    _check(name, scope, wanted, days)
    text = MARK + secrets.token_urlsafe(32)
    token = ApiToken.objects.create(
        user=by,
        name=name.strip(),
        prefix=text[:_SHOWN],
        sha256=digest(text),
        actions=sorted({Action.ENTER, *wanted}.union(*(OFFERED[Action(action)] for action in wanted))),
        expires_at=timezone.now() + timedelta(days=days),
    )
    token.workspaces.set(scope)
    record(
        EventType.TOKEN_CREATED,
        on=token,
        by=by,
        workspaces=sorted(str(workspace.pk) for workspace in scope),
        actions=token.actions,
        expires_at=token.expires_at.isoformat(),
    )
    return token, text


@transaction.atomic
def revoke_all(user: User, *, by: User | None) -> None:
    """End every token of `user` that is still open; raises as `revoke`."""
    still_open = ApiToken.objects.select_for_update(no_key=True).filter(user=user, revoked_at=None)
    # All rows before the first entry: the chain is locked last, here as everywhere.
    for token in list(still_open.order_by("pk")):
        revoke(token, by=by)


@transaction.atomic
def revoke(token: ApiToken, *, by: User | None) -> None:
    """End a token: one's own, anybody's for platform administrators and the operator (`by` None). Twice is once.

    Raises Hidden for a token that is somebody else's.
    """
    if by is not None and by.pk != token.user_id and PlatformAction.MANAGE_ACCOUNTS not in access.platform_actions(by):
        raise Hidden(user=by, action="revoke_token")
    token = ApiToken.objects.select_for_update(no_key=True, of=("self",)).select_related("user").get(pk=token.pk)
    if token.revoked_at is not None:
        return
    token.revoked_at, token.revoked_by = timezone.now(), by
    token.save(update_fields=["revoked_at", "revoked_by"])
    record(EventType.TOKEN_REVOKED, on=token, by=by, user=token.user_id)


def own(user: User) -> QuerySet[ApiToken]:
    """The tokens of `user`, the newest first."""
    return _tokens().filter(user=user)


def find_own(user: User, pk: object) -> ApiToken:
    """One token of `user`. Raises Hidden for anybody else's as for one that never was."""
    token = own(user).filter(pk=pk).first()
    if token is None:
        raise Hidden(user=user, action="read_token")
    return token


# --- Use ----------------------------------------------------------------------------------------------------


def authenticate(text: str) -> ApiToken:
    """The token that `text` is, its person with it; the use is noted. Raises TokenRefused."""
    found = _by_digest(digest(text)) if text.startswith(MARK) else []
    token: ApiToken | None = found[0] if found else None
    if token is None:
        raise TokenRefused("unknown")
    why = fault_of(token)
    if why:
        raise TokenRefused(why, token)
    _note_use(token)
    return token


def still_open(pk: UUID) -> ApiToken | None:
    """The token as it is now, if it may still be used; for what goes on after the request that it came with."""
    found = _by_id(pk)
    return found[0] if found and not fault_of(found[0]) else None


def fault_of(token: ApiToken) -> str:
    """Why the token may not be used now: `revoked`, `expired`, `account_closed`, `not_vouched`, or "" when it may."""
    if token.revoked_at is not None:
        return "revoked"
    if token.expires_at <= timezone.now():
        return "expired"
    if not token.user.is_active:
        return "account_closed"
    return "not_vouched" if vouching.has_lapsed(token.user, _word_with(token)) else ""


def scope_of(token: ApiToken) -> context.Scope:
    """What the token leaves of its person's rights, for the door; of one that is in use, as it was read for that."""
    reach = getattr(token, "reach", None)
    if reach is None:
        reach = token.workspaces.values_list("pk", flat=True)
    return context.Scope(frozenset(reach), frozenset(token.actions), token=str(token.pk))


# --- Inside -------------------------------------------------------------------------------------------------


def _in_use(**lookup: Any) -> QuerySet[Any]:
    """A token, its person, and all that a use asks of them."""
    reach = ApiToken.workspaces.through.objects.filter(apitoken=OuterRef("pk")).order_by().values("workspace")
    read = ApiToken.objects.select_related("user").filter(**lookup).order_by()
    return read.annotate(reach=ArraySubquery(reach), **vouching.word_with("user"))


_by_digest = Compiled(lambda sha256: _in_use(sha256=sha256), str)
_by_id = Compiled(lambda pk: _in_use(pk=pk), UUID)


def _word_with(token: ApiToken) -> vouching.Word | None:
    """What was read with a token that is in use; None of others."""
    if not hasattr(token, "links"):
        return None
    return vouching.Word(token.is_given, token.links, token.has_passkey)  # type: ignore[attr-defined]


def _tokens() -> QuerySet[ApiToken]:
    read = (f"user__{name}" for name in vouching.READ)
    return ApiToken.objects.select_related("user").prefetch_related("workspaces", *read)


def _check(name: str, workspaces: list[Workspace], actions: set[str], days: int) -> None:
    if not name.strip():
        raise TokenError(_("Give the token a name, such as the program that will use it."))
    if not workspaces:
        raise TokenError(_("Choose at least one workspace."))
    if not actions:
        raise TokenError(_("Choose what the token may do."))
    if beyond := sorted(actions - set(OFFERED)):
        raise TokenError(_("A token cannot be given this: %(list)s.") % {"list": ", ".join(beyond)})
    if not 1 <= days <= settings.TOKEN_MAX_DAYS:
        raise TokenError(_("A token lasts from 1 to %(most)d days.") % {"most": settings.TOKEN_MAX_DAYS})


def _note_use(token: ApiToken) -> None:
    """Note the time, at most once a minute, and the first use in the trail."""
    now = timezone.now()
    rows = ApiToken.objects.filter(pk=token.pk)
    if token.last_used_at is not None:
        if now - token.last_used_at >= _USE_IS_NOTED_EVERY:
            rows.filter(Q(last_used_at__lt=now)).update(last_used_at=now)
        return
    with transaction.atomic():
        # Of two first uses at once one is the first.
        if rows.filter(last_used_at=None).update(last_used_at=now):
            record(EventType.TOKEN_USED, on=token, by=token.user)
