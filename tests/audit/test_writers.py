"""Many processes, jumping clocks and time itself: the chain stays one line that reads back as it was written."""

import json
import multiprocessing
import os
import random
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.utils import timezone

from audit import checkpoints
from audit.chain import PLATFORM, append, canonical, digest
from audit.events import EventType
from audit.models import Event
from audit.record import record
from audit.verification import verify

#: `make deep` sets more appends of each.
WRITERS, EACH = 16, int(os.environ.get("INLOCK_APPENDS", "25"))


def _write(number: int, start: Any) -> None:
    """One process: appends one at a time and several at once, and loses some acts on the way."""
    chance = random.Random(number)
    start.wait(60)
    for turn in range(EACH):
        with transaction.atomic():
            append(PLATFORM, [{"type": EventType.SEARCHED.value, "details": {"writer": number, "turn": turn}}])
        with transaction.atomic():
            append(PLATFORM, [{"type": EventType.TRAIL_READ.value}] * chance.randint(1, 3))
            transaction.set_rollback(True)
    connection.close()


@pytest.mark.django_db(transaction=True)
def test_sixteen_processes_make_one_chain_without_fork_or_gap() -> None:
    connection.close()  # a connection does not survive a fork
    context = multiprocessing.get_context("fork")
    start = context.Event()
    writers = [context.Process(target=_write, args=(number, start)) for number in range(WRITERS)]
    for writer in writers:
        writer.start()
    start.set()
    for writer in writers:
        writer.join(120 + EACH)

    assert [writer.exitcode for writer in writers] == [0] * WRITERS
    outcome = verify(PLATFORM)
    assert (outcome.holds, outcome.events) == (True, WRITERS * EACH)
    assert list(Event.objects.order_by("seq").values_list("seq", flat=True)) == list(range(1, WRITERS * EACH + 1))
    turns = [json.loads(body)["details"] for body in Event.objects.values_list("body", flat=True)]
    assert len({(one["writer"], one["turn"]) for one in turns}) == WRITERS * EACH


@pytest.mark.django_db
def test_clock_that_jumps_by_an_hour_neither_reorders_nor_locks_up(monkeypatch: pytest.MonkeyPatch) -> None:
    real = timezone.now()
    for hours in (0, 1, -1, 0, 1, -2, 0):
        monkeypatch.setattr("audit.chain.timezone.now", lambda hours=hours: real + timedelta(hours=hours))
        record(EventType.SEARCHED)

    times = list(Event.objects.order_by("seq").values_list("at", flat=True))
    assert times == sorted(times)
    assert verify(PLATFORM).holds


@pytest.mark.django_db
@pytest.mark.parametrize("microsecond", [0, 1, 100, 999_999])
def test_time_reads_back_as_it_was_hashed(monkeypatch: pytest.MonkeyPatch, microsecond: int) -> None:
    at = datetime(2028, 2, 29, 23, 59, 59, microsecond, tzinfo=UTC)
    monkeypatch.setattr("audit.chain.timezone.now", lambda: at)
    written = record(EventType.SEARCHED)

    stored = Event.objects.get(pk=written.pk)

    assert (stored.at, stored.hash) == (at, written.hash)
    assert digest(canonical(json.loads(stored.body))) == written.hash
    assert verify(PLATFORM).holds


@pytest.mark.django_db
def test_entry_written_under_another_time_zone_reads_back_the_same(settings: Any) -> None:
    for zone in ("Pacific/Kiritimati", "America/St_Johns"):
        settings.TIME_ZONE = zone
        with timezone.override(zone):
            record(EventType.SEARCHED)

    assert verify(PLATFORM).holds


@pytest.mark.django_db
def test_people_questions_and_texts_go_and_their_chain_still_holds(policies: Any, make_user: Any) -> None:
    """What is personal or long lies in rows of its own, of which the trail has hashes: erasing breaks nothing."""
    from answers.models import Question
    from tests.answers import library

    leaver = make_user("leaver")
    version = library.add_document(policies, "handbook.md", library.HANDBOOK)
    question = Question.objects.create(workspace=policies, asked_by=leaver, text="What about me?")
    record(EventType.QUESTION_ASKED, on=question, workspace=policies, by=leaver, question_sha256=digest(question.text))
    chain = f"workspace:{policies.pk}"
    checkpoints.make(chain)

    question.delete()
    leaver.delete()
    version.passages.all().delete()
    type(version).objects.filter(pk=version.pk).update(text="")

    assert checkpoints.verify_chain(chain).holds
    assert not Event.objects.filter(body__contains="What about me?").exists()
    assert not Event.objects.filter(body__contains="parental leave").exists()
