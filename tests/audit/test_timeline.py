"""Every entry reads as a sentence, whatever it holds."""

import json
import re
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.utils import translation

from answers.policy.rules import defaults, stored
from answers.states import AnswerStatus
from audit import timeline
from audit.events import EventType
from audit.models import Event
from audit.record import record
from documents.models import BulkAct, RunKind, RunState
from documents.reembedding import problems
from workspaces import custom_roles
from workspaces.classification import Classification
from workspaces.identity import id_token
from workspaces.roles import PLATFORM_ADMINISTRATOR, Action, PlatformAction, Role


def test_every_event_type_has_a_sentence() -> None:
    assert set(timeline.SENTENCES) == set(EventType)


@pytest.mark.django_db
@pytest.mark.parametrize("type", EventType)
def test_sentence_can_be_said_without_any_detail(type: EventType) -> None:
    said = timeline.sentence(record(type))

    assert said.endswith(".")
    assert "%(" not in said


def test_sentence_names_person_object_and_details_as_they_were(manager: Any, policies: Any) -> None:
    event = record(EventType.MEMBER_ADDED, on=manager, workspace=policies, by=manager, role="reviewer")

    assert timeline.sentence(event) == "manager gave “manager” the role Reviewer."


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("type", "details", "english", "serbian"),
    [
        (
            EventType.SOURCE_RUN_ENDED,
            {"kind": "sync", "state": "held"},
            "A run of the source “–” ended: sync, done, and its removals wait for a person.",
            "Завршен је рад извора „–“: усклађивање, готово, а уклањања чекају нечију одлуку.",
        ),
        (
            EventType.EMBEDDING_STOPPED,
            {"target": "m", "problem": "index"},
            "The change of “–” to m was stopped: the vector index did not answer.",
            "Прелазак простора „–“ на m је заустављен: векторски индекс није одговарао.",
        ),
        (
            EventType.ACCESS_DENIED,
            {"action": "review_drafts"},
            "The portal itself was refused something on “–”: read, edit, approve, return and reject drafts.",
            None,
        ),
        (
            EventType.FACTOR_ADDED,
            {"factor": "totp"},
            "“–” added a second factor: an authenticator app.",
            "„–“ додаје други фактор: апликација за кодове.",
        ),
        (
            EventType.POLICY_CHANGED,
            {"setting": "second_factor_roles"},
            "The portal itself changed a rule of the installation: who needs a second factor.",
            None,
        ),
        (
            EventType.DOCUMENT_CLASSIFIED,
            {"before": "public", "after": "restricted"},
            "The portal itself classified “–” as Restricted; it was Public.",
            None,
        ),
        (
            EventType.DOCUMENT_REVIEW_DUE,
            {"review_on": "2026-11-24"},
            "“–” is to be reviewed since 24 Nov 2026.",
            "Документ „–“ треба прегледати од 24.11.2026.",
        ),
        (
            EventType.GLASS_BROKEN,
            {"until": "2026-11-24T13:05:00+00:00"},
            "The portal itself broke the glass of “–” until 24 Nov 2026, 13:05.",
            None,
        ),
        (EventType.BULK_ENDED, {"act": "retry"}, "One act on several documents ended: Read again.", None),
        (
            EventType.ANSWER_FAILED,
            {"status": "failed_search"},
            "An answer could not be made: Search unavailable.",
            None,
        ),
        # A code of a later or an earlier day is better told than none.
        (EventType.BULK_ENDED, {"act": "fold"}, "One act on several documents ended: fold.", None),
    ],
    ids=["sync", "stopped", "refused", "factor", "setting", "level", "day", "moment", "bulk", "answer", "unknown"],
)
def test_codes_in_an_entry_are_told_in_words(type: EventType, details: Any, english: str, serbian: str | None) -> None:
    event = record(type, **details)

    assert timeline.sentence(event) == english
    with translation.override("sr"):
        said = timeline.sentence(event)
    assert said == serbian if serbian else "%(" not in said


#: What sentences name as it is: names that people gave, numbers, and what a server called its model.
NAMES = {
    *("who", "what", "name_given", "holder", "group", "claim", "person_label", "to_label", "directory"),
    *("secrets", "sessions", "lines", "kept", "removed", "documents", "before_number", "number", "events", "upto"),
    *("leaves", "version", "cases", "files", "target", "source", "dropped"),
    (EventType.DOCUMENT_MOVED, "before"),
    (EventType.DOCUMENT_MOVED, "after"),
    (EventType.FOLDER_RENAMED, "before"),
    (EventType.FOLDER_RENAMED, "after"),
}
#: What the other details hold, by name, or by event and name: every code there is.
CODES: dict[Any, list[str]] = {
    "role": [*Role.values, PLATFORM_ADMINISTRATOR],
    "action": [*Action.values, *PlatformAction.values],
    "factor": Authenticator.Type.values,
    "setting": ["second_factor_roles"],
    "why": ["unknown", "revoked", "expired", "account_closed", "not_vouched"],
    "fault": [*id_token._FAULTS.values(), "no_logout_token", "events", "nonce", "nobody", "stale", "replayed", "kid"],
    "act": BulkAct.values,
    "problem": list(problems.SENTENCES),
    "kind": RunKind.values,
    "state": [RunState.DONE, RunState.HELD, RunState.FAILED],
    "status": [code for code in AnswerStatus.values if code.startswith(("refused", "failed"))],
    "when": ["soon", "late"],
    "template": ["policy_lookup", "gdpr_check", "contract_risk"],
    "until": ["2026-11-24T13:05:00+00:00"],
    "review_on": ["2026-11-24"],
    "valid_until": ["2026-11-24"],
    (EventType.DOCUMENT_CONFIRMED, "after"): ["2026-11-24"],
    (EventType.DOCUMENT_CLASSIFIED, "before"): Classification.values,
    (EventType.DOCUMENT_CLASSIFIED, "after"): Classification.values,
}


