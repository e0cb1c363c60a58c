"""Each fault is planted in a sound workspace and found by its own check, and by no other."""

import os
from typing import Any

import pytest

from documents.readiness import connectors
from inlock import readiness as installation
from tests.workspaces.readiness.faults import FAULTS, WANTED
from workspaces.models import Workspace
from workspaces.readiness import registry, running

#: Most of what all checks cost. Each is made for its own fault, and for every fault under `make deep`.
SLOW = {
    "review.rehearsal",
    "rights.stranger",
    "rights.search",
    "rights.documents_stranger",
    "rights.documents_roles",
    "rights.answers_stranger",
    "rights.answers_roles",
    "data.expected",
    "data.question_sets",
}
#: Every check is made for every fault; otherwise those of the fault's own area.
WHOLE = bool(os.environ.get("INLOCK_DEEP"))


def _found(sound: Any, code: str = "") -> dict[str, str]:
    """What is not as it should be: code → outcome, with the sentence shown where a test fails.

    `code`: only what stands in the area of that check is looked at, unless all is to be.
    """
    scene = registry.Scene(Workspace.objects.get(pk=sound.workspace.pk))
    found = {}
    for check in registry.checks():
        elsewhere = not check.code.startswith(code.partition(".")[0])
        if not WHOLE and code and (elsewhere or check.code in SLOW - {code}):
            continue
        one, _milliseconds = running.look(check, scene)
        if one.outcome in ("warn", "block"):
            found[check.code] = f"{one.outcome}: {one.sentence % one.facts}"
    return found


@pytest.fixture(scope="module")
def _slow_looks() -> dict[str, Any]:
    """What the machine says of itself does not change between two faults."""
    return {}


@pytest.fixture(autouse=True)
def _once_for_all(monkeypatch: pytest.MonkeyPatch, _slow_looks: dict[str, Any]) -> None:
    engines, read = installation._engines, connectors.read_file

    def kept(name: str, look: Any) -> Any:
        if name not in _slow_looks:
            _slow_looks[name] = look()
        return _slow_looks[name]

    # A portal that runs, with workers and a schedule in order.
    monkeypatch.setattr(installation, "expects_workers", lambda: True)
    monkeypatch.setattr(installation, "_work", lambda scene: [])
    monkeypatch.setattr(installation, "_engines", lambda scene: kept("engines", lambda: engines(scene)))
    monkeypatch.setattr(
        connectors, "read_file", lambda path, name, **more: kept(name, lambda: read(path, name, **more))
    )


def test_nothing_is_found_in_a_sound_workspace(sound: Any) -> None:
    assert _found(sound) == {}


@pytest.mark.parametrize("code", FAULTS)
def test_a_fault_is_found_and_only_it(code: str, sound: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    FAULTS[code](sound, monkeypatch)

    found = _found(sound, code)

    assert set(found) == {code}, found
    assert found[code].startswith(WANTED[code]), found


def test_every_check_has_its_fault() -> None:
    assert {check.code for check in registry.checks()} == set(FAULTS)


def test_a_check_that_fails_blocks_with_a_sentence_and_leaves_nothing(sound: Any, caplog: Any) -> None:
    def fail(scene: registry.Scene) -> registry.Found:
        Workspace.objects.filter(pk=scene.workspace.pk).update(name="Changed")
        raise ZeroDivisionError

    check = registry.Check("rights.odd", registry.Area.RIGHTS, "Odd", fail, "")

    found, _milliseconds = running.look(check, registry.Scene(sound.workspace))

    assert found.outcome == "block"
    assert "rights.odd" in found.sentence % found.facts
    assert "rights.odd" in caplog.text
    assert Workspace.objects.get(pk=sound.workspace.pk).name == "Sound"
