"""P1, when what stands around the check is broken: the indexes hold what they should not, or the database fails."""

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

import pytest
from django.db import connection
from django.db.utils import OperationalError
from django.test import Client
from django.urls import reverse

from answers import pipeline, questions
from answers.models import Answer, ModelEndpoint
from answers.states import RELEASED
from documents import index, library
from documents.access import restriction
from documents.analysis import words
from documents.embeddings import embed_query
from documents.indexing import replicas
from documents.models import Document, Passage
from documents.retrieval import legs
from documents.retrieval.scope import Candidate, OpenVersion, Scope
from documents.viewer import views as viewer_views
from tests.answers import chat_server
from tests.documents.shelf import SPACE
from tests.leaks import pausing
from tests.leaks import portal_scene as scene
from workspaces.models import User, Workspace

OPEN, CLOSED, SUPERSEDED, NEWER, DELETED, FOREIGN = (scene.word(number) for number in range(1, 7))
ALLOWED = {OPEN, NEWER}
#: Set by `make deep`: each statement of each page fails once, not the first, the middle and the last.
DEEP = bool(os.environ.get("INLOCK_DEEP"))


@dataclass
class Place:
    """A workspace with every kind of passage an index may name, and a model that says its prompt again."""

    workspace: Workspace
    document: Document
    person: User
    client: Client
    model: ModelEndpoint
    prompts: list[Any]

    def found(self) -> set[str]:
        """The canaries a search shows."""
        return set(scene.CANARY.findall(scene.api_search(self.client, [self.workspace.slug])))

    def ask(self) -> Answer:
        return questions.ask(workspace=self.workspace, text=scene.QUESTION, by=self.person, endpoint=self.model)

    def prompted(self) -> set[str]:
        """The canaries that go to a model."""
        self.prompts.clear()
        pipeline.run(self.ask().pk)
        return set(scene.CANARY.findall(str(self.prompts)))


@pytest.fixture
def place(policies: Workspace, make_workspace: Any, manager: User, member: User) -> Iterator[Place]:
    """`policies`, where the member may open two of four documents, and a workspace they are a stranger to."""
    opened = scene.put(policies, "open.md", OPEN, by=manager)
    restriction.restrict(scene.put(policies, "closed.md", CLOSED, by=manager), by=manager)
    scene.put_version(scene.put(policies, "changed.md", SUPERSEDED, by=manager), NEWER, by=manager)
    library.delete(scene.put(policies, "deleted.md", DELETED, by=manager), by=manager)
    scene.put(make_workspace("elsewhere", manager=manager), "foreign.md", FOREIGN, by=manager)
    client = Client(raise_request_exception=False)
    client.force_login(member, backend="django.contrib.auth.backends.ModelBackend")
    with chat_server.serve() as server:
        yield Place(policies, opened, member, client, pausing.offer(policies, server, "echo"), server.requests)


def sabotage(workspace: Workspace) -> None:
    """Both indexes of the workspace name every passage there is, and some there are not, as the best that could be."""
    every = [str(passage) for passage in Passage.objects.values_list("pk", flat=True)]
    names = [*every, str(uuid.uuid4()), "../../etc/passwd", "' OR 1=1 --"]
    index.upsert(workspace.pk, SPACE, names, [embed_query(scene.QUESTION, SPACE)] * len(names))
    said = words(scene.QUESTION, "en")
    current = sorted(replicas.current_versions(workspace.pk))
    # Under the versions that are open: the replica's own filter believes it as well.
    entries = [(name, version, said) for name in names for version in current]
    workspace.refresh_from_db()
    replicas.replica_of(workspace.pk).rebuild(workspace.index_revision, current, lambda missing: entries)


#: What makes the search go one way or the other: by itself it looks at the few open passages alone.
PATHS: dict[str, dict[str, int]] = {
    "the few that are open are searched": {},
    "the index is asked and enough comes": {"ENOUGH": 0},
    "the index is asked wider": {"EXACT_UP_TO": -1, "EXACT_AT_ONCE": -1},
}


def test_indexes_that_name_what_is_closed_stale_or_foreign_leak_nothing(place: Place, subtests: Any) -> None:
    sabotage(place.workspace)
    for path, changed in PATHS.items():
        # How little was open the last time would decide the way.
        legs._widths.clear()
        with subtests.test(path), pytest.MonkeyPatch.context() as patch:
            for name, value in changed.items():
                patch.setattr(legs, name, value)

            assert place.found() == ALLOWED
            assert place.prompted() == ALLOWED


