"""The rules of production: each is seen when it is broken, and an error among them keeps the portal from starting."""

import os
import re
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.core.checks import Error

from inlock import checks
from inlock.celery import app as celery_app
from inlock.env import ALWAYS, SettingError

ROOT = Path(__file__).resolve().parent.parent.parent
#: What production adds to the settings of this run.
SAFE = {
    "PRODUCTION": True,
    "EMERGENCY_ACCOUNT": "",
    "SECRET_KEY": "0123456789abcdefghijklmnopqrstuvwxyz-0123456789abcdefgh",
    "ALLOWED_HOSTS": ["portal.example"],
    "SOURCE_HOSTS": ["docs.example", "*"],
    "SOURCE_FOLDERS": ["/srv/handbook", "legal:/srv/legal"],
    "MODEL_HOSTS": ["llm.example", "llm.internal:8443", "10.1.0.0/16"],
    "LOG_FORMAT": "json",
    "SECOND_FACTOR_FOR_ADMIN": True,
    "SECURE_SSL_REDIRECT": True,
    "SECURE_HSTS_SECONDS": 31_536_000,
    "PASSWORD_HASHERS": ["django.contrib.auth.hashers.PBKDF2PasswordHasher"],
    **{f"{cookie}_COOKIE_SECURE": True for cookie in ("SESSION", "CSRF", "LANGUAGE")},
    **{f"{cookie}_COOKIE_NAME": f"__Host-{cookie.lower()}" for cookie in ("SESSION", "CSRF", "LANGUAGE")},
}
ID = re.compile(r"inlock\.[EW]\d{3}")
DATABASE = {"ENGINE": "django.db.backends.postgresql", "HOST": "", "OPTIONS": {}, "ATOMIC_REQUESTS": False}

