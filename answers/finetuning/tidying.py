"""Have the provider delete the files of a training that is over: it needs them no more, and they are copies of ours.

Deleting twice does no harm, so a bell that rings twice costs a request and no more. What a model learnt stays in it.
"""

from datetime import timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils import timezone

from answers.exceptions import EndpointError
from answers.finetuning.provider import Provider, ProviderFailed
from answers.models import OPEN_JOBS, FineTuningJob, Split
from audit import context
from audit.events import EventType
from audit.record import record

#: Tries before it is left to a person, as the page of the training says; each waits twice as long as the one before.
MOST_TRIES = 16
_FIRST_PAUSE, _LONGEST_PAUSE = 60, 86_400
_SENT = {Split.TRAIN: ("train_sent_at", "train_file"), Split.VALIDATION: ("validation_sent_at", "validation_file")}


def left() -> Q:
    """Trainings that are over and of which the provider may keep files."""
    sent = Q(train_sent_at__isnull=False) | Q(validation_sent_at__isnull=False)
    return sent & ~Q(state__in=OPEN_JOBS) & Q(files_gone_at=None)


def due() -> Q:
    """Of these, those whose next try is due."""
    return left() & Q(misses__lt=MOST_TRIES) & (Q(next_at=None) | Q(next_at__lte=Now()))


def tidy(job_id: UUID) -> bool:
    """Ask the provider to delete the files of the training, if that is due; whether they are gone."""
    rows = FineTuningJob.objects.filter(due(), pk=job_id)
    # Whatever becomes of this try, the next one is later: nothing is asked of a provider in a circle.
    if not rows.update(misses=F("misses") + 1, next_at=Now() + timedelta(seconds=_FIRST_PAUSE)):
        return False
    job = FineTuningJob.objects.select_related("endpoint").get(pk=job_id)
    try:
        deleted = _delete(job)
    except (ProviderFailed, EndpointError) as failed:
        pause = getattr(failed, "after", 0) or min(_FIRST_PAUSE * 2**job.misses, _LONGEST_PAUSE)
        FineTuningJob.objects.filter(pk=job.pk).update(next_at=timezone.now() + timedelta(seconds=pause))
        return False
    with context.acting(None), transaction.atomic():
        if FineTuningJob.objects.filter(pk=job.pk, files_gone_at=None).update(files_gone_at=Now(), next_at=None):
            record(EventType.TUNING_FILES_DELETED, on=job, workspace=job.workspace_id, files=deleted)
    return True


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
