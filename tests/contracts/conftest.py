"""One world for all the tests of a module, each of which leaves it as it found it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings

from tests.undone import undone


@pytest.fixture(scope="module")
def files_of_the_world(tmp_path_factory: Any) -> Path:
    return tmp_path_factory.mktemp("files")


@pytest.fixture(scope="module")
def made_world(django_db_setup: None, django_db_blocker: Any, files_of_the_world: Path) -> Iterator[Any]:
    """The world, in a transaction that is rolled back with its module."""
    # Models cannot be imported yet when pytest reads this file.
    from tests.contracts import trying, world

    with django_db_blocker.unblock(), pytest.MonkeyPatch.context() as patch, undone():
        patch.setattr(django_settings, "MEDIA_ROOT", files_of_the_world)
        made = world.build()
        trying.install_refusal()
        yield made


@pytest.fixture(scope="module")
def marks_of_the_world(made_world: Any, django_db_blocker: Any) -> dict[str, str]:
    """The fingerprint of every table as each test finds it."""
    from tests.contracts import trying

    with django_db_blocker.unblock():
        return trying.rows()


@pytest.fixture
def world(
    made_world: Any, marks_of_the_world: dict[str, str], django_db_blocker: Any, settings: Any, files_of_the_world: Path
) -> Iterator[Any]:
    """The world as it was made; what a test does to it is undone."""
    from tests.contracts import trying

    settings.MEDIA_ROOT = files_of_the_world
    with django_db_blocker.unblock(), undone(), trying.beginning_with(marks_of_the_world):
        yield made_world
