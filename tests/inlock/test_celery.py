"""How work is sent, and that the settings of the queues say what the design promises."""

import socket
import time

import pytest
from celery import shared_task
from django.db import transaction
from kombu import Consumer

from inlock.celery import MAINTENANCE, QUEUES, VISIBILITY_SECONDS, app, route
from inlock.engines import celery_broker_url
from inlock.requeue import requeue_unacknowledged
from inlock.tasks import canaries, canary
from workspaces import dispatch as dispatching
from workspaces.dispatch import dispatch, give_sign_of_life, inline, take_leave, worker_is_up

BROKEN_BROKER = "unix:///nowhere/valkey.sock?db=0"
ran: list[str] = []


@shared_task
def note_it_ran(id: str) -> None:
    ran.append(id)


@pytest.fixture(autouse=True)
def _nothing_ran():
    ran.clear()


@pytest.mark.parametrize(
    ("task", "queue"),
    [
        ("answers.tasks.answer_question_task", "interactive"),
        ("documents.tasks.ingest_version_task", "ingest"),
        ("documents.tasks.run_source_task", "sources"),
        ("documents.tasks.sweep_ingestion", "maintenance"),
        ("documents.tasks.sweep_sources", "maintenance"),
        ("answers.tasks.sweep_answers", "maintenance"),
        ("inlock.tasks.canary", "maintenance"),
    ],
)
def test_a_task_goes_to_the_queue_its_name_tells(task, queue):
    assert route(task, (), {}, {}) == {"queue": queue}


def test_messages_are_json_and_come_back_when_a_worker_dies():
    assert app.conf.accept_content == ["json"]
    assert app.conf.task_serializer == "json"
    assert app.conf.task_acks_late
    assert app.conf.task_reject_on_worker_lost
    assert app.conf.worker_prefetch_multiplier == 1
    assert app.conf.result_backend is None


def test_no_task_may_outlast_the_time_after_which_its_message_returns():
    assert app.conf.task_soft_time_limit < app.conf.task_time_limit < VISIBILITY_SECONDS
    assert app.conf.broker_transport_options["visibility_timeout"] == VISIBILITY_SECONDS
    assert app.conf.result_backend_transport_options["visibility_timeout"] == VISIBILITY_SECONDS
    assert app.conf.visibility_timeout == VISIBILITY_SECONDS


def test_every_scheduled_task_exists():
    app.loader.import_default_modules()

    assert {entry["task"] for entry in app.conf.beat_schedule.values()} <= set(app.tasks)


@pytest.fixture
def broker(monkeypatch, settings):
    """A connection to this test worker's own part of the broker."""
    monkeypatch.setattr(app.conf, "broker_write_url", celery_broker_url(settings.REDIS_URL))
    with app.connection_for_write() as connection:
        yield connection


def waiting(broker) -> dict[str, int]:
    client = broker.default_channel.client
    return {queue: client.llen(queue) for queue in QUEUES}


def test_a_message_lies_in_one_queue_only(broker):
    app.send_task("documents.tasks.ingest_version_task", ["7"], connection=broker)

    assert waiting(broker) == {"interactive": 0, "ingest": 1, "sources": 0, "maintenance": 0}


def test_a_message_whose_worker_was_killed_is_handed_back(broker):
    app.send_task("documents.tasks.ingest_version_task", ["7"], connection=broker)
    # What remains of a worker that took a message and was killed before it acknowledged.
    killed = broker.clone()
    with Consumer(killed, app.amqp.queues["ingest"], callbacks=[lambda body, message: None]):
        killed.drain_events(timeout=5)
    killed.default_channel.qos.restore_at_shutdown = False
    killed.close()
    assert waiting(broker)["ingest"] == 0

    assert requeue_unacknowledged() == 1

    assert waiting(broker)["ingest"] == 1


@pytest.mark.django_db
def test_work_is_sent_only_once_the_row_is_committed(django_capture_on_commit_callbacks):
    with inline(), django_capture_on_commit_callbacks() as callbacks, transaction.atomic():
        dispatch(note_it_ran, 7)
        assert ran == []

    [ring] = callbacks
    ring()

    assert ran == ["7"]


@pytest.mark.django_db
def test_nothing_is_sent_for_a_change_that_was_rolled_back(django_capture_on_commit_callbacks):
    with inline(), django_capture_on_commit_callbacks(execute=True), transaction.atomic():
        dispatch(note_it_ran, 7)
        transaction.set_rollback(True)

    assert ran == []


@pytest.mark.django_db(transaction=True)
def test_a_command_without_a_worker_runs_the_task_itself_and_meets_its_errors():
    @shared_task
    def fails(id: str) -> None:
        raise ValueError(id)

    with inline(), pytest.raises(ValueError, match="7"):
        dispatch(fails, 7)


@pytest.mark.django_db(transaction=True)
def test_a_broker_that_is_down_costs_a_log_line_and_not_the_act(monkeypatch, caplog):
    broken = app.connection_for_write("redis+socket:///nowhere/valkey.sock")
    monkeypatch.setattr(
        note_it_ran, "apply_async", lambda args: app.send_task(note_it_ran.name, args, connection=broken)
    )

    dispatch(note_it_ran, 7)

    assert "waits for the sweep" in caplog.text
    assert ran == []


def test_a_queue_without_a_worker_is_not_up():
    assert not worker_is_up("nobody")


def test_a_broker_that_is_down_means_that_no_worker_is_up(settings):
    settings.REDIS_URL = BROKEN_BROKER

    assert not worker_is_up("ingest")


def test_a_broker_that_swallows_what_it_is_sent_is_waited_for_once(settings, monkeypatch):
    """Each look of the list of documents would else wait for it anew."""
    monkeypatch.setattr(dispatching, "BROKER_TIMEOUT", 0.2)
    monkeypatch.setattr(dispatching, "_silent_until", {})
    with socket.create_server(("127.0.0.1", 0)) as broker:
        broker.setblocking(False)
        settings.REDIS_URL = f"redis://127.0.0.1:{broker.getsockname()[1]}/0"

        looks = [worker_is_up("ingest"), worker_is_up("ingest")]

        broker.accept()[0].close()
        with pytest.raises(BlockingIOError):
            broker.accept()
    assert looks == [False, False]


def test_a_sign_of_life_counts_until_its_worker_leaves():
    give_sign_of_life("queue-of-this-test", "one")
    give_sign_of_life("queue-of-this-test", "two")

    take_leave("queue-of-this-test", "one")
    assert worker_is_up("queue-of-this-test")

    take_leave("queue-of-this-test", "two")
    assert not worker_is_up("queue-of-this-test")


def test_a_sign_of_life_expires_when_its_worker_is_killed():
    give_sign_of_life("queue-of-this-test", "one")

    with dispatching._client() as client:
        left = client.ttl(dispatching.sign_of_life("queue-of-this-test"))

    assert 0 < left <= dispatching.SIGN_OF_LIFE_SECONDS
    take_leave("queue-of-this-test", "one")


def test_the_canary_tells_how_long_ago_it_ran():
    canary()

    assert time.time() - 60 < canaries()[MAINTENANCE] <= time.time()


def test_every_queue_has_a_canary_of_its_own():
    sent = [entry["options"]["queue"] for entry in app.conf.beat_schedule.values() if entry["task"].endswith("canary")]

    assert sorted(sent) == sorted(QUEUES)


def test_every_queue_is_declared():
    assert {queue.name for queue in app.conf.task_queues} == set(QUEUES)
