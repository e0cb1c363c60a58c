"""Workspaces, people, model endpoints, documents, answers and the trail in the admin: each change through its verb."""

import json
from typing import Any

import psycopg
import pytest
from django.utils.html import escape

from answers import review
from answers.models import ModelEndpoint, WorkspaceModels
from answers.states import AnswerStatus
from audit.chain import digest
from audit.events import EventType
from audit.models import Event
from documents.models import Document, DocumentUserGrant
from tests.answers.review_scene import CLAUSES, a_document, a_held_answer
from workspaces import accounts, members
from workspaces.models import Membership, User, Workspace
from workspaces.roles import PLATFORM_ADMINISTRATOR, Role


def events(type: str) -> int:
    return Event.objects.filter(type=type).count()


# --- Workspaces ---------------------------------------------------------------------------------------------


def test_platform_administrator_creates_a_workspace_with_its_first_manager(
    client_of: Any, page: Any, admin: Any, manager: Any
) -> None:
    sent = {"name": "Travel", "slug": "travel", "description": "", "review_policy": "review", "manager": manager.pk}

    response = client_of(admin).post(page("workspaces_workspace_add"), sent)

    assert response.status_code == 302
    workspace = Workspace.objects.get(slug="travel")
    assert members.roles_of(workspace, manager) == [Role.MANAGER]
    assert events(EventType.WORKSPACE_CREATED) == 1


def test_taken_name_is_refused_with_a_sentence(client_of: Any, page: Any, admin: Any, manager: Any, legal: Any) -> None:
    sent = {"name": "X", "slug": "legal", "description": "", "review_policy": "open", "manager": manager.pk}

    response = client_of(admin).post(page("workspaces_workspace_add"), sent)

    assert response.status_code == 200
    assert "already exists" in response.content.decode()


def test_manager_changes_policy_and_archives(client_of: Any, page: Any, manager: Any, policies: Any) -> None:
    sent = {"name": "Policies", "description": "Rules.", "review_policy": "review", "archived": "on"}

    response = client_of(manager).post(page("workspaces_workspace_change", policies.pk), sent)

    assert response.status_code == 302
    policies.refresh_from_db()
    assert (policies.review_policy, policies.description) == ("review", "Rules.")
    assert policies.archived_by == manager
    assert events(EventType.WORKSPACE_CHANGED) == 2


def test_platform_administrator_sees_a_workspace_but_does_not_change_its_policy(
    client_of: Any, page: Any, admin: Any, policies: Any
) -> None:
    client = client_of(admin)
    address = page("workspaces_workspace_change", policies.pk)

    assert client.get(address).status_code == 200
    assert client.post(address, {"name": "X", "description": "", "review_policy": "review"}).status_code == 403
    policies.refresh_from_db()
    assert policies.review_policy == "open"


def test_manager_opens_another_workspace_and_chooses_nobody_elses_name_for_it(
    client_of: Any, page: Any, manager: Any, policies: Any, stranger: Any
) -> None:
    client = client_of(manager)
    sent = {"name": "Travel", "slug": "travel", "description": "", "review_policy": "open", "manager": stranger.pk}

    assert "stranger" not in client.get(page("workspaces_workspace_add")).content.decode()
    client.post(page("workspaces_workspace_add"), sent)

    workspace = Workspace.objects.get(slug="travel")
    assert members.roles_of(workspace, manager) == [Role.MANAGER]
    assert members.roles_of(workspace, stranger) == []


def test_manager_sees_only_the_workspaces_they_manage(
    client_of: Any, page: Any, manager: Any, policies: Any, make_workspace: Any, stranger: Any
) -> None:
    other = make_workspace("elsewhere", manager=stranger)
    client = client_of(manager)

    assert "elsewhere" not in client.get(page("workspaces_workspace_changelist")).content.decode()
    for address in ("change", "people", "history", "delete"):
        assert client.post(page(f"workspaces_workspace_{address}", other.pk), {"name": "X"}).status_code == 404


def test_manager_gives_and_takes_roles(
    client_of: Any, page: Any, manager: Any, policies: Any, member: Any, stranger: Any
) -> None:
    client, address = client_of(manager), page("workspaces_workspace_people", policies.pk)

    client.post(address, {"username": "stranger", "roles": ["contributor"]})
    client.post(address, {"person": str(member.pk), "roles": ["reviewer"]})

    assert members.roles_of(policies, stranger) == [Role.CONTRIBUTOR]
    assert members.roles_of(policies, member) == [Role.REVIEWER]
    assert client.get(address).status_code == 200


