"""The database refuses to change what was recorded, and writers in parallel make one chain."""

import threading

import pytest
from django.db import connection, transaction
from django.db.utils import ProgrammingError

from audit import chain
from audit.events import EventType
from audit.models import ChainHead, Event
from audit.record import record
from audit.verification import verify

WRITERS, EACH = 16, 12


@pytest.mark.django_db
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_event SET actor_label = 'somebody else'",
        "DELETE FROM audit_event",
        "TRUNCATE audit_event",
    ],
)
def test_database_refuses_to_change_the_trail(statement: str) -> None:
    record(EventType.TRAIL_READ)

    with pytest.raises(ProgrammingError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)

    assert Event.objects.count() == 1


@pytest.mark.django_db
def test_orm_cannot_change_or_delete_an_entry_either() -> None:
    event = record(EventType.TRAIL_READ)
    event.actor_label = "somebody else"

    for act in (event.save, event.delete, Event.objects.all().delete):
        with pytest.raises(ProgrammingError, match="append-only"), transaction.atomic():
            act()


@pytest.mark.django_db(transaction=True)
def test_parallel_writers_leave_no_gap_and_no_fork() -> None:
    failures: list[BaseException] = []
    start = threading.Barrier(WRITERS)

    def write() -> None:
        try:
            start.wait(timeout=20)
            for _turn in range(EACH):
                with transaction.atomic():
                    record(EventType.SEARCHED)
        except BaseException as error:
            failures.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=write) for _writer in range(WRITERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)

    assert failures == []
    assert list(Event.objects.order_by("seq").values_list("seq", flat=True)) == list(range(1, WRITERS * EACH + 1))
    assert ChainHead.objects.get(chain=chain.PLATFORM).seq == WRITERS * EACH
    assert verify(chain.PLATFORM).holds


@pytest.mark.django_db(transaction=True)
def test_verification_does_not_wait_for_a_writer_and_reads_only_what_is_committed() -> None:
    with transaction.atomic():
        record(EventType.SEARCHED)
    written, finish = threading.Event(), threading.Event()

    def write_slowly() -> None:
        try:
            with transaction.atomic():
                record(EventType.SEARCHED)
                written.set()
                finish.wait(timeout=20)
        finally:
            connection.close()

    writer = threading.Thread(target=write_slowly)
    writer.start()
    assert written.wait(timeout=20)

    found = verify(chain.PLATFORM)

    finish.set()
    writer.join(timeout=20)
    assert (found.holds, found.events) == (True, 1)
