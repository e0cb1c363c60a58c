"""Take away the second factors of somebody who has lost them."""

from allauth.mfa.models import Authenticator
from django.db import transaction
from django.db.models import Exists, OuterRef

from workspaces import access, accounts
from workspaces.identity import sessions
from workspaces.identity.requirement import FACTORS
from workspaces.models import User
from workspaces.roles import PlatformAction
from workspaces.tokens import keeping as tokens


@transaction.atomic
def remove_all(user: User, *, by: User | None) -> list[str]:
    """Remove every second factor and recovery code of `user`, and end their sessions and tokens. Says what was removed.

    `by` None is the operator. Raises Forbidden as `accounts.set_password` does, of which this is the twin: whoever
    may give another password may also help out of a lost phone.
    """
    if by is not None:
        access.require(by, PlatformAction.MANAGE_ACCOUNTS, None)
        accounts.require_not_above(user, by)
    tokens.revoke_all(user, by=by)
    held = list(Authenticator.objects.filter(user=user).order_by("pk"))
    # One by one: each removal is told to the trail.
    for factor in held:
        factor.delete()
    sessions.end_all(user)
    return [factor.type for factor in held]


def kinds(user: User) -> list[str]:
    """What the person holds: `totp`, `webauthn` once for each passkey, `recovery_codes`."""
    return list(Authenticator.objects.filter(user=user).order_by("pk").values_list("type", flat=True))


def held_by(user: OuterRef) -> Exists:
    """Whether the person an outer row refers to has a second factor, for lists."""
    return Exists(Authenticator.objects.filter(user=user, type__in=FACTORS))