def test_last_manager_stays_and_the_page_says_why(client_of: Any, page: Any, manager: Any, policies: Any) -> None:
    client, address = client_of(manager), page("workspaces_workspace_people", policies.pk)

    response = client.post(address, {"person": str(manager.pk), "roles": ["member"]}, follow=True)

    assert "keeps at least one manager" in response.content.decode()
    assert Role.MANAGER in members.roles_of(policies, manager)


def test_people_of_another_workspace_are_out_of_reach(
    client_of: Any, page: Any, make_workspace: Any, make_user: Any, policies: Any, member: Any
) -> None:
    elsewhere = make_user("elsewhere")
    other = make_workspace("other", manager=elsewhere)
    client = client_of(elsewhere)

    assert client.get(page("workspaces_workspace_people", policies.pk)).status_code == 404
    assert client.post(page("workspaces_workspace_people", policies.pk), {"username": "elsewhere"}).status_code == 404
    own = page("workspaces_workspace_people", other.pk)
    assert client.post(own, {"person": str(member.pk), "roles": ["manager"]}).status_code == 404
    assert members.roles_of(other, member) == []


def test_reviewer_does_not_change_people(client_of: Any, page: Any, reviewer: Any, policies: Any) -> None:
    address = page("workspaces_workspace_people", policies.pk)

    assert client_of(reviewer).post(address, {"username": "reviewer", "roles": ["manager"]}).status_code == 403
    assert members.roles_of(policies, reviewer) == [Role.REVIEWER]


# --- People -------------------------------------------------------------------------------------------------


def test_platform_administrator_creates_closes_and_reopens_an_account(client_of: Any, page: Any, admin: Any) -> None:
    client = client_of(admin)
    sent = {"username": "new.person", "first_name": "New Person", "email": "", "password": "a-long-enough-one-9"}
    client.post(page("workspaces_user_add"), sent)
    user = User.objects.get(username="new.person")
    assert user.check_password("a-long-enough-one-9")

    change = {"first_name": "New Person", "last_name": "", "email": "new@example.org"}
    client.post(page("workspaces_user_change", user.pk), change)

    user.refresh_from_db()
    assert (user.is_active, user.email) == (False, "new@example.org")
    event = Event.objects.get(type=EventType.USER_CHANGED)
    assert "new@example.org" not in event.body
    assert json.loads(event.body)["details"] == {"changed": ["email", "is_active"], "is_active": False}


def test_closed_account_is_out_at_its_next_request(
    client_of: Any, page: Any, admin: Any, reviewer: Any, legal: Any
) -> None:
    open_session = client_of(reviewer)
    assert open_session.get(page("answers_draft_changelist")).status_code == 200

    client_of(admin).post(page("workspaces_user_change", reviewer.pk), {"first_name": "", "last_name": "", "email": ""})

    assert open_session.get(page("answers_draft_changelist")).status_code == 302


def test_new_password_ends_sessions_and_a_weak_one_is_refused(
    client_of: Any, page: Any, admin: Any, reviewer: Any, legal: Any
) -> None:
    open_session, client = client_of(reviewer), client_of(admin)
    sent = {"first_name": "", "last_name": "", "email": "", "is_active": "on"}

    refused = client.post(page("workspaces_user_change", reviewer.pk), {**sent, "new_password": "12345"}, follow=True)
    assert "too short" in refused.content.decode()
    client.post(page("workspaces_user_change", reviewer.pk), {**sent, "new_password": "a-long-enough-one-9"})

    assert open_session.get(page("answers_draft_changelist")).status_code == 302
    reviewer.refresh_from_db()
    assert reviewer.check_password("a-long-enough-one-9")


def test_administrator_does_not_close_their_own_account(client_of: Any, page: Any, admin: Any) -> None:
    sent = {"first_name": "", "last_name": "", "email": "", "administrator": "on"}

    response = client_of(admin).post(page("workspaces_user_change", admin.pk), sent, follow=True)

    assert "your own account" in response.content.decode()
    assert User.objects.get(pk=admin.pk).is_active


@pytest.mark.parametrize(
    "change", [{"new_password": "a-long-enough-one-9"}, {"email": "mine@example.org"}, {"is_active": ""}]
)
def test_platform_administrator_does_not_change_a_superusers_account(
    client_of: Any, page: Any, admin: Any, make_user: Any, change: dict[str, str]
) -> None:
    root = make_user("root")
    root.is_superuser = True
    root.save()
    sent = {"first_name": "", "last_name": "", "email": "", "is_active": "on", **change}

    response = client_of(admin).post(page("workspaces_user_change", root.pk), sent)

    stored = User.objects.get(pk=root.pk)
    assert response.status_code == 403
    assert (stored.password, stored.email, stored.is_active) == (root.password, "", True)
    assert events(EventType.ACCESS_DENIED) == 1


