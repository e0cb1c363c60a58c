"""The pages of docs/ that are made from the code's own tables: `python -m tests.docs` writes them anew.

`tests/inlock/test_docs.py` fails while a committed page is not the one that the tables give.
"""

import os
from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise
from pathlib import Path

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "inlock.settings")
    import django

    django.setup()

from django.utils import translation

from answers import review
from answers import states as answers
from answers.states import AnswerStatus, DraftState
from audit.events import EventType
from documents import states as documents
from documents.states import MigrationState, VersionState
from workspaces.roles import CHARTERS, FOR_MANAGERS, PLATFORM_ADMINISTRATOR, PLATFORM_CHARTER, Action, PlatformAction

FOLDER = Path(__file__).parent.parent / "docs"


def pages() -> dict[str, str]:
    """File name → its whole text, in English."""
    made: dict[str, Callable[[], str]] = {"roles.md": _roles, "states.md": _states, "events.md": _events}
    with translation.override("en"):
        return {name: make() for name, make in made.items()}


# --- Roles --------------------------------------------------------------------------------------------------


def _roles() -> str:
    purposes = [(f"{role.label} (`{role}`)", charter.purpose) for role, charter in CHARTERS.items()]
    cells = [
        (f"{action.label} (`{action}`)", *("●" if action in charter.actions else "" for charter in CHARTERS.values()))
        for action in Action
    ]
    return _page(
        "Roles",
        "workspaces/roles.py",
        "A person may hold several roles, and nobody holds one by default. A right that no role gives is refused. A "
        "superuser, whom only the operator can make, passes without a role only after stating a reason, for a while, "
        "and each use leaves an `access.break_glass` entry.",
        "## In a workspace",
        _table(("role", "what it is for"), purposes),
        _table(("may", *(role.label for role in CHARTERS)), cells),
        "## Across the installation",
        f"One role stands above the workspaces: the platform administrator (`{PLATFORM_ADMINISTRATOR}`). "
        f"{PLATFORM_CHARTER.purpose}",
        _table(
            ("may", "platform administrator", "manager of any workspace"),
            [
                (
                    f"{action.label} (`{action}`)",
                    "●" if action in PLATFORM_CHARTER.actions else "",
                    "●" if action in FOR_MANAGERS else "",
                )
                for action in PlatformAction
            ],
        ),
    )


# --- States -------------------------------------------------------------------------------------------------


def _states() -> str:
    endings = [
        (
            f"`{status}`",
            status.label,
            status.family,
            answers.WORDING[status].sentence,
            _codes(before for before in AnswerStatus if answers.may_follow(before, status)),
        )
        for status in AnswerStatus
    ]
    drafts = [
        (
            f"`{state}`",
            state.label,
            f"`{answers.ANSWER_STATUS_OF[state]}`",
            ", ".join(act for act, when in review.WHEN.items() if state in when) or "nothing more",
        )
        for state in DraftState
    ]
    return _page(
        "States",
        "documents/states.py`, `answers/states.py` and `answers/review/",
        "What may follow what. A state is written in the transaction that writes what it promises.",
        "## A version of a document",
        _version_diagram(),
        _table(
            ("state", "a person reads", "comes after"),
            [(f"`{s}`", s.label, _codes(b for b in VersionState if documents.may_follow(b, s))) for s in VersionState],
        ),
        "## A change of a workspace's embedding model",
        "Questions are answered in all of these, in one of the two spaces.",
        _table(
            ("state", "a person reads", "comes after"),
            [
                (f"`{s}`", s.label, _codes(b for b in MigrationState if documents.migration_may_become(b, s)))
                for s in MigrationState
            ],
        ),
        "## An answer",
        "The part of the code before the underscore is the family: every ending has one, a label for those who "
        "govern, and a sentence for the asker.",
        _table(("status", "label", "family", "what the asker reads", "comes after"), endings),
        "## A draft in review",
        "A held answer has a draft, and follows it.",
        _table(("state", "label", "its answer is", "what a reviewer may do with it"), drafts),
    )


def _version_diagram() -> str:
    """The way in, and the ways out that all its states share."""
    steps = list(pairwise(documents.PROGRESS))
    shared = frozenset.intersection(*(documents.NEXT[state] for state in documents.OPEN))
    lines = ["stateDiagram-v2", "    state in_work {", f"        [*] --> {documents.PROGRESS[0]}"]
    lines += [f"        {before} --> {after}" for before, after in steps[:-1]]
    lines += ["    }", f"    {documents.PROGRESS[-2]} --> {documents.PROGRESS[-1]}"]
    lines += [f"    in_work --> {s}" for s in VersionState if s in shared and s not in documents.PROGRESS]
    for settled in documents.SETTLED:
        lines += [f"    {settled} --> {after}" for after in VersionState if documents.may_follow(settled, after)]
    return "\n".join(["```mermaid", *lines, "```"])


# --- Events -------------------------------------------------------------------------------------------------


def _events() -> str:
    return _page(
        "Events of the audit trail",
        "audit/events.py",
        "The trail knows these entries and refuses any other. Each carries its number, time, person, object, request "
        "and reason, and details such as ids, counts, hashes and settings: never the text of a document, question or "
        "answer.",
        _table(("event", "what happened"), [(f"`{event}`", event.label) for event in EventType]),
    )


# --- Inside -------------------------------------------------------------------------------------------------


def _page(title: str, source: str, *parts: str) -> str:
    made = f"Made from `{source}` by `python -m tests.docs`; change it there."
    return "\n\n".join([f"# {title}", made, *parts]) + "\n"


def _table(head: Sequence[object], rows: Iterable[Sequence[object]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(map(str, line))} |" for line in lines)


def _codes(states: Iterable[str]) -> str:
    return ", ".join(f"`{state}`" for state in states)


def main() -> None:
    """Write every page that is not as it should be."""
    for name, text in pages().items():
        (FOLDER / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
