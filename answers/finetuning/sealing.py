"""Seal a training set, and take a file of it away. It is exactly the bytes its manifest names, or it is not used.

All of it is for who manages the workspace.
"""

import hashlib
from dataclasses import dataclass

from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from answers.exceptions import TrainingError
from answers.finetuning import changes, chat_format, exclusions, manifests, sets
from answers.finetuning.building import line_of
from answers.models import Answer, SetState, Split, TrainingExample, TrainingFile, TrainingSet
from answers.querysets import rests_on_open
from audit.chain import digest
from audit.events import EventType
from workspaces.models import User

MANIFEST = "manifest"


@dataclass(frozen=True, slots=True)
class Taken:
    """A file of a set as somebody takes it away."""

    name: str
    content: bytes
    content_type: str


@transaction.atomic
def seal(training_set: TrainingSet, *, by: User) -> TrainingSet:
    """Fix the bytes of the set and sign their manifest.

    Raises TrainingError where something was left undecided, stands no more, or no provider would take it.
    """
    training_set = sets.unsealed(training_set, by=by)
    examples = list(sets.learnt(training_set))
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
    sets.tell(
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
    training_set = sets.locked(training_set, by=by)
    if training_set.state != SetState.SEALED:
        raise TrainingError(_("Only a sealed set can be taken away."))
    if what == MANIFEST:
        content, suffix, kind = training_set.manifest.encode(), "manifest.json", "application/json"
    else:
        require_usable(training_set)
        _require_open(training_set, by)
        content, suffix, kind = content_of(training_set, what), f"{what}.jsonl", "application/jsonl"
    sha256 = hashlib.sha256(content).hexdigest()
    sets.tell(EventType.TRAINING_EXPORTED, training_set, by, what=what, sha256=sha256)
    return Taken(f"training-set-{training_set.pk.hex[:8]}-{suffix}", content, kind)


def content_of(training_set: TrainingSet, split: str) -> bytes:
    """The bytes of a split as they were sealed. Raises TrainingError when they cannot be made again."""
    file = training_set.files.filter(split=split).first()
    if file is None:
        raise TrainingError(_("This set has no such file."))
    content = _joined(training_set, list(sets.learnt(training_set)), split)
    if hashlib.sha256(content).hexdigest() != file.sha256:
        raise TrainingError(_("Examples of this set were erased: its file does not exist any more."))
    return content


def why_not(training_set: TrainingSet) -> str:
    """Why no file of the set leaves now, as a sentence; "" if it may."""
    try:
        require_usable(training_set)
    except TrainingError as error:
        return str(error)
    return ""


def require_usable(training_set: TrainingSet) -> None:
    """Return if everything the set contains may be learnt from now. Raises TrainingError.

    A decision about a flag is about models: no file leaves while what it was raised for still holds.
    """
    if training_set.flags.filter(settled_at=None).exists():
        raise TrainingError(_("Something this set contains should not stand any more. Decide about its flags first."))
    if training_set.flags.filter(decision="retire").exists():
        raise TrainingError(_("It was decided that nothing is made of this set any more."))
    if changes.now(training_set):
        raise TrainingError(_("Something this set contains may not be learnt from any more. Build a new one."))


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
    answers = Answer.objects.filter(pk__in=sets.learnt(training_set).order_by().values("answer"))
    if answers.filter(~Q(rests_on_open(by, "pk"))).exists():
        raise TrainingError(_("It contains answers whose sources are not all open to you."))