def test_superuser_sets_the_password_of_another(make_user: Any) -> None:
    root, other = make_user("root"), make_user("other-root")
    User.objects.update(is_superuser=True)

    accounts.set_password(User.objects.get(pk=other.pk), "a-long-enough-one-9", by=User.objects.get(pk=root.pk))

    assert User.objects.get(pk=other.pk).check_password("a-long-enough-one-9")


def test_last_platform_administrator_is_taken_out_by_the_operator_only(client_of: Any, page: Any, admin: Any) -> None:
    sent = {"first_name": "", "last_name": "", "email": "", "is_active": "on"}
    held = Membership.objects.filter(user=admin, group__name=PLATFORM_ADMINISTRATOR)

    response = client_of(admin).post(page("workspaces_user_change", admin.pk), sent, follow=True)

    assert "last platform administrator" in response.content.decode()
    assert held.exists()
    members.set_platform_administrator(admin, administrator=False, by=None)
    assert not held.exists()


@pytest.mark.parametrize("who", ["manager", "reviewer", "auditor"])
def test_others_reach_no_account(client_of: Any, page: Any, request: Any, legal: Any, member: Any, who: str) -> None:
    client = client_of(request.getfixturevalue(who))

    assert client.get(page("workspaces_user_change", member.pk)).status_code == 403
    assert (
        client.post(page("workspaces_user_change", member.pk), {"new_password": "a-long-enough-one-9"}).status_code
        == 403
    )
    assert client.post(page("workspaces_user_add"), {"username": "x"}).status_code == 403


def test_list_of_people_is_not_searched_by_password(client_of: Any, page: Any, admin: Any) -> None:
    response = client_of(admin).get(page("workspaces_user_changelist") + "?password__startswith=md5")

    assert response.status_code in (302, 400)


# --- Model endpoints ----------------------------------------------------------------------------------------

SERVER = {
    "name": "house-model",
    "kind": "openai",
    "base_url": "http://127.0.0.1:1/v1",
    "model": "small",
    "key_reference": "INLOCK_KEY_HOUSE",
    "connect_seconds": 1,
    "first_token_seconds": 1,
    "total_seconds": 2,
    "max_output_tokens": 50,
    "provider": "other",
    "key_header": "bearer",
    "length_field": "max_completion_tokens",
    "sends_temperature": "on",
    "ceiling": "internal",
    "residency": "unknown",
}


