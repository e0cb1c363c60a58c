"""Have the provider delete what a training left there: its files once it is over, its model once a manager says so.

Deleting twice does no harm, so a bell that rings twice costs a request and no more. What a model learnt stays in it,
and the model at the provider, until it is deleted there.
"""

from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext as _

from answers.exceptions import EndpointError, TrainingError
from answers.finetuning.provider import Provider, ProviderFailed
from answers.models import OPEN_JOBS, FineTuningJob, Split
from audit import context
from audit.events import EventType
from audit.record import record
from workspaces import access
from workspaces.endpoints.base import EndpointState
from workspaces.models import User
from workspaces.roles import Action

#: Tries before it is left to a person, as the page of the training says; each waits twice as long as the one before.
MOST_TRIES = 16
_FIRST_PAUSE, _LONGEST_PAUSE = 60, 86_400
_SENT = {Split.TRAIN: ("train_sent_at", "train_file"), Split.VALIDATION: ("validation_sent_at", "validation_file")}


def left() -> Q:
    """Trainings that are over and of which the provider may keep files, or a model that nobody wants any more."""
    sent = Q(train_sent_at__isnull=False) | Q(validation_sent_at__isnull=False)
    model = Q(model_unwanted_at__isnull=False, model_gone_at=None)
    return ~Q(state__in=OPEN_JOBS) & (sent & Q(files_gone_at=None) | model)


def due() -> Q:
    """Of these, those whose next try is due."""
    return left() & Q(misses__lt=MOST_TRIES) & (Q(next_at=None) | Q(next_at__lte=Now()))


def tidy(job_id: UUID) -> bool:
    """Ask the provider to delete what is to go there, if that is due; whether it is gone."""
    rows = FineTuningJob.objects.filter(due(), pk=job_id)
    # Whatever becomes of this try, the next one is later: nothing is asked of a provider in a circle.
    if not rows.update(misses=F("misses") + 1, next_at=Now() + timedelta(seconds=_FIRST_PAUSE)):
        return False
    job = FineTuningJob.objects.select_related("endpoint").get(pk=job_id)
    try:
        if job.files_gone_at is None:
            _note(job, "files_gone_at", EventType.TUNING_FILES_DELETED, files=_delete(job))
        if job.model_unwanted_at and job.model_gone_at is None:
            Provider.of(job).delete_model(job.tuned_model)
            _note(job, "model_gone_at", EventType.TUNING_MODEL_DELETED, model=job.tuned_model)
    except (ProviderFailed, EndpointError) as failed:
        pause = getattr(failed, "after", 0) or min(_FIRST_PAUSE * 2**job.misses, _LONGEST_PAUSE)
        FineTuningJob.objects.filter(pk=job.pk).update(next_at=timezone.now() + timedelta(seconds=pause))
        return False
    return True


@transaction.atomic
def forget_model(job: FineTuningJob, *, by: User) -> None:
    """Have the provider delete the model that the training made, which nothing brings back.

    Raises Hidden or Forbidden as access does, and TrainingError where there is none, where it is in use or could be
    approved, and where that was asked for already.
    """
    job = FineTuningJob.objects.select_for_update(of=("self",), no_key=True).get(pk=job.pk)
    access.require(by, Action.MANAGE, job)
    if not may_forget(job):
        raise TrainingError(_("Only a model that is retired here can be deleted at the provider, and only once."))
    job.model_unwanted_at, job.model_unwanted_by, job.misses, job.next_at = timezone.now(), by, 0, None
    job.save(update_fields=["model_unwanted_at", "model_unwanted_by", "misses", "next_at"])
    record(EventType.TUNING_MODEL_UNWANTED, on=job, workspace=job.workspace_id, by=by, model=job.tuned_model)


def may_forget(job: FineTuningJob) -> bool:
    """Whether the training made a model that is retired here and that nobody had deleted yet."""
    is_retired = job.result is None or job.result.state == EndpointState.RETIRED
    return bool(job.tuned_model) and is_retired and job.model_unwanted_at is None


def _note(job: FineTuningJob, since: str, event: EventType, **details: Any) -> None:
    with context.acting(None), transaction.atomic():
        if FineTuningJob.objects.filter(pk=job.pk, **{since: None}).update(**{since: Now()}, next_at=None):
            record(event, on=job, workspace=job.workspace_id, **details)


def _delete(job: FineTuningJob) -> int:
    """How many files the provider was told to delete. Raises ProviderFailed and EndpointError."""
    provider, deleted = Provider.of(job), 0
    for split, (sent_at, name) in _SENT.items():
        if getattr(job, sent_at) is None:
            continue
        # What was sent while the connection was lost is there under the name that it was sent with.
        known = getattr(job, name) or provider.find_file(provider.name_of(job.pk, split))
        if known:
            provider.delete(known)
            deleted += 1
    return deleted
