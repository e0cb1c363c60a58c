"""What goes with an erased document: the texts of examples that rest on it or repeat it, and people's words that do.

Hashes stay: the manifest still proves what was learnt, and no file can be made of the set again.
"""

from collections.abc import Sequence
from typing import Any

from django.db.models import Q
from django.utils import timezone

from answers.finetuning import watching
from answers.models import Assessment, Evidence, FineTuningJob, JobEvent, TrainingExample, TrainingFlag, TrainingSet
from audit.events import EventType
from audit.record import record
from documents.deletion import dependants
from documents.deletion.telling import repeating, take_out, telling
from documents.models import Deletion


def erase(deletion: Deletion, phrases: Sequence[str], keeps_answers: bool) -> dict[str, int]:
    """Erase them, whether or not answers keep their texts: a training set is a copy to be given away."""
    here = {"training_set__workspace": deletion.workspace_id}
    evidence = Evidence.objects.filter(document=deletion.document_id)
    if deletion.version_id is not None:
        evidence = evidence.filter(version=deletion.version_id)
    repeated = telling(deletion, phrases)
    holds = Q(answer__in=evidence.order_by().values("answer"))
    holds |= repeating(("question", "reply"), repeated)
    examples = TrainingExample.objects.filter(holds, erased_at=None, **here)
    # What was sent for these knows what it learnt, and no erasure here reaches it.
    learnt = FineTuningJob.objects.filter(training_set__in=examples.order_by().values("training_set"))
    sent = [str(pk) for pk in learnt.exclude(train_sent_at=None).order_by("pk").values_list("pk", flat=True)]
    count = examples.update(question="", reply="", erased_at=timezone.now())
    said: dict[str, str] = {}
    if repeated:
        workspace = {"workspace": deletion.workspace_id}
        said |= _forget(Assessment, "name", repeated, **workspace) | _forget(Assessment, "note", repeated, **workspace)
        said |= _forget(TrainingSet, "name", repeated, **workspace)
        said |= _forget(TrainingSet, "instructions", repeated, **workspace)
        said |= _forget(TrainingFlag, "note", repeated, **here)
        # Providers tell of the line that they do not take.
        said |= _forget(FineTuningJob, "problem", repeated, **workspace)
        said |= _forget(JobEvent, "message", repeated, job__workspace=deletion.workspace_id)
    if count or said:
        record(
            EventType.TRAINING_ERASED,
            on=deletion.document,
            workspace=deletion.workspace_id,
            deletion=deletion.pk,
            examples=count,
            words=said,
            sent_for=sent,
        )
    return {"training_examples": count, "training_words": len(said)}


def _forget(model: Any, field: str, phrases: Sequence[str], **where: Any) -> dict[str, str]:
    rows = model.objects.filter(repeating((field,), phrases), **where)
    return {f"{pk}.{field}": sha256 for pk, sha256 in take_out(rows, field).items()}


dependants.kinds.append(
    dependants.Kind(told=watching.told, close=watching.note_deleted, reopen=watching.note_restored, erase=erase)
)
