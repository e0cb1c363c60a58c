"""Never rules and grants of groups on a document; managers keep the grants of what they may not open."""

import json
from typing import Any

import pytest
from django.utils import timezone

from audit.chain import workspace_chain
from audit.events import EventType
from audit.models import Event
from documents import querysets
from documents.access import bars, restriction
from documents.exceptions import DocumentError
from documents.models import Document, DocumentBar, DocumentUserGrant, Passage, Version
from tests.workspaces.rights_scene import a_group, a_ready_document
from workspaces import access, members
from workspaces.exceptions import BarError, Forbidden, Hidden
from workspaces.models import AccessReview
from workspaces.roles import Action, Role

WHY = "Party to the case"


@pytest.fixture
def document(policies: Any) -> Document:
    return a_ready_document(policies, "salaries.md")


@pytest.fixture
def second_manager(policies: Any, make_user: Any) -> Any:
    user = make_user("second-manager")
    members.add_member(policies, user, Role.MANAGER, by=None)
    return user


def opens(person: Any, document: Document) -> bool:
    return all(access.visible(person, model).exists() for model in (Document, Version, Passage))


def test_a_rule_closes_the_document_to_a_person_and_to_nobody_else(
    document: Document, member: Any, contributor: Any, manager: Any
) -> None:
    bars.bar(document, member, reason=WHY, by=manager)

    for model in (Document, Version, Passage):
        assert not access.visible(member, model).exists()
    assert opens(contributor, document)
    with pytest.raises(Hidden):
        access.find(member, Action.OPEN, Document, pk=document.pk)


def test_a_rule_wins_over_every_grant(document: Document, member: Any, manager: Any) -> None:
    restriction.restrict(document, by=manager)
    restriction.grant(document, member, by=manager)
    restriction.grant(document, a_group("Payroll", member), by=manager)
    assert opens(member, document)

    rule = bars.bar(document, a_group("Trading desk", member), reason=WHY, by=manager)
    assert not opens(member, document)

    bars.lift(rule, by=manager, reason="A mistake")
    assert opens(member, document)
    made, lifted = Event.objects.filter(type__in=[EventType.BARRED, EventType.BAR_LIFTED]).order_by("seq")
    assert json.loads(made.body)["reason"] == WHY
    assert json.loads(lifted.body)["details"]["holder"] == "Trading desk"


def test_a_rule_wins_over_broken_glass(document: Document, policies: Any, superuser: Any, break_glass: Any) -> None:
    break_glass(policies)
    assert opens(superuser, document)

    DocumentBar.objects.create(document=document, user=superuser, reason=WHY)

    assert not opens(superuser, document)


def test_nobody_keeps_themselves_out(document: Document, manager: Any) -> None:
    for holder in (manager, a_group("Management", manager)):
        with pytest.raises(BarError, match="out yourself"):
            bars.bar(document, holder, reason=WHY, by=manager)


def test_rules_are_for_those_who_manage_documents(
    document: Document, member: Any, reviewer: Any, stranger: Any, manager: Any
) -> None:
    rule = bars.bar(document, member, reason=WHY, by=manager)

    for person, refusal in ((reviewer, Forbidden), (stranger, Hidden)):
        with pytest.raises(refusal):
            bars.bar(document, reviewer, reason=WHY, by=person)
        with pytest.raises(refusal):
            bars.lift(rule, by=person, reason="Because")

    assert list(DocumentBar.objects.all()) == [rule]


# --- Grants of groups ---------------------------------------------------------------------------------------


def test_a_group_opens_the_document_to_those_of_it_who_may_open_documents(
    document: Document, member: Any, contributor: Any, stranger: Any, auditor: Any, manager: Any
) -> None:
    restriction.restrict(document, by=manager)
    payroll = a_group("Payroll", member, stranger, auditor)

    restriction.grant(document, payroll, by=manager)

    assert opens(member, document)
    for person in (contributor, stranger, auditor):
        assert not opens(person, document)
    member.memberships.filter(group=payroll.group).delete()
    assert not opens(member, document)


def test_a_groups_grant_is_taken_back_and_ends_with_the_restriction(
    document: Document, member: Any, manager: Any
) -> None:
    payroll = a_group("Payroll", member)
    restriction.restrict(document, by=manager)
    restriction.grant(document, payroll, by=manager)
    restriction.revoke_grant(document, payroll, by=manager)
    assert not opens(member, document)

    restriction.grant(document, payroll, by=manager)
    restriction.unrestrict(document, by=manager)
    assert restriction.granted_groups(document) == []


def test_somebody_who_can_use_a_grant_keeps_one(document: Document, member: Any, manager: Any, stranger: Any) -> None:
    restriction.restrict(document, by=manager)
    restriction.grant(document, a_group("Outsiders", stranger), by=manager)

    with pytest.raises(DocumentError, match="At least one"):
        restriction.revoke_grant(document, manager, by=manager)

    restriction.grant(document, a_group("Payroll", member), by=manager)
    restriction.revoke_grant(document, manager, by=manager)
    assert not opens(manager, document)


# --- Managing what one may not open -------------------------------------------------------------------------


