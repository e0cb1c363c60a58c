"""An endpoint is used once another person than who entered it approved it, and only as that person read it."""

import pytest
from django.db import IntegrityError, transaction
from django.urls import reverse

from answers import endpoints
from answers.endpoints import BUILT_IN, save_endpoint
from answers.exceptions import EndpointError
from answers.models import ModelEndpoint
from audit.events import EventType
from audit.models import Event
from documents.embedding import endpoints as embedding_endpoints
from documents.embedding.spaces import of_endpoint, offered
from documents.models import EmbeddingEndpoint, RerankEndpoint
from documents.reranking import endpoints as rerank_endpoints
from tests.endpoints_in_use import in_use
from tests.undone import undone
from workspaces import members
from workspaces.endpoints import states as endpoint_states
from workspaces.endpoints.states import EndpointStateError, approve, fingerprint, make_default, reopen, retire
from workspaces.exceptions import Forbidden

URL = "http://127.0.0.1:9/v1"
KINDS = {
    "answers.modelendpoint": (endpoints, lambda: ModelEndpoint(name="house", base_url=URL, model="m")),
    "documents.embeddingendpoint": (
        embedding_endpoints,
        lambda: EmbeddingEndpoint(name="house", base_url=URL, model="m", dimension=8),
    ),
    "documents.rerankendpoint": (rerank_endpoints, lambda: RerankEndpoint(name="house", base_url=URL, model="m")),
}


@pytest.fixture
def second(db, make_user):
    user = make_user("second-administrator")
    members.set_platform_administrator(user, by=None)
    return user


@pytest.fixture(params=KINDS)
def entered(request, admin):
    """The verbs and a stored endpoint of each kind, entered by `admin`."""
    verbs, make = KINDS[request.param]
    return verbs, verbs.save_endpoint(make(), by=admin)


def page(endpoint, act, *more):
    meta = endpoint._meta
    return reverse(f"admin:{meta.app_label}_{meta.model_name}_{act}", args=[endpoint.pk, *more])


def test_who_entered_an_endpoint_does_not_approve_it_where_somebody_else_can(entered, admin, second, client_of):
    _verbs, endpoint = entered
    assert endpoint.state == "candidate"
    shown = client_of(admin).get(page(endpoint, "change")).content.decode()
    # In words, and not as the pieces of a badge.
    assert "(&#x27;candidate&#x27;" not in shown
    assert "another administrator reads it and approves it" in shown
    assert page(endpoint, "state", "approved") not in shown

    refused = client_of(admin).post(page(endpoint, "state", "approved"), {"seen": fingerprint(endpoint)}, follow=True)

    assert "somebody else approves it" in refused.content.decode()
    endpoint.refresh_from_db()
    assert endpoint.state == "candidate"

    seen = fingerprint(endpoint)
    assert seen in client_of(second).get(page(endpoint, "change")).content.decode()
    client_of(second).post(page(endpoint, "state", "approved"), {"seen": seen})

    endpoint.refresh_from_db()
    assert (endpoint.state, endpoint.approved_by) == ("approved", second)
    entry = Event.objects.get(type=EventType.ENDPOINT_APPROVED)
    assert (entry.actor_id, '"alone":false' in entry.body) == (str(second.pk), True)


def test_that_rule_is_what_keeps_them_from_it(entered, admin, second, monkeypatch):
    _verbs, endpoint = entered
    monkeypatch.setattr(endpoint_states, "may_approve", lambda user, endpoint: True)

    approve(endpoint, seen=fingerprint(endpoint), by=admin)

    assert endpoint.usable


def test_the_only_administrator_approves_and_the_trail_says_that_they_were_alone(entered, admin):
    _verbs, endpoint = entered

    in_use(endpoint, by=admin)

    assert '"alone":true' in Event.objects.get(type=EventType.ENDPOINT_APPROVED).body


def test_an_endpoint_that_changed_since_it_was_read_is_not_approved(entered, admin, second):
    verbs, endpoint = entered
    endpoint.refresh_from_db()
    seen = fingerprint(endpoint)
    endpoint.base_url = "http://127.0.0.1:10/v1"
    verbs.save_endpoint(endpoint, by=admin)

    with pytest.raises(EndpointStateError, match="changed since you read it"):
        approve(endpoint, seen=seen, by=second)


CHANGES = [
    ({"base_url": "http://127.0.0.1:10/v1"}, False),
    ({"ceiling": "restricted"}, False),
    ({"residency": "elsewhere"}, False),
    ({"ceiling": "public"}, True),
    ({"purpose": "For drafts."}, True),
    ({"key_reference": "INLOCK_KEY_NEW"}, True),
]


def test_what_changes_where_text_goes_takes_the_approval_away(entered, admin, second, subtests):
    verbs, endpoint = entered
    in_use(endpoint, by=second)
    for change, stays in CHANGES:
        with subtests.test(change), undone():
            endpoint.refresh_from_db()
            for name, value in change.items():
                setattr(endpoint, name, value)

            verbs.save_endpoint(endpoint, by=second)

            endpoint.refresh_from_db()
            assert endpoint.usable == stays
            assert (endpoint.approved_at is not None) == stays
            if not stays:
                with pytest.raises(EndpointStateError, match="somebody else"):
                    approve(endpoint, seen=fingerprint(endpoint), by=second)


def test_a_retired_endpoint_needs_its_approval_anew(entered, admin, client_of):
    _verbs, endpoint = entered
    in_use(endpoint, by=admin)
    client_of(admin).post(page(endpoint, "state", "retired"))
    endpoint.refresh_from_db()
    assert endpoint.state == "retired"
    with pytest.raises(EndpointStateError, match="Retired"):
        approve(endpoint, seen=fingerprint(endpoint), by=admin)

    client_of(admin).post(page(endpoint, "state", "candidate"))

    endpoint.refresh_from_db()
    assert (endpoint.state, endpoint.approved_at) == ("candidate", None)
    kinds = [EventType.ENDPOINT_RETIRED, EventType.ENDPOINT_REOPENED]
    assert list(Event.objects.filter(type__in=kinds).order_by("seq").values_list("type", flat=True)) == kinds


