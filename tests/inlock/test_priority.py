"""Workers let the web process go first."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from inlock import priority

_TELL = """
import json, os
from pathlib import Path
from inlock import priority
priority.give_way(priority.ANSWERING)
group = Path("/proc/self/autogroup")
print(json.dumps([os.nice(0), group.read_text() if group.exists() else None]))
"""


def told(**how: bool) -> list:
    finished = subprocess.run([sys.executable, "-c", _TELL], capture_output=True, text=True, check=True, **how)
    return json.loads(finished.stdout)


def test_a_worker_and_its_session_give_way():
    nice, group = told(start_new_session=True)

    assert nice == os.nice(0) + priority.ANSWERING
    if group is not None:
        assert group.split()[-1] == str(priority.ANSWERING)


def test_a_worker_that_a_person_started_leaves_the_session_of_their_shell_alone():
    group = Path("/proc/self/autogroup")
    if not group.exists():
        pytest.skip("this system shares the processor among processes alone")
    before = group.read_text()

    nice, _group = told()

    assert nice == os.nice(0) + priority.ANSWERING
    assert group.read_text() == before
