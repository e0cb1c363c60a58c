"""What people do with a training set: have it built, look it through, seal it, take a file of it away.

All of it is for who manages the workspace. A sealed set is exactly the bytes its manifest names, or it is not used.
"""

import hashlib
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from uuid import UUID

from django.db import transaction
from django.db.models import Q, QuerySet
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from answers.exceptions import TrainingError
from answers.finetuning import chat_format, exclusions, manifests
from answers.finetuning.building import line_of
from answers.models import Answer, SetState, Split, TrainingExample, TrainingFile, TrainingSet
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
MANIFEST = "manifest"


@dataclass(frozen=True, slots=True)
class Taken:
    """A file of a set as somebody takes it away."""

    name: str
    content: bytes
    content_type: str


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
        _tell(EventType.TRAINING_EXAMPLE_DROPPED, training_set, by, examples=count)
    return count


@transaction.atomic
def keep(training_set: TrainingSet, examples: Iterable[UUID], *, by: User) -> int:
    """Say that what looks like data of a person may stay in those that `by` may read; how many. Raises as `drop`."""
    chosen = _chosen(training_set, examples, by).filter(kept_at=None)
    found = dict(chosen.exclude(personal=[]).values_list("pk", "personal"))
    TrainingExample.objects.filter(pk__in=found).update(kept_at=timezone.now(), kept_by=by)
    if found:
        kinds = sorted({kind for each in found.values() for kind in each})
        _tell(EventType.TRAINING_EXAMPLE_KEPT, training_set, by, examples=len(found), kinds=kinds)
    return len(found)


@transaction.atomic
def seal(training_set: TrainingSet, *, by: User) -> TrainingSet:
    """Fix the bytes of the set and sign their manifest.

    Raises TrainingError where something was left undecided, stands no more, or no provider would take it.
    """
    training_set = _unsealed(training_set, by)
    examples = list(learnt(training_set))
    if undecided := sum(1 for one in examples if one.personal and one.kept_at is None):
        raise TrainingError(
            ngettext(
                "%(count)d example looks as if it held data of a person. Take it out or keep it.",
                "%(count)d examples look as if they held data of a person. Take them out or keep them.",
                undecided,
            )
            % {"count": undecided}
        )
    _require_standing(training_set, examples, by)
    contents = {split: _joined(training_set, examples, split) for split in Split}
    for split, content in contents.items():
        if content and (problems := chat_format.problems(content, fewest=_FEWEST[split])):
            raise TrainingError(" ".join([f"{split.label}:", *problems]))
    if not contents[Split.TRAIN]:
        raise TrainingError(_("No example is left to train on."))
    files = [
        TrainingFile(
            training_set=training_set,
            split=split,
            sha256=hashlib.sha256(content).hexdigest(),
            size=len(content),
            examples=content.count(b"\n"),
        )
        for split, content in contents.items()
        if content
    ]
    TrainingFile.objects.bulk_create(files)
    training_set.state, training_set.sealed_at, training_set.sealed_by = SetState.SEALED, timezone.now(), by
    training_set.manifest = manifests.sign(training_set, examples, files)
    training_set.save(update_fields=["state", "sealed_at", "sealed_by", "manifest"])
    _tell(
        EventType.TRAINING_SEALED,
        training_set,
        by,
        examples=len(examples),
        files={str(file.split): file.sha256 for file in files},
        manifest_sha256=digest(training_set.manifest),
    )
    return training_set


@transaction.atomic
def take(training_set: TrainingSet, what: str, *, by: User) -> Taken:
    """A file of the set, or its manifest, to take away; that it was is in the trail.

    Raises TrainingError for a set that is not sealed, that is in doubt, or of which a source is closed to `by`.
    """
    training_set = _locked(training_set, by)
    if training_set.state != SetState.SEALED:
        raise TrainingError(_("Only a sealed set can be taken away."))
    if what == MANIFEST:
        content, suffix, kind = training_set.manifest.encode(), "manifest.json", "application/json"
    else:
        require_usable(training_set)
        _require_open(training_set, by)
        content, suffix, kind = content_of(training_set, what), f"{what}.jsonl", "application/jsonl"
    sha256 = hashlib.sha256(content).hexdigest()
    _tell(EventType.TRAINING_EXPORTED, training_set, by, what=what, sha256=sha256)
    return Taken(f"training-set-{training_set.pk.hex[:8]}-{suffix}", content, kind)


