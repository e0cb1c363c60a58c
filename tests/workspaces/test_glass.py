"""A superuser uses rights without a role only after stating why, for a while, and every use is in the trail."""

import json
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from audit.events import EventType
from audit.models import Event
from documents.access import restriction
from documents.models import Document, Passage, Version
from tests.workspaces.rights_scene import a_ready_document
from workspaces import access, members
from workspaces.exceptions import Forbidden, GlassError, Hidden, ReasonNeeded
from workspaces.glass import breaking as glass
from workspaces.models import BreakGlass, RoleBar, Workspace
from workspaces.roles import Action, Role


def reason(event: Event) -> str:
    return json.loads(event.body)["reason"]


def entries(type: EventType) -> list[Event]:
    return list(Event.objects.filter(type=type).order_by("at"))


def test_a_superuser_without_a_reason_is_asked_for_one(policies: Any, superuser: Any) -> None:
    with pytest.raises(ReasonNeeded) as asked:
        access.require(superuser, Action.OPEN, policies)

    assert (asked.value.workspace, asked.value.action) == (policies, Action.OPEN)
    assert entries(EventType.BREAK_GLASS) == []


def test_each_use_is_recorded_with_the_reason(policies: Any, superuser: Any) -> None:
    glass.break_glass(policies, by=superuser, reason="  Look into\n ticket 4711 ")

    access.require(superuser, Action.OPEN, policies)
    access.require(superuser, Action.MANAGE, policies)

    assert [reason(event) for event in entries(EventType.GLASS_BROKEN)] == ["Look into ticket 4711"]
    used = entries(EventType.BREAK_GLASS)
    assert [(event.actor_id, reason(event)) for event in used] == [(str(superuser.pk), "Look into ticket 4711")] * 2


def test_a_superusers_own_role_needs_no_reason_and_leaves_no_entry(policies: Any, superuser: Any) -> None:
    members.add_member(policies, superuser, Role.MEMBER, by=None)

    access.require(superuser, Action.OPEN, policies)

    assert entries(EventType.BREAK_GLASS) == []
    with pytest.raises(ReasonNeeded):
        access.require(superuser, Action.MANAGE, policies)


def test_content_of_a_workspace_is_unseen_until_its_own_glass_is_broken(
    policies: Any, legal: Any, superuser: Any, break_glass: Any, manager: Any
) -> None:
    here, there = a_ready_document(policies, "here.md"), a_ready_document(legal, "there.md")
    restriction.restrict(here, by=manager)
    assert set(access.visible(superuser, Workspace)) == {policies, legal}
    for model in (Document, Version, Passage):
        assert not access.visible(superuser, model).exists()

    break_glass(policies)

    assert list(access.visible(superuser, Document)) == [here]
    assert {passage.version.document for passage in access.visible(superuser, Passage)} == {here}
    with pytest.raises(ReasonNeeded):
        access.find(superuser, Action.OPEN, Document, pk=there.pk)


def test_a_restricted_document_asks_a_superuser_with_a_role_for_a_reason_too(
    policies: Any, superuser: Any, break_glass: Any, manager: Any
) -> None:
    members.add_member(policies, superuser, Role.MEMBER, by=None)
    document = a_ready_document(policies, "secret.md")
    restriction.restrict(document, by=manager)
    with pytest.raises(ReasonNeeded):
        access.find(superuser, Action.OPEN, Document, pk=document.pk)

    break_glass(policies)

    assert access.find(superuser, Action.OPEN, Document, pk=document.pk) == document
    assert [event.object_id for event in entries(EventType.BREAK_GLASS)] == [str(document.pk)]


def test_an_id_that_does_not_exist_is_simply_not_there(policies: Any, superuser: Any) -> None:
    with pytest.raises(Hidden):
        access.find(superuser, Action.ENTER, Workspace, slug="nowhere")


def test_it_ends_by_itself(policies: Any, superuser: Any, break_glass: Any) -> None:
    broken = break_glass(policies)
    BreakGlass.objects.filter(pk=broken.pk).update(until=timezone.now() - timedelta(seconds=1))

    with pytest.raises(ReasonNeeded):
        access.require(superuser, Action.OPEN, policies)


def test_ending_it_works_at_once_and_is_recorded_once(policies: Any, superuser: Any, break_glass: Any) -> None:
    broken = break_glass(policies)

    glass.end(broken, by=superuser)
    glass.end(broken, by=superuser)

    assert not access.visible(superuser, Document).exists()
    with pytest.raises(ReasonNeeded):
        access.require(superuser, Action.OPEN, policies)
    assert len(entries(EventType.GLASS_ENDED)) == 1


def test_a_former_superusers_glass_opens_nothing(policies: Any, superuser: Any, break_glass: Any) -> None:
    break_glass(policies)
    superuser.is_superuser = False
    superuser.save(update_fields=["is_superuser"])

    with pytest.raises(Hidden):
        access.require(superuser, Action.OPEN, policies)


@pytest.mark.parametrize("stated", ["", "   ", "x" * 301])
def test_it_takes_a_real_reason(policies: Any, superuser: Any, stated: str) -> None:
    with pytest.raises(GlassError, match="reason"):
        glass.break_glass(policies, by=superuser, reason=stated)


