"""Answers that stand still at one point of the pipeline while their askers lose a right, and then go on.

Every way of losing it has an asker and a document of its own; the pipelines and the streams run in threads, as they
do in a worker and a web server.
"""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from uuid import UUID

from django.db import connection
from django.test import Client
from django.utils import timezone

from answers import pipeline, questions
from answers.endpoints import BUILT_IN
from answers.models import Answer, ModelEndpoint, WorkspaceModels
from answers.states import HELD
from documents import library
from documents.access import bars as document_bars
from documents.access import restriction
from documents.models import Document
from tests.answers.chat_server import ChatServer
from tests.leaks import portal_scene as scene
from tests.leaks.watching import Watching
from workspaces import accounts, groups, members
from workspaces.bars import rules as bars
from workspaces.models import PeopleGroup, User, Workspace

_PATIENCE = 60


@dataclass
class Asker:
    """One person, the one document that nobody else may ask about, and what they asked and saw."""

    person: User
    document: Document
    canary: str
    group: PeopleGroup
    keeper: User
    operator: User
    client: Client
    answer: Answer | None = None
    watching: Watching | None = None

    @property
    def workspace(self) -> Workspace:
        return self.document.workspace

    def told(self) -> str:
        """What the pages of the own answer and a second look at its stream show, as far as they open."""
        here = f"/w/{self.workspace.slug}/answers/{self.answer.pk}/"
        pages = "".join(
            self.client.get(f"{here}{name}").content.decode() for name in ("", "provenance/", "citations/1/")
        )
        again = self.client.get(f"{here}events/")
        if not again.streaming:
            return pages
        watching = Watching(again)
        assert watching.ends_within(_PATIENCE)
        return pages + watching.text


# --- The ways of losing the right ---------------------------------------------------------------------------


def revoke(asker: Asker) -> None:
    restriction.revoke_grant(asker.document, asker.person, by=asker.keeper)


def revoke_from_group(asker: Asker) -> None:
    restriction.revoke_grant(asker.document, asker.group, by=asker.keeper)


def leave_group(asker: Asker) -> None:
    groups.remove_from_group(asker.group, asker.person, by=asker.operator)


def restrict(asker: Asker) -> None:
    restriction.restrict(asker.document, by=asker.keeper)


def bar(asker: Asker) -> None:
    document_bars.bar(asker.document, asker.person, reason="A conflict.", by=asker.keeper)


def bar_group(asker: Asker) -> None:
    document_bars.bar(asker.document, asker.group, reason="A conflict.", by=asker.keeper)


def bar_everywhere(asker: Asker) -> None:
    bars.bar(asker.workspace, asker.person, reason="A conflict.", by=asker.keeper)


def delete(asker: Asker) -> None:
    library.delete(asker.document, by=asker.keeper)


def take_role(asker: Asker) -> None:
    members.remove_member(asker.workspace, asker.person, "member", by=asker.keeper)


def close_account(asker: Asker) -> None:
    accounts.change_account(asker.person, by=asker.operator, is_active=False)


def take_nothing(asker: Asker) -> None:
    """Whoever loses nothing gets the answer: without this one, the rest would prove little."""


Way = Callable[[Asker], None]
WAYS: tuple[Way, ...] = (
    *(revoke, revoke_from_group, leave_group, restrict, delete),  # what opened it ended
    *(bar, bar_group, bar_everywhere, take_role, close_account),  # the person is kept out
)
#: One for each kind of right: to the document, against it, in the workspace, and to be here at all.
FEW_WAYS: tuple[Way, ...] = (revoke_from_group, bar, take_role, close_account)
#: Whose document is granted to a group, and whose is not restricted at all.
_THROUGH_GROUP, _UNRESTRICTED = {revoke_from_group, leave_group}, {restrict}


