"""P1: whatever happens to roles, groups, rules and documents, nobody is shown a word they may not read.

A state machine does what people do; an oracle of plain sets says who may read which canary; every surface is read.
"""

import os
from collections import Counter
from collections.abc import Iterator
from typing import Any, ClassVar

import pytest
from django.db import transaction
from django.db.models import Q
from django.test import Client
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from answers import pipeline, questions, reading
from answers.endpoints import BUILT_IN
from answers.models import Answer, EndpointKind, ModelEndpoint, WorkspaceModels
from answers.states import AnswerStatus
from documents import bars as document_bars
from documents import library, querysets, restriction
from documents.models import DocumentBar
from tests.answers import chat_server
from tests.leaks import portal_scene as scene
from tests.leaks.oracle import Oracle
from workspaces import access, accounts, bars, glass, groups, members, tokens
from workspaces.models import RoleBar, Workspace
from workspaces.roles import Action

PLACES, PEOPLE, GROUPS = ("one", "two"), ("ana", "boris", "root"), ("desk",)
#: Set by `make deep` to look longer.
SEQUENCES = int(os.environ.get("INLOCK_P1_SEQUENCES", "6"))
STEPS = int(os.environ.get("INLOCK_P1_STEPS", "25"))

person, place = st.sampled_from(PEOPLE), st.sampled_from(PLACES)
holder = st.sampled_from([*PEOPLE, *GROUPS])
role = st.sampled_from(["contributor", "reviewer", "member", "auditor"])
number = st.integers(0, 20)


