"""Everything that has a page in the admin has a timeline there, for those who may read the trail."""

import html
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib import admin as django_admin
from django.urls import reverse
from django.utils import timezone

from answers import endpoints, review
from answers.draft_review import releasing
from answers.governing import budgets
from answers.models import Answer, Examination, ExaminationState, ModelEndpoint
from audit.chain import digest
from audit.events import EventType
from audit.models import Event
from documents import library
from documents.access import restriction
from documents.deletion import holds
from documents.embedding import endpoints as embedding_endpoints
from documents.models import Deletion, Document, EmbeddingEndpoint, LegalHold, RerankEndpoint, Source
from documents.reranking import endpoints as rerank_endpoints
from documents.sources import keeping
from tests.answers.review_scene import a_document
from workspaces import claim_rules, custom_roles, groups, members, policy
from workspaces.admin_base import GovernedAdmin
from workspaces.members import change_workspace
from workspaces.models import User, Workspace
from workspaces.roles import Action
from workspaces.tokens import keeping as tokens

pytestmark = pytest.mark.django_db


@pytest.fixture
def officer(policies: Any, legal: Any, admin: Any, manager: Any) -> User:
    """Somebody who runs the installation and holds every role, and so may see each page and read every chain."""
    for workspace in (policies, legal):
        for role in ("manager", "reviewer", "auditor"):
            members.add_member(workspace, admin, role, by=manager)
    return admin


def _workspace(officer: Any, legal: Any, draft: Any) -> Workspace:
    return change_workspace(legal, by=officer, review_policy="open")


def _models(officer: Any, legal: Any, draft: Any) -> Any:
    built_in = endpoints.built_in()
    assert built_in is not None
    return endpoints.choose_models(legal, by=officer, default=built_in)


def _person(officer: Any, legal: Any, draft: Any) -> User:
    person = members.create_user(username="newcomer", by=officer)
    members.add_member(legal, person, "member", by=officer)
    return person


def _group(officer: Any, legal: Any, draft: Any) -> Any:
    group = groups.create_group(name="Tellers", by=officer)
    return groups.change_group(group, by=officer, name="Cashiers", description="")


def _role(officer: Any, legal: Any, draft: Any) -> Any:
    made = custom_roles.create_role(code="keeper", name="Keeper", purpose="Keeps", actions=[Action.OPEN], by=officer)
    changed = {"name": "Keeper", "purpose": "Keeps", "actions": [Action.OPEN, Action.ASK]}
    return custom_roles.change_role(made, by=officer, **changed)


def _token(officer: Any, legal: Any, draft: Any) -> Any:
    return tokens.create(by=officer, name="nightly", workspaces=[legal], actions=[Action.ASK])[0]


def _claim_rule(officer: Any, legal: Any, draft: Any) -> Any:
    return claim_rules.add_rule(provider="staff", claim="tellers", workspace=legal, role="member", by=officer)


def _document(officer: Any, legal: Any, draft: Any) -> Document:
    document = a_document(legal, title="Plan", text="Before. After.").document
    restriction.restrict(document, by=officer)
    return document


def _deletion(officer: Any, legal: Any, draft: Any) -> Deletion:
    document = a_document(legal, title="Plan", text="Before. After.").document
    return library.delete(document, by=officer).deletion


def _hold(officer: Any, legal: Any, draft: Any) -> LegalHold:
    document = a_document(legal, title="Plan", text="Before. After.").document
    return holds.place(legal, document, by=officer, reason="Case 12.")


def _source(officer: Any, legal: Any, draft: Any) -> Source:
    made = Source.objects.create(
        workspace=legal, name="Library", kind="folder", options={}, folder="library", owner=officer, created_by=officer
    )
    keeping.pause_source(made, by=officer)
    return made


def _embedding_endpoint(officer: Any, legal: Any, draft: Any) -> EmbeddingEndpoint:
    endpoint = EmbeddingEndpoint(name="vectors", base_url="http://127.0.0.1:9/v1", model="m", dimension=8)
    return embedding_endpoints.save_endpoint(endpoint, by=officer)


def _reranker(officer: Any, legal: Any, draft: Any) -> RerankEndpoint:
    endpoint = RerankEndpoint(name="judge", base_url="http://127.0.0.1:9/v1")
    return rerank_endpoints.save_endpoint(endpoint, by=officer)


def _assigned(officer: Any, legal: Any, draft: Any) -> Any:
    review.assign(draft, to=officer, by=officer)
    return draft


def _answer(officer: Any, legal: Any, draft: Any) -> Answer:
    return _assigned(officer, legal, draft).answer


def _examination(officer: Any, legal: Any, draft: Any) -> Examination:
    held = Examination.objects.create(
        workspace=legal,
        asked_by=draft.answer.asked_by,
        title="Notice",
        text="Notice is 30 days.",
        text_sha256=digest("Notice is 30 days."),
        state=ExaminationState.HELD,
        examined_at=timezone.now(),
        findings_sha256=digest("findings"),
    )
    return releasing.reject(held, by=officer, reason="Ask the other side first.")


