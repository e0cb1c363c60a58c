"""What the questions of a gap mean on average, kept so that a new one is compared with gaps and not with all questions.

The vectors of questions have the length one, so the cosine with their mean is the mean of the cosines with each. It is
made anew from the questions wherever some leave, and nothing here is true that they do not say.
"""

from collections import defaultdict
from collections.abc import Iterable
from uuid import UUID

import numpy as np

from answers.meaning import Meaning
from answers.models import Gap, GapMeaning, GapQuestion

_FLOATS = "<f4"


def add(gap: Gap, meant: Meaning) -> None:
    """A question that means `meant` joined; the caller's transaction holds the gap."""
    if not meant.vector:
        return
    found = GapMeaning.objects.filter(gap=gap, space=meant.space).first()
    if found is None:
        GapMeaning.objects.create(gap=gap, space=meant.space, questions=1, vector=meant.vector)
        return
    mean, vector = (np.frombuffer(one, dtype=_FLOATS) for one in (bytes(found.vector), meant.vector))
    found.questions += 1
    found.vector = (mean + (vector - mean) / found.questions).astype(_FLOATS).tobytes()
    found.save(update_fields=["questions", "vector"])


def renew(gaps: Iterable[UUID]) -> None:
    """Questions left these gaps, or their vectors were erased; the caller's transaction holds the gaps."""
    ids = list(gaps)
    GapMeaning.objects.filter(gap__in=ids).delete()
    vectors: dict[tuple[UUID, str], list[np.ndarray]] = defaultdict(list)
    rows = GapQuestion.objects.filter(gap__in=ids).exclude(vector=b"").order_by("added_at")
    for gap, space, vector in rows.values_list("gap", "space", "vector"):
        vectors[gap, space].append(np.frombuffer(bytes(vector), dtype=_FLOATS))
    GapMeaning.objects.bulk_create(
        GapMeaning(
            gap_id=gap,
            space=space,
            questions=len(found),
            vector=np.mean(found, axis=0, dtype=np.float64).astype(_FLOATS).tobytes(),
        )
        for (gap, space), found in vectors.items()
    )