@pytest.mark.django_db
@pytest.mark.parametrize("type", EventType)
def test_no_sentence_shows_a_code_of_a_role_an_action_a_state_or_a_date(type: EventType) -> None:
    """In Serbian: in English some codes are the words as well."""
    event = record(type)
    for name in re.findall(r"%\((\w+)\)s", str(timeline.SENTENCES[type])):
        if not {name, (type, name)} & NAMES:
            for code in CODES.get((type, name)) or CODES[name]:
                event.body = json.dumps({"details": {name: code}})
                with translation.override("sr"):
                    said = timeline.sentence(event)
                assert not re.search(rf"(?<!\w){re.escape(code)}(?!\w)", said), said


def test_a_role_of_the_installations_own_is_called_by_its_name(admin: Any) -> None:
    given = {"name": "Librarian", "purpose": "Keeps the shelves.", "actions": [Action.ASK]}
    made = custom_roles.create_role(code="librarian", by=admin, **given)

    assert timeline.sentence(record(EventType.MEMBER_ADDED, role=made.code)).endswith("the role Librarian.")


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("type", "details", "english", "serbian"),
    [
        (
            EventType.WORKSPACE_CHANGED,
            {"before": {"review_policy": "open"}, "after": {"review_policy": "risk"}},
            ("Release of answers", "Release", "Hold what the workspace's rules name"),
            ("Објављивање одговора", "Објави", "Задржи"),
        ),
        (
            EventType.WORKSPACE_CHANGED,
            {"before": {"uploader_may_approve": True}, "after": {"uploader_may_approve": False}},
            ("Whoever added", "yes", "no"),
            ("", "да", "не"),
        ),
        (
            EventType.ENDPOINT_CHANGED,
            {"before": {"residency": "unknown"}, "after": {"residency": "eea"}},
            ("Where text is processed", "", "In the European Economic Area"),
            None,
        ),
        (
            EventType.POLICY_CHANGED,
            {"setting": "second_factor_roles", "before": [], "after": ["manager", "reviewer"]},
            ("Who needs a second factor", "–", "Workspace manager, Reviewer"),
            None,
        ),
        (
            EventType.DRAFT_RANKED,
            {
                "before": {"priority": 2, "due_at": None},
                "after": {"priority": 4, "due_at": "2026-11-24T13:05:00+00:00"},
            },
            ("Due", "–", "24 Nov 2026, 13:05"),
            None,
        ),
        (
            EventType.RELEASE_RULES_CHANGED,
            {"before": [], "after": stored(defaults()[:1])},
            ("Release rules", "–", "Guarded sources: Hold when a source is"),
            None,
        ),
        (
            EventType.DOCUMENT_CLASSIFIED,
            {"before": "public", "after": "restricted"},
            ("Classification", "Public", "Restricted"),
            ("Класификација", "Јавно", ""),
        ),
        # A code of a later or an earlier day is better told than none, and what no app named by its code.
        (EventType.DOCUMENT_CLASSIFIED, {"before": "royal", "after": None}, ("Classification", "royal", "–"), None),
        (EventType.USER_CREATED, {"before": {"shoe": 1}, "after": {"shoe": 2}}, ("Shoe", "1", "2"), None),
    ],
    ids=["choice", "yes", "endpoint", "roles", "rank", "rules", "one", "unknown", "unnamed"],
)
def test_what_was_changed_is_told_in_words(type: EventType, details: Any, english: Any, serbian: Any) -> None:
    event = record(type, **details)

    for language, wanted in (("en", english), ("sr", serbian)):
        with translation.override(language):
            told = timeline.changes(event)[0]
        assert not wanted or all(said.startswith(start) for said, start in zip(told, wanted, strict=True)), told


@pytest.mark.django_db
def test_an_entry_about_a_person_tells_the_name(manager: Any) -> None:
    event = record(EventType.DOCUMENT_OWNER_CHANGED, before=None, after=manager.pk)

    assert timeline.changes(event) == [("Owner", "–", manager.name)]


@pytest.mark.django_db
def test_where_an_export_begins_is_no_change() -> None:
    assert timeline.changes(record(EventType.TRAIL_EXPORTED, kind="jsonl", after=7)) == []


def test_every_reason_for_a_stopped_change_of_the_model_has_words() -> None:
    assert set(timeline.spoken[EventType.EMBEDDING_STOPPED, "problem"]) == set(problems.SENTENCES)


def test_damaged_entry_can_still_be_listed() -> None:
    event = Event(type=EventType.DRAFT_APPROVED, actor_id="1", actor_label="reviewer", body="not json")

    assert timeline.sentence(event) == "reviewer approved a draft."
    assert timeline.reason(event) == ""
