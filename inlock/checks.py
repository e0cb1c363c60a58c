"""What production must not run without, as system checks with ids: `manage.py check --deploy` lists them.

An error also keeps the portal from starting (`require_safe`). docs/threat-model.md names each rule, and what of a
deployment cannot be seen from here.
"""

import ipaddress
import os
import re
import socket
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any
from urllib.parse import urlsplit

import django
from django.conf import settings
from django.core import checks
from django.core.checks import CheckMessage, Tags

from documents.sources.folder import unreadable_roots
from inlock.celery import app as celery_app
from inlock.env import ALWAYS, SettingError
from workspaces import hosts

#: With fixes of weaknesses that touch us; look newer ones up at each release.
_DJANGO = (5, 2, 14)
_ALLAUTH = (65, 13, 0)
_COOKIES = ("SESSION", "CSRF", "LANGUAGE")
#: In this order; each does its part only before those behind it.
_MIDDLEWARE = (
    "inlock.headers.ResponseHeadersMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "workspaces.middleware.ActingMiddleware",
    "workspaces.middleware.RefusalMiddleware",
)


@dataclass(frozen=True, slots=True)
class Installation:
    """What the rules look at."""

    settings: Any
    celery: Any
    environ: Any


@dataclass(frozen=True, slots=True)
class Rule:
    """One thing that must hold in production; `holds` must not raise on any value a setting can have."""

    id: str
    holds: Callable[[Installation], bool]
    says: str
    hint: str
    #: Whether it must hold in development too, because nothing would work.
    anywhere: bool = False

    def message(self) -> CheckMessage:
        kind = checks.Error if self.id.startswith("inlock.E") else checks.Warning
        return kind(self.says, hint=self.hint, id=self.id)


def _chroma_is_private(here: Installation) -> bool:
    """Whether every address of the vector server is this machine's or a private network's; unknown names pass."""
    host = urlsplit(here.settings.CHROMA_URL).hostname or ""
    try:
        found = {str(info[4][0]) for info in socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)}
    except OSError:  # `doctor` says that it cannot be reached; here it says nothing about who can reach it
        return True
    return all(ipaddress.ip_address(address.partition("%")[0]).is_private for address in found)


def _cookies_are_guarded(here: Installation) -> bool:
    def of(cookie: str, what: str) -> Any:
        return getattr(here.settings, f"{cookie}_COOKIE_{what}")

    return all(
        of(cookie, "SECURE")
        and of(cookie, "HTTPONLY")
        and of(cookie, "SAMESITE") in {"Lax", "Strict"}
        and of(cookie, "NAME").startswith("__Host-")
        and of(cookie, "PATH") == "/"
        and not of(cookie, "DOMAIN")
        for cookie in _COOKIES
    )


def _middleware_is_whole(here: Installation) -> bool:
    guards = [name for name in here.settings.MIDDLEWARE if name in _MIDDLEWARE]
    return guards == list(_MIDDLEWARE) and here.settings.MIDDLEWARE[0] == _MIDDLEWARE[0]


def _headers_are_strict(here: Installation) -> bool:
    s = here.settings
    return (
        s.SECURE_CONTENT_TYPE_NOSNIFF
        and s.X_FRAME_OPTIONS == "DENY"
        and s.SECURE_REFERRER_POLICY in {"same-origin", "no-referrer"}
        and s.SECURE_CROSS_ORIGIN_OPENER_POLICY == "same-origin"
    )


def _uploads_are_limited(here: Installation) -> bool:
    s = here.settings
    limits = (s.DATA_UPLOAD_MAX_MEMORY_SIZE, s.DATA_UPLOAD_MAX_NUMBER_FIELDS, s.DATA_UPLOAD_MAX_NUMBER_FILES)
    return all(limits) and s.MAX_UPLOAD_BYTES > 0 and s.MAX_REQUEST_BYTES >= s.MAX_UPLOAD_BYTES


def _passwords_are_checked(here: Installation) -> bool:
    names = {rule["NAME"].rpartition(".")[2] for rule in here.settings.AUTH_PASSWORD_VALIDATORS}
    return {"MinimumLengthValidator", "CommonPasswordValidator", "UserAttributeSimilarityValidator"} <= names


