"""Who enters the admin, and which of its pages open to whom."""

import re
from typing import Any

import pytest
from django.contrib import admin
from django.test import Client, RequestFactory
from django.urls import reverse

from answers.models import Budget, Draft
from audit.events import EventType
from audit.models import Event
from documents.models import Document

#: list → the people of the cast to whom it opens.
LISTS = {
    "answers_draft": {"reviewer"},
    "answers_answer": {"reviewer"},
    "answers_examination": {"reviewer"},
    "answers_modelendpoint": {"admin"},
    "answers_budget": {"admin"},
    "answers_workspacemodels": {"manager"},
    "workspaces_workspace": {"manager", "admin"},
    "workspaces_user": {"admin"},
    "workspaces_peoplegroup": {"admin"},
    "workspaces_claimrule": {"admin"},
    "workspaces_customrole": {"admin"},
    "workspaces_platformpolicy": {"admin"},
    "workspaces_apitoken": {"admin"},
    "documents_document": {"manager", "reviewer"},
    "documents_source": {"manager"},
    "documents_deletion": {"auditor"},
    "documents_legalhold": {"auditor"},
    "documents_embeddingendpoint": {"admin"},
    "documents_rerankendpoint": {"admin"},
    "audit_event": {"auditor", "admin"},
}
INSIDE = ("manager", "reviewer", "auditor", "admin")


def test_every_registered_list_is_in_the_table() -> None:
    registered = {f"{model._meta.app_label}_{model._meta.model_name}" for model in admin.site._registry}

    assert registered == set(LISTS)


def test_visitor_is_sent_to_the_portals_sign_in(db: None) -> None:
    response = Client().get("/admin/answers/draft/")

    assert response.status_code == 302
    assert response["Location"].startswith(reverse("account_login"))


@pytest.mark.parametrize("who", ["stranger", "member", "contributor"])
def test_admin_does_not_exist_for_those_who_govern_nothing(client_of: Any, request: Any, legal: Any, who: str) -> None:
    client = client_of(request.getfixturevalue(who))

    for name in ["index", *(f"{one}_changelist" for one in LISTS), "login", "jsi18n", "autocomplete"]:
        assert client.get(reverse(f"admin:{name}")).status_code == 404, name


@pytest.mark.parametrize("who", INSIDE)
def test_list_opens_to_exactly_these_people_and_the_sidebar_names_it_to_them(
    client_of: Any, request: Any, draft: Draft, who: str
) -> None:
    client = client_of(request.getfixturevalue(who))
    lists = {name: reverse(f"admin:{name}_changelist") for name in LISTS}

    shown = {name: client.get(address) for name, address in lists.items()}

    opened = {name for name, people in LISTS.items() if who in people}
    assert {name: page.status_code for name, page in shown.items()} == {
        name: 200 if name in opened else 403 for name in LISTS
    }
    content = shown[min(opened)].content.decode()
    assert {name for name, address in lists.items() if f'href="{address}"' in content} == opened


@pytest.mark.parametrize("who", INSIDE)
def test_front_page_leads_to_the_first_list_that_opens(client_of: Any, request: Any, legal: Any, who: str) -> None:
    response = client_of(request.getfixturevalue(who)).get(reverse("admin:index"), follow=True)

    assert response.status_code == 200
    assert response.redirect_chain


def test_refused_entry_is_in_the_trail(client_of: Any, stranger: Any) -> None:
    client_of(stranger).get("/admin/")

    assert Event.objects.filter(type=EventType.ACCESS_DENIED, actor_id=str(stranger.pk)).exists()


def test_staff_flag_and_model_permissions_open_nothing(client_of: Any, stranger: Any) -> None:
    from django.contrib.auth.models import Permission

    stranger.is_staff = True
    stranger.save()
    stranger.user_permissions.set(Permission.objects.all())

    assert client_of(stranger).get("/admin/").status_code == 404


@pytest.mark.parametrize("path", ["search/?s=draft", "r/1/1/"])
def test_pages_that_would_look_past_the_rules_are_closed(client_of: Any, reviewer: Any, legal: Any, path: str) -> None:
    assert client_of(reviewer).get(f"/admin/{path}").status_code == 404


@pytest.mark.parametrize(
    ("model", "field"), [("draft", "workspace"), ("draft", "answer"), ("workspacemodels", "workspace")]
)
def test_autocomplete_offers_only_what_the_person_could_list(
    client_of: Any, draft: Draft, make_user: Any, make_workspace: Any, model: str, field: str
) -> None:
    elsewhere = make_user("elsewhere")
    make_workspace("other", manager=elsewhere, reviewer=elsewhere)
    query = {"app_label": "answers", "model_name": model, "field_name": field, "term": ""}

    response = client_of(elsewhere).get(reverse("admin:autocomplete"), query)

    offered = {row["id"] for row in response.json()["results"]}
    assert response.status_code == 200
    assert not offered & {str(draft.workspace_id), str(draft.answer_id)}


@pytest.mark.parametrize("field", ["assigned_to", "edited_by"])
def test_autocomplete_lists_people_to_platform_administrators_only(
    client_of: Any, reviewer: Any, legal: Any, field: str
) -> None:
    query = {"app_label": "answers", "model_name": "draft", "field_name": field, "term": ""}

    assert client_of(reviewer).get(reverse("admin:autocomplete"), query).status_code == 403


