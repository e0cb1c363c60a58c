"""A statement that is made once reads what the database has now, for every value, thread and connection."""

import gc
import weakref
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from threading import Thread
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import connection, connections
from django.db.models import Exists, F, OuterRef
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from workspaces.compiled import Compiled
from workspaces.models import Membership, User, Workspace


def _people(person: UUID, name: str) -> Any:
    has_place = Exists(Membership.objects.filter(user=OuterRef("pk")))
    return (
        User.objects.filter(pk=person, username=name)
        .annotate(has_place=has_place, called=F("first_name"))
        .prefetch_related("memberships")
    )


def test_each_run_reads_its_own_row_as_it_is_now(member: User, manager: User) -> None:
    read = Compiled(_people, UUID, str)
    assert read(member.pk, member.username) == [member]

    User.objects.filter(pk=manager.pk).update(first_name="Another")
    with CaptureQueriesContext(connection) as captured:
        [found] = read(manager.pk, manager.username)

    assert (found, found.called, found.first_name) == (manager, "Another", "Another")
    assert found.has_place == manager.memberships.exists()
    assert [place.pk for place in found.memberships.all()] == list(manager.memberships.values_list("pk", flat=True))
    assert manager.pk.hex in captured[0]["sql"]
    assert member.pk.hex not in captured[0]["sql"]


def test_what_is_not_there_is_not_found(member: User, manager: User) -> None:
    read = Compiled(_people, UUID, str)

    assert read(member.pk, manager.username) == []
    assert read(uuid4(), member.username) == []
    assert read(member.pk, "' OR ''='") == []


def test_rows_come_as_the_query_set_gives_them(policies: Workspace, member: User) -> None:
    """Related rows, tuples and flat values, as without it."""

    def places(person: UUID) -> Any:
        return Membership.objects.filter(user=person).order_by("pk")

    whole = Compiled(lambda person: places(person).select_related("user", "group"), UUID)
    flat = Compiled(lambda person: places(person).values_list("group", flat=True), UUID)
    several = Compiled(lambda person: places(person).values("group", "user__username"), UUID)

    for _run in range(2):
        assert whole(member.pk) == list(places(member.pk))
        assert flat(member.pk) == list(places(member.pk).values_list("group", flat=True))
        assert several(member.pk) == list(places(member.pk).values("group", "user__username"))
    [first, *_rest] = whole(member.pk)
    with CaptureQueriesContext(connection) as captured:
        assert (first.user.username, first.group.pk) == (member.username, first.group_id)
    assert len(captured) == 0


def test_a_value_of_another_kind_is_refused_and_so_is_one_that_has_no_place(member: User) -> None:
    with pytest.raises(TypeError):
        Compiled(_people, UUID, str)(str(member.pk), member.username)
    with pytest.raises(TypeError):
        Compiled(_people, UUID, str)(member.pk)
    with pytest.raises(LookupError):
        Compiled(lambda _person: User.objects.all(), UUID)(member.pk)
    with pytest.raises(LookupError):
        Compiled(lambda person: User.objects.filter(username=f"user-{person}"), UUID)(member.pk)


def test_a_value_that_also_is_part_of_another_is_refused(member: User) -> None:
    """It would stay what it was while the statement was made, and let through whom the condition keeps out."""
    read = Compiled(lambda name: User.objects.exclude(first_name=name).exclude(last_name="no " + name), str)

    with pytest.raises(LookupError):
        read("name")


@pytest.mark.parametrize(("lookup", "moment"), [("date_joined__lt", timezone.now), ("date_joined__date", date.today)])
def test_a_moment_that_would_stay_is_refused(lookup: str, moment: Callable[[], Any], member: User) -> None:
    read = Compiled(lambda person: User.objects.filter(pk=person, **{lookup: moment()}), UUID)

    with pytest.raises(ValueError, match="stay"):
        read(member.pk)


@pytest.mark.django_db(transaction=True)
def test_threads_run_it_on_their_own_connections() -> None:
    people = [User.objects.create(username=f"person-{number}") for number in range(8)]
    read = Compiled(lambda person: User.objects.filter(pk=person), UUID)
    read(people[0].pk)

    def one(number: int) -> list[User]:
        try:
            return read(people[number % 8].pk)
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as threads:
        found = list(threads.map(one, range(40)))

    assert found == [[people[number % 8]] for number in range(40)]


@pytest.mark.django_db(transaction=True)
def test_nothing_keeps_the_connection_of_the_thread_that_came_first() -> None:
    read = Compiled(lambda person: User.objects.filter(pk=person), UUID)
    used: list[weakref.ref[Any]] = []

    def first() -> None:
        try:
            read(uuid4())
            used.append(weakref.ref(connections["default"]))
        finally:
            connection.close()

    thread = Thread(target=first)
    thread.start()
    thread.join()
    gc.collect()

    assert [reference() for reference in used] == [None]
    assert read(uuid4()) == []