@pytest.mark.parametrize("minutes", [0, -5, 8 * 60 + 1])
def test_it_does_not_last_a_week(policies: Any, superuser: Any, minutes: int) -> None:
    with pytest.raises(GlassError, match="hours"):
        glass.break_glass(policies, by=superuser, reason="Ticket 4711", minutes=minutes)


def test_nobody_else_breaks_glass(policies: Any, admin: Any, manager: Any, stranger: Any) -> None:
    for person in (admin, manager, stranger):
        with pytest.raises(Forbidden):
            glass.break_glass(policies, by=person, reason="Ticket 4711")

    assert not BreakGlass.objects.exists()


def test_a_superuser_who_is_never_to_be_here_cannot_break_the_glass(
    policies: Any, superuser: Any, break_glass: Any
) -> None:
    break_glass(policies)
    RoleBar.objects.create(workspace=policies, user=superuser, reason="Party to the case")

    assert access.broken_glass(superuser, policies) is None
    with pytest.raises(GlassError, match="never rule"):
        break_glass(policies)


# --- The page -----------------------------------------------------------------------------------------------


def test_the_browser_is_led_to_the_reason_and_back(policies: Any, superuser: Any, client_of: Any) -> None:
    client = client_of(superuser)

    asked = client.get("/w/policies/people/?x=1")
    form = client.get(asked.url)
    given = client.post(
        "/glass/policies/", {"reason": "Ticket 4711", "minutes": "15", "next": "/w/policies/people/?x=1"}
    )

    assert asked.url == "/glass/policies/?next=%2Fw%2Fpolicies%2Fpeople%2F%3Fx%3D1"
    assert 'value="/w/policies/people/?x=1"' in form.content.decode()
    assert (given.status_code, given.url) == (302, "/w/policies/people/?x=1")
    assert client.get(given.url).status_code == 200


@pytest.mark.parametrize("address", ["//elsewhere.example/x", "https://elsewhere.example", "/\\elsewhere.example", ""])
def test_it_leads_to_no_other_host(policies: Any, superuser: Any, client_of: Any, address: str) -> None:
    sent = {"reason": "Ticket 4711", "minutes": "15", "next": address}

    given = client_of(superuser).post("/glass/policies/", sent)

    assert given.url == "/w/policies/"


def test_an_act_is_refused_with_a_sentence_and_not_repeated(policies: Any, superuser: Any, client_of: Any) -> None:
    client = client_of(superuser)

    posted = client.post("/w/policies/archive/", {"archived": "yes"})
    fragment = client.get("/w/policies/people/", headers={"HX-Request": "true"})

    assert posted.status_code == fragment.status_code == 403
    assert "State your reason first" in posted.content.decode()
    policies.refresh_from_db()
    assert policies.archived_at is None
    assert '"answered":"reason needed"' in Event.objects.filter(type=EventType.ACCESS_DENIED).last().body


def test_the_page_ends_it(policies: Any, superuser: Any, client_of: Any, break_glass: Any) -> None:
    break_glass(policies)
    client = client_of(superuser)

    assert "Look into ticket 4711" in client.get("/glass/policies/").content.decode()
    client.post("/glass/policies/end/")

    assert access.broken_glass(superuser, policies) is None


def test_a_workspace_page_says_that_the_glass_is_broken(
    policies: Any, superuser: Any, client_of: Any, break_glass: Any
) -> None:
    break_glass(policies)

    shown = client_of(superuser).get("/w/policies/people/").content.decode()

    assert "Look into ticket 4711" in shown
    assert "/glass/policies/end/" in shown


def test_nobody_else_sees_the_page(policies: Any, admin: Any, manager: Any, stranger: Any, client_of: Any) -> None:
    for person in (admin, manager, stranger):
        assert client_of(person).get("/glass/policies/").status_code == 403
        assert client_of(person).post("/glass/policies/end/").status_code == 403


# --- The command line ---------------------------------------------------------------------------------------


def run(*arguments: str) -> Any:
    out = StringIO()
    call_command(*arguments, "--json", stdout=out)
    return json.loads(out.getvalue())


def test_a_command_says_what_to_do_and_the_glass_command_does_it(policies: Any, superuser: Any) -> None:
    asking = ("search", "policies", "leave", "--as", "superuser")
    with pytest.raises(CommandError, match="glass break policies --as superuser --reason"):
        call_command(*asking)

    broken = run("glass", "break", "policies", "--as", "superuser", "--reason", "Ticket 4711", "--minutes", "5")
    assert access.broken_glass(superuser, policies) is not None
    ended = run("glass", "end", "policies", "--as", "superuser")

    assert (broken["workspace"], ended["ended"]) == ("policies", True)
    assert access.broken_glass(superuser, policies) is None


def test_the_glass_command_is_for_superusers(policies: Any, admin: Any) -> None:
    with pytest.raises(CommandError, match="role does not allow"):
        run("glass", "break", "policies", "--as", "admin", "--reason", "Ticket 4711")


# --- The counter-proof --------------------------------------------------------------------------------------


def test_without_the_glass_the_leak_would_be_seen(
    policies: Any, superuser: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    a_ready_document(policies, "here.md")
    monkeypatch.setattr(access, "workspaces_behind_glass", lambda user: Workspace.objects.all())

    assert access.visible(superuser, Document).exists()
