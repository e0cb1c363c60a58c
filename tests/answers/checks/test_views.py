"""A manager sets strictness and judge on the portal; nobody else does."""

import pytest
from django.utils import timezone

from answers.checks import settings as checks
from answers.models import EndpointKind, ModelEndpoint

PAGE = "/w/policies/settings/checks/"


@pytest.fixture
def reader(db):
    return ModelEndpoint.objects.create(
        name="reader",
        kind=EndpointKind.OPENAI,
        base_url="http://judge.example:8000/v1",
        model="small",
        state="approved",
        approved_at=timezone.now(),
    )


def test_settings_lead_to_the_page_and_it_says_where_sentences_go(policies, manager, reader, client_of):
    client = client_of(manager)

    assert PAGE in client.get("/w/policies/settings/").content.decode()
    page = client.get(PAGE).content.decode()
    assert "the passages they cite are sent to judge.example:8000." in page
    assert "built-in" not in page
    assert "No model" in page


def test_a_choice_takes_effect_and_no_model_takes_the_judge_away(policies, manager, reader, client_of):
    client = client_of(manager)

    assert client.post(PAGE, {"strictness": "strict", "judge": reader.pk}).status_code == 302
    assert (checks.of(policies).strictness, checks.of(policies).judge) == ("strict", reader)
    assert client.post(PAGE, {"strictness": "lenient", "judge": ""}).status_code == 302
    assert (checks.of(policies).strictness, checks.of(policies).judge) == ("lenient", None)


def test_what_is_not_offered_is_refused_and_a_judge_that_was_switched_off_is_named(
    policies, manager, reader, client_of
):
    client = client_of(manager)
    built_in = ModelEndpoint.objects.get(name="built-in")

    assert client.post(PAGE, {"strictness": "whatever", "judge": ""}).status_code == 400
    assert client.post(PAGE, {"strictness": "strict", "judge": built_in.pk}).status_code == 400
    client.post(PAGE, {"strictness": "balanced", "judge": reader.pk})
    ModelEndpoint.objects.filter(pk=reader.pk).update(state="retired")
    assert "no sentence is judged" in client.get(PAGE).content.decode()


def test_members_and_strangers_do_not_get_there(policies, member, stranger, client_of):
    assert client_of(member).post(PAGE, {"strictness": "strict"}).status_code == 403
    assert client_of(stranger).get(PAGE).status_code == 404