def test_a_manager_without_a_grant_knows_that_it_exists_and_keeps_its_grants(
    document: Document, manager: Any, second_manager: Any, member: Any
) -> None:
    restriction.restrict(document, by=manager)

    assert list(querysets.documents_governed_by(second_manager)) == [document]
    assert not opens(second_manager, document)
    restriction.grant(document, member, by=second_manager)
    assert opens(member, document)


def test_a_document_that_is_open_to_nobody_any_more_is_given_back(
    document: Document, policies: Any, manager: Any, second_manager: Any, member: Any
) -> None:
    restriction.restrict(document, by=manager)
    members.change_roles(policies, manager, [], by=None)
    assert not DocumentUserGrant.objects.exists()

    restriction.grant(document, member, by=second_manager)

    assert opens(member, document)


def test_nobody_lets_themselves_in(document: Document, manager: Any, second_manager: Any) -> None:
    restriction.restrict(document, by=manager)

    for holder in (second_manager, a_group("Management", second_manager)):
        with pytest.raises(DocumentError, match="somebody else"):
            restriction.grant(document, holder, by=second_manager)
    with pytest.raises(Hidden):
        restriction.unrestrict(document, by=second_manager)

    assert not opens(second_manager, document)


def test_who_manages_no_documents_knows_of_none_they_may_not_open(
    document: Document, manager: Any, member: Any, stranger: Any
) -> None:
    restriction.restrict(document, by=manager)

    for person, refusal in ((member, Forbidden), (stranger, Hidden)):
        assert not querysets.documents_governed_by(person).exists()
        with pytest.raises(refusal):
            restriction.grant(document, member, by=person)


def test_a_barred_manager_does_not_keep_its_grants(
    document: Document, manager: Any, second_manager: Any, member: Any
) -> None:
    bars.bar(document, second_manager, reason=WHY, by=manager)

    with pytest.raises(Hidden):
        restriction.require_governing(document, by=second_manager)


# --- The counter-proof --------------------------------------------------------------------------------------


def test_without_the_rule_the_leak_would_be_seen(
    document: Document, member: Any, manager: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    bars.bar(document, member, reason=WHY, by=manager)
    monkeypatch.setattr(querysets, "not_barred", lambda person: querysets.Q())

    assert opens(member, document)


@pytest.fixture
def last_opener(document: Document, member: Any, manager: Any) -> Any:
    """The only one who can open the document, which its manager restricted for them."""
    restriction.restrict(document, by=manager)
    restriction.grant(document, member, by=manager)
    restriction.revoke_grant(document, manager, by=manager)
    return member


@pytest.mark.parametrize("through_group", [False, True])
def test_nobody_keeps_the_last_one_out_who_can_open_it(
    document: Document, last_opener: Any, contributor: Any, manager: Any, through_group: bool
) -> None:
    holder = a_group("Trading desk", last_opener) if through_group else last_opener

    with pytest.raises(BarError, match="nobody who can open"):
        bars.bar(document, holder, reason=WHY, by=manager)
    assert opens(last_opener, document)

    restriction.grant(document, contributor, by=manager)
    bars.bar(document, holder, reason=WHY, by=manager)
    assert not opens(last_opener, document)


@pytest.mark.parametrize("through_group", [False, True])
def test_a_grant_that_a_rule_makes_useless_is_not_the_one_that_is_kept(
    document: Document, member: Any, manager: Any, through_group: bool
) -> None:
    restriction.restrict(document, by=manager)
    restriction.grant(document, member, by=manager)
    bars.bar(document, a_group("Trading desk", member) if through_group else member, reason=WHY, by=manager)

    with pytest.raises(DocumentError, match="At least one"):
        restriction.revoke_grant(document, manager, by=manager)


def test_without_the_rule_the_last_one_would_be_kept_out(
    document: Document, last_opener: Any, manager: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The counter-proof of the tests above."""
    monkeypatch.setattr(bars, "somebody_holds", lambda document: True)

    bars.bar(document, last_opener, reason=WHY, by=manager)

    assert not opens(last_opener, document)


# --- Who granted it -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("body", ["{", "[]", "{}", '{"details": 3}', "\ufffd"])
def test_a_damaged_entry_is_told_where_a_grant_is_explained(
    document: Document, policies: Any, member: Any, manager: Any, client_of: Any, body: str
) -> None:
    restriction.restrict(document, by=manager)
    access.grant("open_document", member, document)
    Event.objects.create(
        chain=workspace_chain(policies.pk),
        seq=10**6,
        at=timezone.now(),
        type=EventType.DOCUMENT_GRANTED,
        object_id=str(document.pk),
        body=body,
        prev_hash="damaged",
    )
    client = client_of(manager)

    who = client.get(f"/w/policies/documents/{document.pk}/who/").content.decode()
    why = client.get(f"/w/policies/people/{member.pk}/why/").content.decode()
    client.post("/w/policies/access-review/start/")
    review = client.get(f"/w/policies/access-review/{AccessReview.objects.get().pk}/").content.decode()

    for page in (who, why, review):
        assert "An entry in the trail about grants of this document is damaged." in page
    assert "Granted by manager on" in who
