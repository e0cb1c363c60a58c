"""A draft that goes wrong against the handbook in ways a reader would see."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.api import conftest as programs

#: A program with a token of a person.
program = programs.program

DRAFT = """# Leave rules for the new office

1. Parental leave
The second parent takes 30 working days of paid parental leave within six months of the birth.

2. Annual leave
Every employee has 25 working days of annual leave a year. “Carry-over” means days that are taken later.
"""


@pytest.fixture
def examined(handbook: Any, policies: Any) -> Callable[..., Any]:
    """examined(by) → the draft after the whole examination ran in this process."""
    from answers.draft_review.bringing import bring, read_text
    from answers.tasks import examine_draft

    def run(by: Any, text: str = DRAFT, title: str = "Leave rules", **options: Any) -> Any:
        made = bring(policies, read_text(title, text), by=by, **options)
        examine_draft(str(made.pk))
        made.refresh_from_db()
        return made

    return run
