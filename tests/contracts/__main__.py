"""How much the sweeps try: `python -m tests.contracts` runs them and prints the figures."""

import sys
from typing import Any

import pytest


class Figures:
    """Prints, after the last test, how often each kind of thing was tried."""

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        # Models cannot be imported before pytest has set Django up.
        from tests.contracts.trying import TRIED

        terminalreporter.section("tried")
        for what, count in sorted(TRIED.items()):
            terminalreporter.line(f"{count:6,}  {what}")


sys.exit(pytest.main(["tests/contracts", "tests/api", "-q", *sys.argv[1:]], plugins=[Figures()]))
