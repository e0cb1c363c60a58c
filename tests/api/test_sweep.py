"""Every operation of the API, from its own registry: who is let in, by what, and what everybody else gets."""

import json
import re
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.test.client import BOUNDARY, MULTIPART_CONTENT, encode_multipart
from django.utils import timezone
from ninja.main import NinjaAPI

from audit.events import EventType
from audit.models import Event
from inlock.api import api
from workspaces.members import remove_member
from workspaces.models import ApiToken
from workspaces.roles import Action, Role
from workspaces.tokens import keeping as tokens

pytestmark = pytest.mark.django_db

#: Operations that ask for no right: what they tell is only what the credential may know.
WITHOUT_A_RIGHT = {"me", "workspaces"}
#: An id that no row has; the same in every worker that collects these tests.
NOTHING = UUID("00000000-0000-4000-8000-000000000000")
SENT = {
    "questions": {"question": "How many days of leave?"},
    "search": {"query": "leave"},
    "examinations": {"text": "Leave is 25 days."},
    "precedents": {"text": "Leave is 25 days."},
}


@dataclass(frozen=True)
class Operation:
    name: str
    method: str
    path: str
    action: str | None

    def __str__(self) -> str:
        return f"{self.method} {self.name}"

    @property
    def sent(self) -> tuple[bytes, str]:
        """A body it takes, and of what type."""
        if self.name == "bring_document":
            file = SimpleUploadedFile("leave.md", b"Leave is 25 days.")
            return encode_multipart(BOUNDARY, {"file": file}), MULTIPART_CONTENT
        return json.dumps(SENT.get(self.path.rpartition("/")[2], {})).encode(), "application/json"

    def call(self, client: Client, **extra: Any) -> Any:
        if self.method == "GET":
            return client.get(f"/api/v1{self.path}", **extra)
        return client.generic(self.method, f"/api/v1{self.path}", *self.sent, **extra)


def _operations(api: NinjaAPI) -> list[Operation]:
    return [
        Operation(
            operation.view_func.__name__,
            method,
            re.sub(r"{\w+:pk}", str(NOTHING), path.replace("{slug:slug}", "policies")),
            getattr(operation.view_func, "required_action", None),
        )
        for _prefix, router in api._routers
        for path, view in router.path_operations.items()
        for operation in view.operations
        for method in operation.methods
    ]


OPERATIONS = _operations(api)
INSIDE = [one for one in OPERATIONS if "/policies/" in one.path]
CHANGING = [one for one in OPERATIONS if one.method not in {"GET", "HEAD", "OPTIONS"}]


def bearer(text: str, **options: Any) -> Client:
    return Client(headers={"Authorization": f"Bearer {text}"}, enforce_csrf_checks=True, **options)


def test_the_sweep_sees_the_api() -> None:
    assert {"me", "workspaces", "documents", "search", "ask", "answer", "shared", "events"} <= {
        one.name for one in OPERATIONS
    }
    assert all("{" not in one.path for one in OPERATIONS)
    assert len(INSIDE) >= 3


@pytest.mark.parametrize("operation", OPERATIONS, ids=str)
def test_every_operation_declares_the_right_it_asks_for(operation: Operation) -> None:
    assert (operation.action in Action.values) is (operation.name not in WITHOUT_A_RIGHT)


# --- Nobody -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["", "openapi.json", "docs", "../v2/anything", *(one.path[1:] for one in OPERATIONS)])
@pytest.mark.parametrize("method", ["get", "post", "put", "patch", "delete", "head", "options"])
def test_nobody_unknown_gets_below_the_api(path: str, method: str, client: Client) -> None:
    response = getattr(client, method)(f"/api/v1/{path}")

    assert response.status_code == 401
    assert response["WWW-Authenticate"].startswith("Bearer")
    assert response["Content-Type"] == "application/problem+json"
    assert not response.cookies


@pytest.mark.parametrize(
    "header", ["", "Bearer", "Bearer ", "Basic bWVtYmVyOng=", "Bearer inl_", "inl_x", "Bearer inl_" + "A" * 43]
)
def test_a_wrong_header_lets_nobody_in_not_even_beside_a_session(header: str, client_of: Any, member: Any) -> None:
    client = client_of(member)

    response = client.get("/api/v1/me", headers={"Authorization": header})

    assert response.status_code == 401
    assert "inl_A" not in response.content.decode()
    assert client.get("/api/v1/me").status_code == 200


