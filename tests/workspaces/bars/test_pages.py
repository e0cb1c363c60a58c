"""The pages of never rules, and of why one person may do what in a workspace."""

from typing import Any

import pytest

from tests.workspaces.rights_scene import a_group, a_ready_document
from workspaces import access
from workspaces.bars import rules as bars
from workspaces.models import RoleBar
from workspaces.roles import Action, Role

PAGE = "/w/policies/people/never/"
WHY = "Party to the case"


def test_a_manager_makes_and_lifts_a_rule(policies: Any, manager: Any, member: Any, client_of: Any) -> None:
    client = client_of(manager)

    client.post(PAGE, {"username": "MEMBER", "role": "", "reason": WHY})
    shown = client.get(PAGE).content.decode()
    assert access.actions(member, policies) == frozenset()
    assert WHY in shown

    rule = RoleBar.objects.get()
    client.post(f"{PAGE}{rule.pk}/lift/", {"reason": "Closed"})
    assert access.allows(member, Action.OPEN, policies)


def test_a_group_is_kept_from_one_role(policies: Any, manager: Any, reviewer: Any, client_of: Any) -> None:
    desk = a_group("Trading desk", reviewer)

    client_of(manager).post(PAGE, {"group": str(desk.pk), "role": Role.REVIEWER, "reason": WHY})

    assert not access.allows(reviewer, Action.REVIEW, policies)


@pytest.mark.parametrize(
    ("sent", "sentence"),
    [
        ({"reason": WHY}, "Name one person"),
        ({"username": "nobody-of-that-name", "reason": WHY}, "no account called"),
        ({"username": "member"}, "required"),
        ({"username": "member", "role": "emperor", "reason": WHY}, "emperor"),
        ({"username": "manager", "reason": WHY}, "from you"),
    ],
)
def test_what_cannot_be_is_said_on_the_page(
    policies: Any, manager: Any, client_of: Any, sent: dict[str, str], sentence: str
) -> None:
    answer = client_of(manager).post(PAGE, sent)

    assert (answer.status_code, RoleBar.objects.count()) == (400, 0)
    assert sentence in answer.content.decode()


def test_a_rule_of_another_workspace_is_not_lifted_from_here(
    policies: Any, legal: Any, manager: Any, member: Any, client_of: Any
) -> None:
    rule = bars.bar(legal, member, reason=WHY, by=manager)

    answer = client_of(manager).post(f"{PAGE}{rule.pk}/lift/", {"reason": "Closed"})

    assert answer.status_code == 404
    assert RoleBar.objects.filter(pk=rule.pk).exists()


def test_a_person_is_explained_in_this_workspace_alone(
    policies: Any, legal: Any, manager: Any, member: Any, client_of: Any
) -> None:
    a_ready_document(policies, "secret.md", restricted=True)
    bars.bar(policies, member, role=Role.MEMBER, reason=WHY, by=manager)

    shown = client_of(manager).get(f"/w/policies/people/{member.pk}/why/").content.decode()

    assert f"Never Member: {WHY}." in shown
    assert "Member, since" in shown
    assert "Legal" not in shown.partition("<main")[2].partition("</main>")[0]


def test_somebody_who_is_nothing_here_is_not_found(policies: Any, manager: Any, stranger: Any, client_of: Any) -> None:
    assert client_of(manager).get(f"/w/policies/people/{stranger.pk}/why/").status_code == 404