def _behind_proxy(here: Installation) -> bool:
    return here.settings.SECURE_PROXY_SSL_HEADER == ("HTTP_X_FORWARDED_PROTO", "https")


def _provider_is_guarded(here: Installation) -> bool:
    s = here.settings
    loose = (
        s.SOCIALACCOUNT_EMAIL_AUTHENTICATION,
        s.SOCIALACCOUNT_EMAIL_AUTHENTICATION_AUTO_CONNECT,
        s.SOCIALACCOUNT_LOGIN_ON_GET,
        s.SOCIALACCOUNT_STORE_TOKENS,
    )
    uses_pkce = s.SOCIALACCOUNT_PROVIDERS.get("openid_connect", {}).get("OAUTH_PKCE_ENABLED") is True
    return not any(loose) and uses_pkce and (not s.OIDC_ISSUER or s.OIDC_ISSUER.startswith("https://"))


def _is_remote(host: str) -> bool:
    return bool(host) and not host.startswith("/") and host not in {"localhost", "127.0.0.1", "::1"}


def _database_is_encrypted(here: Installation) -> bool:
    database = here.settings.DATABASES["default"]
    is_safe = database.get("OPTIONS", {}).get("sslmode") in {"require", "verify-ca", "verify-full"}
    return is_safe or not _is_remote(database.get("HOST", ""))


def _broker_is_guarded(here: Installation) -> bool:
    parts = urlsplit(here.settings.REDIS_URL)
    return not _is_remote(parts.hostname or "") or (parts.scheme == "rediss" and bool(parts.password))


def _tasks_survive(here: Installation) -> bool:
    conf = here.celery
    return (
        conf.task_acks_late
        and conf.task_reject_on_worker_lost
        and conf.worker_prefetch_multiplier == 1
        and 0 < (conf.task_soft_time_limit or 0) < (conf.task_time_limit or 0)
        and conf.task_time_limit < conf.broker_transport_options.get("visibility_timeout", 0)
        and bool(conf.worker_soft_shutdown_timeout)
    )


def _messages_are_json(here: Installation) -> bool:
    conf = here.celery
    return list(conf.accept_content) == ["json"] and conf.task_serializer == "json" and conf.result_backend is None


