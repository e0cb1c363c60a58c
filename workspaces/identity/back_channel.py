"""Where the provider says that somebody signed out there: their sessions that it opened end here."""

from allauth.usersessions.adapter import get_adapter
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.db import transaction
from django.db.models import Q
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from audit.events import EventType
from audit.record import record
from workspaces.identity import endings, logout_token, throttle
from workspaces.identity.id_token import TokenRefused
from workspaces.identity.logout_token import Ending
from workspaces.identity.provider_http import ProviderFails
from workspaces.identity.single_sign_on import Exchange, require_provider_id
from workspaces.models import User

#: In what allauth keeps of a session (`UserSession.data`): the identity and the provider's own id it was opened with.
UID, SID = "provider_uid", "provider_sid"


# No browser sends it and no cookie counts: the token's signature is all there is to believe.
@csrf_exempt
@login_not_required
@require_POST
def sign_out(request: HttpRequest, provider_id: str) -> HttpResponse:
    """Take a logout token, and answer when the sessions have ended. Refusals are counted by address."""
    require_provider_id(provider_id)
    attempt = throttle.Attempt(throttle.by_address(request))
    try:
        ending = logout_token.read(request.POST.get("logout_token"), keys=Exchange(request, provider_id).keys())
    except (TokenRefused, ProviderFails, ValueError) as error:
        return _refused(getattr(error, "fault", type(error).__name__))
    if throttle.is_spent(settings.OIDC_ISSUER, ending.jti):
        return _refused("replayed")
    # First, so that a sign-in that comes about meanwhile is either told or found; and spent last, since a token that
    # ended nothing is sent again.
    endings.note(ending)
    end(ending)
    throttle.first_use(settings.OIDC_ISSUER, ending.jti)
    attempt.succeeded()
    return HttpResponse()


@transaction.atomic
def end(ending: Ending) -> int:
    """End the sessions that are meant; how many there were. Tokens of the API, which nobody signed in with, go on."""
    meant = Q(**{f"data__{UID}": ending.uid}) if ending.uid else Q()
    if ending.sid:
        # What the provider did not name when it opened it may be the session that it names now.
        unnamed = Q(**{f"data__{SID}": ""}) if ending.uid else Q()
        meant &= Q(**{f"data__{SID}": ending.sid}) | unnamed
    sessions = list(UserSession.objects.filter(meant).select_related("user").order_by("pk"))
    for user_id in sorted({session.user_id for session in sessions}, key=str):
        theirs = sum(session.user_id == user_id for session in sessions)
        record(EventType.PROVIDER_SIGNED_OUT, on=User.objects.get(pk=user_id), sessions=theirs)
    get_adapter().end_sessions(sessions)
    return len(sessions)


def _refused(fault: str) -> HttpResponse:
    with transaction.atomic():
        record(EventType.PROVIDER_SIGN_OUT_REFUSED, fault=fault)
    return JsonResponse({"error": "invalid_request", "error_description": fault}, status=400)
