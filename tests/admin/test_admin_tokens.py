"""API tokens in the admin: platform administrators see that they are there, never what they are, and end them."""

from typing import Any

import pytest

from audit.events import EventType
from audit.models import Event
from workspaces.roles import Action
from workspaces.tokens import keeping as tokens

pytestmark = pytest.mark.django_db


@pytest.fixture
def made(member: Any, policies: Any) -> Any:
    return tokens.create(by=member, name="Reporting", workspaces=[policies], actions=[Action.ASK])


def test_administrator_sees_whose_a_token_is_and_not_the_token(
    client_of: Any, page: Any, admin: Any, made: Any
) -> None:
    token, text = made
    client = client_of(admin)

    listed = client.get(page("workspaces_apitoken_changelist")).content.decode()
    opened = client.get(page("workspaces_apitoken_change", token.pk)).content.decode()

    for shown in (listed, opened):
        assert token.prefix in shown
        assert "member" in shown
        assert text not in shown
        assert token.sha256 not in shown


def test_administrator_revokes_a_token(client_of: Any, page: Any, admin: Any, made: Any) -> None:
    token, _text = made

    response = client_of(admin).post(page("workspaces_apitoken_revoke", token.pk))

    assert response.status_code == 302
    token.refresh_from_db()
    assert token.revoked_by == admin
    assert Event.objects.filter(type=EventType.TOKEN_REVOKED, actor_id=str(admin.pk)).count() == 1


@pytest.mark.parametrize("who", ["manager", "reviewer", "auditor"])
def test_nobody_else_in_the_admin_opens_or_revokes_one(
    who: str, client_of: Any, page: Any, made: Any, request: Any
) -> None:
    token, _text = made
    client = client_of(request.getfixturevalue(who))

    assert client.get(page("workspaces_apitoken_change", token.pk)).status_code == 403
    assert client.post(page("workspaces_apitoken_revoke", token.pk)).status_code == 403
    token.refresh_from_db()
    assert token.revoked_at is None


@pytest.mark.parametrize("name", ["add", "delete"])
def test_nobody_makes_or_deletes_one_here(name: str, client_of: Any, page: Any, admin: Any, made: Any) -> None:
    token, _text = made
    address = page(f"workspaces_apitoken_{name}", *([token.pk] if name == "delete" else []))

    assert client_of(admin).post(address).status_code == 403