class Portal(RuleBasedStateMachine):
    """The real portal and the oracle side by side. `seen` counts what was done and read, over all sequences."""

    seen: ClassVar[Counter[str]] = Counter()
    model: ClassVar[chat_server.ChatServer]

    def __init__(self) -> None:
        super().__init__()
        self.undo = transaction.atomic()
        self.undo.__enter__()
        self.oracle, self.documents, self.written = Oracle(), {}, 0
        self.seen["sequences"] += 1

    @initialize()
    def people_and_places(self) -> None:
        self.users = {name: members.create_user(username=name, by=None) for name in (*PEOPLE, "steward", "operator")}
        self.users["root"].is_superuser = True
        self.users["root"].save(update_fields=["is_superuser"])
        members.set_platform_administrator(self.users["operator"], by=None)
        self.groups = {name: groups.create_group(name=name, by=None) for name in GROUPS}
        self.places = {}
        endpoint = ModelEndpoint.objects.create(
            name="echo", kind=EndpointKind.OPENAI, base_url=self.model.url, model="echo"
        )
        for slug, policy in zip(PLACES, ("open", "review"), strict=True):
            made = members.create_workspace(slug=slug, name=slug, policy=policy, by=None)
            members.add_member(made, self.users["steward"], "manager", by=None)
            built_in = ModelEndpoint.objects.get(name=BUILT_IN)
            offered, _ = WorkspaceModels.objects.get_or_create(workspace=made, defaults={"default_endpoint": built_in})
            offered.choices.add(endpoint)
            self.places[slug] = made
        self.endpoint = endpoint
        self.upload("one")
        self.give_role("ana", "one", "member")
        self.give_role("boris", "two", "reviewer")
        self.upload("two")
        self.clients = {name: self._browser(name) for name in PEOPLE}
        self.programs = {name: self._program(name) for name in ("ana", "boris")}
        self.give_role("ana", "two", "member")
        self.ask("ana", "one")
        self.ask("ana", "two")

    def teardown(self) -> None:
        try:
            for name in PEOPLE:
                self.read(name)
        finally:
            self.forget()

    def forget(self) -> None:
        """Undo every row of this sequence."""
        transaction.set_rollback(True)
        self.undo.__exit__(None, None, None)

    # --- What people do ---

    @rule(where=place)
    def upload(self, where: str) -> None:
        self.written += 1
        name, canary = f"depot-{self.written}.md", scene.word(self.written)
        self.documents[name] = scene.put(self.places[where], name, canary, by=self.steward)
        self.oracle.place[name], self.oracle.canaries[name] = where, [canary]

    @rule(n=number)
    def upload_again(self, n: int) -> None:
        if name := self._document(n):
            self.written += 1
            scene.put_version(self.documents[name], scene.word(self.written), by=self.steward)
            self.oracle.canaries[name].append(scene.word(self.written))

    @rule(n=number)
    def delete(self, n: int) -> None:
        if (name := self._document(n)) and n % 3 == 0:
            library.delete(self.documents[name], by=self.steward)
            self.oracle.deleted.add(name)

    @rule(who=person, where=place, what=role)
    def give_role(self, who: str, where: str, what: str) -> None:
        if who not in self.oracle.closed:
            members.add_member(self.places[where], self.users[who], what, by=None)
            self.oracle.roles.add((who, where, what))

    @rule(who=person, where=place, what=role)
    def take_role(self, who: str, where: str, what: str) -> None:
        if (who, where, what) in self.oracle.roles:
            members.remove_member(self.places[where], self.users[who], what, by=None)
            self.oracle.roles.discard((who, where, what))
            self.oracle.leave(who, where)

    @rule(who=person, group=st.sampled_from(GROUPS))
    def join_or_leave_a_group(self, who: str, group: str) -> None:
        if (who, group) in self.oracle.groups:
            groups.remove_from_group(self.groups[group], self.users[who], by=None)
            self.oracle.groups.discard((who, group))
        elif who not in self.oracle.closed:
            groups.add_to_group(self.groups[group], self.users[who], by=None)
            self.oracle.groups.add((who, group))

    @rule(n=number)
    def restrict_or_open(self, n: int) -> None:
        if not (name := self._document(n)):
            return
        if name in self.oracle.restricted:
            restriction.unrestrict(self.documents[name], by=self.steward)
            self.oracle.restricted.discard(name)
            self.oracle.grants = {grant for grant in self.oracle.grants if grant[1] != name}
        else:
            restriction.restrict(self.documents[name], by=self.steward)
            self.oracle.restricted.add(name)
        self.documents[name].refresh_from_db()

    @rule(n=number, whom=holder)
    def grant_or_revoke(self, n: int, whom: str) -> None:
        name = self._document(n)
        if not name or name not in self.oracle.restricted:
            return
        if (whom, name) in self.oracle.grants:
            restriction.revoke_grant(self.documents[name], self._holder(whom), by=self.steward)
            self.oracle.grants.discard((whom, name))
        elif whom in GROUPS or self._is_inside(whom, self.oracle.place[name]):
            restriction.grant(self.documents[name], self._holder(whom), by=self.steward)
            self.oracle.grants.add((whom, name))

    @rule(n=number, whom=holder)
    def keep_from_a_document_or_let_in(self, n: int, whom: str) -> None:
        if not (name := self._document(n)):
            return
        if (whom, name) in self.oracle.kept_out:
            found = DocumentBar.objects.get(document=self.documents[name], **self._whom(whom))
            document_bars.lift(found, by=self.steward, reason="Over.")
            self.oracle.kept_out.discard((whom, name))
        else:
            document_bars.bar(self.documents[name], self._holder(whom), reason="A conflict.", by=self.steward)
            self.oracle.kept_out.add((whom, name))

    @rule(where=place, whom=holder)
    def keep_from_a_workspace_or_let_in(self, where: str, whom: str) -> None:
        if (whom, where) in self.oracle.barred:
            found = RoleBar.objects.get(workspace=self.places[where], role="", **self._whom(whom))
            bars.lift(found, by=self.steward, reason="Over.")
            self.oracle.barred.discard((whom, where))
            return
        bars.bar(self.places[where], self._holder(whom), reason="A conflict.", by=self.steward)
        self.oracle.barred.add((whom, where))
        for name in PEOPLE:
            if whom in self.oracle.names(name):
                self.oracle.leave(name, where)

    @rule(who=st.sampled_from(["ana", "boris"]))
    def close_or_open_the_account(self, who: str) -> None:
        opens = who in self.oracle.closed
        self.users[who] = accounts.change_account(self.users[who], by=self.users["operator"], is_active=opens)
        (self.oracle.closed.discard if opens else self.oracle.closed.add)(who)
        if opens:
            self.clients[who] = self._browser(who)

    @rule(where=place)
    def break_or_mend_the_glass(self, where: str) -> None:
        root, workspace = self.users["root"], self.places[where]
        if ("root", where) in self.oracle.glass:
            if (broken := access.broken_glass(root, workspace)) is not None:
                glass.end(broken, by=root)
                self.oracle.glass.discard(("root", where))
        elif not any((name, where) in self.oracle.barred for name in self.oracle.names("root")):
            glass.break_glass(workspace, by=root, reason="Ticket 4711")
            self.oracle.glass.add(("root", where))

    @rule(who=person, where=place)
    def ask(self, who: str, where: str) -> None:
        """The model is sent nothing its asker may not read, and says all of it again."""
        if who in self.oracle.closed or not (self._is_inside(who, where) or self._has_glass(who, where)):
            return
        self.model.requests.clear()
        asked = questions.ask(
            workspace=self.places[where], text=scene.QUESTION, by=self.users[who], endpoint=self.endpoint
        )
        pipeline.run(asked.pk)
        sent = set(scene.CANARY.findall(str(self.model.requests)))
        assert sent <= self.oracle.current(who, where), (who, where)
        self.seen["prompts"] += len(self.model.requests)
        self.seen[str(Answer.objects.get(pk=asked.pk).status)] += 1

    # --- What is read ---

    @rule(who=person)
    def read(self, who: str) -> None:
        """Every surface, as this person."""
        allowed = self.oracle.allowed(who)
        for name, surface in scene.SURFACES.items():
            told = set(scene.CANARY.findall(surface(self.clients[who], self.users[who])))
            assert told <= allowed, (who, name, told - allowed)
            self.seen["surfaces"] += 1
            self.seen["canaries read"] += len(told)
        for where in PLACES:
            found = set(scene.CANARY.findall(scene.api_search(self.clients[who], [where])))
            assert found == self.oracle.current(who, where), (who, where, "search")
        if who in self.programs:
            told = set(scene.CANARY.findall(scene.api(self.programs[who], self.users[who])))
            assert told <= allowed, (who, "token", told - allowed)

    # --- Inside ---

    @property
    def steward(self) -> Any:
        return self.users["steward"]

    def _document(self, n: int) -> str:
        there = [name for name in self.documents if name not in self.oracle.deleted]
        return there[n % len(there)] if there else ""

    def _holder(self, name: str) -> Any:
        return self.groups[name] if name in self.groups else self.users[name]

    def _whom(self, name: str) -> dict[str, Any]:
        return {"group": self.groups[name].group} if name in self.groups else {"user": self.users[name]}

    def _is_inside(self, who: str, where: str) -> bool:
        return who not in self.oracle.closed and self.oracle.inside(who, where)

    def _has_glass(self, who: str, where: str) -> bool:
        barred = any((name, where) in self.oracle.barred for name in self.oracle.names(who))
        return (who, where) in self.oracle.glass and not barred

    def _browser(self, name: str) -> Client:
        client = Client(raise_request_exception=True)
        client.force_login(self.users[name], backend="django.contrib.auth.backends.ModelBackend")
        return client

    def _program(self, name: str) -> Client:
        token, text = tokens.create(
            by=self.users[name],
            name="A program",
            workspaces=[self.places["one" if name == "ana" else "two"]],
            actions=[Action.ASK, Action.OPEN],
        )
        token.workspaces.set(self.places.values())
        return Client(headers={"Authorization": f"Bearer {text}"})


