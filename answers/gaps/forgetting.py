"""What goes with an erased document: words of readers and managers that repeat it, and the vectors of questions that
were erased because they did. Hashes stay in the trail.
"""

from collections.abc import Sequence

from answers.gaps import meanings
from answers.meaning import asked_is_erased
from answers.models import ApprovedAnswer, Feedback, Gap, GapQuestion
from audit.events import EventType
from audit.record import record
from documents.deletion import dependants
from documents.deletion.telling import repeating, take_out, telling
from documents.models import Deletion


def erase(deletion: Deletion, phrases: Sequence[str], keeps_answers: bool) -> dict[str, int]:
    """Remove it; of questions that were erased, the vectors go too, since a vector tells what was asked."""
    workspace = deletion.workspace_id
    is_erased = asked_is_erased("answer")
    vectors = GapQuestion.objects.filter(is_erased, gap__workspace=workspace).exclude(vector=b"")
    gaps = Gap.objects.filter(pk__in=vectors.order_by().values("gap")).order_by("pk")
    held = [gap.pk for gap in gaps.select_for_update(no_key=True)]
    approved = ApprovedAnswer.objects.filter(is_erased, workspace=workspace).exclude(vector=b"")
    erased = vectors.filter(gap__in=held).update(vector=b"") + approved.update(vector=b"")
    meanings.renew(held)
    told = telling(deletion, phrases)
    if not told:
        return {"question_vectors": erased}
    words = Feedback.objects.filter(repeating(("words",), told), answer__workspace=workspace)
    said = take_out(words, "words", "")
    reasons = take_out(Gap.objects.filter(repeating(("reason",), told), workspace=workspace), "reason")
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


# A gap whose document goes stays closed; those who ask again are refused, and open another one.
dependants.kinds.append(dependants.Kind(erase=erase))
