"""One sound workspace for all tests of a module; what a test does to it is undone."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings

from tests.undone import undone


@pytest.fixture(scope="module")
def place(tmp_path_factory: Any) -> Path:
    return tmp_path_factory.mktemp("sound")


def _settle(settings: Any, place: Path) -> None:
    settings.MEDIA_ROOT = place / "files"
    settings.CHECKPOINTS = place / "checkpoints"
    settings.SOURCE_FOLDERS = [str(place / "sources")]
    settings.BACKUP_MARKER = str(place / "backup")


@pytest.fixture(scope="module")
def made_sound(django_db_setup: None, django_db_blocker: Any, place: Path) -> Iterator[Any]:
    """The workspace, in a transaction that is rolled back with its module."""
    from tests.workspaces.readiness import sound

    with django_db_blocker.unblock(), pytest.MonkeyPatch.context() as patch, undone():
        for name in ("MEDIA_ROOT", "CHECKPOINTS", "SOURCE_FOLDERS", "BACKUP_MARKER"):
            patch.setattr(django_settings, name, getattr(django_settings, name))
        _settle(django_settings, place)
        yield sound.build(django_settings, place)


@pytest.fixture
def sound(made_sound: Any, django_db_blocker: Any, settings: Any, place: Path) -> Iterator[Any]:
    """The sound workspace as it was made."""
    _settle(settings, place)
    with django_db_blocker.unblock(), undone():
        yield made_sound
