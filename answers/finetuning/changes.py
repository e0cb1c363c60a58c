"""What a sealed set contains that may not be learnt from any more, as the rows are now.

Acts flag sets in their own transaction (watching.py). This is asked before a file leaves, so that nothing depends on a
flag having come in time, and by the sweep, so that what no act told of is flagged all the same.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Q, QuerySet

from answers.finetuning.exclusions import closed_to_some
from answers.finetuning.sets import learnt
from answers.models import Evidence, FlagReason, TrainingExample, TrainingSet
from answers.states import RELEASED, AnswerStatus
from documents.models import Document
from documents.states import VersionState
from workspaces.classification import Classification


@dataclass(frozen=True, slots=True)
class Change:
    """What changed, in which document (None: answers were taken back), and how many examples rest on it."""

    reason: FlagReason
    document: UUID | None
    examples: int


def now(training_set: TrainingSet) -> list[Change]:
    """Everything of the set that no set could be built of now, whether or not anybody decided about it."""
    examples = learnt(training_set).order_by()
    found = []
    if taken := _taken_back(examples).count():
        found.append(Change(FlagReason.TAKEN_BACK, None, taken))
    evidence = Evidence.objects.filter(answer__in=examples.values("answer")).order_by()
    resting: dict[UUID, set[UUID]] = defaultdict(set)
    in_deleted: set[UUID] = set()
    for document, answer, state in evidence.values_list("document", "answer", "version__state").distinct():
        resting[document].add(answer)
        if state == VersionState.DELETED:
            in_deleted.add(document)
    rows = Document.objects.filter(pk__in=resting).annotate(is_closed=Q(closed_to_some())).order_by("pk")
    for row in rows.values_list("pk", "deleted_at", "classification", "usage", "is_closed"):
        pk, deleted_at, classification, usage, is_closed = row
        gone = deleted_at is not None or pk in in_deleted
        reasons = _reasons(training_set, classification, usage, is_gone=gone, is_closed=is_closed)
        found += [Change(reason, pk, len(resting[pk])) for reason in reasons]
    return found


def unflagged(training_set: TrainingSet) -> list[Change]:
    """Of these, what nobody was told of: no flag of that reason is open, or was decided about."""
    open_or_decided = training_set.flags.filter(Q(settled_at=None) | ~Q(decision=""))
    told = set(open_or_decided.values_list("reason", "document"))
    # Of answers that were taken back there may be more by now; flagging counts them.
    return [one for one in now(training_set) if one.document is None or (one.reason, one.document) not in told]


def doubted(training_set: TrainingSet) -> set[UUID]:
    """The answers of the set that a flag is about which nobody decided about yet."""
    flags = training_set.flags.filter(settled_at=None)
    examples = learnt(training_set).order_by()
    evidence = Evidence.objects.filter(document__in=flags.values("document"), answer__in=examples.values("answer"))
    found = set(evidence.order_by().values_list("answer", flat=True))
    if flags.filter(reason=FlagReason.TAKEN_BACK).exists():
        found |= set(_taken_back(examples).values_list("answer", flat=True))
    return found


def _taken_back(examples: QuerySet[TrainingExample]) -> QuerySet[TrainingExample]:
    return examples.exclude(answer__status__in=(*RELEASED, AnswerStatus.SUSPENDED))


def _reasons(
    training_set: TrainingSet, classification: str, usage: str, *, is_gone: bool, is_closed: bool
) -> Iterator[FlagReason]:
    if is_gone:
        yield FlagReason.DELETED
    if Classification(classification).rank > Classification(training_set.ceiling).rank:
        yield FlagReason.RECLASSIFIED
    if is_closed:
        yield FlagReason.RESTRICTED
    if usage not in training_set.usages:
        yield FlagReason.USAGE
