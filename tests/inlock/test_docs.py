"""The documentation says what the code does: pages made from tables are current, and nothing of ours goes untold."""

import pytest

from tests import docs

MADE = docs.pages()


@pytest.mark.parametrize("name", MADE)
def test_a_page_made_from_the_code_is_the_committed_one(name):
    committed = (docs.FOLDER / name).read_text(encoding="utf-8")

    assert committed == MADE[name], "run `python -m tests.docs` and commit what it writes"
