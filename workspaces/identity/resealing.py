"""Seal every stored secret with the newest key, so that an older one can be thrown away."""

from collections.abc import Callable
from typing import Any

from allauth.mfa.models import Authenticator
from django.db import transaction

from audit.events import EventType
from audit.record import record
from workspaces.secrets import reseal

#: What allauth hands to our adapter to be sealed, by its name in a factor's data.
_SEALED = ("secret", "seed")
#: How the apps above seal what they keep, and tell how many there were; they add themselves when they load.
others: list[Callable[[], int]] = []


@transaction.atomic
def reseal_all() -> int:
    """Seal every stored secret with the first of INLOCK_ENCRYPTION_KEYS; returns how many there were.

    Raises CannotUnseal, having changed nothing, when one does not open with any of the keys.
    """
    count = 0
    for factor in Authenticator.objects.select_for_update(no_key=True).order_by("pk"):
        data, sealed = _resealed(factor.data)
        if sealed:
            # Not save(): that would tell the trail of a factor added.
            Authenticator.objects.filter(pk=factor.pk).update(data=data)
            count += sealed
    count += sum(reseal_others() for reseal_others in others)
    record(EventType.SECRETS_RESEALED, secrets=count)
    return count


def _resealed(data: dict[str, Any]) -> tuple[dict[str, Any], int]:
    renewed = {name: reseal(data[name]) for name in _SEALED if data.get(name)}
    codes = [reseal(code) for code in data.get("migrated_codes", ())]
    if codes:
        renewed["migrated_codes"] = codes
    return data | renewed, len(renewed)
