"""The documentation says what the code does: pages made from tables are current, and nothing of ours goes untold."""

import re
from argparse import ArgumentParser, _SubParsersAction
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.management import get_commands, load_command_class
from django.core.management.base import BaseCommand

from answers.states import AnswerStatus, DraftState
from audit.events import EventType
from documents.states import VersionState
from inlock.demo.questions import ACCOUNTS, DOCUMENTS, QUESTIONS, WORKSPACES
from tests import docs
from workspaces.checks import DEMO_PASSWORD
from workspaces.roles import Action, PlatformAction, Role

ROOT = docs.FOLDER.parent
APPS = {"inlock", "answers", "documents", "workspaces", "audit"}
COMMANDS = sorted(name for name, app in get_commands().items() if app in APPS)
PAGES = sorted([*ROOT.glob("*.md"), *docs.FOLDER.rglob("*.md")])
MADE = docs.pages()
LINK = re.compile(r"\]\(([^)#\s]+)[^)]*\)")


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


# --- Pages made from the code -------------------------------------------------------------------------------


@pytest.mark.parametrize("name", MADE)
def test_a_page_made_from_the_code_is_the_committed_one(name):
    assert read(f"docs/{name}") == MADE[name], "run `python -m tests.docs` and commit what it writes"


@pytest.mark.parametrize(
    ("page", "codes"),
    [
        ("docs/roles.md", [*Role, *Action, *PlatformAction]),
        ("docs/states.md", [*VersionState, *AnswerStatus, *DraftState]),
        ("docs/events.md", list(EventType)),
    ],
)
def test_every_code_is_explained(page, codes):
    text = read(page)

    assert [code for code in codes if f"`{code}`" not in text] == []


# --- Operations ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", COMMANDS)
def test_operations_tells_every_command_with_every_option(name):
    told = section(read("docs/operations.md"), f"### `{name}")
    command = load_command_class(get_commands()[name], name)

    missing = [option for option in options(command, name) if not re.search(rf"{re.escape(option)}\b", told)]

    assert missing == []


def test_operations_tells_every_setting():
    names = re.findall(r"^#? ?([A-Z][A-Z_]+)=", read(".env.example"), re.MULTILINE)
    told = read("docs/operations.md")

    assert len(names) > 15
    assert [name for name in names if f"`{name}`" not in told] == []


def section(page: str, heading: str) -> str:
    """What stands under every heading that begins so, up to the next of its level, with the rules for all commands."""
    parts = re.split(r"^(?=##)", page, flags=re.MULTILINE)
    under = [part for part in parts if part.startswith(heading)]
    assert under, f"no section {heading}"
    return "".join([part for part in parts if part.startswith("## Commands")] + under)


def options(command: BaseCommand, name: str) -> Iterator[str]:
    """The command's own options, those of its sub-commands included; each by its longest name."""
    parser = command.create_parser("manage.py", name)
    of_django = {one for action in BaseCommand().create_parser("", "")._actions for one in action.option_strings}
    for each in [parser, *_below(parser)]:
        for action in each._actions:
            if action.option_strings and not of_django.intersection(action.option_strings):
                yield max(action.option_strings, key=len)


def _below(parser: ArgumentParser) -> Iterator[ArgumentParser]:
    for action in parser._actions:
        if isinstance(action, _SubParsersAction):
            yield from action.choices.values()


# --- What a stranger reads first ----------------------------------------------------------------------------


@pytest.mark.parametrize("page", PAGES, ids=[str(page.relative_to(ROOT)) for page in PAGES])
def test_every_relative_link_leads_somewhere(page: Path):
    links = [link for link in LINK.findall(page.read_text(encoding="utf-8")) if "://" not in link]

    assert [link for link in links if not (page.parent / link).exists()] == []


def test_the_demo_is_the_one_the_readme_tells():
    rows = re.findall(r"^\| `(\w+)` \|", read("README.md"), re.MULTILINE)
    told = " ".join(read("README.md").split())

    assert sorted(rows) == sorted(account.username for account in ACCOUNTS)
    assert f"`{DEMO_PASSWORD}`" in told
    assert [workspace.name for workspace in WORKSPACES if f"*{workspace.name}*" not in told] == []
    assert f"{len(DOCUMENTS)} documents become ready" in told
    endings = [question.expect for question in QUESTIONS]
    assert (endings.count("answered"), endings.count("refused_no_evidence"), endings.count("held")) == (3, 1, 1)
    assert "three answers with the passages they quote" in told
