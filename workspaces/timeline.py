"""The words for the codes that entries about people, roles, tokens and documents' dates hold, and for what was changed
in a workspace, a role or a group.
"""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext_lazy, pgettext_lazy

from audit.events import EventType
from audit.timeline import Setting, fields, spoken, spoken_settings
from workspaces import charters
from workspaces.classification import Classification
from workspaces.models import CustomRole, PeopleGroup, User, Workspace
from workspaces.models.readiness import Phase, Rhythm
from workspaces.roles import PLATFORM_ADMINISTRATOR, PLATFORM_CHARTER, Action, PlatformAction

_LOOKING = gettext_lazy("change something while seeing the portal as somebody else")

#: What was refused, or done without a role, beside what roles give.
_ACTIONS: dict[str, Any] = {
    **dict(Action.choices),
    **dict(PlatformAction.choices),
    "create_token": pgettext_lazy("entry of the trail", "make an API token"),
    "revoke_token": pgettext_lazy("entry of the trail", "revoke an API token"),
    "read_token": pgettext_lazy("entry of the trail", "look at an API token"),
    "enter_admin": pgettext_lazy("entry of the trail", "open the administration"),
    **dict.fromkeys(("GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"), _LOOKING),
}
_WRONG_KIND = pgettext_lazy("entry of the trail", "it was none that ends sessions")
_INCOMPLETE = pgettext_lazy("entry of the trail", "it lacked what it must have")
_UNREADABLE = pgettext_lazy("entry of the trail", "it could not be read")
_UNCHECKED = pgettext_lazy("entry of the trail", "it could not be checked with the provider")


def role(code: str) -> str:
    """What people call a role, of this installation too."""
    return str(PLATFORM_CHARTER.label) if code == PLATFORM_ADMINISTRATOR else charters.label_of(code)


def day(stored: str) -> str:
    """A day as the reader writes it; what is none stays."""
    try:
        return date_format(date.fromisoformat(stored), "DATE_FORMAT")
    except ValueError:
        return stored


def moment(stored: str) -> str:
    """A day and time as the reader writes them; what is none stays."""
    try:
        return date_format(timezone.localtime(datetime.fromisoformat(stored)), "DATETIME_FORMAT")
    except ValueError:
        return stored


def person(stored: str) -> str:
    """The name of who has this id; what is nobody's stays."""
    try:
        found = User.objects.filter(pk=UUID(stored)).first()
    except ValueError:
        return stored
    return found.name if found else stored


spoken[EventType.MEMBER_ADDED, "role"] = spoken[EventType.MEMBER_REMOVED, "role"] = role
spoken[EventType.ACCESS_DENIED, "action"] = spoken[EventType.BREAK_GLASS, "action"] = _ACTIONS
spoken[EventType.GLASS_BROKEN, "until"] = moment
spoken[EventType.POLICY_CHANGED, "setting"] = {
    "second_factor_roles": pgettext_lazy("entry of the trail", "who needs a second factor")
}
spoken[EventType.FACTOR_ADDED, "factor"] = spoken[EventType.FACTOR_REMOVED, "factor"] = {
    "totp": pgettext_lazy("entry of the trail", "an authenticator app"),
    "webauthn": pgettext_lazy("entry of the trail", "a passkey"),
    "recovery_codes": pgettext_lazy("entry of the trail", "recovery codes"),
}
spoken[EventType.TOKEN_REFUSED, "why"] = {
    "unknown": pgettext_lazy("entry of the trail", "there is no such token"),
    "revoked": pgettext_lazy("entry of the trail", "it was revoked"),
    "expired": pgettext_lazy("entry of the trail", "it has expired"),
    "account_closed": pgettext_lazy("entry of the trail", "its person's account is closed"),
    "not_vouched": pgettext_lazy("entry of the trail", "the identity provider vouches for its person no longer"),
}
spoken[EventType.PROVIDER_SIGN_OUT_REFUSED, "fault"] = {
    **dict.fromkeys(("no_logout_token", "events", "nonce", "typ"), _WRONG_KIND),
    **dict.fromkeys(("nobody", "sub", "sid", "jti", "azp"), _INCOMPLETE),
    **dict.fromkeys(("unreadable", "ValueError"), _UNREADABLE),
    "ProviderFails": _UNCHECKED,
    "kid": _UNCHECKED,
    "replayed": pgettext_lazy("entry of the trail", "it came a second time"),
    "exp": pgettext_lazy("entry of the trail", "it had expired"),
    "stale": pgettext_lazy("entry of the trail", "it was too old"),
    "iat": pgettext_lazy("entry of the trail", "it was from a time to come"),
    "aud": pgettext_lazy("entry of the trail", "it was meant for somebody else"),
    "iss": pgettext_lazy("entry of the trail", "it was from somebody else"),
    "signature": pgettext_lazy("entry of the trail", "its signature was wrong"),
    "alg": pgettext_lazy("entry of the trail", "its signature was of a kind that is not accepted"),
}
spoken[EventType.DOCUMENT_CLASSIFIED, "before"] = dict(Classification.choices)
spoken[EventType.DOCUMENT_CLASSIFIED, "after"] = dict(Classification.choices)
spoken[EventType.DOCUMENT_CONFIRMED, "after"] = day
spoken[EventType.DOCUMENT_REVIEW_DUE, "review_on"] = day
spoken[EventType.DOCUMENT_EXPIRED, "valid_until"] = day

fields(
    EventType.WORKSPACE_CHANGED,
    Workspace,
    *("name", "description", "review_policy", "second_approver_from", "uploader_may_approve", "withhold_expired"),
)
spoken_settings[EventType.WORKSPACE_CHANGED, "archived"] = Setting(gettext_lazy("Archived"))
spoken_settings[EventType.WORKSPACE_CHANGED, "readiness_rhythm"] = Setting(
    gettext_lazy("Readiness is checked by itself"), dict(Rhythm.choices)
)
spoken_settings[EventType.WORKSPACE_CHANGED, "readiness_days"] = Setting(gettext_lazy("A go counts for, in days"))
spoken_settings[EventType.PHASE_CHANGED, ""] = Setting(gettext_lazy("Phase"), dict(Phase.choices))
for _type in (EventType.ROLE_CREATED, EventType.ROLE_CHANGED, EventType.ROLE_RETIRED):
    fields(_type, CustomRole, "name", "purpose")
    spoken_settings[_type, "actions"] = Setting(gettext_lazy("Actions"), _ACTIONS)
fields(EventType.GROUP_CHANGED, PeopleGroup, "name", "description")
_VALID_UNTIL = Setting(gettext_lazy("Valid until"), day)
spoken_settings.update(
    {
        (EventType.POLICY_CHANGED, "second_factor_roles"): Setting(gettext_lazy("Who needs a second factor"), role),
        (EventType.DOCUMENT_CLASSIFIED, ""): Setting(gettext_lazy("Classification"), dict(Classification.choices)),
        (EventType.DOCUMENT_OWNER_CHANGED, ""): Setting(gettext_lazy("Owner"), person),
        (EventType.DOCUMENT_VALIDITY_CHANGED, ""): _VALID_UNTIL,
        (EventType.DOCUMENT_CONFIRMED, ""): _VALID_UNTIL,
        (EventType.DOCUMENT_REVIEW_SET, ""): Setting(gettext_lazy("To be reviewed on"), day),
    }
)