def test_a_search_that_believed_its_index_would_be_seen(place: Place, monkeypatch: Any) -> None:
    """The counter-proof of the test above; what goes to a model is checked once more, and still closed."""

    def believe(self: Scope, ids: Any) -> dict[str, Candidate]:
        rows = Passage.objects.filter(pk__in=[one for one in ids if len(one) == 36]).select_related("version__document")
        return {
            str(one.pk): Candidate(OpenVersion(one.version_id, one.version.document_id, ("", ""), 1), one.language)
            for one in rows
        }

    sabotage(place.workspace)
    monkeypatch.setattr(legs, "ENOUGH", 0)
    monkeypatch.setattr(Scope, "among", believe)

    assert {CLOSED, SUPERSEDED, FOREIGN} <= place.found()
    assert place.prompted() <= ALLOWED


# --- A database that fails within the check -------------------------------------------------------------------

#: Where rights stand.
RIGHTS = ("workspaces_membership", "documents_documentusergrant", "documents_documentbar", "workspaces_rolebar")


@contextmanager
def failing(at: int) -> Iterator[list[str]]:
    """Statements about rights fail from number `at` on, as on a connection that is gone; none where it is 0."""
    asked: list[str] = []

    def wrapper(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if any(table in sql for table in RIGHTS):
            asked.append(sql)
            if at and len(asked) >= at:
                raise OperationalError("the connection is gone")
        return execute(sql, params, many, context)

    with connection.execute_wrapper(wrapper):
        yield asked


def _surfaces(place: Place) -> dict[str, Any]:
    slug, document = place.workspace.slug, place.document
    answer = place.ask()
    pipeline.run(answer.pk)
    assert Answer.objects.get(pk=answer.pk).status in RELEASED
    here, version = [slug, document.pk], document.current_version_id
    cited = answer.citations.get(quote__contains="canary")
    addresses = {
        "document": reverse("documents:detail", args=here),
        "original": reverse("documents:original", args=[*here, version]),
        "answer": reverse("answers:answer", args=[slug, answer.pk]),
        "citation": reverse("answers:citation", args=[slug, answer.pk, cited.number]),
        "thread": reverse("answers:ask", args=[slug]),
        "answer for programs": reverse("api:answer", args=[answer.pk]),
    }
    looks = {
        name: lambda address=address: scene._body(place.client.get(address)) for name, address in addresses.items()
    }
    return looks | {"search for programs": lambda: scene.api_search(place.client, [slug])}


def test_a_database_that_fails_within_the_check_refuses(place: Place) -> None:
    for name, look in _surfaces(place).items():
        with failing(at=0) as asked:
            assert scene.CANARY.findall(look()), name
        for at in range(1, len(asked) + 1) if DEEP else {1, (len(asked) + 1) // 2, len(asked)}:
            with failing(at):
                assert not scene.CANARY.findall(look()), (name, at, asked[at - 1])


def test_a_database_that_fails_within_the_check_ends_no_question_with_an_answer(place: Place) -> None:
    with failing(at=0) as asked:
        pipeline.run(place.ask().pk)
    for at in range(1, len(asked) + 1):
        answer = place.ask()
        with failing(at) as asked_again, suppress(OperationalError):
            pipeline.run(answer.pk)
        if len(asked_again) < at:
            # Who had little open the last time is asked for less.
            break
        answer.refresh_from_db()
        assert answer.status not in RELEASED, at
        assert answer.text == answer.released_text == "", at


def test_a_check_that_took_a_failure_for_a_yes_would_be_seen(place: Place, monkeypatch: Any) -> None:
    """The counter-proof: a rule that cannot be asked would let everybody in."""
    looks = _surfaces(place)
    real = viewer_views.version_of

    def trusting(request: Any, document: Document, pk: Any, **options: Any) -> Any:
        try:
            return real(request, document, pk, **options)
        except OperationalError:
            return document.versions.get(pk=pk)

    monkeypatch.setattr(viewer_views, "version_of", trusting)
    with failing(at=0) as asked:
        looks["original"]()

    told = []
    for at in range(1, len(asked) + 1):
        with failing(at):
            told.append(looks["original"]())
    assert any(scene.CANARY.findall(each) for each in told)