def content_of(training_set: TrainingSet, split: str) -> bytes:
    """The bytes of a split as they were sealed. Raises TrainingError when they cannot be made again."""
    file = training_set.files.filter(split=split).first()
    if file is None:
        raise TrainingError(_("This set has no such file."))
    content = _joined(training_set, list(learnt(training_set)), split)
    if hashlib.sha256(content).hexdigest() != file.sha256:
        raise TrainingError(_("Examples of this set were erased: its file does not exist any more."))
    return content


def require_usable(training_set: TrainingSet) -> None:
    """Return if nothing the set contains is in doubt. Raises TrainingError."""
    if training_set.flags.filter(settled_at=None).exists():
        raise TrainingError(_("Something this set contains should not stand any more. Decide about its flags first."))
    if training_set.flags.filter(decision="retire").exists():
        raise TrainingError(_("It was decided that nothing is made of this set any more."))


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


# --- Inside -------------------------------------------------------------------------------------------------

#: A validation file may be short; some providers take none below this.
_FEWEST = {Split.TRAIN: chat_format.FEWEST, Split.VALIDATION: 1}


def _joined(training_set: TrainingSet, examples: list[TrainingExample], split: str) -> bytes:
    return b"".join(line_of(training_set, one) for one in examples if one.split == split)


def _require_standing(training_set: TrainingSet, examples: list[TrainingExample], by: User) -> None:
    rules = exclusions.Rules(training_set.ceiling, training_set.usages)
    ids = [example.answer_id for example in examples]
    still = exclusions.approved_in(training_set.workspace).filter(pk__in=ids)
    hashes = dict(still.order_by().values_list("pk", "released_sha256"))
    gone = {one.answer_id for one in examples if hashes.get(one.answer_id) != one.released_sha256}
    gone |= set(exclusions.refusals_of(still, rules, by=by))
    if gone:
        raise TrainingError(
            ngettext(
                "%(count)d answer may not be learnt from any more since the set was built. Build it anew.",
                "%(count)d answers may not be learnt from any more since the set was built. Build it anew.",
                len(gone),
            )
            % {"count": len(gone)}
        )


def _require_open(training_set: TrainingSet, by: User) -> None:
    answers = Answer.objects.filter(pk__in=learnt(training_set).order_by().values("answer"))
    if answers.filter(~Q(rests_on_open(by, "pk"))).exists():
        raise TrainingError(_("It contains answers whose sources are not all open to you."))


def _locked(training_set: TrainingSet, by: User) -> TrainingSet:
    rows = TrainingSet.objects.select_for_update(of=("self",), no_key=True).select_related("workspace")
    held = rows.get(pk=training_set.pk)
    access.require(by, Action.MANAGE, held)
    return held


def _unsealed(training_set: TrainingSet, by: User) -> TrainingSet:
    held = _locked(training_set, by)
    if held.state != SetState.BUILT:
        raise TrainingError(
            _("This set is not to be looked through: it is “%(state)s”.") % {"state": held.get_state_display()}
        )
    return held


def _chosen(training_set: TrainingSet, examples: Iterable[UUID], by: User) -> QuerySet[TrainingExample]:
    opened = examples_shown(_unsealed(training_set, by), to=by).order_by()
    return opened.filter(pk__in=list(examples), dropped_at=None)


def _tell(event: EventType, training_set: TrainingSet, by: User, **details: object) -> None:
    record(event, on=training_set, workspace=training_set.workspace_id, by=by, **details)


access.guard(TrainingSet, visible=sets_open_to, workspace_of=lambda training_set: training_set.workspace)
describe(
    TrainingSet,
    name=lambda training_set: training_set.name or _("A training set"),
    address=address,
    prepared=lambda rows: rows.select_related("workspace"),
)
