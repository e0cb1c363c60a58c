"""One rule in four shapes: a person's rights, the sets of people and workspaces, and the explanation agree.

An oracle of plain dictionaries, written from the words of the specification, says what each of them must answer.
"""

import os
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from answers import explain as of_answers
from answers.access import sharing
from answers.models import Answer, Declassification, Evidence, Question
from answers.querysets import READ_ANSWER
from answers.states import AnswerStatus
from documents import explain as of_documents
from documents.models import Document, DocumentBar
from tests.workspaces.rights_scene import a_group, a_ready_document
from workspaces import access, explain, members
from workspaces.models import BreakGlass, CustomRole, Membership, RoleBar, User
from workspaces.roles import CHARTERS, Action, Role

PEOPLE, GROUPS, PLACES, DOCUMENTS = ("ana", "boris", "root"), ("desk", "payroll"), ("one", "two"), ("a", "b")
CUSTOM = {"clerk": {Action.ENTER, Action.ADD}, "retired": set(Action)}
ROLES = [*Role.values, *CUSTOM]

person, group, place = st.sampled_from(PEOPLE), st.sampled_from(GROUPS), st.sampled_from(PLACES)
document = st.sampled_from([(ws, name) for ws in PLACES for name in DOCUMENTS])
holder = st.sampled_from([*PEOPLE, *GROUPS])
FACTS = st.fixed_dictionaries(
    {
        "roles": st.sets(st.tuples(person, place, st.sampled_from(ROLES)), max_size=8),
        "direct": st.sets(st.tuples(person, place, st.sampled_from(list(Action))), max_size=3),
        "groups": st.sets(st.tuples(person, group), max_size=4),
        "bars": st.sets(st.tuples(holder, place, st.sampled_from(["", *ROLES])), max_size=4),
        "glass": st.sets(place, max_size=1),
        "off": st.sets(person, max_size=1),
        "restricted": st.sets(document, max_size=3),
        "grants": st.sets(st.tuples(holder, document), max_size=4),
        "document_bars": st.sets(st.tuples(holder, document), max_size=2),
    }
)
#: Each kind of fact once, where it decides: roles of both kinds, rights by name, behind glass and against rules.
OPEN: dict[str, Any] = {
    "roles": {
        ("ana", "one", "member"),
        ("ana", "two", "clerk"),
        ("boris", "one", "manager"),
        ("boris", "one", "reviewer"),
        ("boris", "two", "retired"),
    },
    "direct": {("boris", "two", Action.READ_TRAIL)},
    "groups": {("ana", "desk"), ("boris", "payroll")},
    "bars": {("payroll", "one", "manager"), ("ana", "two", "")},
    "glass": {"one"},
    "off": set(),
    "restricted": {("one", "a"), ("two", "a")},
    "grants": {("desk", ("one", "a")), ("boris", ("two", "a"))},
    "document_bars": {("payroll", ("one", "b"))},
}
#: The same where an account is closed, and rules stand against whoever broke the glass.
CLOSED = {**OPEN, "off": {"ana"}, "bars": {("root", "one", ""), ("boris", "one", "reviewer")}}

DEEP = bool(os.environ.get("INLOCK_DEEP"))
NO_FACTS = ("direct", "groups", "bars", "glass", "off", "restricted", "grants", "document_bars")


class Oracle:
    """Who may what, in dictionaries and sets alone."""

    def __init__(self, facts: dict[str, Any]) -> None:
        self.facts = facts

    def names(self, who: str) -> set[str]:
        return {who} | {group for one, group in self.facts["groups"] if one == who}

    def barred(self, who: str, where: str, role: str) -> bool:
        rules = {(whom, code) for whom, at, code in self.facts["bars"] if at == where}
        return any((name, code) in rules for name in self.names(who) for code in ("", role))

    def actions(self, who: str, where: str) -> set[str]:
        if who in self.facts["off"]:
            return set()
        found: set[str] = set()
        for one, at, role in self.facts["roles"]:
            if (one, at) == (who, where) and role != "retired" and not self.barred(who, where, role):
                found |= CUSTOM[role] if role in CUSTOM else CHARTERS[Role(role)].actions
        if not self.barred(who, where, ""):
            for one, at, action in self.facts["direct"]:
                found |= {Action.ENTER, action} if (one, at) == (who, where) else set()
        return found

    def behind_glass(self, who: str, where: str) -> bool:
        broken = who == "root" and where in self.facts["glass"] and who not in self.facts["off"]
        return broken and not self.barred(who, where, "")

    def opens(self, who: str, which: tuple[str, str]) -> bool:
        where, _name = which
        glass = self.behind_glass(who, where)
        if not glass and Action.OPEN not in self.actions(who, where):
            return False
        if any((name, which) in self.facts["document_bars"] for name in self.names(who)):
            return False
        granted = any((name, which) in self.facts["grants"] for name in self.names(who))
        return which not in self.facts["restricted"] or granted or glass


