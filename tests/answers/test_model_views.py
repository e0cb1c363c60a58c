"""A manager chooses the models of the workspace on the portal; nobody else does."""

import json
from typing import Any

import pytest

from answers.endpoints import BUILT_IN, choices_for, default_for, save_endpoint
from answers.models import EndpointKind, ModelEndpoint, WorkspaceModels
from audit.events import EventType
from audit.models import Event
from tests.endpoints_in_use import in_use
from workspaces.endpoints import states as endpoint_states

PAGE = "/w/policies/settings/models/"


@pytest.fixture
def local(admin: Any) -> ModelEndpoint:
    endpoint = ModelEndpoint(
        name="local", kind=EndpointKind.OPENAI, base_url="http://models.example:11434/v1", model="small"
    )
    return in_use(save_endpoint(endpoint, by=admin), by=admin)


@pytest.fixture
def built_in(db: None) -> ModelEndpoint:
    return ModelEndpoint.objects.get(name=BUILT_IN)


def changes() -> list[dict[str, Any]]:
    entries = Event.objects.filter(type=EventType.WORKSPACE_CHANGED).order_by("seq")
    return [json.loads(entry.body)["details"] for entry in entries]


def test_settings_lead_to_the_page_and_it_shows_what_is_used(policies, manager, local, client_of):
    client = client_of(manager)

    assert PAGE in client.get("/w/policies/settings/").content.decode()
    page = client.get(PAGE).content.decode()
    assert "Questions and passages are sent to models.example:11434." in page
    assert "Takes documents up to “Internal”. Processed: Not known. A million tokens: not known." in page
    assert "No passage leaves this portal." in page


def test_a_choice_takes_effect_and_leaves_before_and_after(policies, manager, local, built_in, client_of):
    client = client_of(manager)

    first = client.post(PAGE, {"default": built_in.pk, "choices": [local.pk]})
    second = client.post(PAGE, {"default": local.pk})

    assert (first.status_code, second.status_code) == (302, 302)
    policies.refresh_from_db()
    assert [endpoint.name for endpoint in choices_for(policies)] == ["local"]
    assert changes() == [
        {"before": {}, "after": {"default_model": BUILT_IN, "models": [BUILT_IN, "local"]}},
        {
            "before": {"default_model": BUILT_IN, "models": [BUILT_IN, "local"]},
            "after": {"default_model": "local", "models": ["local"]},
        },
    ]


@pytest.mark.parametrize("method", ["get", "post"])
def test_nobody_else_reads_or_changes_it(method, policies, member, stranger, reviewer, built_in, client_of):
    for person, status in ((stranger, 404), (member, 403), (reviewer, 403)):
        response = getattr(client_of(person), method)(PAGE, {"default": built_in.pk})

        assert response.status_code == status
    assert not WorkspaceModels.objects.exists()
    assert Event.objects.filter(type=EventType.ACCESS_DENIED).count() == 3


def test_a_model_that_is_switched_off_or_unknown_is_not_taken(policies, manager, admin, local, built_in, client_of):
    endpoint_states.retire(local, by=admin)
    client = client_of(manager)

    for sent in ({"default": local.pk}, {"default": policies.pk}, {"default": built_in.pk, "choices": [local.pk]}, {}):
        assert client.post(PAGE, sent).status_code == 400

    assert default_for(policies) == built_in
    assert changes() == []


def test_a_default_that_was_switched_off_is_said(policies, manager, admin, local, client_of):
    client = client_of(manager)
    client.post(PAGE, {"default": local.pk})
    endpoint_states.retire(local, by=admin)

    page = client.get(PAGE).content.decode()

    assert "“local” is not approved any more" in page
    assert "No other model is connected" in page


def test_a_choice_whose_entry_cannot_be_written_is_not_made(policies, manager, built_in, client_of, monkeypatch):
    def refuse(*args: Any, **kwargs: Any) -> None:
        raise RuntimeError("no trail")

    monkeypatch.setattr("answers.endpoints.record", refuse)

    with pytest.raises(RuntimeError, match="no trail"):
        client_of(manager).post(PAGE, {"default": built_in.pk})

    assert not WorkspaceModels.objects.exists()
