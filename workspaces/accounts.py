"""The verbs that change an account: each checked, atomic and in the trail."""

from typing import Any

from django.conf import settings
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from audit.events import EventType
from audit.record import record
from workspaces import access, members
from workspaces.exceptions import Forbidden, MembershipError
from workspaces.models import User
from workspaces.roles import PlatformAction
from workspaces.tokens import keeping as tokens

#: What may be changed of an account; its user name stays, because the trail knows it by that.
CHANGEABLE = ("first_name", "last_name", "email", "is_active")


@transaction.atomic
def change_account(user: User, *, by: User, **changes: Any) -> User:
    """Change names, e-mail address, or whether the account opens at all.

    A deactivated account is refused at its next request, whatever session it holds. Raises MembershipError for a
    value that cannot be, and for closing one's own account or the last platform administrator's; Forbidden when the
    account is a superuser's and `by` is none.
    """
    access.require(by, PlatformAction.MANAGE_ACCOUNTS, None)
    unknown = set(changes) - set(CHANGEABLE)
    if unknown:
        raise MembershipError(_("This cannot be changed here: %(list)s.") % {"list": ", ".join(sorted(unknown))})
    user = User.objects.select_for_update(no_key=True).get(pk=user.pk)
    require_not_above(user, by)
    changed = {field: value for field, value in changes.items() if value != getattr(user, field)}
    if not changed:
        return user
    if changed.get("is_active") is False:
        _require_may_close(user, by)
    for field, value in changed.items():
        setattr(user, field, value)
    try:
        user.full_clean(exclude=["password"])
    except ValidationError as error:
        raise MembershipError(" ".join(error.messages)) from error
    user.save(update_fields=list(changed))
    # Names and addresses are personal: the trail says that they changed, not to what.
    details = {"is_active": user.is_active} if "is_active" in changed else {}
    record(EventType.USER_CHANGED, on=user, by=by, changed=sorted(changed), **details)
    return user


@transaction.atomic
def set_password(user: User, password: str, *, by: User) -> None:
    """Give the account another password, which ends its sessions. Everybody may change their own.

    One given by somebody else ends the person's API tokens too: it is what one does against an intruder.

    Raises MembershipError for a password the rules refuse and where none opens anything (the emergency account's is
    the operator's to change), and Forbidden as `change_account`.
    """
    if by.pk != user.pk:
        access.require(by, PlatformAction.MANAGE_ACCOUNTS, None)
    require_not_above(user, by)
    if not settings.LOCAL_SIGN_IN:
        raise MembershipError(_("Passwords open nothing here: people sign in through the identity provider."))
    try:
        validate_password(password, user)
    except ValidationError as error:
        raise MembershipError(" ".join(error.messages)) from error
    user.set_password(password)
    user.save(update_fields=["password"])
    if by.pk != user.pk:
        tokens.revoke_all(user, by=by)
    record(EventType.USER_CHANGED, on=user, by=by, changed=["password"])


def require_not_above(user: User, by: User) -> None:
    """Whoever could set a superuser's password or address could sign in as them."""
    if user.is_superuser and not by.is_superuser:
        raise Forbidden(user=by, action=PlatformAction.MANAGE_ACCOUNTS, thing=user)


def _require_may_close(user: User, by: User) -> None:
    if user.pk == by.pk:
        raise MembershipError(_("You cannot deactivate your own account. Ask another platform administrator."))
    members.require_other_administrator(user)
