"""Bring a job to its ending: send its files once, begin it once, follow it, and register the model as a candidate.

The row is the job. What is about to be sent is noted in a transaction of its own, with its entry, before it is sent;
when it is not known what became of that, the provider is asked for it first. So a lost connection, a killed worker or
a doubled bell costs a look and not a second training.
"""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext as _

from answers.exceptions import EndpointError, LeaseLost, TrainingError
from answers.finetuning import sealing
from answers.finetuning.jobs import require_permitted
from answers.finetuning.provider import Provider, ProviderFailed, Remote
from answers.finetuning.registering import register
from answers.governing import amounts, ledger
from answers.models import OPEN_JOBS, FineTuningJob, JobEvent, JobState, Purpose, Split
from audit import context
from audit.events import EventType
from audit.record import record
from workspaces.notifications import notify
from workspaces.notifications.registry import Kind

logger = logging.getLogger(__name__)

Sent = TypeVar("Sent")

#: Between two looks at a running job, and before what may have arrived is looked for.
FOLLOW_SECONDS, LOOK_SECONDS = 60, 45
#: Looks in a row that came to nothing before the job is given up here, and attempts in a row that died or broke.
MOST_MISSES, MOST_ERRORS = 40, 5
_LONGEST_PAUSE = 900
#: Events of one job that are kept.
_MOST_EVENTS = 500
_DONE = {"succeeded": JobState.SUCCEEDED, "failed": JobState.FAILED, "cancelled": JobState.CANCELLED}
_SENT = {Split.TRAIN: ("train_sent_at", "train_file"), Split.VALIDATION: ("validation_sent_at", "validation_file")}


def due() -> Q:
    """Open jobs whose next look is due and that no living worker holds."""
    unheld = Q(lease_until=None) | Q(lease_until__lt=Now())
    return Q(state__in=OPEN_JOBS) & unheld & (Q(next_at=None) | Q(next_at__lte=Now()))


def follow(job_id: UUID) -> None:
    """Do the next steps of the job, unless it is over, not due, or another worker is at it.

    What nobody expected is raised, and tried again later each time; after so many attempts the job has failed.
    """
    until = Now() + timedelta(seconds=settings.LEASE_SECONDS + 900)  # an upload may take that long
    # Counted before it is begun: an attempt that ends the program counts nothing afterwards.
    taken = {"attempt": F("attempt") + 1, "errors": F("errors") + 1, "lease_until": until}
    if not FineTuningJob.objects.filter(due(), pk=job_id).update(**taken):
        return
    rows = FineTuningJob.objects.select_related("workspace", "training_set__workspace", "endpoint", "asked_by")
    job = rows.get(pk=job_id)
    with context.acting(None):
        try:
            _attempt(job)
            _ours(job).update(errors=0)
        except LeaseLost:
            logger.info("Fine-tuning job %s was taken over; attempt %s ends.", job.pk, job.attempt)
        except Exception:
            _ours(job).update(next_at=_in(_pause(job.errors)))
            raise
        finally:
            _ours(job).update(lease_until=None)


# --- Inside -------------------------------------------------------------------------------------------------


def _attempt(job: FineTuningJob) -> None:
    if job.errors > MOST_ERRORS:
        sentence = _("%(number)d attempts in a row ended with an error in the portal, whose log tells more.")
        return _give_up(job, sentence % {"number": MOST_ERRORS})
    try:
        return _work(job)
    except ProviderFailed as failed:
        return _missed(job, failed)
    except (TrainingError, EndpointError) as error:
        return _end(job, JobState.FAILED, problem=str(error))


def _work(job: FineTuningJob) -> None:
    if job.cancel_asked_at and not job.job_sent_at:
        return _end(job, JobState.CANCELLED)
    provider = Provider.of(job)
    if not job.remote_id:
        _upload(job, provider, Split.TRAIN)
        if job.training_set.files.filter(split=Split.VALIDATION).exists():
            _upload(job, provider, Split.VALIDATION)
        _start(job, provider)
    if job.cancel_asked_at:
        _ask_to_cancel(job, provider)
    return _look(job, provider)


def _upload(job: FineTuningJob, provider: Provider, split: Split) -> None:
    sent_at, name = _SENT[split]
    if getattr(job, name):
        return
    filename = provider.name_of(job.pk, split)
    known = provider.find_file(filename) if getattr(job, sent_at) else ""
    if not known:
        content = sealing.content_of(job.training_set, split)
        # Asked anew before each sending, at the last moment: rights, classes and flags are as they are now.
        require_permitted(job.training_set, job.endpoint, by=job.asked_by)
        _note_sending(job, sent_at, split)
        known = _definitely(job, sent_at, lambda: provider.upload(filename, content))
    _keep(job, **{name: known})


def _start(job: FineTuningJob, provider: Provider) -> None:
    known = provider.find_job(job.train_file) if job.job_sent_at else None
    if known is None:
        if job.cancel_asked_at:
            raise LeaseLost(job.pk)
        require_permitted(job.training_set, job.endpoint, by=job.asked_by)
        _keep(job, job_sent_at=timezone.now())
        known = _definitely(
            job,
            "job_sent_at",
            lambda: provider.create(
                model=job.base_model,
                train_file=job.train_file,
                validation_file=job.validation_file,
                suffix=f"inlock-{job.pk.hex[:8]}",
                epochs=job.epochs,
            ),
        )
    with transaction.atomic():
        _keep(job, remote_id=known.id, remote_status=known.status, state=JobState.RUNNING, misses=0)
        record(EventType.TUNING_STARTED, on=job, workspace=job.workspace_id, by=job.asked_by, remote=known.id)


