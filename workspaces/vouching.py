"""How long the identity provider's word about a person counts where nobody signs in: for the tokens of the API.

The provider speaks at a sign-in alone. What it gave, and an account that only it opens, would else last as long as a
token does, whatever became of the person in the directory.
"""

from datetime import datetime

from django.conf import settings
from django.utils import timezone

from workspaces.models import User

#: In what is kept of a link (`SocialAccount.extra_data`): when the person's groups were last applied.
VOUCHED_AT = "vouched_at"
#: What `has_lapsed` reads of a person, to be fetched for many at once.
READ = ("memberships", "socialaccount_set", "authenticator_set")
#: How django-allauth writes it, which is spoken to in `identity` alone.
_PASSKEY = "webauthn"


def has_lapsed(user: User) -> bool:
    """Whether what `user` holds, or their only way in, rests on a word of the provider that is too old or was never.

    It does where local sign-in is off, where the provider gave a place, and where somebody linked to it has neither a
    password nor a passkey here, whoever gave the roles: the directory alone says whether that person is still there.
    """
    is_given = any(place.source for place in user.memberships.all())
    if settings.LOCAL_SIGN_IN and not is_given and not _has_only_the_provider(user):
        return False
    told_at = vouched_at(user)
    return told_at is None or timezone.now() - told_at > settings.VOUCHED_FOR


def _has_only_the_provider(user: User) -> bool:
    # In the order of what it costs: nothing, for most people.
    if user.has_usable_password():
        return False
    if not any(link.provider == settings.OIDC_PROVIDER for link in user.socialaccount_set.all()):
        return False
    return not any(factor.type == _PASSKEY for factor in user.authenticator_set.all())


def vouched_at(user: User) -> datetime | None:
    """When the provider of the settings last vouched for `user`, if it ever did and they are still linked."""
    for link in user.socialaccount_set.all():
        if link.provider == settings.OIDC_PROVIDER and VOUCHED_AT in link.extra_data:
            return datetime.fromisoformat(link.extra_data[VOUCHED_AT])
    return None
