"""Who must have a second factor, and whether this session has shown one."""

from collections.abc import Collection
from typing import Any
from uuid import UUID

from allauth.mfa.models import Authenticator
from django.conf import settings
from django.contrib.sessions.backends.base import SessionBase
from django.db.models import Q
from django.http import HttpRequest

from workspaces.models import Membership, PlatformPolicy, User
from workspaces.roles import PLATFORM_ADMINISTRATOR

#: What counts. Recovery codes come with one of these and end with it.
FACTORS = (Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN)
_SHOWN = "second_factor_of"


def is_missing(request: HttpRequest, *, in_admin: bool) -> bool:
    """Whether this person may go on only after setting up a second factor.

    Where the admin wants one, whoever stands above the workspaces needs it on every page: what the admin keeps behind
    it, such as breaking glass, is not to be had in the portal with a password alone. A query or two, or none when the
    session has shown a factor already.
    """
    if has_shown(request.session, request.user):
        return False
    if settings.SECOND_FACTOR_FOR_ADMIN and (in_admin or request.user.is_superuser):
        return True
    codes = list(PlatformPolicy.objects.values_list("second_factor_roles", flat=True).first() or [])
    if settings.SECOND_FACTOR_FOR_ADMIN:
        codes.append(PLATFORM_ADMINISTRATOR)
    return bool(codes) and _holds_one_of(request.user, codes)


def has_shown(session: SessionBase, user: User) -> bool:
    """Whether this session has shown a second factor of `user`."""
    return session.get(_SHOWN) == str(user.pk)


def note_shown(session: SessionBase, user: User) -> None:
    """This session has shown a second factor of `user`, or has just set one up."""
    session[_SHOWN] = str(user.pk)


def note_removed(session: SessionBase, user: User) -> None:
    """A factor was removed; with the last one, what the session has shown counts no longer."""
    if not has_factor(user):
        session.pop(_SHOWN, None)


def has_factor(user: User) -> bool:
    return Authenticator.objects.filter(user=user, type__in=FACTORS).exists()


def with_factor(people: Collection[UUID]) -> set[UUID]:
    """Those of the people with these ids who have set one up. One query."""
    return set(Authenticator.objects.filter(user__in=people, type__in=FACTORS).values_list("user", flat=True))


def _holds_one_of(user: Any, codes: list[str]) -> bool:
    held = Q(group__workspace_role__role__in=codes)
    if PLATFORM_ADMINISTRATOR in codes:
        held |= Q(group__name=PLATFORM_ADMINISTRATOR)
    return Membership.objects.filter(held, user=user).exists()
