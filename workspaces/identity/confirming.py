"""Whether it was confirmed lately that it is still the person who sits there, where the provider alone can say so."""

from time import time

from allauth.account.adapter import get_adapter
from allauth.account.internal.flows.login import get_authentication_records
from allauth.core.exceptions import ReauthenticationRequired
from django.conf import settings
from django.http import HttpRequest

#: The way in `AccountAdapter.get_reauthentication_methods`, and in allauth's records of the session.
METHOD = "provider"


def is_confirmed(request: HttpRequest) -> bool:
    """Whether the provider was asked just now; or something else is asked instead, which allauth sees to."""
    if [way["id"] for way in get_adapter().get_reauthentication_methods(request.user)] != [METHOD]:
        return True
    confirmed = [one["at"] for one in get_authentication_records(request, request.user) if one["method"] == METHOD]
    return bool(confirmed) and time() - confirmed[-1] < settings.ACCOUNT_REAUTHENTICATION_TIMEOUT


def require_confirmed(request: HttpRequest) -> None:
    """Send whoever has nothing but the provider to confirm there; allauth alone would ask them for nothing."""
    if request.user.is_authenticated and not is_confirmed(request):
        raise ReauthenticationRequired