def _endpoint(officer: Any, legal: Any, draft: Any) -> ModelEndpoint:
    built_in = endpoints.built_in()
    assert built_in is not None
    built_in.name = "in-house"
    return endpoints.save_endpoint(built_in, by=officer)


def _policy(officer: Any, legal: Any, draft: Any) -> Any:
    return policy.require_second_factor(["contributor"], by=officer)


def _budget(officer: Any, legal: Any, draft: Any) -> Any:
    return budgets.change(None, by=officer, day_tokens=1000)


#: admin page → what makes a thing of it and lets something happen to it, and the words its timeline then has.
THINGS: dict[str, tuple[Callable[[Any, Any, Any], Any], tuple[str, ...]]] = {
    "workspaces_workspace": (
        _workspace,
        (
            "admin changed the settings of “Legal”.",
            "Release of answers",
            "Hold every answer until",
            "Release answers at once",
        ),
    ),
    "workspaces_user": (_person, ("admin created the account “newcomer”.", "admin gave “newcomer” the role Member.")),
    "workspaces_peoplegroup": (
        _group,
        ("admin created the group “Tellers”.", "<del>Tellers</del>", "<ins>Cashiers</ins>"),
    ),
    "workspaces_customrole": (
        _role,
        (
            "admin created the role “Keeper”.",
            "<del>see that the workspace exists and open its pages, open and search its documents",
        ),
    ),
    "workspaces_apitoken": (_token, ("admin made the API token “nightly",)),
    "workspaces_claimrule": (_claim_rule, ("admin made a rule for the provider's group “tellers”.",)),
    "workspaces_platformpolicy": (_policy, ("changed a rule of the installation", "<ins>Contributor</ins>")),
    "documents_document": (_document, ("admin restricted “Plan” to named people.",)),
    "documents_deletion": (_deletion, ("admin deleted the document “Plan”.",)),
    "documents_legalhold": (_hold, ("admin placed a legal hold on “Plan”.",)),
    "documents_source": (_source, ("admin paused the schedule of the source “Library”.",)),
    "documents_embeddingendpoint": (_embedding_endpoint, ("vectors",)),
    "documents_rerankendpoint": (_reranker, ("judge",)),
    "answers_answer": (_answer, ("admin assigned a draft to “admin”.",)),
    "answers_examination": (_examination, ("admin did not release the findings in a draft.",)),
    "answers_budget": (_budget, ("admin changed what may be spent on models", "<ins>1000</ins>")),
    "answers_modelendpoint": (_endpoint, ("admin changed the model endpoint", "<ins>in-house</ins>")),
    "answers_workspacemodels": (_models, ("admin changed the settings of “Legal”.", "Default model")),
}


def test_every_class_of_the_admin_is_among_them() -> None:
    there = {
        f"{model._meta.app_label}_{model._meta.model_name}"
        for model, one in django_admin.site._registry.items()
        if isinstance(one, GovernedAdmin) and model is not Event
    }

    # The page of a draft shows its forms, and leads to the timeline of its answer.
    assert there - {"answers_draft"} == set(THINGS)


def test_page_of_a_draft_leads_to_the_timeline_it_shares_with_its_answer(
    draft: Any, reviewer: Any, client_of: Any
) -> None:
    page = client_of(reviewer).get(reverse("admin:answers_draft_change", args=[draft.pk])).content.decode()

    assert reverse("admin:answers_answer_history", args=[draft.answer_id]) in page


@pytest.mark.parametrize("name", THINGS)
def test_timeline_tells_what_was_done_with_before_and_after(
    name: str, officer: Any, legal: Any, draft: Any, client_of: Any
) -> None:
    happen, words = THINGS[name]
    thing = happen(officer, legal, draft)

    response = client_of(officer).get(reverse(f"admin:{name}_history", args=[thing.pk]))

    content = html.unescape(response.content.decode())
    assert [word for word in words if word not in content] == []
    assert Event.objects.filter(type=EventType.TRAIL_READ, body__contains=str(thing.pk)).exists()


def test_whoever_may_not_read_the_chain_gets_nothing_of_it(draft: Any, reviewer: Any, client_of: Any) -> None:
    review.assign(draft, to=reviewer, by=reviewer)

    page = client_of(reviewer).get(reverse("admin:answers_answer_history", args=[draft.answer_id])).content.decode()

    assert "assigned a draft" not in page
    assert "tell nothing about this" in page
    assert not Event.objects.filter(type=EventType.TRAIL_READ).exists()


def test_list_of_the_trail_is_narrowed_to_one_thing_and_what_it_rests_on(
    officer: Any, legal: Any, draft: Any, client_of: Any
) -> None:
    review.assign(draft, to=officer, by=officer)
    client = client_of(officer)
    timeline = client.get(reverse("admin:answers_answer_history", args=[draft.answer.pk])).context["timeline"]

    response = client.get(
        reverse("admin:audit_event_changelist"), {"of": "legal", "about": timeline.about, "what": "draft.assigned"}
    )

    assert [event.object_id for event in response.context["cl"].result_list] == [str(draft.pk)]
    nothing = client.get(reverse("admin:audit_event_changelist"), {"of": "legal", "about": "no.model:\x01,,:"})
    assert list(nothing.context["cl"].result_list) == []
