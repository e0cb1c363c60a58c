"""The pages of workspaces and their people: who sees what, what a manager can change, and what is refused."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from audit.events import EventType
from audit.models import Event
from workspaces.members import add_member, roles_of
from workspaces.models import User, Workspace
from workspaces.roles import CHARTERS, Role

pytestmark = pytest.mark.django_db


def page(client, url):
    response = client.get(url, follow=True)
    assert response.status_code == 200, url
    return response.content.decode()


# --- The way in ---------------------------------------------------------------------------------------------


def test_home_shows_my_workspaces_and_no_others(policies, legal, member, make_workspace, client_of):
    make_workspace("secret")

    shown = page(client_of(member), "/")

    assert "/w/policies/" in shown
    assert "/w/legal/" in shown
    assert "secret" not in shown.lower()
    assert "Reviewed before release" in shown


def test_somebody_who_belongs_nowhere_is_told_what_to_do(stranger, client_of):
    shown = page(client_of(stranger), "/")

    assert "Nobody has added you to a workspace yet" in shown
    assert "stranger" in shown


def test_with_one_workspace_home_leads_straight_into_it(make_workspace, member, client_of):
    make_workspace("only", member=member)

    response = client_of(member).get("/", follow=True)

    assert response.redirect_chain == [("/w/only/", 302), ("/w/only/ask/", 302)]


def test_an_auditor_lands_where_the_trail_is(policies, auditor, client_of):
    shown = page(client_of(auditor), "/w/policies/")

    assert "Open the audit trail" in shown
    assert "/admin/" in shown
    assert "data-upload" not in shown


# --- Creating -----------------------------------------------------------------------------------------------


def test_a_platform_administrator_creates_a_workspace_and_becomes_its_manager(admin, client_of):
    client = client_of(admin)
    assert "New workspace" in page(client, "/")
    data = {"name": "Human resources", "slug": "hr", "description": "Leave and pay", "review_policy": "review"}

    response = client.post("/workspaces/new/", data)

    workspace = Workspace.objects.get(slug="hr")
    assert response.headers["Location"] == "/w/hr/people/"
    assert roles_of(workspace, admin) == [Role.MANAGER]
    assert Event.objects.filter(type=EventType.WORKSPACE_CREATED).exists()


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        ({"slug": "policies"}, "already exists"),
        ({"slug": "HR Team"}, "valid"),
        ({"name": ""}, "This field is required."),
        ({"review_policy": "whatever"}, "whatever is not one of the available choices"),
    ],
)
def test_a_workspace_that_cannot_be_made_says_why(policies, admin, client_of, data, sentence):
    good = {"name": "Human resources", "slug": "hr", "description": "", "review_policy": "open"}
    before = Workspace.objects.count()

    response = client_of(admin).post("/workspaces/new/", good | data)

    assert response.status_code == 400
    assert sentence in response.content.decode()
    assert Workspace.objects.count() == before


def test_who_runs_nothing_creates_no_workspace(policies, contributor, reviewer, member, auditor, stranger, client_of):
    before = Workspace.objects.count()
    for person in (contributor, reviewer, member, auditor, stranger):
        client = client_of(person)
        assert client.get("/workspaces/new/").status_code == 403
        assert client.post("/workspaces/new/", {"name": "Mine", "slug": "mine"}).status_code == 403
    assert Workspace.objects.count() == before


# --- People -------------------------------------------------------------------------------------------------


def test_the_people_page_explains_every_role_to_every_member(policies, member, client_of):
    shown = page(client_of(member), "/w/policies/people/")

    for role in Role:
        assert str(CHARTERS[role].purpose) in shown
    assert "second-reviewer" in shown
    assert "Save roles" not in shown
    assert "add-person" not in shown


def test_a_manager_adds_a_person_by_user_name(policies, manager, stranger, client_of):
    response = client_of(manager).post(
        "/w/policies/people/add/", {"username": " STRANGER ", "roles": ["member", "reviewer"]}, follow=True
    )

    assert set(roles_of(policies, stranger)) == {"member", "reviewer"}
    assert "stranger can now use this workspace." in response.content.decode()


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        ({"username": "nobody", "roles": ["member"]}, "There is no active account called “nobody”."),
        ({"username": "stranger", "roles": ["emperor"]}, "emperor is not one of the available choices"),
        ({"username": "stranger"}, "This field is required."),
    ],
)
def test_a_person_who_cannot_be_added_is_explained_on_the_page(policies, manager, stranger, client_of, data, sentence):
    response = client_of(manager).post("/w/policies/people/add/", data)

    assert response.status_code == 400
    assert sentence in response.content.decode()
    assert roles_of(policies, stranger) == []


def test_a_manager_changes_and_removes_roles(policies, manager, member, client_of):
    client, url = client_of(manager), f"/w/policies/people/{member.pk}/"

    client.post(url, {"roles": ["contributor", "reviewer"]})
    assert set(roles_of(policies, member)) == {"contributor", "reviewer"}

    client.post(url)
    assert roles_of(policies, member) == []
    assert client_of(member).get("/w/policies/people/").status_code == 404


def test_the_last_manager_stays_and_is_told_why(policies, manager, client_of):
    response = client_of(manager).post(f"/w/policies/people/{manager.pk}/", {"roles": ["member"]}, follow=True)

    assert roles_of(policies, manager) == [Role.MANAGER]
    assert "keeps at least one manager" in response.content.decode()


def test_people_of_another_workspace_cannot_be_changed_through_mine(
    policies, make_workspace, manager, stranger, client_of
):
    make_workspace("other", member=stranger)

    response = client_of(manager).post(f"/w/policies/people/{stranger.pk}/", {"roles": ["manager"]})

    assert response.status_code == 404
    assert roles_of(policies, stranger) == []


def test_managing_people_is_refused_to_everybody_else(
    policies, contributor, reviewer, member, auditor, stranger, client_of
):
    refused = [(person, 403) for person in (contributor, reviewer, member, auditor)] + [(stranger, 404)]
    for person, status in refused:
        client = client_of(person)
        assert client.post("/w/policies/people/add/", {"username": "x", "roles": ["member"]}).status_code == status
        assert client.post(f"/w/policies/people/{member.pk}/").status_code == status
    assert roles_of(policies, member) == [Role.MEMBER]


def test_names_of_people_and_workspaces_are_shown_as_text(policies, manager, client_of):
    User.objects.filter(pk=manager.pk).update(first_name="<img src=x onerror=alert(1)>")
    Workspace.objects.filter(pk=policies.pk).update(
        name="</title><script>alert(1)</script>", description="<b>bold</b>" * 20
    )
    manager.refresh_from_db()
    client = client_of(manager)

    for url in ("/w/policies/people/", "/w/policies/settings/", "/w/policies/documents/"):
        shown = page(client, url)
        assert "<img src=x" not in shown
        assert "<script>alert" not in shown
        assert "<b>bold" not in shown


def test_the_people_page_asks_as_many_queries_for_many_as_for_few(policies, manager, make_user, client_of):

    client = client_of(manager)

    def queries():
        with CaptureQueriesContext(connection) as captured:
            page(client, "/w/policies/people/")
        return len(captured)

    few = queries()
    for number in range(12):
        add_member(policies, make_user(f"person-{number}"), Role.MEMBER, by=manager)

    assert queries() == few


# --- Settings -----------------------------------------------------------------------------------------------


def test_a_manager_changes_the_release_policy_and_the_trail_keeps_both(policies, manager, client_of):
    response = client_of(manager).post(
        "/w/policies/settings/",
        {"name": "Policies", "description": "All of them", "review_policy": "review"},
        follow=True,
    )

    policies.refresh_from_db()
    assert policies.review_policy == "review"
    assert policies.slug == "policies"
    assert "Saved." in response.content.decode()
    event = Event.objects.get(type=EventType.WORKSPACE_CHANGED)
    assert '"before":{' in event.body
    assert '"review_policy":"open"' in event.body


def test_a_manager_sets_who_may_let_an_answer_out_and_the_trail_keeps_both(policies, manager, client_of):
    settings = {"name": "Policies", "description": "", "review_policy": "open", "second_approver_from": "confidential"}

    client_of(manager).post("/w/policies/settings/", settings)

    policies.refresh_from_db()
    assert (policies.second_approver_from, policies.uploader_may_approve) == ("confidential", False)
    body = Event.objects.get(type=EventType.WORKSPACE_CHANGED).body
    assert '"before":{"second_approver_from":"","uploader_may_approve":true}' in body
    assert '"after":{"second_approver_from":"confidential","uploader_may_approve":false}' in body
    page = client_of(manager).get("/w/policies/settings/").content.decode()
    assert "Two reviewers approve answers that rest on documents from this level on" in page


def test_settings_that_cannot_be_saved_say_why_and_change_nothing(policies, manager, client_of):
    response = client_of(manager).post("/w/policies/settings/", {"name": "", "review_policy": "open"})

    policies.refresh_from_db()
    assert response.status_code == 400
    assert "This field is required." in response.content.decode()
    assert policies.name == "Policies"


def test_settings_are_for_managers(policies, contributor, reviewer, member, auditor, stranger, client_of):
    for person, status in ((contributor, 403), (reviewer, 403), (member, 403), (auditor, 403), (stranger, 404)):
        client = client_of(person)
        assert client.get("/w/policies/settings/").status_code == status
        assert client.post("/w/policies/settings/", {"name": "Mine", "review_policy": "open"}).status_code == status
