"""A workspace with a document of each kind of guardedness, and endpoints whose server says what it was sent."""

from collections.abc import Callable
from typing import Any

import pytest


@pytest.fixture
def prompt() -> Callable[..., Any]:
    """prompt("text", …) → a prompt that holds these texts."""
    from answers.prompts import Prompt

    return lambda *texts: Prompt("test-1", "0" * 64, "Answer.", "\n".join(texts))


@pytest.fixture
def documents(policies: Any) -> list[Any]:
    """Three documents whose titles are words that stand nowhere else."""
    from documents.models import Document

    return [Document.objects.create(workspace=policies, path=f"{name}.md", title=name) for name in _WORDS]


_WORDS = ("kestrel-one", "kestrel-two", "kestrel-three")
