"""Whose account a provider's identity opens: known, made at a first sign-in, linked and unlinked by its owner.

An identity is issuer and subject. It opens one account, and an account is opened by one identity; names and e-mail
addresses link nothing.
"""

from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from audit.events import EventType
from audit.record import record
from workspaces import claim_rules
from workspaces.exceptions import LinkError
from workspaces.identity.id_token import OK, Identity
from workspaces.models import User
from workspaces.tokens.vouching import VOUCHED_AT


def of(user: User) -> SocialAccount | None:
    """The provider's identity that opens this account, if there is one."""
    return SocialAccount.objects.filter(provider=settings.OIDC_PROVIDER, user=user).first()


def known(identity: Identity) -> SocialAccount | None:
    """The account this identity opens, if there is one."""
    linked = SocialAccount.objects.filter(provider=settings.OIDC_PROVIDER, uid=identity.uid)
    return linked.select_related("user").first()


def attach(identity: Identity, user: User) -> SocialAccount:
    """Let this identity open the account from now on. Raises IntegrityError when it opens another."""
    return SocialAccount.objects.create(
        user=user,
        provider=settings.OIDC_PROVIDER,
        uid=identity.uid,
        extra_data={"iss": identity.issuer, "sub": identity.subject},
    )


def vouched(account: SocialAccount, identity: Identity) -> None:
    """Give the person exactly the places that their groups at the provider give, and tell the trail."""
    user = account.user
    account.extra_data = {"iss": identity.issuer, "sub": identity.subject, VOUCHED_AT: timezone.now().isoformat()}
    account.save(update_fields=["extra_data"])
    change = claim_rules.recompute(
        user, provider=settings.OIDC_PROVIDER, claimed=identity.groups, is_told=identity.claim == OK
    )
    record(
        EventType.PROVIDER_VOUCHED,
        on=user,
        issuer=identity.issuer,
        claim=identity.claim,
        groups=len(identity.groups),
        given=change.given,
        taken=change.taken,
        second_factor=identity.second_factor,
    )


def link(user: User, identity: Identity) -> None:
    """Let this identity open the person's own account, and give what its groups give.

    Raises LinkError when it opens another account already, or another identity opens this one.
    """
    try:
        _link(user, identity)
    except IntegrityError as error:
        raise LinkError(_opens_another()) from error


def unlink(user: User) -> None:
    """End the link, and at once every place that the provider gave, but for those that never rules rest on.

    Raises LinkError when no other way in remains.
    """
    with transaction.atomic():
        user = User.objects.select_for_update(no_key=True).get(pk=user.pk)
        account = of(user)
        if account is None:
            raise LinkError(_("Your account is not linked."))
        if not opens_otherwise(user):
            raise LinkError(_("It is the only way into your account. Ask an administrator for a password first."))
        account.delete()
        change = claim_rules.let_go(user, provider=settings.OIDC_PROVIDER)
        record(EventType.PROVIDER_UNLINKED, on=user, by=user, taken=change.taken, kept_by_hand=change.given)


def opens_otherwise(user: User) -> bool:
    """Whether the account opens without the provider: with a password, or a passkey that needs none."""
    if not settings.LOCAL_SIGN_IN:
        return False
    passkeys = Authenticator.objects.filter(user=user, type=Authenticator.Type.WEBAUTHN)
    return user.has_usable_password() or any(one.wrap().is_passwordless for one in passkeys)


@transaction.atomic
def _link(user: User, identity: Identity) -> None:
    user = User.objects.select_for_update(no_key=True).get(pk=user.pk)
    there = known(identity)
    if there is not None:
        raise LinkError(_("Your account is linked already.") if there.user_id == user.pk else _opens_another())
    if of(user) is not None:
        raise LinkError(_("Your account is linked to another identity. Remove that link first."))
    account = attach(identity, user)
    record(EventType.PROVIDER_LINKED, on=user, by=user, issuer=identity.issuer)
    vouched(account, identity)


def _opens_another() -> str:
    return _("This identity opens another account here already. Ask an administrator.")
