"""Put sealed sets in doubt, with the files, jobs and models made of them, and take the models out of use.

A flag is written in the transaction of the change, and the models are taken out of use in it where the workspace's
rules say so. They stay candidates until a person has decided about every flag and another one approves them anew.
"""

from collections.abc import Sequence
from uuid import UUID

from django.utils import timezone
from django.utils.translation import gettext as _

from answers.governing import homes
from answers.models import (
    EndpointKind,
    FineTuningJob,
    FlagDecision,
    FlagReason,
    ModelEndpoint,
    TrainingFlag,
    TrainingRules,
    TrainingSet,
)
from audit.events import EventType
from audit.record import Entry, record, record_all
from documents.models import Deletion, Document
from workspaces import access
from workspaces.endpoints.base import USABLE_STATES, EndpointState, GovernedEndpoint
from workspaces.endpoints.states import objections
from workspaces.models import User, Workspace
from workspaces.notifications import notify
from workspaces.notifications.registry import Kind
from workspaces.roles import Action

#: Where the workspace chose nothing. A newer version or a passed day does not make what was learnt untrue by itself.
SUSPENDS_ON = (
    FlagReason.DELETED,
    FlagReason.RECLASSIFIED,
    FlagReason.RESTRICTED,
    FlagReason.USAGE,
    FlagReason.TAKEN_BACK,
)


def suspending(workspace: Workspace | UUID) -> list[str]:
    """The reasons that take a model out of use there, sorted."""
    rules = TrainingRules.objects.filter(workspace=workspace).first()
    return sorted(rules.suspends_on if rules else map(str, SUSPENDS_ON))


def raise_flag(
    training_set: TrainingSet,
    reason: FlagReason,
    count: int,
    *,
    document: Document | None = None,
    deletion: Deletion | None = None,
    by: User | None = None,
    may_suspend: bool = True,
) -> bool:
    """Flag the set for `count` of its examples, inside the caller's transaction; whether that is news.

    A flag that stands open for exactly this is not raised twice; but where it let the models be and this one does not,
    they are taken out of use now.
    """
    TrainingSet.objects.select_for_update(of=("self",), no_key=True).get(pk=training_set.pk)
    known = TrainingFlag.objects.filter(training_set=training_set, reason=reason, document=document, deletion=deletion)
    suspends = may_suspend and str(reason) in suspending(training_set.workspace)
    if flag := known.filter(settled_at=None).first():
        if not suspends or flag.suspends:
            return False
        flag.suspends = True
        flag.save(update_fields=["suspends"])
    # Answers that were taken back and decided about are no news until there are more of them.
    elif reason == FlagReason.TAKEN_BACK and known.filter(examples__gte=count).exists():
        return False
    else:
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


def clear(flags: Sequence[TrainingFlag], *, by: User | None) -> None:
    """What these flags of one workspace were raised for is over."""
    if not flags:
        return
    TrainingFlag.objects.filter(pk__in=[flag.pk for flag in flags]).update(settled_at=timezone.now())
    entries = [
        Entry(EventType.TRAINING_CLEARED, flag.training_set, details={"document": flag.document_id}) for flag in flags
    ]
    record_all(entries, workspace=flags[0].training_set.workspace_id, by=by)


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


def objection(endpoint: GovernedEndpoint) -> str:
    """Why a fine-tuned model may not be approved now, as a sentence; "" if nothing its set contains is in doubt."""
    if not isinstance(endpoint, ModelEndpoint) or endpoint.kind != EndpointKind.OPENAI:
        return ""
    job = FineTuningJob.objects.filter(result=endpoint.pk).first()
    if job is None and homes.is_trained(endpoint):
        return _("This model was trained here: approve the endpoint that its training entered.")
    if job is None:
        return ""
    flags = TrainingFlag.objects.filter(training_set=job.training_set_id)
    if flags.filter(settled_at=None).exists():
        return _("Something this model learnt should not stand any more. A manager of its workspace decides first.")
    if flags.filter(decision=FlagDecision.RETIRE).exists():
        return _("It was decided that the models of this training set are retired.")
    return ""


objections.append(objection)
