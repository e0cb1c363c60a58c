"""What is taken between two runs of a statement that is made once in a process is gone in the second."""

from collections.abc import Callable
from typing import Any

import pytest

from answers import leases, policy, questions, sse
from answers.models import Evidence
from answers.policy import facts
from answers.policy.rules import Condition, Effect, Rule
from answers.querysets import sources_open
from answers.states import AnswerStatus
from audit import context
from documents.access import restriction
from documents.models import Document
from workspaces import access, custom_roles, members
from workspaces.bars import rules as bars
from workspaces.exceptions import Forbidden, Hidden
from workspaces.models import CustomRole, User, Workspace
from workspaces.roles import Action, Role
from workspaces.tokens import keeping as tokens

pytestmark = pytest.mark.django_db

QUESTION = "How many days of annual leave do employees have?"
PURPOSE = "Asks and reads."


@pytest.fixture
def asks(policies: Workspace, member: User, manager: User, admin: User) -> CustomRole:
    """A role of its own, and nothing else, lets the member ask."""
    role = custom_roles.create_role(
        code="asks", name="Asks", purpose=PURPOSE, actions=[Action.ASK, Action.OPEN], by=admin
    )
    members.change_roles(policies, member, {role.code}, by=manager)
    return role


def _narrow(role: CustomRole, admin: User) -> None:
    custom_roles.change_role(role, by=admin, name=role.name, purpose=PURPOSE, actions=[Action.OPEN])


def _retire(role: CustomRole, admin: User) -> None:
    custom_roles.retire_role(role, by=admin)


def _take(role: CustomRole, admin: User) -> None:
    members.change_roles(Workspace.objects.get(slug="policies"), _member(), set(), by=_manager())


def _give_another(role: CustomRole, admin: User) -> None:
    members.change_roles(Workspace.objects.get(slug="policies"), _member(), {Role.AUDITOR}, by=_manager())


def _bar(role: CustomRole, admin: User) -> None:
    bars.bar(Workspace.objects.get(slug="policies"), _member(), reason="A conflict", by=_manager())


def _member() -> User:
    return User.objects.get(username="member")


def _manager() -> User:
    return User.objects.get(username="manager")


@pytest.mark.parametrize("withdraw", [_narrow, _retire, _take, _give_another, _bar])
def test_a_right_that_is_withdrawn_between_two_runs_is_gone_in_the_second(
    withdraw: Callable[[CustomRole, User], None], asks: CustomRole, admin: User, member: User, policies: Workspace
) -> None:
    answer = questions.ask(workspace=policies, text=QUESTION, by=member)
    later = questions.ask(workspace=policies, text=QUESTION, by=member)
    given = access.find_workspace(member, Action.ASK, policies.slug)
    [watched] = sse._own(answer.pk, member.pk)
    taken = leases.take(answer.pk)
    assert (given, taken) == (policies, answer)
    assert sse._may_ask(member, watched)
    assert taken is not None
    assert Action.ASK in taken.held  # type: ignore[attr-defined]

    withdraw(asks, admin)

    with pytest.raises((Forbidden, Hidden)):
        access.find_workspace(member, Action.ASK, policies.slug)
    [watched] = sse._own(answer.pk, member.pk)
    assert not sse._may_ask(member, watched)
    taken = leases.take(later.pk)
    assert taken is not None
    assert Action.ASK not in taken.held  # type: ignore[attr-defined]


def test_one_persons_rights_are_not_anothers_in_the_same_statement(
    policies: Workspace, member: User, stranger: User
) -> None:
    assert access.find_workspace(member, Action.ASK, policies.slug) == policies
    with pytest.raises(Hidden):
        access.find_workspace(stranger, Action.ASK, policies.slug)
    assert access.find_workspace(member, Action.ASK, policies.slug) == policies


def test_a_document_that_is_restricted_between_two_questions_gives_nothing_to_the_second(
    policies: Workspace, handbook: Any, member: User, manager: User, answered: Any
) -> None:
    first = answered(policies, QUESTION, member)
    assert first.status == AnswerStatus.ANSWERED
    assert sources_open(member, first)

    restriction.restrict(handbook.document, by=manager)
    second = answered(policies, QUESTION, member)

    assert second.status != AnswerStatus.ANSWERED
    assert not Evidence.objects.filter(answer=second).exists()
    assert not sources_open(member, first)


def test_what_a_release_goes_by_is_read_anew_with_every_answer(
    policies: Workspace, handbook: Any, member: User, manager: User, answered: Any
) -> None:
    answer = answered(policies, QUESTION, member)
    level, roles, in_force = facts.gather(answer)
    assert (level, roles, in_force.number) == ("internal", [Role.MEMBER], 0)

    Document.objects.filter(pk=handbook.document_id).update(classification="restricted")
    members.change_roles(policies, member, {Role.REVIEWER}, by=manager)
    policy.change(policies, [Rule("all", "Everything", Condition.REST, Effect.HOLD)], by=manager, seen=0)

    level, roles, in_force = facts.gather(answer)
    assert (level, roles, in_force.number) == ("restricted", [Role.REVIEWER], 1)


def test_a_token_is_narrowed_and_ended_between_two_of_its_uses(
    policies: Workspace, legal: Workspace, member: User
) -> None:
    token, text = tokens.create(by=member, name="Program", workspaces=[policies, legal], actions=[Action.ASK])
    other, _text = tokens.create(by=member, name="Other", workspaces=[legal], actions=[Action.OPEN])

    def scope_now() -> context.Scope:
        used, still = tokens.authenticate(text), tokens.still_open(token.pk)
        assert still is not None
        assert tokens.scope_of(used) == tokens.scope_of(still)
        return tokens.scope_of(used)

    assert scope_now().workspaces == {policies.pk, legal.pk}

    token.workspaces.remove(policies)
    type(token).objects.filter(pk=token.pk).update(actions=[Action.ENTER])
    narrowed = scope_now()
    assert narrowed.workspaces == {legal.pk}
    assert narrowed.actions == {Action.ENTER.value}

    tokens.revoke(token, by=member)
    assert tokens.still_open(token.pk) is None
    assert tokens.still_open(other.pk) is not None

    User.objects.filter(pk=member.pk).update(is_active=False)
    assert tokens.still_open(other.pk) is None
