"""The key that seals secrets is replaced: new key in front, `reseal`, old key away."""

import io
import json

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP
from cryptography.fernet import Fernet
from django.core.management import call_command
from django.core.management.base import CommandError

from audit.events import EventType
from audit.models import Event
from workspaces.exceptions import CannotUnseal
from workspaces.secrets import unseal

pytestmark = pytest.mark.django_db


@pytest.fixture
def codes(member) -> list[str]:
    """The recovery codes of a person with an app, whose secret is `SECRET`."""
    TOTP.activate(member, "SECRET")
    return RecoveryCodes.activate(member).get_unused_codes()


def _secret(user) -> str:
    return unseal(Authenticator.objects.get(user=user, type="totp").data["secret"])


def test_after_it_the_new_key_alone_opens_everything(codes, member, settings):
    (old,) = settings.INLOCK_ENCRYPTION_KEYS
    new = Fernet.generate_key().decode()
    settings.INLOCK_ENCRYPTION_KEYS = [new, old]
    added = Event.objects.filter(type=EventType.FACTOR_ADDED).count()

    out = io.StringIO()
    call_command("reseal", "--json", stdout=out)

    settings.INLOCK_ENCRYPTION_KEYS = [new]
    assert json.loads(out.getvalue()) == {"resealed": 2}
    assert _secret(member) == "SECRET"
    recovery = Authenticator.objects.get(user=member, type="recovery_codes").wrap()
    assert recovery.get_unused_codes() == codes
    assert Event.objects.filter(type=EventType.FACTOR_ADDED).count() == added
    assert '"secrets":2' in Event.objects.get(type=EventType.SECRETS_RESEALED).body


def test_without_it_the_new_key_alone_opens_nothing(codes, member, settings):
    settings.INLOCK_ENCRYPTION_KEYS = [Fernet.generate_key().decode()]

    with pytest.raises(CannotUnseal):
        _secret(member)


def test_a_secret_that_does_not_open_stops_it_before_anything_is_changed(codes, member, settings):
    before = list(Authenticator.objects.order_by("pk").values_list("data", flat=True))
    settings.INLOCK_ENCRYPTION_KEYS = [Fernet.generate_key().decode()]

    with pytest.raises(CommandError, match="INLOCK_ENCRYPTION_KEYS"):
        call_command("reseal")

    assert list(Authenticator.objects.order_by("pk").values_list("data", flat=True)) == before
    assert not Event.objects.filter(type=EventType.SECRETS_RESEALED).exists()
