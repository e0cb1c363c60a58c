import pytest

from workspaces.models import Workspace
from workspaces.readiness import registry, running


def test_nothing_is_found_in_a_sound_workspace(sound):
    scene = registry.Scene(Workspace.objects.get(pk=sound.workspace.pk))

    found = {check.code: running.look(check, scene) for check in registry.checks()}

    for code, (one, ms) in found.items():
        print(f"{ms:5} {one.outcome:6} {code}: {one.sentence % one.facts}")
