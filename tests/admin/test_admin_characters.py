"""A NUL, which no text column stores, is refused as the sender's mistake wherever a request can carry one."""

from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.test import AsyncClient

from answers.models import Draft
from answers.states import DraftState
from tests.answers.review_scene import a_document

REFUSED = "a character that cannot be stored"


@pytest.mark.parametrize(
    ("name", "query"),
    [
        ("answers_draft_changelist", "state=%00"),
        ("answers_draft_changelist", "workspace=%00"),
        ("answers_draft_changelist", "q=a%00b"),
        ("audit_event_changelist", "what=%00"),
        ("audit_event_changelist", "of=%00"),
        ("answers_answer_changelist", "%00=x"),
    ],
)
def test_list_refuses_it_in_its_query(
    client_of: Any, page: Any, legal: Any, reviewer: Any, auditor: Any, policies: Any, name: str, query: str
) -> None:
    person = auditor if name.startswith("audit") else reviewer

    response = client_of(person).get(f"{page(name)}?{query}")

    assert response.status_code == 400
    assert REFUSED in response.content.decode()
    assert response.headers["Content-Security-Policy"]


@pytest.mark.parametrize("act", ["reject", "return", "edit"])
def test_act_on_a_draft_refuses_it_in_its_form(
    client_of: Any, page: Any, draft: Draft, reviewer: Any, act: str
) -> None:
    sent = {"reason": "No\0.", "why": "No\0.", "text": "Due. [1]"}

    response = client_of(reviewer).post(page(f"answers_draft_{act}", draft.pk), sent)

    assert response.status_code == 400
    assert Draft.objects.get(pk=draft.pk).state == DraftState.WAITING


def test_other_forms_of_the_admin_refuse_it(
    client_of: Any, page: Any, manager: Any, auditor: Any, policies: Any
) -> None:
    document = a_document(policies, title="Salaries", text="Bands A to F.", restricted=True).document
    grant = page("documents_document_grant", document.pk)

    assert client_of(manager).post(grant, {"person": "\0"}).status_code == 400
    for act in ("verify", "export"):
        assert client_of(auditor).post(page(f"audit_event_{act}"), {"chain": "\0"}).status_code == 400


@pytest.mark.django_db
def test_it_is_refused_in_a_cookie_before_the_session_is_looked_up(client: Any, page: Any) -> None:
    client.cookies["sessionid"] = "\0" * 32

    assert client.get(page("answers_draft_changelist")).status_code == 400


@pytest.mark.django_db
def test_server_refuses_it_in_a_form_and_in_a_query() -> None:
    client = AsyncClient()

    in_form = async_to_sync(client.post)("/sign-in/", {"username": "\0", "password": "x"})
    in_query = async_to_sync(client.get)("/sign-in/?next=%00")

    assert (in_form.status_code, in_query.status_code) == (400, 400)
