"""No promise without its proof: every test that the threat model names exists."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
TEXT = (ROOT / "docs" / "threat-model.md").read_text(encoding="utf-8")
NAMED = sorted(set(re.findall(r"`(tests/[\w/]+\.py)(?:::(\w+))?`", TEXT)))
PROMISES = re.split(r"^- \*\*", TEXT.partition("## What is promised")[2].partition("## What is not")[0], flags=re.M)[1:]


@cache
def _tests_in(file: Path) -> set[str]:
    return {
        node.name
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    }


@pytest.mark.parametrize("module", sorted({module for module, _test in NAMED}))
def test_a_named_proof_exists(module):
    tests = _tests_in(ROOT / module)

    assert tests
    assert {test for named, test in NAMED if named == module and test} <= tests


def test_every_promise_names_its_proof():
    assert len(PROMISES) >= 20
    assert [promise.splitlines()[0] for promise in PROMISES if "`tests/" not in promise] == []


def test_a_proof_that_is_not_there_would_be_seen():
    assert "test_that_nobody_wrote" not in _tests_in(Path(__file__))
    assert "test_every_promise_names_its_proof" in _tests_in(Path(__file__))
