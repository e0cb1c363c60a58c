"""Rows that others point to are locked without their key.

References are checked at COMMIT, when the chain is locked already: a keyed lock would make that check wait for a
transaction that itself waits for the chain.
"""

import ast

import pytest

from tests.contracts.test_doors import trees

#: They read the modules of the product, which one worker parses once.
pytestmark = pytest.mark.xdist_group("contracts-doors")

#: Locks with the key, and why none of them can close a circle.
KEYED = {
    "audit/chain.py": "nothing points to a chain's head",
}


def _keyed_locks(module: str, tree: ast.Module) -> list[str]:
    return [
        f"{module} {function.name}"
        for function in ast.walk(tree)
        if isinstance(function, ast.FunctionDef)
        for call in ast.walk(function)
        if isinstance(call, ast.Call)
        and isinstance(call.func, ast.Attribute)
        and call.func.attr == "select_for_update"
        and "no_key" not in {keyword.arg for keyword in call.keywords}
    ]


def test_only_rows_that_nobody_points_to_are_locked_with_their_key():
    found = [lock for module, tree in trees().items() for lock in _keyed_locks(module, tree)]

    assert [lock for lock in found if not lock.startswith(tuple(KEYED))] == []