def cast(
    ways: tuple[Way, ...], places: dict[str, Workspace], keeper: User, reviewer: User, operator: User
) -> dict[Way, Asker]:
    """An asker for each of `ways`, in `places["one"]`; in `places["alone"]` where the document is open to all."""
    askers = {}
    for number, way in enumerate(ways, start=1):
        place = places["alone" if way in _UNRESTRICTED else "one"]
        askers[way] = _asker(number, way, place, keeper, operator)
        if way not in _UNRESTRICTED:
            restriction.grant(askers[way].document, reviewer, by=keeper)
    return askers


def _asker(number: int, way: Way, workspace: Workspace, keeper: User, operator: User) -> Asker:
    person = members.create_user(username=f"asker-{number}", by=None)
    members.add_member(workspace, person, "member", by=None)
    group = groups.create_group(name=f"Desk {number}", by=None)
    groups.add_to_group(group, person, by=None)
    document = scene.put(workspace, f"depot-{number}.md", scene.word(number), by=keeper)
    if way not in _UNRESTRICTED:
        restriction.restrict(document, by=keeper)
        restriction.grant(document, group if way in _THROUGH_GROUP else person, by=keeper)
    client = Client()
    client.force_login(person, backend="django.contrib.auth.backends.ModelBackend")
    return Asker(person, document, scene.word(number), group, keeper, operator, client)


def offer(workspace: Workspace, server: ChatServer, model: str) -> ModelEndpoint:
    """The model of the server, open to the workspace."""
    endpoint, _ = ModelEndpoint.objects.get_or_create(
        name=model,
        defaults={
            "kind": "openai",
            "base_url": server.url,
            "model": model,
            "ceiling": "restricted",
            "state": "approved",
            "approved_at": timezone.now(),
        },
    )
    built_in = ModelEndpoint.objects.get(name=BUILT_IN)
    offered, _ = WorkspaceModels.objects.get_or_create(workspace=workspace, defaults={"default_endpoint": built_in})
    offered.choices.add(endpoint)
    return endpoint


# --- Standing still -----------------------------------------------------------------------------------------


@dataclass
class Pause:
    """Calls from `parties` threads return when all of them came and `held` was left."""

    parties: int
    _barrier: threading.Barrier = field(init=False)

    def __post_init__(self) -> None:
        self._barrier = threading.Barrier(self.parties + 1)

    def __call__(self) -> None:
        self._barrier.wait(_PATIENCE)
        self._barrier.wait(_PATIENCE)

    @contextmanager
    def held(self) -> Iterator[None]:
        self._barrier.wait(_PATIENCE)
        yield
        self._barrier.wait(_PATIENCE)


def lose_on_the_way(askers: dict[Way, Asker], pause: Pause, model: ModelEndpoint) -> None:
    """Everybody asks and watches; where all pipelines stand still each loses their right; then all go on to the end."""
    for asker in askers.values():
        asker.answer = questions.ask(workspace=asker.workspace, text=scene.QUESTION, by=asker.person, endpoint=model)
        here = f"/w/{asker.workspace.slug}/answers/{asker.answer.pk}/events/"
        asker.watching = Watching(asker.client.get(here))
    with ThreadPoolExecutor(len(askers)) as pool:
        runs = [pool.submit(_run, asker.answer.pk) for asker in askers.values()]
        with pause.held():
            for way, asker in askers.items():
                way(asker)
            _look_at_rights([asker.watching for asker in askers.values()])
        for run in runs:
            run.result(_PATIENCE)
    for asker in askers.values():
        asker.answer.refresh_from_db()
        if asker.answer.status in HELD:
            # Goes on for the reviewer's decision.
            asker.watching.leave()
        assert asker.watching.ends_within(_PATIENCE)


def _run(answer_id: UUID) -> None:
    try:
        pipeline.run(answer_id)
    finally:
        connection.close()


def _look_at_rights(watchings: list[Watching]) -> None:
    """Return when every stream has ended or looked at the rights of its watcher since now: at each beat it does."""
    had = {id(one): one.text.count(": still here") for one in watchings}
    deadline = time.monotonic() + _PATIENCE
    while any(not one.is_over and one.text.count(": still here") < had[id(one)] + 2 for one in watchings):
        assert time.monotonic() < deadline, "a stream did not look at rights"
        time.sleep(0.02)
