"""All of fine-tuning that is due, what takes models out of use first; what fails keeps nothing else back."""

import logging
from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet

from answers.finetuning import building, comparing, following, tidying, watching
from answers.models import FineTuningJob, SetState, TrainingSet, TuningComparison

logger = logging.getLogger(__name__)

#: Rows of one kind in one sweep; the next sweep takes the rest. Of sealed sets all are looked at.
_MOST_AT_ONCE = 200


def sweep() -> None:
    """Flag sets, build those that wait, follow trainings that are due, tidy up after them, and compare.

    What went wrong is raised at the end, as one ExceptionGroup.
    """
    faults: list[Exception] = []
    for act, rows in _due():
        for pk in list(rows):
            try:
                act(pk)
            except Exception as fault:
                logger.exception("%s of %s failed", act.__name__, pk)
                faults.append(fault)
    if faults:
        raise ExceptionGroup(f"{len(faults)} things of fine-tuning failed", faults)


def _due() -> list[tuple[Callable[[UUID], Any], QuerySet[Any, UUID]]]:
    def ids(model: Any, which: Q) -> QuerySet[Any, UUID]:
        found: QuerySet[Any, UUID] = model.objects.filter(which).values_list("pk", flat=True)
        return found

    return [
        (watching.look, ids(TrainingSet, Q(state=SetState.SEALED))),
        (building.build, ids(TrainingSet, building.unheld())[:_MOST_AT_ONCE]),
        (following.follow, ids(FineTuningJob, following.due())[:_MOST_AT_ONCE]),
        (tidying.tidy, ids(FineTuningJob, tidying.due())[:_MOST_AT_ONCE]),
        (comparing.work, ids(TuningComparison, comparing.unheld())[:_MOST_AT_ONCE]),
    ]