def test_revoked_expired_and_unknown_tokens_are_answered_alike(program: Any, member: Any, policies: Any) -> None:
    revoked, expired = program(member, policies), program(member, policies)
    tokens.revoke(revoked.token, by=member)
    ApiToken.objects.filter(pk=expired.token.pk).update(expires_at=timezone.now())

    said = {ours.get("me").content for ours in (revoked, expired)}
    said.add(bearer("inl_" + "A" * 43).get("/api/v1/me").content)

    assert len(said) == 1
    refused = Event.objects.filter(type=EventType.TOKEN_REFUSED)
    assert {entry.object_id for entry in refused} == {str(revoked.token.pk), str(expired.token.pk), ""}


def test_a_flood_of_refusals_is_told_to_the_trail_once(member: Any, program: Any, policies: Any) -> None:
    ours = program(member, policies)
    tokens.revoke(ours.token, by=member)

    for _ in range(5):
        ours.get("me")

    assert Event.objects.filter(type=EventType.TOKEN_REFUSED).count() == 1


# --- A token ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("operation", INSIDE, ids=str)
def test_a_token_of_another_workspace_finds_nothing_here(
    operation: Operation, program: Any, member: Any, policies: Any, legal: Any
) -> None:
    ours = program(member, legal)

    response = operation.call(bearer(ours.text))

    assert response.status_code == 404
    assert response["Content-Type"] == "application/problem+json"
    denied = Event.objects.filter(type=EventType.ACCESS_DENIED, actor_id=str(member.pk)).latest("seq")
    assert str(ours.token.pk) in denied.body


@pytest.mark.parametrize("operation", INSIDE, ids=str)
def test_a_token_that_nothing_narrows_would_open_the_persons_other_workspaces(
    operation: Operation, program: Any, manager: Any, policies: Any, legal: Any, monkeypatch: Any
) -> None:
    """The counter-proof of the one above."""
    from workspaces import narrowing

    monkeypatch.setattr(narrowing, "scope_of", lambda user: None)

    assert operation.call(bearer(program(manager, legal).text)).status_code in {200, 202}


@pytest.mark.parametrize("operation", INSIDE, ids=str)
def test_a_token_without_the_action_is_refused_what_its_person_may(
    operation: Operation, program: Any, manager: Any, policies: Any
) -> None:
    ours = program(manager, policies)
    ours.token.actions = [Action.ENTER]
    ours.token.save()

    assert operation.call(bearer(ours.text)).status_code == 403


@pytest.mark.parametrize("operation", INSIDE, ids=str)
def test_a_token_gives_its_person_nothing_they_do_not_hold(
    operation: Operation, program: Any, auditor: Any, policies: Any
) -> None:
    ours = program(auditor, policies)
    ours.token.actions = list(Action.values)
    ours.token.save()

    assert operation.call(bearer(ours.text)).status_code == 403


@pytest.mark.parametrize("operation", INSIDE, ids=str)
def test_a_token_finds_nothing_once_its_person_left(
    operation: Operation, program: Any, member: Any, policies: Any
) -> None:
    ours = program(member, policies)

    remove_member(policies, member, Role.MEMBER, by=None)

    assert operation.call(bearer(ours.text)).status_code == 404


def test_a_token_of_a_superuser_opens_what_they_hold_a_role_for_and_nothing_more(
    program: Any, member: Any, policies: Any, make_workspace: Any
) -> None:
    other = make_workspace("other")
    member.is_superuser = True
    member.save()
    ours = program(member, policies)
    ours.token.workspaces.add(other)

    assert ours.get("workspaces/policies/documents").status_code == 200
    assert ours.get("workspaces/other/documents").status_code in {403, 404}
    assert not Event.objects.filter(type=EventType.BREAK_GLASS).exists()


@pytest.mark.parametrize("path", ["/", "/w/policies/ask/", "/admin/", "/account/", "/account/tokens/"])
def test_a_token_opens_no_page(path: str, program: Any, manager: Any, policies: Any) -> None:
    response = bearer(program(manager, policies).text).get(path)

    assert response.status_code == 302
    assert response["Location"].startswith(("/sign-in/", "/admin/login/"))


