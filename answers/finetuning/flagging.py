"""Put sealed sets in doubt, with the files, jobs and models made of them, when something they contain changes.

A flag is written in the transaction of the change, and the models are taken out of use in it where the workspace's
rules say so. They stay candidates until a person has decided about every flag and another one approves them anew.
"""

from collections.abc import Iterable, Sequence
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from answers.finetuning.exclusions import closed_to_some
from answers.finetuning.sets import address
from answers.models import (
    Answer,
    Evidence,
    FineTuningJob,
    FlagDecision,
    FlagReason,
    ModelEndpoint,
    SetState,
    TrainingExample,
    TrainingFlag,
    TrainingRules,
    TrainingSet,
)
from answers.states import RELEASED, AnswerStatus
from audit.events import EventType
from audit.record import Entry, record, record_all
from documents import dependants, reminders
from documents.dependants import Resting
from documents.models import Deletion, Document, Version
from workspaces import access
from workspaces.classification import Classification
from workspaces.endpoint_base import USABLE_STATES, EndpointState, GovernedEndpoint
from workspaces.endpoint_states import objections
from workspaces.models import User, Workspace
from workspaces.notifications import notify
from workspaces.notifications.registry import Kind
from workspaces.roles import Action

#: Where the workspace chose nothing. A newer version or a passed day does not make what was learnt untrue by itself.
SUSPENDS_ON = (FlagReason.DELETED, FlagReason.RECLASSIFIED, FlagReason.RESTRICTED, FlagReason.TAKEN_BACK)


# --- What happens to documents ------------------------------------------------------------------------------


def told(document: Document, by: User) -> Iterable[Resting]:
    """What a deletion of `document` would put in doubt, for one person."""
    sets = _containing(Q(document=document))
    known = access.visible(by, TrainingSet).filter(pk__in=sets.values("pk"))
    yield Resting(
        gettext_lazy("Training sets, with their models"),
        gettext_lazy("They are flagged, and models made of them may be taken out of use until somebody decides."),
        sets.count(),
        [(one.name, address(one)) for one in known.select_related("workspace")[:5]],
    )


def note_deleted(deletion: Deletion) -> None:
    """What was deleted is in sets: flag them, in the same transaction."""
    _flag(_of(deletion), FlagReason.DELETED, deletion.document, deletion=deletion, by=deletion.deleted_by)


def note_restored(deletion: Deletion) -> None:
    """It is back: its open flags are over. Models that were taken out of use are approved anew by a person."""
    flags = TrainingFlag.objects.filter(deletion=deletion, settled_at=None).select_related("training_set")
    _clear(list(flags), workspace_id=deletion.workspace_id, by=deletion.restored_by)


def note_replaced(version: Version) -> None:
    """Another version answers in place of `version`."""
    _flag(Q(version=version), FlagReason.REPLACED, version.document)


def note_expired(document: Document) -> None:
    """The document's last valid day is over."""
    _flag(Q(document=document), FlagReason.EXPIRED, document)


def note_raised(document: Document, by: User) -> None:
    """The document is classified higher. It takes a model out of use where it is above the set's ceiling now."""
    _flag(Q(document=document), FlagReason.RECLASSIFIED, document, by=by, level=document.classification)


def sweep() -> int:
    """Flag what no single act tells of: documents closed to somebody since, and answers taken back; how many flags."""
    made = 0
    sets = TrainingSet.objects.filter(state=SetState.SEALED).select_related("workspace")
    for training_set in sets:
        with transaction.atomic():
            made += _look_at(training_set)
    return made


# --- What follows from it -------------------------------------------------------------------------------------


def suspending(workspace: Workspace | UUID) -> list[str]:
    """The reasons that take a model out of use there, sorted."""
    rules = TrainingRules.objects.filter(workspace=workspace).first()
    return sorted(rules.suspends_on if rules else map(str, SUSPENDS_ON))


def objection(endpoint: GovernedEndpoint) -> str:
    """Why a fine-tuned model may not be approved now, as a sentence; "" if nothing its set contains is in doubt."""
    job = FineTuningJob.objects.filter(result=endpoint.pk).first() if isinstance(endpoint, ModelEndpoint) else None
    if job is None:
        return ""
    flags = TrainingFlag.objects.filter(training_set=job.training_set_id)
    if flags.filter(settled_at=None).exists():
        return _("Something this model learnt should not stand any more. A manager of its workspace decides first.")
    if flags.filter(decision=FlagDecision.RETIRE).exists():
        return _("It was decided that the models of this training set are retired.")
    return ""


def take_out(training_set: TrainingSet, to: EndpointState, reason: str, *, by: User | None) -> int:
    """Take the models made of the set out of use; how many were in it, or are retired now."""
    made = ModelEndpoint.objects.filter(tuned_by__training_set=training_set)
    standing = USABLE_STATES if to == EndpointState.CANDIDATE else (*USABLE_STATES, EndpointState.CANDIDATE)
    rows = ModelEndpoint.objects.select_for_update(of=("self",), no_key=True).filter(pk__in=made.values("pk"))
    endpoints = list(rows.filter(state__in=standing).order_by("pk"))
    for endpoint in endpoints:
        endpoint.state, endpoint.approved_at, endpoint.approved_by = to, None, None
        endpoint.save(update_fields=["state", "approved_at", "approved_by"])
    if endpoints:
        entries = [
            Entry(EventType.MODEL_SUSPENDED, one, details={"because": str(reason), "state": str(to)})
            for one in endpoints
        ]
        record_all(entries, workspace=training_set.workspace_id, by=by)
    return len(endpoints)