def _definitely(job: FineTuningJob, sent_at: str, send: Callable[[], Sent]) -> Sent:
    """What `send` gives. A clear refusal says that nothing was taken; after anything else it is looked for first."""
    try:
        return send()
    except ProviderFailed as failed:
        if failed.after or not failed.passes:
            _keep(job, **{sent_at: None})
        raise


@transaction.atomic
def _note_sending(job: FineTuningJob, sent_at: str, split: Split) -> None:
    _keep(job, state=JobState.UPLOADING, **{sent_at: timezone.now()})
    record(
        EventType.TUNING_SENT,
        on=job,
        workspace=job.workspace_id,
        by=job.asked_by,
        split=split.value,
        sha256=job.training_set.files.get(split=split).sha256,
        endpoint=job.endpoint_label,
        attempt=job.attempt,
    )


def _ask_to_cancel(job: FineTuningJob, provider: Provider) -> None:
    try:
        provider.cancel(job.remote_id)
    except ProviderFailed as failed:
        # It ended meanwhile; the look that follows says how.
        if failed.passes:
            raise


def _look(job: FineTuningJob, provider: Provider) -> None:
    remote = provider.job(job.remote_id)
    known = set(job.events.values_list("remote_id", flat=True))
    if len(known) < _MOST_EVENTS:
        news = []
        for told in provider.events(job.remote_id):
            if told.id in known or len(news) + len(known) >= _MOST_EVENTS:
                break
            news.append(JobEvent(job=job, remote_id=told.id, at=told.at, level=told.level, message=told.message))
        JobEvent.objects.bulk_create(news, ignore_conflicts=True)
    if remote.status not in _DONE:
        _keep(job, remote_status=remote.status, misses=0, next_at=_in(FOLLOW_SECONDS))
        return
    _settle(job, remote)


def _settle(job: FineTuningJob, remote: Remote) -> None:
    state = _DONE[remote.status]
    if state == JobState.SUCCEEDED and not remote.model:
        raise ProviderFailed(_("The provider names no model yet."), passes=True)
    job.trained_tokens, job.tuned_model, job.remote_status = remote.tokens, remote.model, remote.status
    problem = ""
    if state == JobState.FAILED:
        problem = _("The provider could not train it: %(error)s") % {"error": remote.error or remote.status}
    _end(job, state, problem=problem)


def _end(job: FineTuningJob, state: JobState, *, problem: str = "") -> None:
    whose = ledger.Whose(job.workspace_id, job.asked_by_id, ledger.today())
    ledger.open_periods(whose)
    _close(job, state, whose, problem)


@transaction.atomic
def _close(job: FineTuningJob, state: JobState, whose: ledger.Whose, problem: str) -> None:
    job.state, job.problem, job.ended_at = state, problem[:300], timezone.now()
    # A provider tells the tokens of what it trained, and of some that failed or were ended before they were through.
    was = amounts.of_training(job.endpoint, job.trained_tokens or 0)
    job.cost, job.currency = (was.cost, settings.CURRENCY) if was.input and was.cost is not None else (None, "")
    _keep(
        job,
        state=state,
        problem=job.problem,
        ended_at=job.ended_at,
        trained_tokens=job.trained_tokens,
        cost=job.cost,
        currency=job.currency,
        tuned_model=job.tuned_model if state == JobState.SUCCEEDED else "",
        remote_status=job.remote_status,
        misses=0,
        next_at=None,
    )
    if job.cost is not None:
        ledger.count(
            whose,
            was,
            endpoint=job.endpoint,
            label=job.endpoint_label,
            purpose=Purpose.FINE_TUNING,
            seconds=(job.ended_at - (job.job_sent_at or job.asked_at)).total_seconds(),
        )
    result = register(job) if state == JobState.SUCCEEDED else None
    notify(Kind.TUNING_ENDED, to=[job.asked_by], about=job, workspace=job.workspace)
    record(
        EventType.TUNING_ENDED,
        on=job,
        workspace=job.workspace_id,
        outcome=state.value,
        remote=job.remote_id,
        model=job.tuned_model,
        tokens=job.trained_tokens,
        **({"cost": str(job.cost), "currency": job.currency} if job.cost is not None else {}),
        candidate=result.pk if result else None,
    )


def _missed(job: FineTuningJob, failed: ProviderFailed) -> None:
    misses = job.misses + 1
    if not failed.passes or misses >= MOST_MISSES:
        return _give_up(job, failed.sentence)
    pause = failed.after or _pause(misses)
    return _keep(job, misses=misses, next_at=_in(pause), problem=failed.sentence[:300])


def _give_up(job: FineTuningJob, sentence: str) -> None:
    if job.job_sent_at:
        sentence += " " + _("What was begun there may go on: look at the provider's own page before you try again.")
    _end(job, JobState.FAILED, problem=sentence)


def _pause(times: int) -> int:
    return min(LOOK_SECONDS * 2 ** min(times - 1, 5), _LONGEST_PAUSE)


def _ours(job: FineTuningJob) -> QuerySet[FineTuningJob]:
    return FineTuningJob.objects.filter(pk=job.pk, attempt=job.attempt, state__in=OPEN_JOBS)


def _keep(job: FineTuningJob, **changes: Any) -> None:
    """Write it on the row, if it is still this attempt's. Raises LeaseLost."""
    if not _ours(job).update(**changes):
        raise LeaseLost(job.pk)
    for name, value in changes.items():
        setattr(job, name, value)


def _in(seconds: float) -> datetime:
    return timezone.now() + timedelta(seconds=seconds)
