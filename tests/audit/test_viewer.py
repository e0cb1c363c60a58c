"""Who looks at the portal as another person is the one the trail names."""

import json

from audit import context
from audit.events import EventType
from audit.record import record
from workspaces.models import User


def test_an_entry_made_while_viewing_names_the_viewer_and_the_person_viewed(admin: User, member: User) -> None:
    with context.acting(member, viewer=admin):
        event = record(EventType.TRAIL_READ)
        given = record(EventType.TRAIL_READ, by=member)

    for one in (event, given):
        assert one.actor_id == str(admin.pk)
        assert json.loads(one.body)["details"]["viewing_as"] == str(member.pk)


def test_a_view_holds_in_everything_called_inside_it(admin: User, member: User) -> None:
    with context.acting(member, viewer=admin), context.acting(member):
        assert context.current().viewer == admin

    assert context.current().viewer is None


def test_an_ordinary_entry_says_nothing_of_viewing(member: User) -> None:
    with context.acting(member):
        event = record(EventType.TRAIL_READ)

    assert event.actor_id == str(member.pk)
    assert "viewing_as" not in event.body