def test_nothing_is_deleted_through_the_admin(client_of: Any, request: Any, draft: Draft) -> None:
    document = draft.answer.evidence.first().document
    things = {"answers_draft": draft, "answers_answer": draft.answer, "documents_document": document}

    for name, thing in things.items():
        response = client_of(request.getfixturevalue("reviewer")).post(
            reverse(f"admin:{name}_delete", args=[thing.pk]), {"post": "yes"}
        )
        assert response.status_code == 403
    assert Document.objects.filter(pk=document.pk).exists()


def test_signing_out_and_changing_ones_own_password_work_from_the_admin(
    client_of: Any, reviewer: Any, legal: Any
) -> None:
    from tests.conftest import PASSWORD

    client = client_of(reviewer)
    sent = {"old_password": PASSWORD, "new_password1": "another-horse-42", "new_password2": "another-horse-42"}

    page = client.get(reverse("admin:password_change"))
    assert page["Location"] == reverse("account_change_password")
    assert client.post(page["Location"], sent).status_code == 302
    reviewer.refresh_from_db()
    assert reviewer.check_password("another-horse-42")
    assert Event.objects.filter(type=EventType.USER_CHANGED, actor_id=str(reviewer.pk)).exists()
    assert client.post(reverse("admin:logout")).status_code in (200, 302)


def test_no_choice_of_a_form_reads_as_dashes(client_of: Any, superuser: Any, manager: Any, policies: Any) -> None:
    asking = RequestFactory().get("/admin/")
    asking.user = superuser
    client = client_of(superuser)
    pages = [
        client.get(reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_add"))
        for model, one in admin.site._registry.items()
        if one.has_add_permission(asking)
    ]
    client = client_of(manager)
    pages += [client.get(f"/admin/workspaces/workspace/{policies.pk}/change/"), client.get("/w/policies/settings/")]

    assert len(pages) > 4
    for page in pages:
        assert page.status_code == 200
        assert "-----" not in page.content.decode(), page.request["PATH_INFO"]
    assert all("Never: one approval is enough" in page.content.decode() for page in pages[-2:])


def test_a_long_list_counts_so_far_and_says_that_it_goes_on(
    client_of: Any, admin: Any, make_workspace: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workspaces.admin_base.PagePaginator.most", 2)
    for number in range(2):
        make_workspace(f"place-{number}")
    whole = client_of(admin).get(reverse("admin:workspaces_workspace_changelist"))
    make_workspace("place-2")

    cut = client_of(admin).get(reverse("admin:workspaces_workspace_changelist"))

    assert (whole.context["cl"].result_count, cut.context["cl"].result_count) == (2, 2)
    assert "2+" not in " ".join(whole.content.decode().split())
    assert "2+" in " ".join(cut.content.decode().split())


def test_the_menu_asks_no_right_twice(
    client_of: Any, reviewer: Any, draft: Draft, django_assert_max_num_queries: Any
) -> None:
    client = client_of(reviewer)
    client.get(reverse("admin:answers_draft_changelist"))

    with django_assert_max_num_queries(24):
        client.get(reverse("admin:answers_draft_changelist"))


def test_the_first_part_of_a_pages_path_leads_to_a_list_that_the_person_may_open(
    client_of: Any, request: Any, legal: Any
) -> None:
    # A page's path names its application. It led nowhere, for everybody.
    for who, app, expected in (
        ("reviewer", "answers", "admin:answers_draft_changelist"),
        ("manager", "documents", "admin:documents_document_changelist"),
        ("manager", "answers", "admin:answers_workspacemodels_changelist"),
        ("auditor", "audit", "admin:audit_event_changelist"),
        ("reviewer", "audit", "admin:index"),
    ):
        response = client_of(request.getfixturevalue(who)).get(reverse("admin:app_list", args=[app]))

        assert response.url == reverse(expected), (who, app)


def test_a_list_offers_to_show_all_only_where_it_is_narrowed(client_of: Any, admin: Any, member: Any) -> None:
    address = reverse("admin:workspaces_user_changelist")
    offered = {
        query: "Show all" in client_of(admin).get(address + query).content.decode()
        for query in ("", "?q=member", "?active=yes", "?p=1")
    }

    assert offered == {"": False, "?q=member": True, "?active=yes": True, "?p=1": False}


def test_the_pages_that_the_budget_names_open_before_anybody_set_a_limit(client_of: Any, admin: Any) -> None:
    # It has no row yet; each page named another id, at which nothing was found.
    client = client_of(admin)
    page = client.get(reverse("admin:answers_budget_changelist")).content.decode()
    links = set(re.findall(r'href="(/admin/answers/budget/[^"]+/)"', page))

    assert len(links) == 2
    assert {client.get(link).status_code for link in links} == {200}
    # Nor do they end when somebody sets the first: what they saved there came back as a page that does not exist.
    form = next(re.sub(r"[^/]+/$", "change/", link) for link in links)
    saved = client.post(form, {"day_tokens": "1000", "_continue": "1"}, follow=True)
    assert (saved.status_code, Budget.objects.get().day_tokens) == (200, 1000)
