"""Read the identity provider's ID token: who it vouches for, and which groups it names.

Every check of OpenID Connect Core 3.1.3.7 that applies is made here, the signature included: that the token came
straight from the provider is no reason to believe an unsigned one.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from hmac import compare_digest
from time import time
from typing import Any

import jwt
from django.conf import settings

#: Signatures that need the provider's private key; never one made with a shared secret, never none.
ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
#: Seconds two clocks may differ, and the age at which a token is stale: it was made for this very sign-in.
LEEWAY = 60
OLDEST = 600
#: More groups than any person is in; a longer list is a mistake or an attack, and gives nothing.
MOST_GROUPS = 5000

OK, MISSING, MALFORMED = "ok", "missing", "malformed"


class TokenRefused(Exception):
    """The token proves nothing; `fault` is a short code for the trail."""

    def __init__(self, fault: str) -> None:
        super().__init__(fault)
        self.fault = fault


@dataclass(frozen=True, slots=True)
class Identity:
    """One person as the provider vouches for them now."""

    issuer: str
    subject: str
    groups: frozenset[str] = frozenset()
    #: `ok`, `missing` or `malformed`: what became of the groups claim. Unless it is ok there are no groups.
    claim: str = OK
    second_factor: bool = False
    #: The provider's own name of the session, and when the person showed there who they are; empty and 0 if untold.
    session: str = ""
    authenticated_at: float = 0
    username: str = ""
    name: str = ""
    email: str = ""

    @property
    def uid(self) -> str:
        """By which the account is known: issuer and subject together, whatever either of them looks like."""
        return hashlib.sha256(json.dumps([self.issuer, self.subject]).encode()).hexdigest()


def read(token: object, *, keys: object, nonce: object) -> Identity:
    """The person whom `token` vouches for; `keys` is the provider's JWK set. Raises TokenRefused."""
    if not isinstance(token, str):
        raise TokenRefused("no_id_token")
    claims = verified(token, keys, need=("iss", "sub", "aud", "exp", "iat"))
    if not (isinstance(nonce, str) and nonce and compare_digest(str(claims.get("nonce", "")).encode(), nonce.encode())):
        raise TokenRefused("nonce")
    if claims.get("azp", settings.OIDC_CLIENT_ID) != settings.OIDC_CLIENT_ID:
        raise TokenRefused("azp")
    subject = claims["sub"]
    if not (0 < len(subject) <= 255 and subject.isascii() and subject.isprintable()):
        raise TokenRefused("sub")
    groups, state = _groups(claims)
    return Identity(
        issuer=settings.OIDC_ISSUER,
        subject=subject,
        groups=groups,
        claim=state,
        second_factor=_has_second_factor(claims),
        session=_session(claims),
        authenticated_at=_seconds(claims.get("auth_time")),
        username=_text(claims, "preferred_username"),
        name=_text(claims, "name"),
        email=_text(claims, "email"),
    )


def _key(token: str, keys: object, kinds: Sequence[str | None]) -> jwt.PyJWK:
    try:
        header = jwt.get_unverified_header(token)
        usable = [key for key in jwt.PyJWKSet.from_dict(keys).keys if key.public_key_use in (None, "sig")]  # type: ignore[arg-type]
    except (jwt.PyJWTError, AttributeError, TypeError, ValueError, RecursionError) as error:
        raise TokenRefused("unreadable") from error
    if kinds and header.get("typ") not in kinds:
        raise TokenRefused("typ")
    if header.get("alg") not in ALGORITHMS:
        raise TokenRefused("alg")
    named = [key for key in usable if key.key_id == header.get("kid")] if "kid" in header else usable
    if len(named) != 1:
        raise TokenRefused("kid")
    return named[0]


def verified(token: str, keys: object, *, need: Sequence[str], kinds: Sequence[str | None] = ()) -> dict[str, Any]:
    """The claims of a token that the provider signed for us just now. Raises TokenRefused.

    `need` are the claims it must have, `kinds` the values of `typ` it may have; any, without.
    """
    key = _key(token, keys, kinds)
    # That of the key, not of the token's header: a public key must not be used as a shared secret.
    algorithms = [key.algorithm_name] if key.algorithm_name in ALGORITHMS else []
    try:
        claims = jwt.decode(
            token,
            key,
            algorithms=algorithms,
            audience=settings.OIDC_CLIENT_ID,
            issuer=settings.OIDC_ISSUER,
            leeway=LEEWAY,
            options={"require": list(need)},
        )
    except (jwt.PyJWTError, RecursionError) as error:
        raise TokenRefused(_FAULTS.get(type(error), "unreadable")) from error
    if time() - claims["iat"] > OLDEST + LEEWAY:
        raise TokenRefused("stale")
    return claims


_FAULTS: dict[type[Exception], str] = {
    jwt.ExpiredSignatureError: "exp",
    jwt.InvalidAudienceError: "aud",
    jwt.InvalidIssuerError: "iss",
    jwt.InvalidSignatureError: "signature",
    jwt.ImmatureSignatureError: "iat",
    jwt.InvalidAlgorithmError: "alg",
}


def _groups(claims: dict[str, Any]) -> tuple[frozenset[str], str]:
    """The groups, and what became of the claim. Anything but a list of texts gives no group at all."""
    if settings.OIDC_GROUPS_CLAIM not in claims:
        return frozenset(), MISSING
    told = claims[settings.OIDC_GROUPS_CLAIM]
    if not isinstance(told, list) or len(told) > MOST_GROUPS or not all(_is_text(one) for one in told):
        return frozenset(), MALFORMED
    return frozenset(told), OK


def _has_second_factor(claims: dict[str, Any]) -> bool:
    methods = claims.get("amr")
    shown = {claims.get("acr")} if isinstance(claims.get("acr"), str) else set()
    if isinstance(methods, list):
        shown |= {one for one in methods if isinstance(one, str)}
    return bool(shown & set(settings.OIDC_SECOND_FACTOR))


def _session(claims: dict[str, Any]) -> str:
    told = claims.get("sid")
    return told if _is_text(told) and len(told) <= 255 else ""


def _seconds(told: object) -> float:
    return float(told) if isinstance(told, (int, float)) and not isinstance(told, bool) else 0


def _text(claims: dict[str, Any], name: str) -> str:
    value = claims.get(name)
    return value.strip()[:150] if _is_text(value) else ""


def _is_text(value: object) -> bool:
    """Whether this is text that the database can hold and look for."""
    if not isinstance(value, str) or "\x00" in value:
        return False
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True