# --- Inside -------------------------------------------------------------------------------------------------


def _of(deletion: Deletion) -> Q:
    found = Q(document=deletion.document_id)
    return found & Q(version=deletion.version_id) if deletion.version_id else found


def _examples(rests: Q) -> QuerySet[TrainingExample]:
    """Examples of sealed sets whose answer's evidence is `rests`."""
    answers = Evidence.objects.filter(rests).order_by().values("answer")
    return TrainingExample.objects.filter(
        training_set__state=SetState.SEALED, dropped_at=None, answer__in=answers
    ).order_by()


def _containing(rests: Q) -> QuerySet[TrainingSet]:
    return TrainingSet.objects.filter(pk__in=_examples(rests).values("training_set"))


def _flag(
    rests: Q,
    reason: FlagReason,
    document: Document,
    *,
    deletion: Deletion | None = None,
    by: User | None = None,
    level: str = "",
) -> None:
    for training_set in _containing(rests).select_related("workspace").order_by("pk"):
        count = _examples(rests).filter(training_set=training_set).count()
        fits = bool(level) and Classification(level).rank <= Classification(training_set.ceiling).rank
        _raise(training_set, reason, count, document=document, deletion=deletion, by=by, may_suspend=not fits)


def _look_at(training_set: TrainingSet) -> int:
    """What became of a sealed set's answers and documents since, and of documents that nobody announced."""
    examples = training_set.examples.filter(dropped_at=None).order_by()
    taken = examples.exclude(answer__status__in=(*RELEASED, AnswerStatus.SUSPENDED)).count()
    made = int(_raise(training_set, FlagReason.TAKEN_BACK, taken) if taken else False)
    rests = Evidence.objects.filter(answer__in=examples.values("answer")).order_by()
    settled = training_set.flags.filter(reason=FlagReason.RESTRICTED).values("document")
    closed = Document.objects.filter(closed_to_some(), pk__in=rests.values("document"), deleted_at=None)
    for document in closed.exclude(pk__in=settled):
        held = Evidence.objects.filter(document=document, answer=OuterRef("answer"))
        count = examples.filter(Exists(held)).count()
        made += _raise(training_set, FlagReason.RESTRICTED, count, document=document)
    return made


def _raise(
    training_set: TrainingSet,
    reason: FlagReason,
    count: int,
    *,
    document: Document | None = None,
    deletion: Deletion | None = None,
    by: User | None = None,
    may_suspend: bool = True,
) -> bool:
    """Flag the set, unless it is flagged for exactly this; whether it is news."""
    known = TrainingFlag.objects.filter(training_set=training_set, reason=reason, document=document, deletion=deletion)
    if known.filter(settled_at=None).exists():
        return False
    # Answers that were taken back and decided about are no news until there are more of them.
    if reason == FlagReason.TAKEN_BACK and known.filter(examples__gte=count).exists():
        return False
    suspends = may_suspend and str(reason) in suspending(training_set.workspace)
    TrainingFlag.objects.create(
        training_set=training_set,
        reason=reason,
        document=document,
        deletion=deletion,
        examples=count,
        suspends=suspends,
        flagged_by=by,
    )
    models = take_out(training_set, EndpointState.CANDIDATE, reason, by=by) if suspends else 0
    managers = access.people_allowed(training_set.workspace, Action.MANAGE)
    notify(Kind.TRAINING_FLAGGED, to=managers, about=training_set, workspace=training_set.workspace, by=by)
    record(
        EventType.TRAINING_FLAGGED,
        on=training_set,
        workspace=training_set.workspace_id,
        by=by,
        because=str(reason),
        document=document.pk if document else None,
        examples=count,
        jobs=[str(pk) for pk in training_set.jobs.order_by("pk").values_list("pk", flat=True)],
        models_suspended=models,
    )
    return True


def _clear(flags: Sequence[TrainingFlag], *, workspace_id: UUID, by: User | None) -> None:
    TrainingFlag.objects.filter(pk__in=[flag.pk for flag in flags]).update(settled_at=timezone.now())
    if flags:
        entries = [
            Entry(EventType.TRAINING_CLEARED, flag.training_set, details={"document": flag.document_id})
            for flag in flags
        ]
        record_all(entries, workspace=workspace_id, by=by)


def answers_learnt_by(endpoint: ModelEndpoint) -> QuerySet[Answer]:
    """The answers a fine-tuned model was trained on."""
    sets = FineTuningJob.objects.filter(result=endpoint).values("training_set")
    learnt = TrainingExample.objects.filter(training_set__in=sets, dropped_at=None)
    return Answer.objects.filter(pk__in=learnt.order_by().values("answer"))


dependants.when_replaced.append(note_replaced)
dependants.when_raised.append(note_raised)
reminders.when_expired.append(note_expired)
objections.append(objection)
