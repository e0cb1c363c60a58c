"""What the trail keeps of a sign-in that failed."""

import json

import pytest
from django.test import Client

from audit import timeline
from audit.events import EventType
from audit.models import Event
from tests.conftest import PASSWORD

pytestmark = pytest.mark.django_db


def _refused(username: str, password: str) -> Event:
    Client().post("/sign-in/", {"username": username, "password": password})
    return Event.objects.filter(type=EventType.SIGN_IN_FAILED).latest("seq")


def test_a_refused_sign_in_names_the_account(member):
    entry = _refused("member", "not-the-password")

    assert json.loads(entry.body)["details"] == {"name_given": "member"}
    assert timeline.sentence(entry) == "A sign-in as “member” was refused."


def test_a_password_typed_as_the_name_is_not_kept(member):
    first, second = _refused(PASSWORD, "member"), _refused(PASSWORD, "again")
    other = _refused("somebody", "again")

    assert PASSWORD not in first.body
    assert timeline.sentence(first) == "A sign-in with a name that no account has was refused."
    marks = [json.loads(entry.body)["details"]["name_hmac"] for entry in (first, second, other)]
    assert marks[0] == marks[1] != marks[2]
