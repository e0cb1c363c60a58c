"""The pages on which managers govern who opens a document, also one they may not open."""

from typing import Any

import pytest

from documents.access import bars, restriction
from documents.models import Document, DocumentBar
from tests.workspaces.rights_scene import a_group, a_ready_document
from workspaces import access, members
from workspaces.roles import Role

WHY = "Party to the case"


@pytest.fixture
def document(policies: Any, manager: Any) -> Document:
    """Restricted, and open to the manager alone."""
    document = a_ready_document(policies, "Salaries.md")
    restriction.restrict(document, by=manager)
    return document


@pytest.fixture
def second_manager(policies: Any, make_user: Any) -> Any:
    user = make_user("second-manager")
    members.add_member(policies, user, Role.MANAGER, by=None)
    return user


def address(document: Document, act: str = "") -> str:
    return f"/w/policies/documents/{document.pk}/who/{act}"


def opens(person: Any, document: Document) -> bool:
    return access.visible(person, Document).filter(pk=document.pk).exists()


def test_a_manager_without_a_grant_finds_it_in_the_list_and_its_text_nowhere(
    document: Document, second_manager: Any, client_of: Any
) -> None:
    client = client_of(second_manager)

    listed = client.get("/w/policies/documents/restricted/").content.decode()
    governed = client.get(address(document)).content.decode()

    assert "Salaries" in listed
    assert "This document is not open to you" in governed
    assert "What Salaries.md says" not in listed + governed
    assert client.get(f"/w/policies/documents/{document.pk}/").status_code == 404


def test_they_let_others_in_and_never_themselves(
    document: Document, second_manager: Any, member: Any, contributor: Any, client_of: Any
) -> None:
    client = client_of(second_manager)
    payroll = a_group("Payroll", contributor)

    client.post(address(document, "let-in/"), {"holder": f"p:{member.pk}"})
    client.post(address(document, "let-in/"), {"holder": f"g:{payroll.pk}"})
    refused = client.post(address(document, "let-in/"), {"holder": f"p:{second_manager.pk}"}, follow=True)

    assert (opens(member, document), opens(contributor, document)) == (True, True)
    assert "Ask somebody else" in refused.content.decode()
    assert not opens(second_manager, document)


def test_a_grant_is_taken_back(document: Document, manager: Any, member: Any, client_of: Any) -> None:
    restriction.grant(document, member, by=manager)

    client_of(manager).post(address(document, "take-back/"), {"holder": f"p:{member.pk}"})

    assert not opens(member, document)


def test_only_who_can_be_chosen_is_granted(
    document: Document, manager: Any, stranger: Any, auditor: Any, client_of: Any
) -> None:
    for person in (stranger, auditor):
        client_of(manager).post(address(document, "let-in/"), {"holder": f"p:{person.pk}"})

    assert restriction.granted_people(document) == [manager]


def test_the_page_says_who_can_open_it_and_why(document: Document, manager: Any, member: Any, client_of: Any) -> None:
    restriction.grant(document, a_group("Payroll", member), by=manager)

    shown = client_of(manager).get(address(document)).content.decode()

    assert "2 people can open it now" in shown
    assert "Through the group Payroll." in shown
    assert "Granted by manager on" in shown


def test_a_never_rule_is_made_and_lifted_on_the_page(
    document: Document, manager: Any, member: Any, client_of: Any
) -> None:
    restriction.grant(document, member, by=manager)
    client = client_of(manager)

    client.post(address(document, "never/"), {"username": "member", "reason": WHY})
    assert not opens(member, document)

    client.post(address(document, f"never/{DocumentBar.objects.get().pk}/lift/"), {"reason": "Closed"})
    assert opens(member, document)


def test_a_rule_that_cannot_be_says_why(document: Document, manager: Any, client_of: Any) -> None:
    refused = client_of(manager).post(address(document, "never/"), {"username": "manager", "reason": WHY})

    assert refused.status_code == 400
    assert "keep you out yourself" in refused.content.decode()


def test_a_rule_of_another_document_is_not_lifted_from_here(
    document: Document, policies: Any, manager: Any, member: Any, client_of: Any
) -> None:
    rule = bars.bar(a_ready_document(policies, "other.md"), member, reason=WHY, by=manager)

    answer = client_of(manager).post(address(document, f"never/{rule.pk}/lift/"), {"reason": "Closed"})

    assert answer.status_code == 404
    assert DocumentBar.objects.filter(pk=rule.pk).exists()


def test_a_document_of_another_workspace_is_not_governed_from_here(
    document: Document, legal: Any, manager: Any, client_of: Any
) -> None:
    other = a_ready_document(legal, "there.md")

    assert client_of(manager).get(address(other)).status_code == 404


def test_the_viewer_leads_there_and_names_granted_groups(
    document: Document, manager: Any, member: Any, client_of: Any
) -> None:
    restriction.grant(document, a_group("Payroll", member), by=manager)

    shown = client_of(manager).get(f"/w/policies/documents/{document.pk}/").content.decode()

    assert address(document) in shown
    assert "Everybody of Payroll" in shown


def test_the_admin_grants_groups_too(document: Document, manager: Any, member: Any, client_of: Any) -> None:
    payroll = a_group("Payroll", member)
    client = client_of(manager)

    client.post(f"/admin/documents/document/{document.pk}/grant/", {"group": str(payroll.pk)})
    shown = client.get(f"/admin/documents/document/{document.pk}/change/").content.decode()
    opened = opens(member, document)
    client.post(f"/admin/documents/document/{document.pk}/revoke/", {"group": str(payroll.pk)})

    assert "Everybody of Payroll" in shown
    assert (opened, opens(member, document)) == (True, False)
