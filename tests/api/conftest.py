"""A program with a token, and something to ask about."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client


@dataclass
class Program:
    """Calls the API with a token, as a program would: without cookies."""

    text: str
    token: Any = None

    def get(self, path: str, **headers: str) -> Any:
        return self._client().get(f"/api/v1/{path}", headers=headers)

    def post(self, path: str, sent: Any, **headers: str) -> Any:
        return self._client().post(f"/api/v1/{path}", sent, content_type="application/json", headers=headers)

    def send(self, place: str, content: bytes, name: str = "rules.md", /, **given: str) -> Any:
        """A file as multipart/form-data, as the part `file`."""
        return self._client().post(f"/api/v1/{place}", {"file": SimpleUploadedFile(name, content), **given})

    def delete(self, path: str) -> Any:
        return self._client().delete(f"/api/v1/{path}")

    def _client(self) -> Client:
        return Client(headers={"Authorization": f"Bearer {self.text}"}, enforce_csrf_checks=True)


@pytest.fixture
def program() -> Callable[..., Program]:
    """program(user, workspace, …, actions=[…]) → a program that holds a token of that person."""

    from workspaces.tokens import keeping as tokens

    def make(user: Any, *workspaces: Any, actions: Any = ("ask_questions",)) -> Program:
        token, text = tokens.create(by=user, name="A program", workspaces=workspaces, actions=actions)
        return Program(text, token)

    return make


@pytest.fixture
def handbook(policies: Any) -> Any:
    from tests.answers import library

    return library.add_document(policies, "employee-handbook.md", library.HANDBOOK)


@pytest.fixture
def answered() -> Callable[..., Any]:
    """answered(workspace, "question", user) → the answer after the whole pipeline ran in this process."""
    from answers import pipeline
    from answers.questions import ask

    def run(workspace: Any, text: str, by: Any) -> Any:
        answer = ask(workspace=workspace, text=text, by=by)
        pipeline.run(answer.pk)
        answer.refresh_from_db()
        return answer

    return run