def test_only_administrators_bring_an_endpoint_anywhere(entered, manager, policies):
    _verbs, endpoint = entered

    for verb in (retire, reopen, make_default):
        with pytest.raises(Forbidden):
            verb(endpoint, by=manager)
    with pytest.raises(Forbidden):
        approve(endpoint, seen=fingerprint(endpoint), by=manager)


def test_who_changed_a_retired_endpoint_does_not_approve_it_because_somebody_else_reopened_it(entered, admin, second):
    verbs, endpoint = entered
    endpoint.refresh_from_db()
    retire(endpoint, by=second)
    endpoint.base_url = "http://127.0.0.1:10/v1"
    verbs.save_endpoint(endpoint, by=admin)
    reopen(endpoint, by=second)
    endpoint.refresh_from_db()

    with pytest.raises(EndpointStateError, match="somebody else"):
        approve(endpoint, seen=fingerprint(endpoint), by=admin)

    approve(endpoint, seen=fingerprint(endpoint), by=second)
    assert endpoint.usable


def test_neither_who_entered_it_nor_who_changed_it_last_approves_it_where_a_third_can(admin, second, make_user):
    """An edit made its editor the only one who was tied, so that whoever had a model trained could approve it."""
    endpoint = endpoints.save_endpoint(KINDS["answers.modelendpoint"][1](), by=admin)
    endpoint.model = "another"
    endpoints.save_endpoint(endpoint, by=second)
    third = make_user("third-administrator")
    members.set_platform_administrator(third, by=None)

    for tied in (admin, second):
        with pytest.raises(EndpointStateError, match="somebody else"):
            approve(endpoint, seen=fingerprint(ModelEndpoint.objects.get(pk=endpoint.pk)), by=tied)
    members.set_platform_administrator(third, administrator=False, by=None)
    # Of two administrators each has read by now what the other one wrote; who wrote last does not decide.
    with pytest.raises(EndpointStateError, match="somebody else"):
        approve(endpoint, seen=fingerprint(ModelEndpoint.objects.get(pk=endpoint.pk)), by=second)
    in_use(endpoint, by=admin)

    told = Event.objects.get(type=EventType.ENDPOINT_APPROVED).body
    assert '"alone":false' in told
    assert f'"entered_by":"{admin.pk}"' in told


def test_a_candidate_makes_no_vectors_and_is_offered_to_nobody(admin):
    made = embedding_endpoints.save_endpoint(KINDS["documents.embeddingendpoint"][1](), by=admin)

    assert of_endpoint(made).remote.off
    assert not of_endpoint(made, trial=True).remote.off
    assert "house" not in [space.name for space in offered()]
    in_use(made, by=admin)
    assert "house" in [space.name for space in offered()]


def test_there_is_one_default_and_it_is_for_every_workspace_that_chose_none(policies, admin, client_of):
    assert endpoints.default_for(policies).name == BUILT_IN
    first, second = (
        in_use(save_endpoint(ModelEndpoint(name=name, base_url=URL, model="m"), by=admin), by=admin)
        for name in ("first", "second")
    )
    client_of(admin).post(page(first, "state", "default"))
    assert endpoints.default_for(policies) == first

    make_default(second, by=admin)

    assert endpoints.default_for(policies) == second
    first.refresh_from_db()
    assert first.state == "approved"
    retire(second, by=admin)
    assert endpoints.default_for(policies).name == BUILT_IN
    with pytest.raises(IntegrityError), transaction.atomic():
        ModelEndpoint.objects.filter(name__in=["first", BUILT_IN]).update(state="default")


def test_a_database_keeps_no_endpoint_in_use_that_nobody_approved(admin):
    made = save_endpoint(ModelEndpoint(name="house", base_url=URL, model="m"), by=admin)

    with pytest.raises(IntegrityError), transaction.atomic():
        ModelEndpoint.objects.filter(pk=made.pk).update(state="approved")


def test_an_embedding_endpoint_is_no_default(admin, client_of):
    made = embedding_endpoints.save_endpoint(KINDS["documents.embeddingendpoint"][1](), by=admin)

    assert client_of(admin).post(page(made, "state", "default")).status_code == 404


def test_a_preset_fills_in_the_form_of_a_new_model(admin, client_of):
    shown = client_of(admin).get(reverse("admin:answers_modelendpoint_add") + "?provider=azure").content.decode()

    assert "https://RESOURCE.openai.azure.com/openai/deployments/DEPLOYMENT" in shown
    assert 'value="2024-10-21"' in shown
    with pytest.raises(EndpointError):  # as it stands there it is nobody's
        save_endpoint(ModelEndpoint(name="x", base_url="https://RESOURCE.openai.azure.com/", model="m"), by=admin)


def test_a_live_test_shows_how_fast_it_was_and_what_it_said(admin, client_of, endpoint_of, chat_server):
    chat_server.says = "The reading room is <b>open</b> from 9:00 to 17:00 on working days [1]."
    endpoint = endpoint_of("says")

    shown = client_of(admin).post(page(endpoint, "test"), follow=True).content.decode()

    assert "First word after" in shown
    assert "is &lt;b&gt;open&lt;/b&gt; from 9:00" in shown
    body = Event.objects.get(type=EventType.ENDPOINT_TESTED).body
    assert '"first_word_ms":' in body
    assert "reading room" not in body