@pytest.fixture
def echo(db: None, settings: Any) -> Iterator[None]:
    """A model that says its whole prompt again, over the protocol; no throttle counts what a machine does."""
    with chat_server.serve() as server:
        Portal.model = server
        yield


def explore(sequences: int, steps: int) -> None:
    run_state_machine_as_test(
        Portal,
        settings=settings(
            max_examples=sequences,
            stateful_step_count=steps,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


@pytest.mark.timeout(max(400, SEQUENCES * STEPS * 4))
def test_nobody_is_shown_a_word_of_what_they_may_not_read(echo: None, record_property: Any) -> None:
    Portal.seen.clear()

    explore(SEQUENCES, STEPS)

    for name, count in Portal.seen.items():
        record_property(name, count)
    print(dict(Portal.seen))  # noqa: T201  (shown with -s: how much was looked at)
    assert Portal.seen["canaries read"] > SEQUENCES
    assert Portal.seen["prompts"]
    assert Portal.seen[AnswerStatus.ANSWERED]
    assert Portal.seen[AnswerStatus.HELD_FOR_REVIEW]


# --- Counter-proofs: with a protection taken away, the machine sees the leak -----------------------------------


@pytest.fixture
def portal(echo: None) -> Iterator[Portal]:
    """A portal in which ana has read an answer that rests on the first document, and boris drafts on the second."""
    portal = Portal()
    portal.people_and_places()
    portal.read("ana")
    yield portal
    portal.forget()


def test_a_restriction_that_nobody_asks_would_be_seen(portal: Portal, monkeypatch: Any) -> None:
    monkeypatch.setattr(querysets, "_granted_to", lambda person: Q(pk__isnull=False))

    portal.restrict_or_open(0)

    with pytest.raises(AssertionError):
        portal.read("ana")


def test_a_never_rule_that_nobody_asks_would_be_seen(portal: Portal, monkeypatch: Any) -> None:
    monkeypatch.setattr(querysets, "not_barred", lambda person: Q(pk__isnull=False))

    portal.keep_from_a_document_or_let_in(0, "ana")

    with pytest.raises(AssertionError):
        portal.read("ana")


def test_an_answer_that_forgot_its_sources_would_be_seen(portal: Portal, monkeypatch: Any) -> None:
    monkeypatch.setattr(reading, "closed_documents", lambda user, answer: frozenset())

    portal.restrict_or_open(0)

    with pytest.raises(AssertionError, match=r"answers|lists"):
        portal.read("ana")


def test_a_role_that_counts_after_it_was_taken_would_be_seen(portal: Portal, monkeypatch: Any) -> None:
    everywhere = Workspace.objects.all()
    monkeypatch.setattr(access, "workspaces_allowing", lambda user, action: everywhere)
    monkeypatch.setattr(access, "_held", lambda user, workspace: frozenset(Action.values))

    portal.take_role("ana", "one", "member")

    with pytest.raises(AssertionError):
        portal.read("ana")