class Scene:
    """The same facts as rows."""

    def __init__(self) -> None:
        for name in PEOPLE:
            User.objects.create(username=name, is_superuser=name == "root")
        for code, actions in CUSTOM.items():
            CustomRole.objects.create(code=code, name=code, purpose="-", actions=[str(action) for action in actions])
        self.places = {slug: members.create_workspace(slug=slug, name=slug, by=None) for slug in PLACES}
        # Its groups keep their permissions, as if nobody had renewed them: the door must not need that.
        CustomRole.objects.filter(code="retired").update(retired_at=timezone.now())
        self.groups = {name: a_group(name) for name in GROUPS}
        self.documents = {
            (slug, name): a_ready_document(self.places[slug], name) for slug in PLACES for name in DOCUMENTS
        }

    def fill(self, facts: dict[str, Any]) -> None:
        """Add the facts of one example to the rows every example has."""
        self.people = {user.username: user for user in User.objects.filter(username__in=PEOPLE)}
        for which in facts["restricted"]:
            Document.objects.filter(pk=self.documents[which].pk).update(restricted=True)
        for document in self.documents.values():
            document.refresh_from_db(fields=["restricted"])
        for who, where, role in facts["roles"]:
            roles = self.places[where].roles.get(role=role)
            Membership.objects.create(user=self.people[who], group=roles.group)
        for who, where, action in facts["direct"]:
            for code in {Action.ENTER, action}:
                access.grant(code, self.people[who], self.places[where])
        for who, name in facts["groups"]:
            Membership.objects.create(user=self.people[who], group=self.groups[name].group)
        for whom, where, role in facts["bars"]:
            RoleBar.objects.create(workspace=self.places[where], role=role, reason="why", **self.whom(whom))
        for where in facts["glass"]:
            until = timezone.now() + timedelta(hours=1)
            BreakGlass.objects.create(user=self.people["root"], workspace=self.places[where], reason="why", until=until)
        for whom, which in facts["grants"]:
            holder = self.groups[whom].group if whom in self.groups else self.people[whom]
            access.grant("open_document", holder, self.documents[which])
        for whom, which in facts["document_bars"]:
            DocumentBar.objects.create(document=self.documents[which], reason="why", **self.whom(whom))
        for who in facts["off"]:
            self.people[who].is_active = False
            self.people[who].save(update_fields=["is_active"])

    def whom(self, name: str) -> dict[str, Any]:
        return {"group": self.groups[name].group} if name in self.groups else {"user": self.people[name]}

    def answer(self, sources: list[tuple[str, str]]) -> Answer:
        """An answer of ana's in the first place that rests on these documents."""
        place = self.places["one"]
        question = Question.objects.create(workspace=place, asked_by=self.people["ana"], text="?")
        answer = Answer.objects.create(question=question, workspace=place, asked_by=self.people["ana"])
        for rank, which in enumerate(sources, 1):
            source = self.documents[which]
            Evidence.objects.create(
                answer=answer,
                rank=rank,
                passage_id=uuid4(),
                document=source,
                version=source.current_version,
                start=0,
                end=1,
                locator="-",
                sha256="-",
            )
        return answer

    def give(self, answer: Answer, shared: set[str], declassified: set[str] | None) -> None:
        """Release the answer, share it, and declassify it for some, for everybody (nobody named), or not at all."""
        answer.status, answer.released_at = AnswerStatus.ANSWERED, timezone.now()
        answer.released_text, answer.released_sha256 = "Text", "hash"
        answer.save()
        for who in shared:
            access.grant(READ_ANSWER, self.people[who], answer)
        if declassified is not None:
            made = Declassification.objects.create(
                answer=answer,
                text_sha256="hash",
                reason="Asked for",
                for_workspace=not declassified,
                declassified_by=self.people["ana"],
            )
            made.readers.set(self.people[who] for who in declassified)


@pytest.fixture
def undone(db: None) -> Any:
    """Run one example and undo its rows; what all examples share is made once."""
    scene = Scene()

    def run(facts: dict[str, Any], check: Any) -> None:
        with transaction.atomic():
            scene.fill(facts)
            check(scene, Oracle(facts))
            transaction.set_rollback(True)

    return run


