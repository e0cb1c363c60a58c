"""Limits that are counted: requests of one person at the same moment are counted one after the other."""

from workspaces.models import User


def take_turn(person: User) -> None:
    """Wait until no other transaction has this person's turn, and have it until the caller's ends."""
    User.objects.select_for_update(no_key=True).get(pk=person.pk)
