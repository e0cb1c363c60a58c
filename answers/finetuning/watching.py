"""What happens to documents and answers that sealed sets contain: each act flags them in its own transaction.

A sweep flags what no single act tells of, and what an act could not see because the set was being sealed beside it.
"""

from collections.abc import Iterable
from uuid import UUID

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy

from answers.finetuning import changes
from answers.finetuning.flagging import clear, raise_flag
from answers.finetuning.sets import address
from answers.models import Evidence, FlagReason, SetState, TrainingExample, TrainingFlag, TrainingSet
from documents.cards import reminders
from documents.deletion import dependants
from documents.deletion.dependants import Resting
from documents.models import Deletion, Document, Version
from workspaces import access
from workspaces.classification import Classification
from workspaces.models import User


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
    rests = Q(document=deletion.document_id)
    if deletion.version_id:
        rests &= Q(version=deletion.version_id)
    _flag(rests, FlagReason.DELETED, deletion.document, deletion=deletion, by=deletion.deleted_by)


def note_restored(deletion: Deletion) -> None:
    """It is back: its open flags are over. Models that were taken out of use are approved anew by a person."""
    _clear(TrainingFlag.objects.filter(deletion=deletion), by=deletion.restored_by)


def note_replaced(version: Version) -> None:
    """Another version answers in place of `version`."""
    _flag(Q(version=version), FlagReason.REPLACED, version.document)


def note_expired(document: Document) -> None:
    """The document's last valid day is over."""
    _flag(Q(document=document), FlagReason.EXPIRED, document)


def note_valid_again(document: Document, by: User) -> None:
    """The document holds longer than it did: its open flags for that are over."""
    _clear(TrainingFlag.objects.filter(document=document, reason=FlagReason.EXPIRED), by=by)


def note_raised(document: Document, by: User) -> None:
    """The document is classified higher. It takes a model out of use where it is above the set's ceiling now."""
    level = Classification(document.classification)
    for training_set in _sets(Q(document=document)):
        count = _count(Q(document=document), training_set)
        above = level.rank > Classification(training_set.ceiling).rank
        raise_flag(training_set, FlagReason.RECLASSIFIED, count, document=document, by=by, may_suspend=above)


def note_usage(document: Document, by: User) -> None:
    """The document's usage rights were stated anew: sets that were not to contain such ones are flagged."""
    for training_set in _sets(Q(document=document)):
        if document.usage not in training_set.usages:
            count = _count(Q(document=document), training_set)
            raise_flag(training_set, FlagReason.USAGE, count, document=document, by=by)


def sweep() -> int:
    """Look at every sealed set; how many flags were raised."""
    sealed = TrainingSet.objects.filter(state=SetState.SEALED).values_list("pk", flat=True)
    return sum(look(pk) for pk in list(sealed))


@transaction.atomic
def look(set_id: UUID) -> int:
    """Flag what no single act told of a sealed set: documents closed to somebody since, answers taken back.

    How many flags were raised.
    """
    training_set = TrainingSet.objects.select_related("workspace").get(pk=set_id)
    made = 0
    for one in changes.unflagged(training_set):
        document = Document.objects.get(pk=one.document) if one.document else None
        made += raise_flag(training_set, one.reason, one.examples, document=document)
    return made


# --- Inside -------------------------------------------------------------------------------------------------


def _examples(rests: Q) -> QuerySet[TrainingExample]:
    """Examples of sealed sets whose answer's evidence is `rests`."""
    answers = Evidence.objects.filter(rests).order_by().values("answer")
    return TrainingExample.objects.filter(
        training_set__state=SetState.SEALED, dropped_at=None, answer__in=answers
    ).order_by()


def _containing(rests: Q) -> QuerySet[TrainingSet]:
    return TrainingSet.objects.filter(pk__in=_examples(rests).values("training_set"))


def _sets(rests: Q) -> QuerySet[TrainingSet]:
    # In one order, so that two acts that flag the same sets do not wait for one another in a circle.
    return _containing(rests).select_related("workspace").order_by("pk")


def _count(rests: Q, training_set: TrainingSet) -> int:
    return _examples(rests).filter(training_set=training_set).count()


def _flag(
    rests: Q, reason: FlagReason, document: Document, *, deletion: Deletion | None = None, by: User | None = None
) -> None:
    for training_set in _sets(rests):
        count = _count(rests, training_set)
        raise_flag(training_set, reason, count, document=document, deletion=deletion, by=by)


def _clear(flags: QuerySet[TrainingFlag], *, by: User | None) -> None:
    clear(list(flags.filter(settled_at=None).select_related("training_set").order_by("pk")), by=by)


dependants.when_replaced.append(note_replaced)
dependants.when_raised.append(note_raised)
dependants.when_valid_again.append(note_valid_again)
dependants.when_usage_stated.append(note_usage)
reminders.when_expired.append(note_expired)
