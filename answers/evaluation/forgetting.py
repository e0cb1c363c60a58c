"""What goes with an erased document: the words of cases that were taken from it, and the texts that rest on it.

Hashes, figures and the runs stay. A case that lost its words leaves the set: its next version is without it.
"""

from collections.abc import Sequence

from django.db.models import F, Q, QuerySet
from django.utils import timezone

from answers.evaluation.querysets import cases_in
from answers.evaluation.sets import sha256_of
from answers.models import CaseResult, QuestionCase, QuestionSet
from audit.events import EventType
from audit.record import record
from documents.deletion import dependants
from documents.deletion.telling import repeating, telling
from documents.models import Deletion


def erase(deletion: Deletion, phrases: Sequence[str], keeps_answers: bool) -> dict[str, int]:
    """Remove the texts of results, and the words of cases; counts of both."""
    rests = CaseResult.objects.filter(documents__contains=[deletion.document_id])
    if deletion.version_id is not None:
        rests = rests.filter(passages__contains=[{"version": str(deletion.version_id)}])
    texts = rests.exclude(text="").update(text="")
    return {"evaluation_texts": texts, "evaluation_cases": _erase_cases(deletion, telling(deletion, phrases))}


def _erase_cases(deletion: Deletion, told: Sequence[str]) -> int:
    goes = Q(pk__in=[]) if deletion.version_id is not None else Q(documents__contains=[deletion.document_id])
    goes |= repeating(("question",), told)
    for phrase in told:
        goes |= Q(facts__icontains=phrase) | Q(expected__icontains=phrase)
    of_workspace = QuestionCase.objects.filter(question_set__workspace=deletion.workspace_id, erased_at=None)
    rows: QuerySet[QuestionCase] = of_workspace.filter(goes)
    found = list(rows.order_by("pk").values_list("pk", "question_set"))
    QuestionCase.objects.filter(pk__in=[pk for pk, _set in found]).update(
        question="", facts=[], expected=[], erased_at=timezone.now()
    )
    for question_set in QuestionSet.objects.filter(pk__in={pk for _case, pk in found}).order_by("pk"):
        _leave(question_set)
    return len(found)


def _leave(question_set: QuestionSet) -> None:
    """Take what was erased out of the set's next version."""
    erased = question_set.cases.filter(until=None, erased_at__isnull=False)
    removed = erased.update(until=question_set.version + 1)
    if not removed:
        return
    QuestionSet.objects.filter(pk=question_set.pk).update(version=F("version") + 1)
    question_set.refresh_from_db(fields=["version"])
    record(
        EventType.QUESTION_SET_CHANGED,
        on=question_set,
        workspace=question_set.workspace_id,
        version=question_set.version,
        cases_sha256=sha256_of(cases_in(question_set, question_set.version)),
        added=0,
        replaced=0,
        removed=removed,
    )


# Nothing to close: a document that is deleted is open to nobody, and so are the texts that rest on it.
dependants.kinds.append(dependants.Kind(erase=erase))
