"""The page of one's own tokens: made with a form, shown once, revoked with a click; nobody else's is there."""

import re
from typing import Any

import pytest

from audit.events import EventType
from audit.models import Event
from workspaces.models import ApiToken, PlatformPolicy
from workspaces.roles import Action
from workspaces.tokens import keeping as tokens

pytestmark = pytest.mark.django_db

PAGE = "/account/tokens/"
TEXT = re.compile(r"inl_[\w-]{43}")


def sent(*workspaces: Any, **changed: Any) -> dict[str, Any]:
    wanted = {"name": "Reporting", "actions": [Action.ASK], "days": 90}
    return {**wanted, "workspaces": [workspace.pk for workspace in workspaces], **changed}


def test_a_token_is_shown_on_the_page_that_made_it_and_never_again(client_of: Any, member: Any, policies: Any) -> None:
    client = client_of(member)

    made = client.post(PAGE, sent(policies)).content.decode()
    later = client.get(PAGE).content.decode()

    (text,) = set(TEXT.findall(made))
    assert tokens.authenticate(text).user == member
    assert not TEXT.search(later)
    assert "Reporting" in later
    assert "Policies" in later
    assert "no-store" in client.get(PAGE)["Cache-Control"]


def test_who_has_none_is_told_what_a_token_is_for(client_of: Any, member: Any, policies: Any) -> None:
    page = client_of(member).get(PAGE).content.decode()

    assert "No API tokens" in page
    assert "Make the token" in page


def test_only_ones_own_workspaces_are_offered_and_taken(
    client_of: Any, member: Any, policies: Any, make_workspace: Any, manager: Any
) -> None:
    foreign = make_workspace("board", manager=manager)
    client = client_of(member)

    offered = client.get(PAGE).content.decode()
    response = client.post(PAGE, sent(foreign))

    assert "Policies" in offered
    assert "Board" not in offered
    assert response.status_code == 400
    assert not ApiToken.objects.exists()


@pytest.mark.parametrize("changed", [{"actions": ["manage_people"]}, {"days": 999}, {"name": ""}, {"actions": []}])
def test_what_cannot_be_had_is_refused_beside_the_form(
    changed: Any, client_of: Any, member: Any, policies: Any
) -> None:
    response = client_of(member).post(PAGE, sent(policies, **changed))

    assert response.status_code == 400
    assert not ApiToken.objects.exists()


def test_a_revoked_token_is_listed_among_those_that_have_ended(client_of: Any, member: Any, policies: Any) -> None:
    token, _text = tokens.create(by=member, name="Old", workspaces=[policies], actions=[Action.OPEN])
    client = client_of(member)

    response = client.post(f"{PAGE}{token.pk}/revoke/", follow=True)

    token.refresh_from_db()
    assert token.revoked_by == member
    assert "Tokens that have ended" in response.content.decode()
    assert Event.objects.filter(type=EventType.TOKEN_REVOKED, actor_id=str(member.pk)).count() == 1


def test_nobody_sees_or_revokes_somebody_elses(client_of: Any, member: Any, manager: Any, policies: Any) -> None:
    token, _text = tokens.create(by=member, name="Mine", workspaces=[policies], actions=[Action.OPEN])
    client = client_of(manager)

    assert "Mine" not in client.get(PAGE).content.decode()
    assert client.post(f"{PAGE}{token.pk}/revoke/").status_code == 404
    assert client.get(f"{PAGE}{token.pk}/revoke/").status_code == 405
    token.refresh_from_db()
    assert token.revoked_at is None


def test_a_token_is_no_way_around_a_second_factor_that_is_missing(client_of: Any, member: Any, policies: Any) -> None:
    PlatformPolicy.objects.create(second_factor_roles=["member"])

    response = client_of(member).post(PAGE, sent(policies))

    assert response.status_code == 302
    assert not ApiToken.objects.exists()
