"""How long the identity provider's word about a person counts where nobody signs in: for the tokens of the API.

The provider speaks at a sign-in alone. What it gave, and an account that only it opens, would else last as long as a
token does, whatever became of the person in the directory.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Exists, OuterRef
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import JSONObject
from django.utils import timezone

from workspaces.models import User

#: In what is kept of a link (`SocialAccount.extra_data`): when the person's groups were last applied.
VOUCHED_AT = "vouched_at"
#: What `has_lapsed` reads of a person, to be fetched for many at once.
READ = ("memberships", "socialaccount_set", "authenticator_set")
#: How django-allauth writes it, which is spoken to in `identity` alone.
_PASSKEY = "webauthn"


@dataclass(frozen=True, slots=True)
class Word:
    """What the provider gave a person, and how they are tied to it."""

    #: Whether a place of theirs came from the provider.
    is_given: bool
    #: `{"provider": …, "told_at": …}` of each link; when it last vouched for them, in ISO 8601, or None.
    links: Sequence[dict[str, str | None]]
    has_passkey: bool

    def vouched_at(self) -> datetime | None:
        """When the provider of the settings last vouched for the person, if it ever did and they are still linked."""
        for link in self.links:
            if link["provider"] == settings.OIDC_PROVIDER and link["told_at"]:
                return datetime.fromisoformat(link["told_at"])
        return None


def word_with(person: str) -> dict[str, Any]:
    """What to read with a row about the person in its field `person`, for `Word` right after."""
    of_person = {"user": OuterRef(person)}
    places = User._meta.get_field("memberships").related_model._default_manager
    links = User._meta.get_field("socialaccount").related_model._default_manager
    factors = User._meta.get_field("authenticator").related_model._default_manager
    told = JSONObject(provider="provider", told_at=KeyTextTransform(VOUCHED_AT, "extra_data"))
    return {
        "is_given": Exists(places.filter(**of_person).exclude(source="")),
        "links": ArraySubquery(links.filter(**of_person).order_by("pk").values(one=told)),
        "has_passkey": Exists(factors.filter(type=_PASSKEY, **of_person)),
    }


def has_lapsed(user: User, word: Word | None = None) -> bool:
    """Whether what `user` holds, or their only way in, rests on a word of the provider that is too old or was never.

    It does where local sign-in is off, where the provider gave a place, and where somebody linked to it has neither a
    password nor a passkey here, whoever gave the roles: the directory alone says whether that person is still there.
    `word` None is read here.
    """
    word = word or _word_of(user)
    if settings.LOCAL_SIGN_IN and not word.is_given and not _has_only_the_provider(user, word):
        return False
    told_at = word.vouched_at()
    return told_at is None or timezone.now() - told_at > settings.VOUCHED_FOR


def vouched_at(user: User) -> datetime | None:
    """When the provider of the settings last vouched for `user`, if it ever did and they are still linked."""
    return _word_of(user).vouched_at()


def _has_only_the_provider(user: User, word: Word) -> bool:
    if user.has_usable_password() or word.has_passkey:
        return False
    return any(link["provider"] == settings.OIDC_PROVIDER for link in word.links)


def _word_of(user: User) -> Word:
    """From what was fetched with `READ`, else in three statements."""
    return Word(
        is_given=any(place.source for place in user.memberships.all()),
        links=[
            {"provider": link.provider, "told_at": link.extra_data.get(VOUCHED_AT)}
            for link in user.socialaccount_set.all()
        ],
        has_passkey=any(factor.type == _PASSKEY for factor in user.authenticator_set.all()),
    )
