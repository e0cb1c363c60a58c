"""Settings: documented in full, typed, and unsafe production refused."""

import os
import re
import runpy
import subprocess
import sys
from pathlib import Path
from unittest import mock

import pytest

from inlock.env import Env, SettingError

ROOT = Path(__file__).resolve().parent.parent.parent
READ = re.compile(r"\b(?:env|Env\(\))\.(?:str|bool|int|list|path|networks|figures)\(\s*\"([A-Z_]+)\"")
SAFE = {
    "INLOCK_MODE": "production",
    "SECRET_KEY": "0123456789abcdefghijklmnopqrstuvwxyz-0123456789abcdefgh",
    "ALLOWED_HOSTS": "portal.example",
    "INLOCK_ENCRYPTION_KEYS": "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
    "INLOCK_SIGNING_KEY": "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
}


def test_the_example_names_every_setting_that_is_read_and_no_other():
    sources = [
        file for app in ("inlock", "workspaces", "documents", "answers", "audit") for file in (ROOT / app).rglob("*.py")
    ]
    read = {name for file in sources for name in READ.findall(file.read_text(encoding="utf-8"))}
    example = (ROOT / ".env.example").read_text(encoding="utf-8")

    assert set(re.findall(r"^([A-Z_]+)=", example, re.MULTILINE)) == read


@pytest.mark.parametrize("raw", ["maybe", "2", "ja"])
def test_an_unclear_yes_or_no_is_refused_by_name(raw):
    with pytest.raises(SettingError, match="DEBUG"):
        Env({"DEBUG": raw}).bool("DEBUG", default=False)


def test_a_log_format_that_is_none_is_refused_by_name(tmp_path):
    assert "LOG_FORMAT" in _refusal(SAFE | {"LOG_FORMAT": "xml"}, tmp_path)


@pytest.mark.parametrize("raw", ["-1", "0", "many", "1.5"])
def test_a_number_below_its_minimum_is_refused_by_name(raw):
    with pytest.raises(SettingError, match="INLOCK_MAX_UPLOAD_MB"):
        Env({"INLOCK_MAX_UPLOAD_MB": raw}).int("INLOCK_MAX_UPLOAD_MB", 100, minimum=1)


def test_a_network_that_is_none_is_refused_by_name():
    with pytest.raises(SettingError, match=r"TRUSTED_PROXIES: 10\.0\.0\.1/8"):
        Env({"TRUSTED_PROXIES": "192.0.2.0/24, 10.0.0.1/8"}).networks("TRUSTED_PROXIES")


def test_a_secret_can_come_from_a_file(tmp_path):
    file = tmp_path / "secret"
    file.write_text("from a file\n", encoding="utf-8")

    assert Env({"SECRET_KEY_FILE": str(file), "SECRET_KEY": "ignored"}).str("SECRET_KEY") == "from a file"


def test_a_missing_secret_file_is_named():
    with pytest.raises(SettingError, match="SECRET_KEY_FILE"):
        Env({"SECRET_KEY_FILE": "/nowhere/secret"}).str("SECRET_KEY")


@pytest.mark.parametrize(
    ("changed", "complaint"),
    [
        ({"SECRET_KEY": ""}, "SECRET_KEY"),
        ({"SECRET_KEY": "short"}, "SECRET_KEY"),
        ({"DEBUG": "true"}, "DEBUG"),
        ({"ALLOWED_HOSTS": ""}, "ALLOWED_HOSTS"),
        ({"ALLOWED_HOSTS": "*"}, "ALLOWED_HOSTS"),
        ({"ALLOWED_HOSTS": "*.example"}, "ALLOWED_HOSTS"),
        ({"INLOCK_ENCRYPTION_KEYS": ""}, "INLOCK_ENCRYPTION_KEYS"),
        ({"INLOCK_ENCRYPTION_KEYS": "short"}, "INLOCK_ENCRYPTION_KEYS, key 1"),
        ({"INLOCK_SIGNING_KEY": ""}, "INLOCK_SIGNING_KEY is missing"),
        ({"INLOCK_SIGNING_KEY": "short"}, "INLOCK_SIGNING_KEY: write"),
        ({"INLOCK_SIGNING_KEY_BEFORE": "short"}, "INLOCK_SIGNING_KEY_BEFORE"),
    ],
)
def test_production_refuses_unsafe_settings(changed, complaint, tmp_path):
    assert complaint in _refusal(SAFE | changed, tmp_path)


def test_production_does_not_start_with_settings_that_are_refused(tmp_path):
    started = _check(SAFE | {"SECRET_KEY": "short"}, tmp_path)

    assert started.returncode == 2
    assert "SECRET_KEY" in started.stderr
    assert "Traceback" not in started.stderr


def test_production_starts_with_safe_settings_and_passes_the_deployment_checks(tmp_path):
    started = _check(SAFE, tmp_path)

    assert started.returncode == 0, started.stderr


def test_production_refuses_an_account_with_the_demo_password(db, settings, make_user):
    from workspaces.checks import DEMO_PASSWORD, no_demo_passwords_in_production

    settings.PRODUCTION = True
    user = make_user("member")
    assert no_demo_passwords_in_production(databases=["default"]) == []

    user.set_password(DEMO_PASSWORD)
    user.save()

    (error,) = no_demo_passwords_in_production(databases=["default"])
    assert error.id == "inlock.E001"
    assert "member" in error.msg


def _refusal(values: dict[str, str], var: Path) -> str:
    """What a process with these values in its environment says when it reads its settings."""
    environment = {"INLOCK_VAR": str(var), **values}
    with mock.patch.dict(os.environ, environment, clear=True), pytest.raises(SettingError) as refused:
        runpy.run_path(str(ROOT / "inlock" / "settings.py"))
    return str(refused.value)


def _check(values: dict[str, str], var: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "INLOCK_VAR": str(var), **values},
        capture_output=True,
        text=True,
        check=False,
    )
