"""The pages that belong to no app: sign-in, refusals, and the frame around every page."""

from http import HTTPStatus

import pytest
from django.template.loader import render_to_string
from django.test import RequestFactory
from django.urls import resolve

from tests.conftest import PASSWORD


def frame(person, workspace, path):
    request = RequestFactory().get(path)
    request.user = person
    request.workspace = workspace
    request.resolver_match = resolve(path)
    return render_to_string("base.html", request=request)


@pytest.mark.django_db
def test_signing_in_leads_to_the_page_asked_for(client, member):
    page = client.get("/sign-in/?next=/w/policies/")
    signed_in = client.post("/sign-in/", {"username": "member", "password": PASSWORD, "next": "/w/policies/"})

    assert 'value="/w/policies/"' in page.content.decode()
    assert signed_in.headers["Location"] == "/w/policies/"


@pytest.mark.django_db
def test_a_wrong_password_is_answered_with_a_sentence_and_nothing_typed(client, member):
    page = client.post("/sign-in/", {"username": "member", "password": "not-the-password"}).content.decode()

    assert 'role="alert"' in page
    assert "not-the-password" not in page


def test_pages_for_faults_need_no_context():
    for name in ("404.html", "403.html", "403_csrf.html", "500.html"):
        page = render_to_string(name)

        assert "<h1>" in page
        assert "css/tokens.css" in page


def test_a_refusal_says_why():
    page = render_to_string("403.html", {"sentence": "Only managers change <people>."})

    assert "Only managers change &lt;people&gt;." in page


@pytest.mark.django_db
def test_a_refusal_by_the_role_is_said_once(client_of, member, policies):
    response = client_of(member).get("/w/policies/settings/")

    assert response.status_code == HTTPStatus.FORBIDDEN
    assert response.content.decode().count("Your role does not allow this") == 1


PAGES = {
    "ask": "/w/policies/ask/",
    "documents": "/w/policies/documents/",
    "people": "/w/policies/people/",
    "settings": "/w/policies/settings/",
    "review": "/admin/answers/draft/",
    "trail": "/admin/audit/event/",
    "admin": "/admin/",
}
OFFERED = {
    "manager": {"ask", "documents", "people", "settings", "admin"},
    "contributor": {"ask", "documents", "people"},
    "reviewer": {"ask", "documents", "people", "review", "admin"},
    "member": {"ask", "documents", "people"},
    "auditor": {"people", "trail", "admin"},
}


@pytest.mark.parametrize("role", OFFERED)
def test_the_sidebar_offers_only_what_the_role_may_open(role, request, policies):
    person = request.getfixturevalue(role)

    page = frame(person, policies, "/w/policies/")

    assert {name for name, address in PAGES.items() if f'href="{address}"' in page} == OFFERED[role]


def test_a_workspace_name_cannot_carry_markup(manager, policies):
    policies.name = "<b>Policies</b>"

    page = frame(manager, policies, "/w/policies/")

    assert "<b>Policies</b>" not in page
    assert "&lt;b&gt;Policies&lt;/b&gt;" in page
