"""Build a training set: choose approved answers, put same questions together, share them out, mark personal data.

The row is the job: a worker holds it by a lease, and what it found is written in one transaction.
"""

import hashlib
import logging
from collections.abc import Iterator
from datetime import timedelta
from uuid import UUID

import numpy as np
from django.conf import settings
from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from answers.citations import marks
from answers.exceptions import LeaseLost
from answers.finetuning import chat_format, exclusions, grouping, personal
from answers.meaning import asked, meaning_of
from answers.models import Answer, ApprovedAnswer, SetState, TrainingExample, TrainingSet
from audit import context
from audit.events import EventType
from audit.record import record
from documents.embedding.spaces import space_of
from documents.embedding.vector_space import Space
from workspaces import access
from workspaces.roles import Action

logger = logging.getLogger(__name__)

MOST_ATTEMPTS = 3
#: Answers whose meaning is computed between two looks at the lease.
_RENEW_EVERY = 200


def unheld() -> Q:
    """Sets that are to be built and that no living worker holds."""
    return Q(state=SetState.BUILDING) & (Q(lease_until=None) | Q(lease_until__lt=Now()))


def build(set_id: UUID) -> None:
    """Build the set, unless it is built or another worker is at it."""
    until = Now() + timedelta(seconds=settings.LEASE_SECONDS)
    if not TrainingSet.objects.filter(unheld(), pk=set_id).update(attempt=F("attempt") + 1, lease_until=until):
        return
    training_set = TrainingSet.objects.select_related("workspace", "asked_by").get(pk=set_id)
    with context.acting(None):
        try:
            _work(training_set)
        except LeaseLost:
            logger.info("Training set %s was taken over; attempt %s ends.", set_id, training_set.attempt)
        except BaseException:
            _ours(training_set).update(lease_until=None)
            raise


def line_of(training_set: TrainingSet, example: TrainingExample) -> bytes:
    """The example as a line of its file."""
    return chat_format.line(instructions=training_set.instructions, question=example.question, reply=example.reply)


# --- Inside -------------------------------------------------------------------------------------------------


def _work(training_set: TrainingSet) -> None:
    if training_set.attempt > MOST_ATTEMPTS:
        return _end(training_set, [], {}, problem=_("Three attempts were broken off."))
    # Who asked may have lost the right since: what they may not have built is not built for them.
    if not access.allows(training_set.asked_by, Action.MANAGE, training_set.workspace):
        return _end(training_set, [], {}, problem=_("Whoever asked for it may not build it any more."))
    rules = exclusions.Rules(training_set.ceiling, training_set.usages)
    chosen = exclusions.choose(training_set.workspace, rules, by=training_set.asked_by)
    examples = list(_examples(training_set, chosen))
    problem = "" if examples else _("No approved answer may be learnt from under these rules.")
    return _end(training_set, examples, chosen.left_out, problem=problem)


def _examples(training_set: TrainingSet, chosen: exclusions.Chosen) -> Iterator[TrainingExample]:
    space = space_of(training_set.workspace_id)
    placed = grouping.group(list(_questions(training_set, chosen.answers, space)), space)
    position = 0
    for answer in chosen.answers:
        where = placed[answer.pk]
        question, reply = asked(answer), marks.take_out(answer.released_text).text.strip()
        why = "repeated" if where.repeats else ""
        if len(question) + len(reply) + len(training_set.instructions) > chat_format.MOST_CHARACTERS:
            why = "long"
        if why:
            chosen.left_out[why] = chosen.left_out.get(why, 0) + 1
            continue
        example = TrainingExample(
            training_set=training_set,
            answer=answer,
            position=position,
            split=grouping.split_of(where.group, percent=training_set.validation_percent),
            question=question,
            reply=reply,
            released_sha256=answer.released_sha256,
            personal=personal.kinds_in(question, reply),
        )
        example.sha256 = hashlib.sha256(line_of(training_set, example)).hexdigest()
        position += 1
        yield example


def _questions(training_set: TrainingSet, answers: list[Answer], space: Space) -> Iterator[grouping.Question]:
    kept = ApprovedAnswer.objects.filter(workspace=training_set.workspace_id, space=space.fingerprint)
    known = dict(kept.exclude(vector=b"").values_list("answer", "vector"))
    for number, answer in enumerate(answers):
        if number % _RENEW_EVERY == 0:
            _renew(training_set)
        text, language = asked(answer), answer.question.language
        vector = bytes(known.get(answer.pk) or _meaning(answer, text, training_set))
        read = np.frombuffer(vector, dtype="<f4") if vector else None
        yield grouping.Question(answer.pk, text, language, read)


def _meaning(answer: Answer, text: str, training_set: TrainingSet) -> bytes:
    return meaning_of(text, answer.question.language, training_set.workspace_id, answer=answer.pk).vector


def _ours(training_set: TrainingSet) -> QuerySet[TrainingSet]:
    return TrainingSet.objects.filter(pk=training_set.pk, attempt=training_set.attempt, state=SetState.BUILDING)


def _renew(training_set: TrainingSet) -> None:
    if not _ours(training_set).update(lease_until=Now() + timedelta(seconds=settings.LEASE_SECONDS)):
        raise LeaseLost(training_set.pk)


@transaction.atomic
def _end(training_set: TrainingSet, examples: list[TrainingExample], left_out: dict[str, int], *, problem: str) -> None:
    state = SetState.FAILED if problem else SetState.BUILT
    if not _ours(training_set).update(state=state, problem=problem[:300], left_out=left_out, lease_until=None):
        raise LeaseLost(training_set.pk)
    TrainingExample.objects.bulk_create(examples, batch_size=1000)
    record(
        EventType.TRAINING_BUILT,
        on=training_set,
        workspace=training_set.workspace_id,
        by=training_set.asked_by,
        outcome=state.value,
        examples=len(examples),
        left_out=left_out,
    )