def test_a_token_decides_alone_whatever_cookies_come_with_it(
    program: Any, member: Any, manager: Any, policies: Any, client_of: Any
) -> None:
    client = client_of(manager)
    ours = program(member, policies)

    response = client.get("/api/v1/me", headers={"Authorization": f"Bearer {ours.text}"})

    assert response.json()["person"]["username"] == "member"
    assert not response.cookies
    assert client.get("/api/v1/me").json()["person"]["username"] == "manager"


@pytest.mark.parametrize("operation", OPERATIONS, ids=str)
def test_no_operation_sets_a_cookie_or_may_be_cached(
    operation: Operation, program: Any, member: Any, policies: Any
) -> None:
    response = operation.call(bearer(program(member, policies).text))

    assert not response.cookies
    assert "no-store" in response["Cache-Control"]


def test_the_text_of_a_token_reaches_no_log_and_no_later_layer(
    program: Any, member: Any, policies: Any, caplog: Any, monkeypatch: Any
) -> None:
    from workspaces import access

    seen: list[Any] = []

    def broken(user: Any, *args: Any) -> None:
        import inspect

        frame = next(f for f in inspect.stack() if "request" in f.frame.f_locals)
        seen.append(dict(frame.frame.f_locals["request"].META))
        raise RuntimeError

    ours = program(member, policies)
    monkeypatch.setattr(access, "visible", broken)

    with pytest.raises(RuntimeError):
        ours.get("workspaces")

    assert seen
    assert ours.text not in str(seen)
    assert ours.text not in caplog.text


# --- A session ----------------------------------------------------------------------------------------------


def test_a_session_reads_the_api_without_more(client_of: Any, member: Any, policies: Any) -> None:
    told = client_of(member).get("/api/v1/me").json()

    assert (told["person"]["username"], told["token"]) == ("member", None)


@pytest.mark.parametrize(
    "type", ["application/json", "text/plain", "application/x-www-form-urlencoded", MULTIPART_CONTENT]
)
@pytest.mark.parametrize("operation", CHANGING, ids=str)
def test_a_session_changes_nothing_without_its_csrf_token(
    operation: Operation, type: str, manager: Any, policies: Any
) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(manager, backend="django.contrib.auth.backends.ModelBackend")
    sent, own_type = operation.sent

    forged = client.generic(operation.method, f"/api/v1{operation.path}", sent, type)

    assert forged.status_code == 403
    assert forged["Content-Type"] == "application/problem+json"
    client.cookies["csrftoken"] = "a" * 32
    own = client.generic(
        operation.method, f"/api/v1{operation.path}", sent, own_type, headers={"X-CSRFToken": "a" * 32}
    )
    assert own.status_code in ({404} if str(NOTHING) in operation.path else {200, 202})


def test_a_session_without_the_check_could_be_forged(client_of: Any, member: Any, policies: Any, monkeypatch: Any):
    """The counter-proof: with the check taken away, another site's form would ask in the person's name."""
    from inlock import api as frame

    monkeypatch.setattr(frame, "check_csrf", lambda request: None)
    client = Client(enforce_csrf_checks=True)
    client.force_login(member, backend="django.contrib.auth.backends.ModelBackend")

    forged = client.post("/api/v1/workspaces/policies/questions", json.dumps({"question": "Leave?"}), "text/plain")

    assert forged.status_code == 202


# --- Everybody ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("path", "status"), [("nowhere", 404), ("answers/not-an-id", 404)])
def test_what_is_not_there_is_answered_as_a_problem_too(
    path: str, status: int, program: Any, member: Any, policies: Any
) -> None:
    response = program(member, policies).get(path)

    assert response.status_code == status
    assert response["Content-Type"] == "application/problem+json"
    assert response.json()["status"] == status


def test_a_method_that_is_not_there_names_those_that_are(program: Any, member: Any, policies: Any) -> None:
    response = bearer(program(member, policies).text).delete("/api/v1/me")

    assert response.status_code == 405
    assert response["Allow"] == "GET"
    assert response["Content-Type"] == "application/problem+json"
