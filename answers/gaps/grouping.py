"""Put a question into the gap whose questions mean the same, or into one of its own.

Questions are compared by their vectors where the workspace's model reads their language, and by their words of content
where it does not: Serbian in both scripts meets, Serbian and English do not. Threads that join at the same moment may
open two gaps of one meaning; a person can merge them.
"""

from collections import defaultdict
from collections.abc import Sequence
from typing import TypeVar
from uuid import UUID

from answers.gaps import meanings
from answers.meaning import Meaning, asked, meaning_of, shared_words
from answers.models import UNSETTLED, Answer, Evidence, Gap, GapCause, GapMeaning, GapQuestion
from answers.models.evidence import FIRST_INHERITED
from audit.events import EventType
from audit.record import record

#: The mean cosine with a gap's questions from which a question joins it, and the share of words where no vector says
#: what it means. Measured with tests/bench/quality/gaps.py.
LEAST_COSINE = 0.7
LEAST_WORDS = 0.5
#: Unsettled gaps that a question is compared with, or questions of such where words decide, the newest first.
_COMPARED = 5000

Gaps = TypeVar("Gaps", UUID, int)


def meaning(answer: Answer) -> Meaning:
    """What the answer was asked, as it is compared; made before the transaction, since a server may make it."""
    return meaning_of(_compared_as(answer), answer.question.language, answer.workspace_id, answer=answer.pk)


def put(answer: Answer, cause: GapCause, meant: Meaning) -> GapQuestion:
    """The answer's place in a gap, made if it has none. Runs in the caller's transaction."""
    found = GapQuestion.objects.filter(answer=answer).select_related("gap").first()
    if found is not None:
        return found
    gap = nearest(answer, meant)
    if gap is None:
        gap = Gap.objects.create(workspace=answer.workspace)
        record(EventType.GAP_OPENED, on=gap, workspace=answer.workspace_id, answer=answer.pk, cause=cause)
    placed, is_new = GapQuestion.objects.get_or_create(
        answer=answer,
        defaults={
            "gap": gap,
            "asker_id": answer.asked_by_id,
            "cause": cause,
            "vector": meant.vector,
            "space": meant.space,
        },
    )
    if is_new:
        meanings.add(gap, meant)
    return placed


def nearest(answer: Answer, meant: Meaning) -> Gap | None:
    """The unsettled gap whose questions are nearest, if any is near enough."""
    gap_id = _by_vector(answer.workspace_id, meant) if meant.vector else _by_words(answer)
    # Held, so that nobody settles it or puts it elsewhere while the question joins: its asker would never be told.
    rows = Gap.objects.select_for_update(no_key=True).filter(pk=gap_id, state__in=UNSETTLED)
    return rows.first() if gap_id else None


def _by_vector(workspace: UUID, meant: Meaning) -> UUID | None:
    known = GapMeaning.objects.filter(gap__workspace=workspace, gap__state__in=UNSETTLED, space=meant.space)
    rows = list(known.order_by("-gap__opened_at").values_list("gap", "vector")[:_COMPARED])
    if not rows:
        return None
    cosines = meant.cosines([bytes(vector) for _gap, vector in rows])
    return best_of([gap for gap, _vector in rows], cosines.tolist(), LEAST_COSINE)


def _by_words(answer: Answer) -> UUID | None:
    known = GapQuestion.objects.filter(gap__workspace=answer.workspace_id, gap__state__in=UNSETTLED)
    rows = list(known.filter(vector=b"").select_related("answer__question").order_by("-added_at")[:_COMPARED])
    inherits = Evidence.objects.filter(answer__in=[row.answer_id for row in rows], rank__gte=FIRST_INHERITED)
    closed = set(inherits.order_by().values_list("answer", flat=True))
    own = [row.answer.question.text if row.answer_id in closed else asked(row.answer) for row in rows]
    text = _compared_as(answer)
    return best_of([row.gap_id for row in rows], [shared_words(text, one) for one in own], LEAST_WORDS)


def _compared_as(answer: Answer) -> str:
    """What it was asked; of a follow-up into which a model put something of an earlier answer, the asker's own words.

    A gap tells who may not open that answer's sources what its questions are near to.
    """
    inherits = answer.asked_as and answer.evidence.filter(rank__gte=FIRST_INHERITED).exists()
    return answer.question.text if inherits else asked(answer)


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