#: rule → settings that break it, one at a time.
BROKEN: dict[str, list[dict[str, Any]]] = {
    "inlock.E010": [{"SECRET_KEY": ""}, {"SECRET_KEY": "short"}, {"SECRET_KEY": "ab" * 40}],
    "inlock.E011": [{"DEBUG": True}],
    "inlock.E012": [{"ALLOWED_HOSTS": []}, {"ALLOWED_HOSTS": ["*"]}, {"ALLOWED_HOSTS": ["*.example"]}],
    "inlock.E013": [{"INLOCK_ENCRYPTION_KEYS": []}],
    "inlock.E014": [{"CHROMA_URL": "http://8.8.8.8:8000"}, {"CHROMA_URL": "http://[2606:4700::1111]:8000"}],
    "inlock.E015": [
        {"CACHES": {"default": {"BACKEND": "django.core.cache.backends.redis.RedisCache"}}},
        {"SESSION_SERIALIZER": "django.contrib.sessions.serializers.PickleSerializer"},
    ],
    "inlock.W020": [{"SECURE_SSL_REDIRECT": False}, {"SECURE_HSTS_SECONDS": 0}],
    "inlock.E021": [
        {"SESSION_COOKIE_SECURE": False},
        {"CSRF_COOKIE_SECURE": False},
        {"SESSION_COOKIE_HTTPONLY": False},
        {"SESSION_COOKIE_SAMESITE": "None"},
        {"CSRF_COOKIE_NAME": "csrftoken"},
        {"LANGUAGE_COOKIE_PATH": "/w/"},
        {"SESSION_COOKIE_DOMAIN": "example"},
    ],
    "inlock.E022": [{"SESSION_COOKIE_AGE": 14 * 24 * 3600}, {"SESSION_SAVE_EVERY_REQUEST": True}],
    "inlock.E023": [{"USE_X_FORWARDED_HOST": True}, {"SECURE_PROXY_SSL_HEADER": ("HTTP_X_SCHEME", "https")}],
    "inlock.E024": [{"CSRF_TRUSTED_ORIGINS": ["https://*.example"]}, {"CSRF_TRUSTED_ORIGINS": ["http://a.example"]}],
    "inlock.E025": [
        {"MIDDLEWARE": [name for name in django_settings.MIDDLEWARE if not name.endswith(missing)]}
        for missing in ("LoginRequiredMiddleware", "ResponseHeadersMiddleware", "CsrfViewMiddleware")
    ]
    + [{"MIDDLEWARE": list(reversed(django_settings.MIDDLEWARE))}],
    "inlock.E026": [
        {"X_FRAME_OPTIONS": "SAMEORIGIN"},
        {"SECURE_CONTENT_TYPE_NOSNIFF": False},
        {"SECURE_REFERRER_POLICY": "unsafe-url"},
        {"SECURE_CROSS_ORIGIN_OPENER_POLICY": None},
    ],
    "inlock.W027": [{"SECURE_PROXY_SSL_HEADER": ("HTTP_X_FORWARDED_PROTO", "https")}],
    "inlock.W028": [{"TRUSTED_PROXIES": ["10.0.0.0/8"]}],
    "inlock.E029": [{"INLOCK_SIGNING_KEY": ""}],
    "inlock.W033": [{"SECOND_FACTOR_FOR_ADMIN": False}],
    "inlock.E034": [
        {"SOCIALACCOUNT_EMAIL_AUTHENTICATION": True},
        {"SOCIALACCOUNT_EMAIL_AUTHENTICATION_AUTO_CONNECT": True},
        {"SOCIALACCOUNT_LOGIN_ON_GET": True},
        {"SOCIALACCOUNT_STORE_TOKENS": True},
        {"SOCIALACCOUNT_PROVIDERS": {"openid_connect": {"APPS": []}}},
        {"OIDC_ISSUER": "http://id.example"},
    ],
    "inlock.E035": [{"LOCAL_SIGN_IN": False, "EMERGENCY_ACCOUNT": "glass"}],
    "inlock.W036": [{"LOCAL_SIGN_IN": False, "OIDC_ISSUER": "https://id.example"}],
    "inlock.E030": [{"ANONYMOUS_USER_NAME": "anonymous"}],
    "inlock.E031": [{"AUTH_PASSWORD_VALIDATORS": []}],
    "inlock.E032": [{"PASSWORD_HASHERS": ["django.contrib.auth.hashers.MD5PasswordHasher"]}],
    "inlock.E040": [{"FILE_UPLOAD_HANDLERS": ["django.core.files.uploadhandler.MemoryFileUploadHandler"]}],
    "inlock.E041": [{"DATA_UPLOAD_MAX_NUMBER_FIELDS": None}, {"DATA_UPLOAD_MAX_MEMORY_SIZE": None}],
    "inlock.E042": [{"FILE_UPLOAD_PERMISSIONS": 0o644}, {"FILE_UPLOAD_PERMISSIONS": None}],
    "inlock.E043": [
        {"MEDIA_ROOT": django_settings.STATIC_ROOT / "files"},
        {"MEDIA_URL": "/media/"},
    ],
    "inlock.E050": [{"DATABASES": {"default": DATABASE | {"ENGINE": "django.db.backends.sqlite3"}}}],
    "inlock.E051": [{"DATABASES": {"default": DATABASE | {"ATOMIC_REQUESTS": True}}}],
    "inlock.W052": [{"DATABASES": {"default": DATABASE | {"HOST": "db.example"}}}],
    "inlock.W060": [{"LOG_FORMAT": "text"}],
    "inlock.E055": [{"MODEL_HOSTS": ["http://llm.example"]}, {"MODEL_HOSTS": ["10.1.0.1/16"]}],
    "inlock.W056": [{"MODEL_HOSTS": ["*"]}],
    "inlock.E057": [{"SOURCE_HOSTS": ["https://docs.example"]}, {"SOURCE_HOSTS": ["10.1.0.1/16"]}],
    "inlock.E058": [{"SOURCE_FOLDERS": ["srv/handbook"]}, {"SOURCE_FOLDERS": ["legal:/"]}],
    "inlock.W054": [{"REDIS_URL": "redis://cache.example:6379/0"}, {"REDIS_URL": "rediss://cache.example:6379/0"}],
}
#: The same for what stands in no setting of Django: Celery's configuration, the environment, the version.
BROKEN_ELSEWHERE = {
    "inlock.E016": {"celery": {"accept_content": ["json", "pickle"]}},
    "inlock.E017": {"environ": {"ANONYMIZED_TELEMETRY": "True"}},
    "inlock.E018": {"django": (5, 2, 3)},
    "inlock.E019": {"allauth": "65.4.1"},
    "inlock.E053": {"celery": {"task_acks_late": False}},
}


class _With:
    """An object whose attributes are another's, but for those changed."""

    def __init__(self, base: Any, changed: dict[str, Any]) -> None:
        self._base, self._changed = base, changed

    def __getattr__(self, name: str) -> Any:
        return self._changed[name] if name in self._changed else getattr(self._base, name)


