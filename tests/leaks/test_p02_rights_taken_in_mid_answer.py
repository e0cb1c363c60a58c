"""P2: a right taken away while an answer is being made counts at once, wherever the pipeline is."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db.utils import OperationalError
from django.test import Client

from answers import pipeline, questions
from answers.endpoints import BUILT_IN
from answers.models import Answer, ModelEndpoint, WorkspaceModels
from answers.states import AnswerStatus
from answers.steps import compose, retrieve
from documents import bars as document_bars
from documents import index, library, restriction
from documents.models import Passage
from tests.answers import chat_server
from tests.documents.shelf import SPACE
from tests.leaks import portal_scene as scene
from workspaces import access, accounts, bars, members

CANARY = scene.word(1)


@pytest.fixture
def place(policies: Any, manager: Any) -> Any:
    """`policies` with one document, and a model that says its prompt again."""
    policies.document = scene.put(policies, "depot.md", CANARY, by=manager)
    with chat_server.serve() as server:
        policies.echo = ModelEndpoint.objects.create(name="echo", kind="openai", base_url=server.url, model="echo")
        policies.sent = server.requests
        built_in = ModelEndpoint.objects.get(name=BUILT_IN)
        offered, _ = WorkspaceModels.objects.get_or_create(workspace=policies, defaults={"default_endpoint": built_in})
        offered.choices.add(policies.echo)
        yield policies


def _restrict(place: Any, manager: Any, member: Any, admin: Any) -> None:
    restriction.restrict(place.document, by=manager)


def _bar(place: Any, manager: Any, member: Any, admin: Any) -> None:
    document_bars.bar(place.document, member, reason="A conflict.", by=manager)


def _bar_everywhere(place: Any, manager: Any, member: Any, admin: Any) -> None:
    bars.bar(place, member, reason="A conflict.", by=manager)


def _delete(place: Any, manager: Any, member: Any, admin: Any) -> None:
    library.delete(place.document, by=manager)


def _take_role(place: Any, manager: Any, member: Any, admin: Any) -> None:
    members.remove_member(place, member, "member", by=manager)


def _close(place: Any, manager: Any, member: Any, admin: Any) -> None:
    accounts.change_account(member, by=admin, is_active=False)


TAKEN: list[Callable[..., None]] = [_restrict, _bar, _bar_everywhere, _delete, _take_role, _close]
#: Where the pipeline is when it happens: the function that has just returned.
POINTS = {"after the search": (retrieve, "_search"), "after the prompt": (compose.prompts, "render")}


@pytest.mark.parametrize("take", TAKEN, ids=lambda take: take.__name__.strip("_"))
@pytest.mark.parametrize("point", POINTS)
def test_nothing_is_told_of_what_was_taken_on_the_way(
    place: Any, manager: Any, member: Any, admin: Any, monkeypatch: Any, point: str, take: Any
) -> None:
    module, name = POINTS[point]
    real = getattr(module, name)

    def then_take(*args: Any, **options: Any) -> Any:
        made = real(*args, **options)
        take(place, manager, member, admin)
        return made

    monkeypatch.setattr(module, name, then_take)
    asked = questions.ask(workspace=place, text=scene.QUESTION, by=member, endpoint=place.echo)

    pipeline.run(asked.pk)

    answer = Answer.objects.get(pk=asked.pk)
    assert answer.status not in {AnswerStatus.ANSWERED, AnswerStatus.HELD_FOR_REVIEW}
    assert CANARY not in answer.text + answer.released_text
    if point == "after the search":
        assert CANARY not in str(place.sent)


def test_without_a_right_taken_the_answer_comes(place: Any, member: Any) -> None:
    asked = questions.ask(workspace=place, text=scene.QUESTION, by=member, endpoint=place.echo)

    pipeline.run(asked.pk)

    assert CANARY in Answer.objects.get(pk=asked.pk).released_text


# --- Sabotage -------------------------------------------------------------------------------------------------


def test_an_index_that_names_another_workspaces_passages_leaks_nothing(
    place: Any, legal: Any, manager: Any, make_user: Any
) -> None:
    outsider = make_user("outsider")
    members.add_member(legal, outsider, "member", by=None)
    scene.put(legal, "own.md", scene.word(2), by=manager)
    foreign = [str(one.pk) for one in Passage.objects.filter(workspace=place)]
    index.upsert(legal.pk, SPACE, foreign, [scene.embed_query(scene.QUESTION, SPACE)] * len(foreign))
    client = Client()
    client.force_login(outsider, backend="django.contrib.auth.backends.ModelBackend")

    told = scene.api_search(client, ["legal"])

    assert scene.word(2) in told
    assert CANARY not in told


@pytest.mark.parametrize("question", ["require", "visible", "find", "_held", "_known", "workspaces_allowing"])
def test_a_database_that_fails_within_the_check_refuses(
    place: Any, member: Any, monkeypatch: Any, question: str
) -> None:
    def fails(*args: Any, **options: Any) -> Any:
        raise OperationalError("the connection is gone")

    client = Client(raise_request_exception=False)
    client.force_login(member, backend="django.contrib.auth.backends.ModelBackend")
    monkeypatch.setattr(access, question, fails)

    for address in (f"/w/policies/documents/{place.document.pk}/", "/w/policies/ask/"):
        assert CANARY not in client.get(address).content.decode()
    assert CANARY not in scene.api_search(client, ["policies"])
