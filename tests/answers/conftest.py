"""What an asker finds: two documents in the open workspace, and a way to run a question to its ending."""

from collections.abc import Callable
from typing import Any

import pytest


@pytest.fixture
def handbook(policies: Any) -> Any:
    from tests.answers import library

    return library.add_document(policies, "employee-handbook.md", library.HANDBOOK)


@pytest.fixture
def purchasing(policies: Any) -> Any:
    from tests.answers import library

    return library.add_document(policies, "purchasing-policy.md", library.PURCHASING)


@pytest.fixture
def answered() -> Callable[..., Any]:
    """answered(workspace, "question", user) → the answer after the whole pipeline ran in this process."""
    from answers import pipeline
    from answers.questions import ask

    def run(workspace: Any, text: str, by: Any, **options: Any) -> Any:
        answer = ask(workspace=workspace, text=text, by=by, **options)
        pipeline.run(answer.pk)
        answer.refresh_from_db()
        return answer

    return run
