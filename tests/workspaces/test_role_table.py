"""The published table of roles is what the access door does: one case from each cell, the empty ones too."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from workspaces import access
from workspaces.exceptions import Forbidden, Refused
from workspaces.roles import PLATFORM_ADMINISTRATOR, Action, PlatformAction, Role

PAGE = Path(__file__).parents[2] / "docs" / "roles.md"
MARK = "●"


def _cells(heading: str) -> dict[tuple[str, str], bool]:
    """(column, action) → whether the page marks it, for the table of actions under `heading`."""
    section = PAGE.read_text(encoding="utf-8").split(f"## {heading}")[1].split("\n## ")[0]
    rows = [
        [cell.strip() for cell in row.strip("|").split("|")] for row in re.findall(r"^\|.*\|$", section, re.MULTILINE)
    ]
    start = next(number for number, row in enumerate(rows) if row[0] == "may")
    columns, cells = rows[start][1:], rows[start + 2 :]
    return {
        (column, re.search(r"\(`(\w+)`\)$", row[0])[1]): mark == MARK
        for row in cells
        for column, mark in zip(columns, row[1:], strict=True)
    }


INSIDE = _cells("In a workspace")
ACROSS = _cells("Across the installation")
OF_LABEL = {str(role.label): role for role in Role}


def _may(user: Any, action: str, thing: Any) -> bool:
    try:
        access.require(user, action, thing)
    except Refused:
        return False
    return True


@pytest.fixture
def who_is(request: pytest.FixtureRequest) -> Callable[[str], Any]:
    """who_is(Role.MEMBER) → the one of the cast who is that and nothing else."""
    return lambda role: request.getfixturevalue(str(role))


def test_the_page_has_a_cell_for_every_role_and_action():
    assert set(INSIDE) == {(str(role.label), str(action)) for role in Role for action in Action}
    assert set(ACROSS) == {
        (column, str(action))
        for column in ("platform administrator", "manager of any workspace")
        for action in PlatformAction
    }
    assert 0 < sum(INSIDE.values()) < len(INSIDE)


@pytest.mark.parametrize(("column", "action"), INSIDE, ids="-".join)
def test_a_role_may_exactly_what_its_column_marks(column, action, policies, who_is):
    user = who_is(OF_LABEL[column])

    assert _may(user, action, policies) is INSIDE[column, action]
    assert access.allows(user, action, policies) is INSIDE[column, action]


@pytest.mark.parametrize("action", Action)
def test_a_platform_administrator_holds_nothing_inside_a_workspace(action, admin, policies):
    assert not _may(admin, action, policies)


@pytest.mark.parametrize(("column", "action"), ACROSS, ids="-".join)
def test_a_platform_action_is_held_by_exactly_whom_the_page_marks(column, action, policies, who_is, admin):
    user = admin if column == "platform administrator" else who_is(Role.MANAGER)

    assert _may(user, action, None) is ACROSS[column, action]


@pytest.mark.parametrize("role", sorted(set(Role) - {Role.MANAGER}))
def test_no_other_role_reaches_across_the_installation(role, policies, who_is, subtests):
    for action in PlatformAction:
        with subtests.test(action.value), pytest.raises(Forbidden):
            access.require(who_is(role), action, None)


def test_the_page_names_the_role_above_the_workspaces():
    assert f"`{PLATFORM_ADMINISTRATOR}`" in PAGE.read_text(encoding="utf-8")