RULES = (
    # --- Secrets and mode -------------------------------------------------------------------------------------
    Rule(
        "inlock.E010",
        lambda here: len(here.settings.SECRET_KEY) >= 50 and len(set(here.settings.SECRET_KEY)) >= 10,
        "SECRET_KEY is shorter than 50 characters, or too regular to be random.",
        "Make one with `openssl rand -base64 48`.",
    ),
    Rule(
        "inlock.E011",
        lambda here: not here.settings.DEBUG,
        "DEBUG shows source code and settings to whoever meets an error.",
        "Remove DEBUG from the environment.",
    ),
    Rule(
        "inlock.E012",
        lambda here: bool(here.settings.ALLOWED_HOSTS) and not any("*" in host for host in here.settings.ALLOWED_HOSTS),
        "ALLOWED_HOSTS is empty or has a wildcard.",
        "Name the host names this portal is reached by.",
    ),
    Rule(
        "inlock.E013",
        lambda here: bool(here.settings.INLOCK_ENCRYPTION_KEYS),
        "There is no key to seal secrets in the database with.",
        "Set INLOCK_ENCRYPTION_KEYS: `openssl rand -base64 32`.",
    ),
    Rule(
        "inlock.E014",
        _chroma_is_private,
        "CHROMA_URL is a public address, and Chroma has no authentication.",
        "Bind Chroma to loopback or a private network, and name that address.",
    ),
    Rule(
        "inlock.E015",
        lambda here: (
            here.settings.CACHES["default"].get("OPTIONS", {}).get("serializer") == "inlock.cache.JSONSerializer"
            and here.settings.SESSION_SERIALIZER.endswith("JSONSerializer")
        ),
        "The cache or the sessions are kept as pickle: whoever writes to the broker runs code here.",
        "Use inlock.cache.JSONSerializer for the cache, and Django's JSONSerializer for sessions.",
    ),
    Rule(
        "inlock.E016",
        _messages_are_json,
        "Celery takes or writes messages that are not JSON, or keeps results in the broker.",
        "accept_content=['json'], task_serializer='json', result_backend=None in inlock/celery.py.",
    ),
    Rule(
        "inlock.E017",
        lambda here: all(here.environ.get(name) == value for name, value in ALWAYS.items()),
        "A library may send telemetry or fetch a model: a variable that forbids it is not set.",
        "Start the portal through manage.py or inlock.asgi; inlock/env.py lists the variables.",
    ),
    Rule(
        "inlock.E018",
        lambda here: django.VERSION[:3] >= _DJANGO,
        f"Django is older than {'.'.join(map(str, _DJANGO))}, which fixed weaknesses that touch this portal.",
        "Install requirements.lock.",
    ),
    Rule(
        "inlock.E019",
        lambda here: tuple(int(part) for part in re.findall(r"\d+", version("django-allauth"))[:3]) >= _ALLAUTH,
        f"django-allauth is older than {'.'.join(map(str, _ALLAUTH))}, which fixed weaknesses of signing in.",
        "Install requirements.lock.",
    ),
    Rule(
        "inlock.E029",
        lambda here: bool(here.settings.INLOCK_SIGNING_KEY),
        "There is no key to sign checkpoints, receipts and evidence packs with.",
        "Set INLOCK_SIGNING_KEY: `openssl rand -base64 32`.",
    ),
    # --- Transport and browser --------------------------------------------------------------------------------
    Rule(
        "inlock.W020",
        lambda here: here.settings.SECURE_SSL_REDIRECT and here.settings.SECURE_HSTS_SECONDS > 0,
        "Plain HTTP is not sent to HTTPS, or browsers are not told to remember HTTPS.",
        "Leave SECURE_SSL_REDIRECT on, and raise SECURE_HSTS_SECONDS in steps.",
    ),
    Rule(
        "inlock.E021",
        _cookies_are_guarded,
        "A cookie may leave over plain HTTP, be read by scripts, be sent by other sites or set by a neighbour.",
        "Session, CSRF and language cookie: SECURE, HTTPONLY, SAMESITE=Lax, a name with __Host-, path / and no domain.",
    ),
    Rule(
        "inlock.E022",
        lambda here: here.settings.SESSION_COOKIE_AGE <= 12 * 3600 and not here.settings.SESSION_SAVE_EVERY_REQUEST,
        "A session lives longer than twelve hours, or is prolonged by every request.",
        "SESSION_COOKIE_AGE of at most 43200, SESSION_SAVE_EVERY_REQUEST off.",
    ),
    Rule(
        "inlock.E023",
        lambda here: (
            not here.settings.USE_X_FORWARDED_HOST
            and here.settings.SECURE_PROXY_SSL_HEADER in {None, ("HTTP_X_FORWARDED_PROTO", "https")}
        ),
        "The portal believes a host name or a scheme that a client may have written.",
        "USE_X_FORWARDED_HOST stays off; set BEHIND_PROXY only where a proxy writes X-Forwarded-Proto itself.",
    ),
    Rule(
        "inlock.E024",
        lambda here: all(re.fullmatch(r"https://[^*/]+", origin) for origin in here.settings.CSRF_TRUSTED_ORIGINS),
        "CSRF_TRUSTED_ORIGINS holds a wildcard or an origin without HTTPS.",
        "Name exact origins, such as https://portal.example.",
    ),
    Rule(
        "inlock.E025",
        _middleware_is_whole,
        "A guard of every request is missing from MIDDLEWARE or stands in the wrong place.",
        f"Keep these, in this order, the first of all first: {', '.join(_MIDDLEWARE)}.",
    ),
    Rule(
        "inlock.E026",
        _headers_are_strict,
        "A response header is weaker than it should be.",
        "nosniff on, X_FRAME_OPTIONS DENY, referrer policy same-origin, opener policy same-origin.",
    ),
    Rule(
        "inlock.W027",
        lambda here: not _behind_proxy(here) or bool(here.settings.TRUSTED_PROXIES),
        "A proxy stands in front and none is trusted: everybody seems to come from its address, and shares attempts.",
        "Name the proxy's network in TRUSTED_PROXIES.",
    ),
    Rule(
        "inlock.W028",
        lambda here: not here.settings.TRUSTED_PROXIES or _behind_proxy(here),
        "A proxy is trusted with addresses, but not with telling HTTPS from HTTP: requests are sent to HTTPS for ever.",
        "Set BEHIND_PROXY where the proxy writes X-Forwarded-Proto itself, or empty TRUSTED_PROXIES.",
    ),
    # --- People -----------------------------------------------------------------------------------------------
    Rule(
        "inlock.E030",
        lambda here: getattr(here.settings, "ANONYMOUS_USER_NAME", "") is None,
        "guardian would make an account for everybody who is not signed in.",
        "ANONYMOUS_USER_NAME = None.",
    ),
    Rule(
        "inlock.E031",
        _passwords_are_checked,
        "New passwords are not checked for length, for being common, or for likeness to the account.",
        "Keep Django's validators in AUTH_PASSWORD_VALIDATORS.",
    ),
    Rule(
        "inlock.E032",
        lambda here: (
            "md5" not in here.settings.PASSWORD_HASHERS[0].lower()
            and "unsalted" not in here.settings.PASSWORD_HASHERS[0].lower()
        ),
        "Passwords are hashed with a fast function.",
        "Leave PASSWORD_HASHERS as Django sets it.",
    ),
    Rule(
        "inlock.W033",
        lambda here: here.settings.SECOND_FACTOR_FOR_ADMIN,
        "The admin opens with a password alone.",
        "Leave INLOCK_SECOND_FACTOR_FOR_ADMIN empty.",
    ),
    Rule(
        "inlock.E034",
        _provider_is_guarded,
        "A sign-in through the provider could be forged, begun by a link, or matched by an e-mail address.",
        "PKCE on, an https:// issuer, and django-allauth's e-mail matching, sign-in by GET and stored tokens off.",
    ),
    Rule(
        "inlock.E035",
        lambda here: here.settings.LOCAL_SIGN_IN or bool(here.settings.OIDC_ISSUER),
        "INLOCK_LOCAL_SIGN_IN is off and there is no provider: nobody could sign in.",
        "Set INLOCK_OIDC_ISSUER and what belongs to it, or leave local sign-in on.",
        anywhere=True,
    ),
    Rule(
        "inlock.W036",
        lambda here: here.settings.LOCAL_SIGN_IN or bool(here.settings.EMERGENCY_ACCOUNT),
        "INLOCK_LOCAL_SIGN_IN is off, and nobody could sign in on the day the provider fails.",
        "Name an account in INLOCK_EMERGENCY_ACCOUNT, give it a second factor, and seal it.",
    ),
    # --- Files ------------------------------------------------------------------------------------------------
    Rule(
        "inlock.E040",
        lambda here: (
            here.settings.FILE_UPLOAD_HANDLERS == ["django.core.files.uploadhandler.TemporaryFileUploadHandler"]
        ),
        "Uploads may be held in memory.",
        "Only the TemporaryFileUploadHandler.",
    ),
    Rule(
        "inlock.E041",
        _uploads_are_limited,
        "A request may carry any number of fields or bytes.",
        "Set DATA_UPLOAD_MAX_MEMORY_SIZE, _NUMBER_FIELDS and _NUMBER_FILES, and INLOCK_MAX_UPLOAD_MB.",
    ),
    Rule(
        "inlock.E042",
        lambda here: (here.settings.FILE_UPLOAD_PERMISSIONS or 0o777) & 0o007 == 0,
        "Uploaded originals are readable by every account of the machine.",
        "FILE_UPLOAD_PERMISSIONS = 0o640.",
    ),
    Rule(
        "inlock.E043",
        lambda here: (
            not str(here.settings.MEDIA_ROOT).startswith(str(here.settings.STATIC_ROOT))
            and here.settings.MEDIA_URL in {"", "/"}
        ),
        "Uploaded originals lie where a web server would hand them to anybody.",
        "Keep INLOCK_FILES outside STATIC_ROOT, and give MEDIA_URL no address.",
    ),
    # --- Engines ----------------------------------------------------------------------------------------------
    Rule(
        "inlock.E050",
        lambda here: here.settings.DATABASES["default"]["ENGINE"] == "django.db.backends.postgresql",
        "The database is not PostgreSQL, whose triggers and locks the trail and the leases rest on.",
        "Point DATABASE_URL at PostgreSQL 15 or newer.",
    ),
    Rule(
        "inlock.E051",
        lambda here: not here.settings.DATABASES["default"].get("ATOMIC_REQUESTS"),
        "Every request would hold a transaction, and an act could not be told from its page.",
        "ATOMIC_REQUESTS = False.",
    ),
    Rule(
        "inlock.W052",
        _database_is_encrypted,
        "Passwords and documents travel to the database unencrypted.",
        "Add ?sslmode=verify-full (or require) to DATABASE_URL.",
    ),
    Rule(
        "inlock.E053",
        _tasks_survive,
        "A killed worker may lose its task, or a task may outlive the time after which it is handed out again.",
        "Late acknowledgement, prefetch 1, soft limit < limit < visibility timeout in inlock/celery.py.",
    ),
    Rule(
        "inlock.W060",
        lambda here: here.settings.LOG_FORMAT == "json",
        "Logs are written for a person: an exception's message, which may quote a document, is in them.",
        "Leave LOG_FORMAT empty in production.",
    ),
    Rule(
        "inlock.E055",
        lambda here: not hosts.unreadable_entries(here.settings.MODEL_HOSTS),
        "INLOCK_MODEL_HOSTS has an entry that is neither a host, a host with a port, nor a network.",
        "Write llm.example, llm.example:8443 or 10.1.0.0/16, separated by commas.",
    ),
    Rule(
        "inlock.E057",
        lambda here: not hosts.unreadable_entries(here.settings.SOURCE_HOSTS),
        "INLOCK_SOURCE_HOSTS has an entry that is neither a host, a host with a port, nor a network.",
        "Write docs.example, docs.example:8443, 10.1.0.0/16 or an asterisk, separated by commas.",
    ),
    Rule(
        "inlock.E058",
        lambda here: not unreadable_roots(here.settings.SOURCE_FOLDERS),
        "INLOCK_SOURCE_FOLDERS has an entry that is no full path, or opens the whole machine.",
        "Write /srv/handbook for every workspace, or legal:/srv/legal for one.",
    ),
    Rule(
        "inlock.W056",
        lambda here: hosts.ANY not in here.settings.MODEL_HOSTS,
        "Questions and passages may be sent to any public host an administrator names.",
        "Name the hosts of your models in INLOCK_MODEL_HOSTS, without the asterisk.",
    ),
    Rule(
        "inlock.W054",
        _broker_is_guarded,
        "The broker is on another machine without TLS or without a password.",
        "Use rediss://:password@host:port/0, and a private network.",
    ),
)


def problems(here: Installation, rules: Iterable[Rule] = RULES) -> list[CheckMessage]:
    """A message for each rule that does not hold."""
    return [rule.message() for rule in rules if not rule.holds(here)]


@checks.register(Tags.security)
def production_is_safe(**_: Any) -> list[CheckMessage]:
    """Of a development machine only that it works at all."""
    here = Installation(settings, celery_app.conf, os.environ)
    return problems(here, RULES if settings.PRODUCTION else [rule for rule in RULES if rule.anywhere])


def require_safe() -> None:
    """Raise SettingError rather than start in production with an error among the rules."""
    errors = [found for found in production_is_safe() if found.is_serious()]
    if errors:
        lines = [f"{found.id}: {found.msg} {found.hint}" for found in errors]
        raise SettingError("Production mode refuses to start:\n- " + "\n- ".join(lines))
