"""One watched run for all that is asked of what a portal leaves behind."""

from collections.abc import Iterator

import pytest

from tests.leaks.watched import Run, whole_run


@pytest.fixture(scope="session")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    with whole_run(tmp_path_factory.mktemp("watched")) as run:
        yield run
