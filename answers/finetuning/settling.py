"""What people decide about flags of training sets, and what takes models out of use by itself."""

from collections.abc import Iterable

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from answers.exceptions import TrainingError
from answers.finetuning.flagging import suspending, take_out
from answers.finetuning.sets import sets_open_to
from answers.models import FlagDecision, FlagReason, TrainingFlag, TrainingRules
from audit.events import EventType
from audit.record import record
from workspaces import access
from workspaces.endpoints.base import EndpointState
from workspaces.models import User, Workspace
from workspaces.roles import Action

MAX_NOTE = 300


@transaction.atomic
def settle(flag: TrainingFlag, *, decision: str, note: str, by: User) -> TrainingFlag:
    """Decide about a flag: the models may be approved again, or are retired; with the reason.

    Raises Hidden or Forbidden as access does, and TrainingError without a reason and for a flag that is settled.
    """
    rows = TrainingFlag.objects.select_for_update(of=("self",), no_key=True)
    flag = rows.select_related("training_set__workspace").get(pk=flag.pk)
    access.require(by, Action.MANAGE, flag.training_set)
    note = " ".join(note.replace("\0", "").split())
    if flag.settled_at is not None:
        raise TrainingError(_("Somebody was faster: this flag is settled."))
    if decision not in FlagDecision.values or not note or len(note) > MAX_NOTE:
        raise TrainingError(
            _("Choose what becomes of the models, and say why in at most %(limit)d characters.") % {"limit": MAX_NOTE}
        )
    flag.decision, flag.note, flag.settled_at, flag.settled_by = decision, note, timezone.now(), by
    flag.save(update_fields=["decision", "note", "settled_at", "settled_by"])
    if decision == FlagDecision.RETIRE:
        take_out(flag.training_set, EndpointState.RETIRED, flag.reason, by=by)
    record(
        EventType.TRAINING_SETTLED,
        on=flag.training_set,
        workspace=flag.training_set.workspace_id,
        by=by,
        because=flag.reason,
        document=flag.document_id,
        decision=decision,
    )
    return flag


@transaction.atomic
def change_rules(workspace: Workspace, *, suspends_on: Iterable[str], by: User) -> TrainingRules:
    """Choose what takes a model out of use by itself. Raises TrainingError for an unknown reason."""
    access.require(by, Action.MANAGE, workspace)
    after = sorted(set(suspends_on))
    if not set(after) <= set(FlagReason.values):
        raise TrainingError(_("Choose from the reasons."))
    before = suspending(workspace)
    rules, _made = TrainingRules.objects.update_or_create(workspace=workspace, defaults={"suspends_on": after})
    if before != after:
        record(EventType.TRAINING_RULES_CHANGED, on=workspace, by=by, before={"on": before}, after={"on": after})
    return rules


def flags_open_to(user: User) -> QuerySet[TrainingFlag]:
    """The flags of the workspaces that `user` manages."""
    return TrainingFlag.objects.filter(training_set__in=sets_open_to(user))


access.guard(TrainingFlag, visible=flags_open_to, workspace_of=lambda flag: flag.training_set.workspace)
