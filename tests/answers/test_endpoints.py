"""Which model a question uses, where its key comes from, and what a test of it says."""

from typing import Any

import pytest

from answers import endpoints
from answers.endpoints import BUILT_IN, choose_models, default_for, save_endpoint
from answers.exceptions import EndpointError
from answers.models import EndpointKind, ModelEndpoint
from audit.events import EventType
from audit.models import Event
from tests.endpoints_in_use import in_use
from workspaces.endpoints import states as endpoint_states
from workspaces.exceptions import Forbidden, Hidden


def a_server(**fields: Any) -> ModelEndpoint:
    given = {"name": "local", "kind": EndpointKind.OPENAI, "base_url": "http://127.0.0.1:9/v1", "model": "m"}
    return ModelEndpoint(**(given | fields))


def test_a_new_workspace_uses_the_built_in_model(policies):
    assert default_for(policies).name == BUILT_IN
    assert default_for(policies).kind == EndpointKind.EXTRACTIVE


@pytest.mark.django_db
def test_migrating_again_keeps_the_one_built_in_model():
    endpoints.ensure_built_in()

    assert ModelEndpoint.objects.filter(kind=EndpointKind.EXTRACTIVE).count() == 1


def test_a_manager_chooses_the_models_of_the_workspace(policies, manager, admin):
    local = in_use(save_endpoint(a_server(), by=admin), by=admin)
    built_in = default_for(policies)

    choose_models(policies, default=local, choices=[built_in], by=manager)
    policies.refresh_from_db()

    assert [endpoint.name for endpoint in endpoints.choices_for(policies)] == ["local", BUILT_IN]
    entry = Event.objects.filter(type=EventType.WORKSPACE_CHANGED).latest("seq")
    assert "local" in entry.body


def test_a_retired_model_is_neither_chosen_nor_used(policies, manager, admin):
    local = in_use(save_endpoint(a_server(), by=admin), by=admin)
    choose_models(policies, default=local, by=manager)
    endpoint_states.retire(local, by=admin)
    policies.refresh_from_db()

    with pytest.raises(EndpointError, match="no usable model"):
        default_for(policies)
    with pytest.raises(EndpointError, match="Only an approved model"):
        choose_models(policies, default=local, by=manager)


def test_a_member_chooses_no_models_and_a_stranger_finds_no_workspace(policies, member, stranger):
    with pytest.raises(Forbidden):
        choose_models(policies, default=default_for(policies), by=member)
    with pytest.raises(Hidden):
        choose_models(policies, default=default_for(policies), by=stranger)


def test_a_manager_connects_no_endpoint(policies, manager):
    with pytest.raises(Forbidden):
        save_endpoint(a_server(), by=manager)
    with pytest.raises(Forbidden):
        endpoints.try_endpoint(a_server(), by=manager)


def test_a_change_of_an_endpoint_is_in_the_trail_with_before_and_after(admin):
    local = save_endpoint(a_server(), by=admin)
    local.model = "another"
    save_endpoint(local, by=admin)

    entry = Event.objects.filter(type=EventType.ENDPOINT_CHANGED).latest("seq")
    assert '"before":{"model":"m"}' in entry.body
    assert '"after":{"model":"another"}' in entry.body


@pytest.mark.parametrize("reference", ["SECRET_KEY", "DATABASE_URL", "INLOCK_KEY_", "INLOCK_KEY_a b", "PATH"])
def test_a_key_reference_names_only_variables_that_are_meant_as_keys(reference, admin):
    with pytest.raises(EndpointError, match="INLOCK_KEY_"):
        save_endpoint(a_server(key_reference=reference), by=admin)


def test_a_server_without_an_address_is_refused(admin):
    with pytest.raises(EndpointError):
        save_endpoint(a_server(base_url=""), by=admin)


@pytest.mark.parametrize(
    ("model", "ok", "said"),
    [
        ("says", True, "cited its source"),
        ("uncited", False, "without citing"),
        ("error", False, "status 500"),
        ("silent", False, "within 1 seconds"),
    ],
)
def test_the_test_of_an_endpoint_says_how_it_went(model, ok, said, policies, endpoint_of, chat_server, admin):
    chat_server.says = "The reading room is open from 9:00 to 17:00 on working days [1]."

    patience = {"silent": 1}.get(model, 60)

    outcome = endpoints.try_endpoint(endpoint_of(model, first_token_seconds=patience), by=admin)

    assert outcome.ok == ok
    assert said in outcome.sentence
    assert Event.objects.filter(type=EventType.ENDPOINT_TESTED).count() == 1


def test_the_built_in_model_passes_its_test(admin):
    assert endpoints.try_endpoint(ModelEndpoint.objects.get(name=BUILT_IN), by=admin).ok


@pytest.mark.parametrize(
    "address",
    ["http://user:secret@models.example/v1", "https://models.example/v1?api-key=secret", "ftp://models.example/v1"],
)
def test_an_address_that_could_carry_a_secret_is_refused_and_recorded_nowhere(address, admin):
    endpoint = ModelEndpoint(name="leaky", kind=EndpointKind.OPENAI, base_url=address, model="m")

    with pytest.raises(EndpointError, match="base URL"):
        endpoints.save_endpoint(endpoint, by=admin)

    assert not Event.objects.filter(body__contains="secret").exists()
    assert not ModelEndpoint.objects.filter(name="leaky").exists()


def test_a_key_entered_for_one_server_is_not_sent_to_another(admin):
    local = save_endpoint(a_server(key_reference="INLOCK_KEY_LOCAL"), by=admin)

    local.base_url = "http://127.0.0.1:10/v1"
    save_endpoint(local, by=admin)

    assert ModelEndpoint.objects.get(pk=local.pk).key_reference == ""
    entry = Event.objects.filter(type=EventType.ENDPOINT_CHANGED).latest("seq")
    assert '"key_reference":"INLOCK_KEY_LOCAL"' in entry.body


def test_the_administrator_is_told_that_the_key_has_to_be_entered_again(admin, client_of):
    local = save_endpoint(a_server(key_reference="INLOCK_KEY_LOCAL"), by=admin)
    fields = {name: "" if (value := getattr(local, name)) is None else value for name in endpoints.SETTINGS}

    page = client_of(admin).post(
        f"/admin/answers/modelendpoint/{local.pk}/change/", fields | {"base_url": "http://127.0.0.1:11/v1"}, follow=True
    )

    assert "Enter its reference again" in page.content.decode()


def test_a_key_entered_anew_or_a_path_that_changes_keeps_the_key(admin):
    local = save_endpoint(a_server(key_reference="INLOCK_KEY_LOCAL"), by=admin)

    local.base_url = "http://127.0.0.1:9/v2"
    save_endpoint(local, by=admin)
    assert local.key_reference == "INLOCK_KEY_LOCAL"

    local.base_url, local.key_reference = "http://127.0.0.1:10/v1", "INLOCK_KEY_OTHER"
    save_endpoint(local, by=admin)
    assert local.key_reference == "INLOCK_KEY_OTHER"