def test_platform_administrator_connects_changes_and_tests_an_endpoint(
    client_of: Any, page: Any, admin: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("INLOCK_KEY_HOUSE", "a-secret-key")
    client = client_of(admin)

    client.post(page("answers_modelendpoint_add"), SERVER)
    endpoint = ModelEndpoint.objects.get(name="house-model")
    client.post(page("answers_modelendpoint_change", endpoint.pk), {**SERVER, "model": "large"})
    tested = client.post(page("answers_modelendpoint_test", endpoint.pk), follow=True)

    assert ModelEndpoint.objects.get(pk=endpoint.pk).model == "large"
    assert events(EventType.ENDPOINT_CHANGED) == 2
    assert events(EventType.ENDPOINT_TESTED) == 1
    assert "a-secret-key" not in tested.content.decode()
    history = client.get(page("answers_modelendpoint_history", endpoint.pk)).content.decode()
    assert "large" in history


@pytest.mark.parametrize("form", ["abc", "1.5", "99999999999999999999999"])
def test_form_of_an_endpoint_that_never_was_does_not_exist(client_of: Any, page: Any, admin: Any, form: str) -> None:
    built_in = ModelEndpoint.objects.get(name="built-in")

    response = client_of(admin).get(f"{page('answers_modelendpoint_history', built_in.pk)}{form}/")

    assert response.status_code == 404


def test_key_itself_is_not_taken_for_a_reference(client_of: Any, page: Any, admin: Any) -> None:
    response = client_of(admin).post(
        page("answers_modelendpoint_add"), {**SERVER, "key_reference": "sk-live-123"}, follow=True
    )

    assert "INLOCK_KEY_" in response.content.decode()
    assert not ModelEndpoint.objects.filter(name="house-model").exists()


@pytest.mark.parametrize("who", ["manager", "reviewer", "auditor"])
def test_others_reach_no_endpoint(client_of: Any, page: Any, request: Any, legal: Any, who: str) -> None:
    client = client_of(request.getfixturevalue(who))
    built_in = ModelEndpoint.objects.get(name="built-in")

    for address in ("change", "history", "test"):
        assert client.post(page(f"answers_modelendpoint_{address}", built_in.pk), SERVER).status_code == 403
    assert client.post(page("answers_modelendpoint_add"), SERVER).status_code == 403


def test_manager_chooses_the_models_of_their_own_workspace_only(
    client_of: Any, page: Any, manager: Any, policies: Any, make_workspace: Any, stranger: Any
) -> None:
    other = make_workspace("other", manager=stranger)
    built_in = ModelEndpoint.objects.get(name="built-in")
    client, sent = client_of(manager), {"default_endpoint": built_in.pk, "choices": [built_in.pk]}

    assert client.post(page("answers_workspacemodels_add"), {**sent, "workspace": policies.pk}).status_code == 302
    refused = client.post(page("answers_workspacemodels_add"), {**sent, "workspace": other.pk})
    assert "Select a valid choice" in refused.content.decode()

    assert [models.workspace for models in WorkspaceModels.objects.all()] == [policies]
    assert events(EventType.WORKSPACE_CHANGED) == 1
    assert client.get(page("answers_workspacemodels_change", policies.pk)).status_code == 200


# --- Documents ----------------------------------------------------------------------------------------------


def test_manager_restricts_a_document_grants_it_and_takes_it_back(
    client_of: Any, page: Any, manager: Any, member: Any, policies: Any
) -> None:
    document = a_document(policies, title="Salaries", text="Bands A to F.").document
    client = client_of(manager)

    client.post(page("documents_document_restrict", document.pk))
    client.post(page("documents_document_grant", document.pk), {"person": "member"})
    assert DocumentUserGrant.objects.filter(content_object=document, user=member).exists()
    assert "member" in client.get(page("documents_document_change", document.pk)).content.decode()
    client.post(page("documents_document_revoke", document.pk), {"person": "member"})

    assert Document.objects.get(pk=document.pk).restricted
    assert not DocumentUserGrant.objects.filter(content_object=document, user=member).exists()
    for type in (EventType.DOCUMENT_RESTRICTED, EventType.DOCUMENT_REVOKED):
        assert events(type) == 1


def test_document_page_shows_no_text_and_changes_nothing(
    client_of: Any, page: Any, reviewer: Any, policies: Any
) -> None:
    document = a_document(policies, title="Rules", text="The content of the rules.").document
    client, address = client_of(reviewer), page("documents_document_change", document.pk)

    assert "The content of the rules." not in client.get(address).content.decode()
    assert client.post(address, {"title": "Other"}).status_code == 403
    for act in ("restrict", "unrestrict", "grant", "revoke"):
        assert client.post(page(f"documents_document_{act}", document.pk)).status_code == 403


def test_restricted_document_and_one_of_another_workspace_do_not_exist(
    client_of: Any, page: Any, reviewer: Any, policies: Any, make_workspace: Any, stranger: Any
) -> None:
    secret = a_document(policies, title="Secret bands", text="x", restricted=True).document
    foreign = a_document(make_workspace("other", manager=stranger), title="Foreign rules", text="x").document
    client = client_of(reviewer)

    listed = client.get(page("documents_document_changelist")).content.decode()
    for document in (secret, foreign):
        assert document.title not in listed
        for address in ("change", "history", "delete", "restrict"):
            assert client.post(page(f"documents_document_{address}", document.pk)).status_code == 404


# --- Answers ------------------------------------------------------------------------------------------------


def test_answer_page_shows_what_it_stands_on_and_the_reading_is_recorded(
    client_of: Any, page: Any, draft: Any, reviewer: Any
) -> None:
    content = client_of(reviewer).get(page("answers_answer_change", draft.answer_id)).content.decode()

    assert "Not released: the asker does not see this text." in content
    assert "Source 1" in content
    assert events(EventType.ANSWER_READ) == 1


def test_looking_at_an_answer_without_a_text_is_not_recorded_as_reading(
    client_of: Any, page: Any, legal: Any, member: Any, reviewer: Any
) -> None:
    refused = a_held_answer(legal, member).answer
    refused.status, refused.text = AnswerStatus.REFUSED_NO_EVIDENCE, ""
    refused.save()

    response = client_of(reviewer).get(page("answers_answer_change", refused.pk))

    assert response.status_code == 200
    assert events(EventType.ANSWER_READ) == 0


def test_reviewer_reads_their_own_answer_once_another_released_it(
    client_of: Any, page: Any, legal: Any, reviewer: Any, second_reviewer: Any
) -> None:
    own = a_held_answer(legal, reviewer)
    client, address = client_of(reviewer), page("answers_answer_change", own.answer_id)

    held = client.get(address).content.decode()
    review.approve(own, by=second_reviewer, seen_sha256=digest(own.text))
    released = client.get(address).content.decode()

    assert "somebody else decides on its answer" in held
    assert events(EventType.ANSWER_READ) == 1
    for clause in CLAUSES:
        assert escape(clause) not in held
        assert escape(clause) in released
    assert str(own.pk) not in held + released


def test_manager_who_asked_finds_no_way_to_the_held_text(client_of: Any, page: Any, manager: Any, legal: Any) -> None:
    held = a_held_answer(legal, manager)
    client = client_of(manager)

    assert client.get(page("answers_answer_change", held.answer_id)).status_code == 403
    assert client.get(page("answers_answer_changelist")).status_code == 403


# --- The trail ----------------------------------------------------------------------------------------------


def test_auditor_reads_the_chains_of_their_workspaces_and_the_reading_is_recorded(
    client_of: Any, page: Any, auditor: Any, policies: Any, make_workspace: Any, stranger: Any
) -> None:
    make_workspace("other", manager=stranger)
    client = client_of(auditor)

    content = client.get(page("audit_event_changelist") + "?of=policies").content.decode()

    assert "created the workspace “Policies”" in content
    assert "?of=other" not in content
    assert "?of=platform" not in content
    assert client.get(page("audit_event_changelist") + "?of=other").status_code == 404
    assert client.get(page("audit_event_changelist") + "?of=platform").status_code in (403, 404)
    assert events(EventType.TRAIL_READ) == 1


def test_entry_of_a_foreign_chain_does_not_exist(
    client_of: Any, page: Any, auditor: Any, policies: Any, make_workspace: Any, stranger: Any
) -> None:
    make_workspace("other", manager=stranger)
    client = client_of(auditor)
    own = Event.objects.filter(chain__contains=str(policies.pk)).first()

    assert client.get(page("audit_event_change", own.pk)).status_code == 200
    for foreign in Event.objects.exclude(chain__contains=str(policies.pk))[:3]:
        assert client.get(page("audit_event_change", foreign.pk)).status_code == 404


def test_auditor_verifies_and_exports_a_chain(client_of: Any, page: Any, auditor: Any, policies: Any) -> None:
    client = client_of(auditor)

    verified = client.post(page("audit_event_verify"), {"chain": "policies"}, follow=True)
    exported = client.post(page("audit_event_export"), {"chain": "policies"})

    assert "Policies holds" in verified.content.decode()
    lines = b"".join(exported.streaming_content).decode().splitlines()
    assert json.loads(lines[0])["entries"] == len(lines) - 1
    assert events(EventType.TRAIL_VERIFIED) == events(EventType.TRAIL_EXPORTED) == 1


@pytest.mark.django_db(transaction=True)
def test_damage_is_shown_entry_by_entry(
    client_of: Any, page: Any, auditor: Any, policies: Any, as_superuser: psycopg.Connection
) -> None:
    as_superuser.execute("SET session_replication_role = replica")
    as_superuser.execute("DELETE FROM audit_event WHERE chain LIKE 'workspace:%' AND seq = 3")

    response = client_of(auditor).post(page("audit_event_verify"), {"chain": "policies"})

    assert response.status_code == 409
    assert "Entry 3 is missing." in response.content.decode()


@pytest.mark.parametrize("chain", ["other", "platform", "nonsense", ""])
def test_chain_one_may_not_read_is_neither_verified_nor_exported(
    client_of: Any, page: Any, auditor: Any, policies: Any, make_workspace: Any, stranger: Any, chain: str
) -> None:
    make_workspace("other", manager=stranger)
    client = client_of(auditor)

    for act in ("verify", "export"):
        assert client.post(page(f"audit_event_{act}"), {"chain": chain}).status_code in (403, 404)
    assert events(EventType.TRAIL_EXPORTED) == 0


def test_nobody_changes_the_trail_in_the_admin(client_of: Any, page: Any, admin: Any, policies: Any) -> None:
    client = client_of(admin)
    event = Event.objects.filter(chain="platform").first()

    assert client.post(page("audit_event_change", event.pk), {"actor_label": "x"}).status_code == 403
    assert client.post(page("audit_event_delete", event.pk), {"post": "yes"}).status_code == 403
    assert client.post(page("audit_event_add"), {"type": "x"}).status_code == 403
