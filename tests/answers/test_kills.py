"""A worker that is killed, really killed, costs time and nothing else."""

import os
import signal
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.db import connections
from django.utils import timezone

from answers import pipeline, questions, streaming
from answers.models import Answer, Evidence
from answers.states import AnswerStatus
from audit.events import EventType
from audit.models import Event

QUESTION = "How many days of paid parental leave does the second parent take?"

pytestmark = pytest.mark.django_db(transaction=True)


def killed_at(point: str, answer_id: Any) -> None:
    """Run the pipeline in a child of its own that is killed at `point`."""
    connections.close_all()
    child = os.fork()
    if child == 0:
        settings.CRASH_AT = point
        try:
            pipeline.run(answer_id)
        finally:
            os._exit(0)
    _pid, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status)
    assert os.WTERMSIG(status) == signal.SIGKILL


def the_lease_runs_out(answer_id: Any) -> None:
    Answer.objects.filter(pk=answer_id).exclude(lease_until=None).update(
        lease_until=timezone.now() - timedelta(seconds=1)
    )


def test_a_worker_killed_here_leaves_an_answer_that_completes_once(policies, handbook, member, subtests):
    for point in ("before_scope", "before_compose", "before_cite", "before_ending", "after_ending"):
        with subtests.test(point):
            answer = questions.ask(workspace=policies, text=QUESTION, by=member)
            killed_at(point, answer.pk)

            pipeline.run(answer.pk)
            the_lease_runs_out(answer.pk)
            pipeline.run(answer.pk)

            answer.refresh_from_db()
            assert answer.status == AnswerStatus.ANSWERED
            assert Event.objects.filter(type=EventType.ANSWER_RELEASED, object_id=str(answer.pk)).count() == 1
            assert answer.citations.count() == len(answer.sentences)
            ranks = list(Evidence.objects.filter(answer=answer).values_list("rank", flat=True))
            assert ranks == list(range(1, len(ranks) + 1))


def test_a_worker_killed_after_its_words_were_streamed_has_them_voided(policies, handbook, member):
    answer = questions.ask(workspace=policies, text=QUESTION, by=member)
    killed_at("before_cite", answer.pk)
    the_lease_runs_out(answer.pk)

    pipeline.run(answer.pk)

    kinds = [kind for _id, kind, _data in streaming.read(answer.pk)]
    first, second = kinds.index("token"), len(kinds) - kinds[::-1].index("token") - 1
    assert first < kinds.index("reset") < second


def test_a_worker_that_is_killed_every_time_ends_the_answer_as_a_fault(policies, handbook, member):
    answer = questions.ask(workspace=policies, text=QUESTION, by=member)
    for _death in range(3):
        killed_at("before_compose", answer.pk)
        the_lease_runs_out(answer.pk)

    pipeline.run(answer.pk)

    answer.refresh_from_db()
    assert (answer.status, answer.deaths) == (AnswerStatus.FAILED_INTERNAL, 3)