MANY = settings(
    max_examples=100 if DEEP else 4,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@MANY
@given(facts=FACTS)
@example(facts=OPEN)
@example(facts=CLOSED)
def test_rights_and_their_set_forms_agree_with_the_oracle(undone: Any, facts: dict[str, Any]) -> None:
    def check(scene: Scene, oracle: Oracle) -> None:
        for where, workspace in scene.places.items():
            for who, user in scene.people.items():
                assert access.actions(user, workspace) == oracle.actions(who, where), (who, where)
            for action in Action:
                able = {user.username for user in access.people_allowed(workspace, action)}
                assert able == {who for who in scene.people if action in oracle.actions(who, where)}, (where, action)
        for who, user in scene.people.items():
            for action in (Action.ENTER, Action.OPEN, Action.MANAGE):
                found = {workspace.slug for workspace in access.workspaces_allowing(user, action)}
                assert found == {
                    where
                    for where in scene.places
                    if action in oracle.actions(who, where) or oracle.behind_glass(who, where)
                }, (who, action)
            assert access.actions_anywhere(user) == {
                action
                for where in scene.places
                for action in (set(Action) if oracle.behind_glass(who, where) else oracle.actions(who, where))
            }, who

    undone(facts, check)


@MANY
@given(facts=FACTS)
@example(facts=OPEN)
@example(facts=CLOSED)
def test_documents_are_open_and_explained_as_the_oracle_says(undone: Any, facts: dict[str, Any]) -> None:
    def check(scene: Scene, oracle: Oracle) -> None:
        for who, user in scene.people.items():
            opened = {(one.workspace.slug, one.path) for one in access.visible(user, Document)}
            assert opened == {which for which in scene.documents if oracle.opens(who, which)}, who
        for which, document in scene.documents.items():
            told = {standing.person.username for standing in of_documents.who_can_open(document)}
            assert told == {who for who in scene.people if oracle.opens(who, which)}, which
            for who, user in scene.people.items():
                assert of_documents.why(user, document).is_open is oracle.opens(who, which)

    undone(facts, check)


@MANY
@given(
    facts=FACTS,
    sources=st.lists(st.sampled_from([("one", "a"), ("one", "b")]), max_size=2, unique=True),
    shared=st.sets(st.sampled_from(PEOPLE)),
    declassified=st.none() | st.sets(st.sampled_from(PEOPLE)),
)
@example(facts=OPEN, sources=[("one", "a"), ("one", "b")], shared={"boris"}, declassified={"root"})
@example(facts=OPEN, sources=[("one", "a")], shared={"boris"}, declassified=None)
@example(facts=CLOSED, sources=[("one", "b")], shared={"ana", "root"}, declassified=set())
def test_answers_are_open_and_explained_alike(
    undone: Any,
    facts: dict[str, Any],
    sources: list[tuple[str, str]],
    shared: set[str],
    declassified: set[str] | None,
) -> None:
    def check(scene: Scene, _oracle: Oracle) -> None:
        answer = scene.answer(sources)
        scene.give(answer, shared, declassified)
        told = {standing.person.username for standing in of_answers.who_can_read(answer)}
        for who, user in scene.people.items():
            known = access.visible(user, Answer).filter(pk=answer.pk).exists()
            reads = known and Action.ASK in access.reach(user, answer.workspace) and sharing.reads(user, answer)
            assert (who in told) is reads, who
            assert of_answers.why(user, answer).is_open is reads

    undone(facts, check)


@MANY
@given(facts=FACTS, asked=st.just(set(Action)) if DEEP else st.sets(st.sampled_from(Action), min_size=2, max_size=2))
@example(facts=OPEN, asked={Action.OPEN, Action.REVIEW, Action.READ_TRAIL})
@example(facts=CLOSED, asked={Action.OPEN, Action.REVIEW, Action.READ_TRAIL})
def test_what_a_person_can_see_agrees_with_what_they_hold(
    undone: Any, facts: dict[str, Any], asked: set[Action]
) -> None:
    def check(scene: Scene, oracle: Oracle) -> None:
        for who, user in scene.people.items():
            places = {place.workspace.slug: place for place in explain.what_can_see(user)}
            for where, workspace in scene.places.items():
                held = set(Action) if oracle.behind_glass(who, where) else oracle.actions(who, where)
                assert (set(places[where].actions) if where in places else set()) == held
                for action in asked:
                    assert explain.why(user, action, workspace).is_open is (action in held)
            for place in places.values():
                for thing in place.things:
                    assert thing.is_open is oracle.opens(who, (place.workspace.slug, thing.label))

    undone(facts, check)


def test_a_retired_role_gives_nothing_even_while_its_group_keeps_permissions(undone: Any) -> None:
    def check(scene: Scene, _oracle: Oracle) -> None:
        assert access.actions(scene.people["ana"], scene.places["one"]) == frozenset()

    facts: dict[str, Any] = {key: set() for key in NO_FACTS}
    undone({**facts, "roles": {("ana", "one", "retired")}}, check)


def test_the_reasons_read_as_a_person_says_them(policies: Any, member: Any, manager: Any) -> None:
    bars_and_roles = explain.why(member, Action.OPEN, policies)
    assert bars_and_roles.is_open
    assert bars_and_roles.reasons[0].sentence.startswith("Member, since ")

    RoleBar.objects.create(workspace=policies, group=a_group("Trading desk", member).group, reason="A conflict")
    now = explain.why(member, Action.OPEN, policies)

    assert not now.is_open
    assert now.reasons[-1].sentence == "Never in this workspace, through the group Trading desk: A conflict."


def test_the_queries_do_not_grow_with_the_people(policies: Any, make_user: Any, django_assert_num_queries: Any) -> None:
    document = a_ready_document(policies, "a.md", restricted=True)
    group = a_group("Many", *(make_user(f"person-{number}") for number in range(12)))
    access.grant("open_document", group.group, document)
    with CaptureQueriesContext(connection) as few:
        of_documents.who_can_open(document)

    for membership in group.group.memberships.select_related("user"):
        members.add_member(policies, membership.user, Role.MEMBER, by=None)
        access.grant("open_document", membership.user, document)

    with django_assert_num_queries(len(few)):
        found = of_documents.who_can_open(document)
    assert len(found) == 12
