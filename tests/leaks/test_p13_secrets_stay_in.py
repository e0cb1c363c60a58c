"""P13: secrets go in and never come out; and what people ask and store stays out of the logs."""

import json
import re

import pytest
from django.apps import apps
from django.conf import settings

from tests.leaks.watched import DOCUMENT, QUESTION, TITLE

pytestmark = [pytest.mark.xdist_group("watched"), pytest.mark.timeout(400)]

#: Every stored field that could hold a secret by its name, and what is in it.
KEPT = {
    "account.EmailConfirmation.key": "nothing: no e-mails are sent",
    "answers.HistoricalModelEndpoint.key_header": "the name of a header",
    "answers.HistoricalModelEndpoint.key_reference": "the name of a variable of the environment",
    "answers.ModelEndpoint.key_header": "the name of a header",
    "answers.ModelEndpoint.key_reference": "the name of a variable of the environment",
    "documents.Source.sealed_secret": "sealed: what a source's server wants to know before it lets us in",
    "documents.EmbeddingEndpoint.key_reference": "the name of a variable of the environment",
    "documents.HistoricalEmbeddingEndpoint.key_reference": "the name of a variable of the environment",
    "documents.RerankEndpoint.key_reference": "the name of a variable of the environment",
    "documents.HistoricalRerankEndpoint.key_reference": "the name of a variable of the environment",
    "documents.SourceItem.key": "what a source calls a thing it holds",
    "documents.SourceItem.key_sha256": "hashed",
    "mfa.Authenticator.data": "sealed: the secret of a second factor and the seed of recovery codes; public keys",
    "sessions.Session.session_data": "signed",
    "sessions.Session.session_key": "in clear, for at most twelve hours: see docs/threat-model.md",
    "socialaccount.SocialAccount.extra_data": "what an identity provider said of a person",
    "socialaccount.SocialApp.key": "nothing: providers are named by the environment",
    "socialaccount.SocialApp.secret": "nothing: providers are named by the environment",
    "socialaccount.SocialToken.token": "nothing: tokens of providers are not stored",
    "socialaccount.SocialToken.token_secret": "nothing: tokens of providers are not stored",
    "audit.Checkpoint.key": "a public key",
    "usersessions.UserSession.session_key": "in clear, for at most twelve hours: see docs/threat-model.md",
    "workspaces.User.password": "hashed",
}
_TELLING = re.compile(r"secret|password|token(?!s$)|(?<!_tokens)key|credential|session_data|^data$|extra_data|recovery")
_COUNTS = {"first_token_seconds", "max_output_tokens", "tokens_in", "tokens_out"}


def test_every_field_that_could_hold_a_secret_is_known():
    found = {
        f"{model._meta.label}.{field.name}"
        for model in apps.get_models(include_auto_created=True)
        for field in model._meta.get_fields()
        if field.concrete and not field.is_relation and _TELLING.search(field.name) and field.name not in _COUNTS
    }

    assert found - {"usersessions.UserSession.data"} == set(KEPT)
    assert not getattr(settings, "SOCIALACCOUNT_STORE_TOKENS", False)


def test_no_secret_is_on_any_page_of_anybody(watched):
    leaks = {(what, who, path) for (who, path), text in watched.pages.items() for what in _held(watched, text)}

    assert len(watched.pages) > 60
    assert leaks == set()


def test_no_secret_is_in_a_log(watched):
    assert {(what, name) for name, text in watched.logs.items() for what in _held(watched, text)} == set()


def test_no_secret_is_in_the_trail(watched):
    assert _held(watched, watched.trail) == []


def test_no_secret_is_in_the_broker_or_the_cache(watched):
    assert _held(watched, watched.broker) == []


def test_no_secret_is_in_the_database_in_clear(watched):
    assert _held(watched, watched.database) == []


def test_no_secret_is_on_a_command_line(watched):
    assert "serve" in watched.command_lines
    assert _held(watched, watched.command_lines) == []


def test_no_word_of_a_document_a_question_or_a_title_is_in_a_log_at_any_level(watched):
    found = {
        (word, name)
        for name, text in watched.logs.items()
        for word in (DOCUMENT, QUESTION, TITLE, "mooring")
        if word in text
    }

    assert found == set()


def test_each_line_of_our_processes_logs_is_one_json_record(watched):
    ours = {name: text for name, text in watched.logs.items() if name.split("/")[-1] in LOGS}

    assert len(ours) == len(LOGS)
    for name, text in ours.items():
        for line in text.splitlines():
            # What Celery says past the logs when it is asked to end: fixed words, and an empty line.
            if line and not line.startswith("worker: "):
                assert line.startswith('{"time": '), (name, line)
                assert {"level", "logger", "message"} <= set(json.loads(line)), (name, line)


LOGS = ("web.log", "interactive.log", "ingest.log", "beat.log")


def test_the_search_finds_what_is_there(watched):
    """The counter-proof: in each place something that must be there is found by the same search."""
    logs = " ".join(watched.logs.values())

    assert watched.key_was_sent
    assert len(watched.secrets) == 8
    assert all(len(secret) > 7 for secret in watched.secrets.values())
    assert any(id in logs for id in watched.ids)
    assert all(word in watched.database for word in (DOCUMENT, QUESTION, TITLE))
    assert any(DOCUMENT in text for text in watched.pages.values())
    assert any("INLOCK_KEY_WATCHED" in text for (who, _path), text in watched.pages.items() if who == "admin")
    assert "endpoint.changed" in watched.trail
    assert "kombu" in watched.broker


def _held(watched, text: str) -> list[str]:
    return [what for what, secret in watched.secrets.items() if secret in text]
