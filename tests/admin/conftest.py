"""Drafts to look at, and where each page of the admin is."""

from typing import Any

import pytest
from django.urls import reverse


@pytest.fixture
def draft(legal: Any, member: Any) -> Any:
    # Models cannot be imported yet when pytest reads this file.
    from tests.answers.review_scene import a_held_answer

    return a_held_answer(legal, member)


@pytest.fixture
def page() -> Any:
    """page("answers_draft_change", pk) → its address."""
    return lambda name, *args: reverse(f"admin:{name}", args=args)
