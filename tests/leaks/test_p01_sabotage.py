"""P1, when what stands around the check is broken: the indexes hold what they should not, or the database fails."""

from typing import Any

import pytest
from django.db.utils import OperationalError
from django.test import Client

from documents import index
from documents.models import Passage
from tests.documents.shelf import SPACE
from tests.leaks import portal_scene as scene
from workspaces import access, members

CANARY = scene.word(1)


@pytest.fixture
def place(policies: Any, manager: Any) -> Any:
    """`policies` with one document."""
    policies.document = scene.put(policies, "depot.md", CANARY, by=manager)
    return policies


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
