"""The lock files are of this project, whole, and name no registry."""

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parent.parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
RUNTIME = PROJECT["project"]["dependencies"]
DEVELOPMENT = PROJECT["dependency-groups"]["dev"]
LOCKS = ("requirements.lock", "requirements-dev.lock")


def text_of(lock: str) -> str:
    return (ROOT / lock).read_text(encoding="utf-8")


def entries_of(lock: str) -> list[str]:
    """The requirements, each on one line with its hashes."""
    lines = [line for line in text_of(lock).splitlines() if not line.lstrip().startswith("#")]
    return [entry.strip() for entry in "\n".join(lines).replace("\\\n", " ").splitlines() if entry.strip()]


def locked_by(lock: str) -> dict[str, list[Requirement]]:
    """Name → what the lock holds of it; more than one where machines differ."""
    found: dict[str, list[Requirement]] = {}
    for entry in entries_of(lock):
        requirement = Requirement(entry.partition("--hash")[0])
        found.setdefault(canonicalize_name(requirement.name), []).append(requirement)
    return found


@pytest.mark.parametrize(("lock", "wanted"), [(LOCKS[0], RUNTIME), (LOCKS[1], RUNTIME + DEVELOPMENT)], ids=LOCKS)
def test_every_dependency_is_locked_at_a_version_that_satisfies_it(lock, wanted):
    every = locked_by(lock)
    for requirement in map(Requirement, wanted):
        locked = every.get(canonicalize_name(requirement.name), [])

        assert locked, requirement
        for version in (specifier.version for one in locked for specifier in one.specifier):
            assert requirement.specifier.contains(version), f"{requirement}: {version}"


@pytest.mark.parametrize("lock", LOCKS)
def test_every_requirement_is_one_version_with_a_hash(lock):
    for entry in entries_of(lock):
        assert re.match(r"[a-z0-9.-]+==\S+ ", entry), entry
        assert re.search(r"--hash=sha256:[0-9a-f]{64}\b", entry), entry


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_names_no_registry(lock):
    assert "://" not in text_of(lock)


def test_what_runs_in_development_is_what_runs_in_production():
    development = locked_by(LOCKS[1])

    for name, locked in locked_by(LOCKS[0]).items():
        assert {str(one.specifier) for one in development[name]} == {str(one.specifier) for one in locked}
