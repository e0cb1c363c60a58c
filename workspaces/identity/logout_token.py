"""Read a provider's logout token: whose sessions, or which one, it ends (OpenID Connect Back-Channel Logout 1.0)."""

from dataclasses import dataclass
from typing import Any

from django.conf import settings

from workspaces.identity import id_token
from workspaces.identity.id_token import Identity, TokenRefused

EVENT = "http://schemas.openid.net/event/backchannel-logout"
_KINDS = (None, "JWT", "logout+jwt")


@dataclass(frozen=True, slots=True)
class Ending:
    """What is to end: the session `sid`, or without one every session that `uid` opened."""

    jti: str
    uid: str
    sid: str


def read(token: object, *, keys: object) -> Ending:
    """What the provider ends with `token`. Raises TokenRefused. Whether it came before is the caller's to know."""
    if not isinstance(token, str):
        raise TokenRefused("no_logout_token")
    claims = id_token.verified(token, keys, need=("iss", "aud", "iat", "exp", "jti", "events"), kinds=_KINDS)
    events = claims["events"]
    if not (isinstance(events, dict) and isinstance(events.get(EVENT), dict)):
        raise TokenRefused("events")
    # An ID token has a nonce, and must not end what it was made to begin.
    if "nonce" in claims:
        raise TokenRefused("nonce")
    subject, sid = _name(claims, "sub"), _name(claims, "sid")
    if not (subject or sid):
        raise TokenRefused("nobody")
    uid = Identity(issuer=settings.OIDC_ISSUER, subject=subject).uid if subject else ""
    return Ending(jti=_name(claims, "jti", needed=True), uid=uid, sid=sid)


def _name(claims: dict[str, Any], claim: str, *, needed: bool = False) -> str:
    value = claims.get(claim, "")
    if not (isinstance(value, str) and len(value) <= 255 and (value or not needed)):
        raise TokenRefused(claim)
    return value
