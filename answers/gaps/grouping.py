"""Put a question into the gap whose questions mean the same, or into one of its own.

Questions are compared by their vectors where the workspace's model reads their language, and by their words of content
where it does not: Serbian in both scripts meets, Serbian and English do not. Threads that join at the same moment may
open two gaps of one meaning; a person can merge them.
"""

from collections import defaultdict
from collections.abc import Sequence
from typing import TypeVar
from uuid import UUID

from django.db.models import QuerySet

from answers.meaning import Meaning, asked, meaning_of, shared_words
from answers.models import UNSETTLED, Answer, Gap, GapCause, GapQuestion
from audit.events import EventType
from audit.record import record

#: The mean cosine with a gap's questions from which a question joins it, and the share of words where no vector says
#: what it means. Measured with tests/bench/quality/gaps.py.
LEAST_COSINE = 0.7
LEAST_WORDS = 0.5
#: Questions of unsettled gaps that one is compared with, the newest first.
_COMPARED = 5000

Gaps = TypeVar("Gaps", UUID, int)


def meaning(answer: Answer) -> Meaning:
    """What the answer was asked, as it is compared; made before the transaction, since a server may make it."""
    return meaning_of(asked(answer), answer.question.language, answer.workspace_id)


def put(answer: Answer, cause: GapCause, meant: Meaning) -> GapQuestion:
    """The answer's place in a gap, made if it has none. Runs in the caller's transaction."""
    found = GapQuestion.objects.filter(answer=answer).select_related("gap").first()
    if found is not None:
        return found
    gap = nearest(answer, meant)
    if gap is None:
        gap = Gap.objects.create(workspace=answer.workspace)
        record(EventType.GAP_OPENED, on=gap, workspace=answer.workspace_id, answer=answer.pk, cause=cause)
    placed, _made = GapQuestion.objects.get_or_create(
        answer=answer,
        defaults={
            "gap": gap,
            "asker_id": answer.asked_by_id,
            "cause": cause,
            "vector": meant.vector,
            "space": meant.space,
        },
    )
    return placed


def nearest(answer: Answer, meant: Meaning) -> Gap | None:
    """The unsettled gap whose questions are nearest, if any is near enough."""
    known = GapQuestion.objects.filter(gap__workspace=answer.workspace_id, gap__state__in=UNSETTLED)
    gap_id = _by_vector(known, meant) if meant.vector else _by_words(known, answer)
    return Gap.objects.filter(pk=gap_id).first() if gap_id else None


def _by_vector(known: QuerySet[GapQuestion], meant: Meaning) -> UUID | None:
    rows = list(known.filter(space=meant.space).order_by("-added_at").values_list("gap", "vector")[:_COMPARED])
    rows = [row for row in rows if len(row[1]) == len(meant.vector)]
    if not rows:
        return None
    cosines = meant.cosines([bytes(vector) for _gap, vector in rows])
    return best_of([gap for gap, _vector in rows], cosines.tolist(), LEAST_COSINE)


def _by_words(known: QuerySet[GapQuestion], answer: Answer) -> UUID | None:
    rows = list(known.filter(vector=b"").select_related("answer__question").order_by("-added_at")[:_COMPARED])
    text = asked(answer)
    return best_of([row.gap_id for row in rows], [shared_words(text, asked(row.answer)) for row in rows], LEAST_WORDS)


def best_of(gaps: Sequence[Gaps], nearness: Sequence[float], least: float) -> Gaps | None:
    """Of gaps, one for each question, the one whose questions are nearest on average, if at least so near.

    One near question alone would chain everything together.
    """
    together: dict[Gaps, list[float]] = defaultdict(list)
    for gap, near in zip(gaps, nearness, strict=True):
        together[gap].append(near)
    means = {gap: sum(near) / len(near) for gap, near in together.items()}
    best = max(means, key=means.__getitem__, default=None)
    return best if best is not None and means[best] >= least else None
