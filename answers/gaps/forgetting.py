"""What goes with an erased document: words of readers and managers that repeat it, and the vectors of questions that
were erased because they did. Hashes stay in the trail.
"""

from collections.abc import Iterable, Sequence
from functools import reduce
from operator import or_
from typing import Any

from django.db.models import Q

from answers.meaning import asked_is_erased
from answers.models import ApprovedAnswer, Feedback, Gap, GapQuestion
from answers.staleness import ERASED
from audit.chain import digest
from audit.events import EventType
from audit.record import record
from documents import dependants
from documents.dependants import Resting
from documents.models import Deletion, Document
from documents.telling import telling
from workspaces.models import User


def erase(deletion: Deletion, phrases: Sequence[str], keeps_answers: bool) -> dict[str, int]:
    """Remove it; of questions that were erased, the vectors go too, since a vector tells what was asked."""
    workspace = deletion.workspace_id
    is_erased = asked_is_erased("answer")
    vectors = GapQuestion.objects.filter(is_erased, gap__workspace=workspace).exclude(vector=b"")
    meanings = ApprovedAnswer.objects.filter(is_erased, workspace=workspace).exclude(vector=b"")
    erased = vectors.update(vector=b"") + meanings.update(vector=b"")
    told = telling(deletion, phrases)
    if not told:
        return {"question_vectors": erased}
    said = _forget(Feedback, "words", "", told, answer__workspace=workspace)
    reasons = _forget(Gap, "reason", ERASED, told, workspace=workspace)
    if said or reasons:
        record(
            EventType.REPETITIONS_ERASED,
            on=deletion.document,
            workspace=workspace,
            deletion=deletion.pk,
            questions={},
            reasons=said | reasons,
        )
    return {"question_vectors": erased, "feedback": len(said) + len(reasons)}


def _forget(model: Any, field: str, left: str, phrases: Sequence[str], **where: Any) -> dict[str, str]:
    """Put `left` in the place of what repeats a phrase; the id of each row, and the hash of what it was."""
    repeats = reduce(or_, (Q(**{f"{field}__contains": phrase}) for phrase in phrases))
    rows = model.objects.filter(repeats, **where).select_for_update(of=("self",), no_key=True).order_by("pk")
    found = dict(rows.values_list("pk", field))
    model.objects.filter(pk__in=found).update(**{field: left})
    return {str(pk): digest(text) for pk, text in found.items()}


def _nothing_told(document: Document, by: User) -> Iterable[Resting]:
    """Nothing of this rests on a document."""
    return ()


def _nothing_done(deletion: Deletion) -> None:
    """A gap whose document goes stays closed; those who ask again are refused, and open another one."""


dependants.kinds.append(dependants.Kind(told=_nothing_told, close=_nothing_done, reopen=_nothing_done, erase=erase))
