"""Logs: a line is a line, says who and when, and holds nothing of what people ask or store."""

import json
import logging
import sys
from datetime import datetime
from types import SimpleNamespace
from typing import Any

import pytest
from django.conf import settings as django_settings

from audit import context
from inlock.logs import JSONFormatter, LineFormatter

FORGED = 'x\r\n{"level": "INFO", "message": "forged"}\n2026-01-01 INFO forged \x1b[2J\u2028\u202e\x9b\x7f\0 \ud800'


def _record(message: str, *arguments: Any, error: BaseException | None = None, **extra: Any) -> logging.LogRecord:
    exc_info = (type(error), error, error.__traceback__) if error else None
    record = logging.LogRecord("answers.x", logging.WARNING, __file__, 1, message, arguments, exc_info)
    record.__dict__.update(extra)
    return record


def _raised(message: str, cause: BaseException | None = None) -> BaseException:
    try:
        raise ValueError(message) from cause  # noqa: TRY301 (its traceback is what is wanted)
    except ValueError as error:
        return error


def test_a_record_is_one_line_of_json_with_its_time_in_utc():
    line = JSONFormatter().format(_record("Answer %s ended", "a-1"))

    told = json.loads(line)
    assert told["message"] == "Answer a-1 ended"
    assert (told["level"], told["logger"]) == ("WARNING", "answers.x")
    assert datetime.fromisoformat(told["time"]).utcoffset().total_seconds() == 0


@pytest.mark.parametrize("formatter", [JSONFormatter(), LineFormatter()])
def test_what_a_person_wrote_cannot_look_like_another_record(formatter):
    """A path, a host header or a user name is written by whoever calls."""
    line = formatter.format(_record("Not Found: %s", FORGED))

    assert len(line.splitlines()) == 1
    assert line.isprintable()


@pytest.mark.parametrize("name", ["eve\r\n2026 INFO forged", "eve\x1b]0;title\x07", "eve\u2028forged"])
def test_a_user_name_cannot_forge_a_line(name):
    assert len(LineFormatter().format(_record(f"Sign-in of {name}")).splitlines()) == 1
    assert len(LineFormatter().format(_record("x", error=_raised(name))).splitlines()) > 1
    assert all(
        text.startswith("    ") for text in LineFormatter().format(_record("x", error=_raised(name))).splitlines()[1:]
    )


def test_request_and_person_are_named_by_their_ids():
    with context.acting(SimpleNamespace(pk="p-1"), request_id="r-1"):
        told = json.loads(JSONFormatter().format(_record("x")))

    assert (told["request"], told["actor"]) == ("r-1", "p-1")


def test_a_refused_request_is_named_after_its_context_is_left():
    told = json.loads(JSONFormatter().format(_record("x", request=SimpleNamespace(request_id="r-2"))))

    assert told["request"] == "r-2"


def test_an_exception_is_told_by_type_and_place_and_not_by_what_it_says():
    """What the database says about a failed row holds the row."""
    error = _raised("Failing row contains (the secret clause)", cause=KeyError("the secret clause"))

    line = JSONFormatter().format(_record("Task x raised unexpected: %r", error, error=error))

    told = json.loads(line)
    assert "secret clause" not in line
    assert told["message"] == "Task x raised unexpected: ValueError"
    assert told["error"] == "ValueError < KeyError"
    assert told["at"][-1].endswith(" _raised")


def test_a_librarys_warning_is_told_by_place_and_kind_and_not_by_the_value_it_quotes():
    """A model's server that sends an unexpected shape has its words quoted by the library that checks shapes."""
    record = _record("%s", "/lib/pydantic/main.py:520: UserWarning: unexpected input_value='the secret clause'\n  x")
    record.name = "py.warnings"

    assert json.loads(JSONFormatter().format(record))["message"] == "/lib/pydantic/main.py:520: UserWarning"


def test_the_formatter_can_be_seen_to_fail():
    """The counter-proof: Python's own formatter lets both through."""
    plain = logging.Formatter("%(message)s")

    assert len(plain.format(_record("%s", FORGED)).splitlines()) > 1
    assert "secret clause" in plain.format(_record("x", error=_raised("the secret clause")))


def test_libraries_that_write_down_what_they_send_are_not_heard_below_a_warning():
    loggers = django_settings.LOGGING["loggers"]

    assert django_settings.LOGGING["root"]["level"] == "WARNING"
    for name in ("openai", "httpx", "httpcore", "langchain_openai", "chromadb", "psycopg", "markdown_it", "asyncio"):
        assert name not in loggers
        assert not logging.getLogger(name).isEnabledFor(logging.INFO), name
    assert not logging.getLogger("django.db.backends").isEnabledFor(logging.INFO)


def test_the_web_servers_own_records_are_formatted_like_all_others():
    assert django_settings.LOGGING["loggers"]["uvicorn"] == {"level": "INFO", "handlers": [], "propagate": True}


@pytest.mark.parametrize("error", [None, (None, None, None), True])
def test_a_record_without_an_exception_is_formatted_all_the_same(error):
    record = _record("x")
    record.exc_info = error  # libraries pass what they like

    assert json.loads(JSONFormatter().format(record))["message"] == "x"
    assert "error" not in json.loads(JSONFormatter().format(record))


def test_an_exception_whose_message_is_empty_changes_nothing():
    error = _raised("")

    assert json.loads(JSONFormatter().format(_record("abc", error=error)))["message"] == "abc"
    assert sys.exc_info() == (None, None, None)
