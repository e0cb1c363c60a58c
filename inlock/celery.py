"""The Celery application: four queues, messages of ids in JSON, and nothing kept in the broker.

Every task may run twice, late or in the wrong order; these settings make a
killed worker's task come back soon, and the sweeps over rows make it certain.
"""

import logging
import os
import signal
import threading
from typing import Any

import redis
from celery import Celery, bootsteps
from celery.signals import setup_logging, worker_init, worker_process_init, worker_ready
from kombu import Exchange, Queue

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "inlock.settings")

from django.conf import settings
from django.db import connections

from inlock import priority, watchdog
from inlock.engines import celery_broker_url
from inlock.engines.isolation import tie_to_parent
from workspaces.dispatch import SIGN_OF_LIFE_SECONDS, dispatch, give_sign_of_life, take_leave

logger = logging.getLogger(__name__)

INTERACTIVE, INGEST, SOURCES, MAINTENANCE = QUEUES = ("interactive", "ingest", "sources", "maintenance")

#: A message nobody acknowledged returns after this long. It must exceed every task's time limit, and Celery
#: wants it in three places.
VISIBILITY_SECONDS = 3600
TASK_SECONDS = 1800
#: What a worker that is asked to stop gives its tasks before it hands them back.
SOFT_SHUTDOWN_SECONDS = 5.0
CANARY_SECONDS = 30


def route(name: str, *_args: Any, **_options: Any) -> dict[str, str]:
    """The queue of a task, by its name: people wait for answers, sweeps wait for everybody."""
    app_label, _, task_name = name.partition(".tasks.")
    if task_name.startswith("sweep"):
        return {"queue": MAINTENANCE}
    if task_name.startswith("run_source"):
        # A crawl may take twenty minutes, and ingestion waits for nobody.
        return {"queue": SOURCES}
    return {"queue": {"answers": INTERACTIVE, "documents": INGEST}.get(app_label, MAINTENANCE)}


app = Celery("inlock")
app.conf.update(
    broker_url=celery_broker_url(settings.REDIS_URL),
    broker_connection_retry_on_startup=True,
    broker_transport_options={"visibility_timeout": VISIBILITY_SECONDS},
    result_backend_transport_options={"visibility_timeout": VISIBILITY_SECONDS},
    visibility_timeout=VISIBILITY_SECONDS,
    result_backend=None,
    task_ignore_result=True,
    accept_content=["json"],
    task_serializer="json",
    event_serializer="json",
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    worker_prefetch_multiplier=1,
    worker_cancel_long_running_tasks_on_connection_loss=True,
    worker_soft_shutdown_timeout=SOFT_SHUTDOWN_SECONDS,
    task_soft_time_limit=TASK_SECONDS,
    task_time_limit=TASK_SECONDS + 60,
    # One more try for a connection that went stale; the sweep is the real second chance.
    task_publish_retry_policy={"max_retries": 1, "interval_start": 0, "interval_step": 0, "interval_max": 0},
    # Without an exchange of its own a queue shares the default one, and gets every message of the others.
    task_queues=[Queue(name, Exchange(name), routing_key=name) for name in QUEUES],
    task_default_queue=MAINTENANCE,
    task_create_missing_queues=False,
    task_routes=(route,),
    worker_send_task_events=False,
    # Kilobytes; a pool process that grew beyond this is replaced once its task is done.
    worker_max_memory_per_child=1_500_000,
    enable_utc=True,
    timezone="UTC",
    beat_schedule={
        **settings.CELERY_BEAT_SCHEDULE,
        **{
            f"canary-{name}": {
                "task": "inlock.tasks.canary",
                "schedule": float(CANARY_SECONDS),
                "options": {"queue": name, "expires": CANARY_SECONDS},
            }
            for name in QUEUES
        },
    },
)
app.autodiscover_tasks()


@setup_logging.connect
def _leave_logging_to_django(**_: Any) -> None:
    """Connected so that Celery keeps its hands off: settings.LOGGING is in force already."""


@worker_init.connect
def _refuse_unsafe_production(**_: Any) -> None:
    from inlock import checks  # which asks this module

    checks.require_safe()


@worker_init.connect
def _give_way_to_who_waits(sender: Any, **_: Any) -> None:
    """Before anything starts a thread, which keeps the value it began with."""
    is_for_answers = INTERACTIVE in sender.app.amqp.queues.consume_from
    priority.give_way(priority.ANSWERING if is_for_answers else priority.IN_THE_BACKGROUND)


@worker_process_init.connect
def _die_with_the_worker(**_: Any) -> None:
    """A pool process whose worker was killed would go on alone, on a task that another has taken over."""
    tie_to_parent(signal.SIGKILL, os.getppid())


@worker_init.connect
def _warm_before_the_first_question(sender: Any, **_: Any) -> None:
    """The pool of threads shares what this process loads; until then no sign of life says that it takes questions."""
    if INTERACTIVE in sender.app.amqp.queues.consume_from:
        from inlock import warming  # models exist only now

        warming.warm_for_questions()


@worker_process_init.connect
def _warm_beside_the_first_file(**_: Any) -> None:
    """A thread, because a pool process that is not ready within four seconds is killed. A file that is first waits
    for the same model and does not load it twice.
    """
    from inlock import warming  # models exist only now

    threading.Thread(target=warming.warm_for_files, name="warming", daemon=True).start()


@worker_ready.connect
def _look_at_the_indexes(sender: Any, **_: Any) -> None:
    """What damaged files while nothing ran shows when they are read again; the schedule's first round comes later."""
    if MAINTENANCE in sender.app.amqp.queues.consume_from:
        from documents.tasks import sweep_indexes  # models exist only now

        dispatch(sweep_indexes)
        # A pool process that is forked later must not inherit one.
        connections.close_all()


class SignOfLife(bootsteps.StartStopStep):
    """Say every few seconds which queues this worker takes from, while it is connected and its loop turns."""

    requires = ("celery.worker.consumer.tasks:Tasks",)

    def start(self, consumer: Any) -> None:
        self.queues = [queue for queue in consumer.app.amqp.queues.consume_from if queue in QUEUES]
        self.worker = consumer.hostname
        self._give()
        self.timer = consumer.timer.call_repeatedly(SIGN_OF_LIFE_SECONDS / 3, self._give)

    def stop(self, consumer: Any) -> None:
        if hasattr(self, "timer"):
            self.timer.cancel()
            self._each(take_leave)

    def _give(self) -> None:
        self._each(give_sign_of_life)

    def _each(self, tell: Any) -> None:
        for queue in self.queues:
            try:
                tell(queue, self.worker)
            except (redis.RedisError, OSError) as error:  # the consumer notices by itself and reconnects
                logger.warning("No sign of life for %s: %s", queue, error)


app.steps["consumer"].add(SignOfLife)
app.steps["consumer"].add(watchdog.Heartbeat)
app.steps["worker"].add(watchdog.Watchdog)
