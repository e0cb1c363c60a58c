"""What people do with a training set until it is sealed: have it built, look it through, take out or keep examples.

All of it is for who manages the workspace.
"""

from collections.abc import Collection, Iterable
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from answers.exceptions import TrainingError
from answers.models import SetState, TrainingExample, TrainingSet
from answers.querysets import rests_on_open
from audit.chain import digest
from audit.events import EventType
from audit.record import record
from documents.models import UsageRight
from workspaces import access
from workspaces.classification import Classification
from workspaces.models import User, Workspace
from workspaces.notifications.registry import describe
from workspaces.roles import Action

MAX_NAME, MAX_INSTRUCTIONS = 120, 2000
#: Usage rights that may be chosen: what nobody stated, or what is reserved, is never learnt from.
LEARNABLE = (UsageRight.OWN, UsageRight.OPEN, UsageRight.LICENSED)


@transaction.atomic
def ask(
    workspace: Workspace,
    *,
    name: str,
    ceiling: str,
    usages: Collection[str],
    validation_percent: int,
    instructions: str = "",
    by: User,
) -> TrainingSet:
    """Have a set built from the approved answers that stand now. Raises TrainingError for what cannot be chosen."""
    access.require(by, Action.MANAGE, workspace)
    name, instructions = " ".join(name.replace("\0", "").split()), instructions.replace("\0", "").strip()
    if not name or len(name) > MAX_NAME or len(instructions) > MAX_INSTRUCTIONS:
        raise TrainingError(_("Give it a name of at most %(limit)d characters.") % {"limit": MAX_NAME})
    if ceiling not in Classification.values or not usages or not set(usages) <= set(LEARNABLE):
        raise TrainingError(_("Choose a classification, and at least one of the usage rights that allow training."))
    if not 0 <= validation_percent <= 50:
        raise TrainingError(_("Keep at most half of the examples for validation."))
    training_set = TrainingSet.objects.create(
        workspace=workspace,
        name=name,
        ceiling=ceiling,
        usages=sorted(usages),
        validation_percent=validation_percent,
        instructions=instructions,
        asked_by=by,
    )
    record(
        EventType.TRAINING_ASKED,
        on=training_set,
        workspace=workspace,
        by=by,
        ceiling=ceiling,
        usages=sorted(usages),
        validation_percent=validation_percent,
        instructions_sha256=digest(instructions) if instructions else "",
    )
    return training_set


@transaction.atomic
def drop(training_set: TrainingSet, examples: Iterable[UUID], *, by: User) -> int:
    """Take those out that `by` may read, before the set is sealed; how many. Raises TrainingError once it is."""
    chosen = _chosen(training_set, examples, by)
    count = chosen.update(dropped_at=timezone.now(), dropped_by=by, kept_at=None, kept_by=None)
    if count:
        tell(EventType.TRAINING_EXAMPLE_DROPPED, training_set, by, examples=count)
    return count


@transaction.atomic
def keep(training_set: TrainingSet, examples: Iterable[UUID], *, by: User) -> int:
    """Say that what looks like data of a person may stay in those that `by` may read; how many. Raises as `drop`."""
    chosen = _chosen(training_set, examples, by).filter(kept_at=None)
    found = dict(chosen.exclude(personal=[]).values_list("pk", "personal"))
    TrainingExample.objects.filter(pk__in=found).update(kept_at=timezone.now(), kept_by=by)
    if found:
        kinds = sorted({kind for each in found.values() for kind in each})
        tell(EventType.TRAINING_EXAMPLE_KEPT, training_set, by, examples=len(found), kinds=kinds)
    return len(found)


def learnt(training_set: TrainingSet) -> QuerySet[TrainingExample]:
    """The examples that were not taken out, in the order of their lines."""
    return training_set.examples.filter(dropped_at=None).order_by("position")


def examples_shown(training_set: TrainingSet, *, to: User) -> QuerySet[TrainingExample]:
    """The examples whose every source `to` may open now."""
    return training_set.examples.filter(rests_on_open(to, "answer")).order_by("position")


def sets_open_to(user: User) -> QuerySet[TrainingSet]:
    """The training sets of the workspaces that `user` manages."""
    return TrainingSet.objects.filter(access.where_allowed(user, Action.MANAGE))


def address(training_set: TrainingSet) -> str:
    """Its page."""
    return reverse("answers:training_set", kwargs={"slug": training_set.workspace.slug, "pk": training_set.pk})


def locked(training_set: TrainingSet, *, by: User) -> TrainingSet:
    """The row as it is now, held to the end of the transaction. Raises Hidden or Forbidden."""
    rows = TrainingSet.objects.select_for_update(of=("self",), no_key=True).select_related("workspace")
    held = rows.get(pk=training_set.pk)
    access.require(by, Action.MANAGE, held)
    return held


def unsealed(training_set: TrainingSet, *, by: User) -> TrainingSet:
    """The same of a set that is to be looked through. Raises TrainingError for one that is not."""
    held = locked(training_set, by=by)
    if held.state != SetState.BUILT:
        raise TrainingError(
            _("This set is not to be looked through: it is “%(state)s”.") % {"state": held.get_state_display()}
        )
    return held


def tell(event: EventType, training_set: TrainingSet, by: User, **details: object) -> None:
    """An entry about the set."""
    record(event, on=training_set, workspace=training_set.workspace_id, by=by, **details)


# --- Inside -------------------------------------------------------------------------------------------------


def _chosen(training_set: TrainingSet, examples: Iterable[UUID], by: User) -> QuerySet[TrainingExample]:
    opened = examples_shown(unsealed(training_set, by=by), to=by).order_by()
    return opened.filter(pk__in=list(examples), dropped_at=None)


access.guard(TrainingSet, visible=sets_open_to, workspace_of=lambda training_set: training_set.workspace)
describe(
    TrainingSet,
    name=lambda training_set: training_set.name or _("A training set"),
    address=address,
    prepared=lambda rows: rows.select_related("workspace"),
)
