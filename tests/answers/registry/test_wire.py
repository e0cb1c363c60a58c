"""Each kind of server is asked in the form it understands, with the key where it wants it."""

from typing import Any

import pytest

from answers.endpoints import try_endpoint
from answers.registry.presets import PRESETS

KEY = "a-secret-key"


def asked(preset: str, endpoint_of: Any, chat_server: Any, admin: Any, **fields: Any) -> tuple[str, dict, dict]:
    """The path, headers and body that the server was sent by an endpoint filled in from the preset."""
    given = PRESETS[preset].initial() | {"key_reference": "INLOCK_KEY_WIRE"} | fields
    del given["base_url"]
    path = given.pop("path", "/v1")
    endpoint = endpoint_of("says", **given)
    endpoint.base_url = chat_server.url.replace("/v1", path)
    endpoint.save()
    assert try_endpoint(endpoint, by=admin).ok
    return chat_server.paths[-1], chat_server.headers[-1], chat_server.requests[-1]


@pytest.fixture(autouse=True)
def reading_room(chat_server, monkeypatch):
    monkeypatch.setenv("INLOCK_KEY_WIRE", KEY)
    chat_server.says = "The reading room is open from 9:00 to 17:00 on working days [1]."


@pytest.mark.parametrize("preset", [code for code in PRESETS if code != "azure"])
def test_a_server_is_sent_what_its_preset_says_and_nothing_else(preset, endpoint_of, chat_server, admin):
    path, headers, body = asked(preset, endpoint_of, chat_server, admin)

    assert path == "/v1/chat/completions"
    assert headers["authorization"] == f"Bearer {KEY}"
    assert "api-key" not in headers
    length = str(PRESETS[preset].length_field)
    sent = {"model", "messages", "stream", "temperature", length}
    assert set(body) == sent | ({"stream_options"} if PRESETS[preset].asks_usage else set())
    assert body[length] == 800
    assert body.get("stream_options", {"include_usage": True}) == {"include_usage": True}


def test_azure_is_asked_at_the_deployment_with_its_version_and_its_own_header(endpoint_of, chat_server, admin):
    path, headers, body = asked("azure", endpoint_of, chat_server, admin, path="/openai/deployments/house")

    assert path == "/openai/deployments/house/chat/completions?api-version=2024-10-21"
    assert headers["api-key"] == KEY
    assert "authorization" not in headers
    assert body["max_completion_tokens"] == 800


def test_a_reasoning_model_is_sent_no_temperature_and_its_record_claims_none(endpoint_of, chat_server, admin):
    from answers.chat_models import parameters_of

    _path, _headers, body = asked("openai", endpoint_of, chat_server, admin, sends_temperature=False)

    assert "temperature" not in body
    assert parameters_of(endpoint_of("says", sends_temperature=False)) == {"max_output_tokens": 800}


def test_a_server_without_a_key_is_sent_none(endpoint_of, chat_server, admin):
    _path, headers, _body = asked("ollama", endpoint_of, chat_server, admin, key_reference="")

    assert "authorization" not in headers
    assert "api-key" not in headers


def test_the_key_of_the_environment_goes_nowhere(endpoint_of, chat_server, admin, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "of-somebody-else")

    _path, headers, _body = asked("azure", endpoint_of, chat_server, admin, path="/openai/deployments/house")

    assert "of-somebody-else" not in str(headers)