def _found(changed: dict[str, Any] | None = None, **elsewhere: Any) -> set[str]:
    here = checks.Installation(
        settings=_With(django_settings, SAFE | (changed or {})),
        celery=_With(celery_app.conf, elsewhere.get("celery", {})),
        environ=ALWAYS | elsewhere.get("environ", {}),
    )
    return {problem.id for problem in checks.problems(here)}


def test_safe_settings_break_no_rule():
    assert _found() == set()


@pytest.mark.parametrize(("rule", "changed"), [(rule, one) for rule, changes in BROKEN.items() for one in changes])
def test_a_broken_setting_is_seen(rule, changed):
    assert _found(changed) == {rule}


@pytest.mark.parametrize("rule", BROKEN_ELSEWHERE)
def test_what_is_broken_elsewhere_is_seen(rule, monkeypatch):
    elsewhere = dict(BROKEN_ELSEWHERE[rule])
    if version := elsewhere.pop("django", None):
        monkeypatch.setattr(checks, "django", SimpleNamespace(VERSION=version))
    if version := elsewhere.pop("allauth", None):
        monkeypatch.setattr(checks, "version", lambda name: version)

    assert _found(**elsewhere) == {rule}


def test_each_rule_is_broken_above_has_an_id_of_its_own_and_says_what_to_do():
    ids = [rule.id for rule in checks.RULES]

    assert sorted(ids) == sorted({*BROKEN, *BROKEN_ELSEWHERE})
    assert all(rule.hint.endswith(".") and rule.says.endswith(".") for rule in checks.RULES)


def test_the_threat_model_names_each_check_and_none_that_is_not_there():
    apps = ("inlock", "answers", "documents", "workspaces", "audit")
    code = [file.read_text(encoding="utf-8") for app in apps for file in (ROOT / app).rglob("*.py")]
    told = (ROOT / "docs" / "threat-model.md").read_text(encoding="utf-8")

    assert set(ID.findall(told)) == set(ID.findall(" ".join(code)))


@pytest.mark.parametrize("proxies", [[], ["10.0.0.0/8"]])
def test_a_proxy_is_trusted_with_both_or_with_nothing(proxies):
    header = ("HTTP_X_FORWARDED_PROTO", "https") if proxies else None

    assert _found({"SECURE_PROXY_SSL_HEADER": header, "TRUSTED_PROXIES": proxies}) == set()


def test_no_way_in_at_all_is_an_error_in_development_too(settings):
    settings.PRODUCTION, settings.LOCAL_SIGN_IN, settings.OIDC_ISSUER = False, False, ""

    with pytest.raises(SettingError, match=r"inlock\.E035"):
        checks.require_safe()


@pytest.mark.parametrize("host", ["127.0.0.1", "10.1.2.3", "[fd00::1]", "nowhere.invalid"])
def test_a_vector_server_on_a_private_address_or_not_to_be_resolved_is_no_error(host):
    assert _found({"CHROMA_URL": f"http://{host}:8000"}) == set()


def test_an_encrypted_database_elsewhere_is_no_warning():
    remote = DATABASE | {"HOST": "db.example", "OPTIONS": {"sslmode": "verify-full"}}

    assert _found({"DATABASES": {"default": remote}}) == set()


def test_an_error_keeps_production_from_starting(settings):
    settings.PRODUCTION = True

    with pytest.raises(SettingError, match=r"inlock\.E021"):
        checks.require_safe()


def test_nothing_is_asked_of_a_development_machine(settings):
    settings.PRODUCTION, settings.DEBUG = False, True

    checks.require_safe()
    assert checks.production_is_safe() == []


def test_a_web_server_that_is_started_without_serve_refuses_too(tmp_path):
    """uvicorn or gunicorn import the application; no management command checks anything for them."""
    unsafe = {
        "INLOCK_MODE": "production",
        "SECRET_KEY": SAFE["SECRET_KEY"],
        "ALLOWED_HOSTS": "portal.example",
        "INLOCK_ENCRYPTION_KEYS": "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
        "INLOCK_SIGNING_KEY": "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
        "CHROMA_URL": "http://8.8.8.8:8000",
    }
    started = subprocess.run(
        [sys.executable, "-c", "import inlock.asgi"],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "INLOCK_VAR": str(tmp_path), **unsafe},
        capture_output=True,
        text=True,
        check=False,
    )

    assert started.returncode != 0
    assert "inlock.E014" in started.stderr


def test_errors_and_warnings_are_told_apart_by_their_ids():
    for rule in checks.RULES:
        assert isinstance(rule.message(), Error) == rule.id.startswith("inlock.E")
