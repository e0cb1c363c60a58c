"""What a credential narrows stays narrowed, and the trail says which token acted."""

import json
from uuid import uuid4

import pytest

from audit import context
from audit.context import Scope
from audit.events import EventType
from audit.record import record
from workspaces.models import User


def test_what_was_narrowed_stays_so_in_everything_it_calls() -> None:
    scope = Scope(frozenset({uuid4()}), frozenset({"open_documents"}))

    with context.acting(None, scope=scope), context.acting(None):
        inside = context.current().scope

    assert inside == scope
    assert context.current().scope is None


@pytest.mark.django_db
def test_an_entry_made_through_a_token_names_person_and_token(manager: User) -> None:
    with context.acting(manager, scope=Scope(frozenset(), frozenset(), token="t-1")):
        event = record(EventType.SEARCHED)

    assert event.actor_id == str(manager.pk)
    assert json.loads(event.body)["details"] == {"token": "t-1"}
