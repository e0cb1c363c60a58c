"""Compare a model that was trained here: the model it was made of with retrieval, the trained one alone, and both.

Two of the three are runs of a question set like any other. The third asks the trained model what its examples asked
it, the question alone: it sees no passage, cites nothing, and what it writes is measured and not kept.
"""

import logging
from datetime import timedelta
from time import monotonic
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext as _

from answers import governing
from answers.evaluation import runs, scoring
from answers.evaluation.figures import CLOSED
from answers.evaluation.querysets import cases_in, readable
from answers.exceptions import EndpointError, LeaseLost, ModelFailed, ModelRefused, TrainingError
from answers.models import (
    CaseResult,
    FineTuningJob,
    ModelEndpoint,
    Purpose,
    QuestionCase,
    QuestionSet,
    TuningComparison,
)
from answers.prompts import Prompt
from answers.states import AnswerStatus
from audit import context
from audit.events import EventType
from audit.record import record
from workspaces import access
from workspaces.endpoints.base import EndpointState
from workspaces.models import User
from workspaces.roles import Action

logger = logging.getLogger(__name__)

MOST_ATTEMPTS = 500
#: A sweep asks so long at most, so that trainings beside it are followed.
SLICE_SECONDS = 20.0
#: What keeps one question from a model; everything else that is refused keeps them all.
_OF_ONE_CASE = ("classification", "documents")


@transaction.atomic
def start(job: FineTuningJob, question_set: QuestionSet, *, by: User) -> TuningComparison:
    """Have the model that `job` came to compared on the questions of a set.

    Raises Hidden or Forbidden as access does, TrainingError where there is no model or a comparison is under way, and
    EvaluationError as a run does.
    """
    job = FineTuningJob.objects.select_for_update(of=("self",), no_key=True).get(pk=job.pk)
    access.require(by, Action.MANAGE, job)
    access.require(by, Action.MANAGE, question_set)
    if question_set.workspace_id != job.workspace_id:
        raise ValueError("A model is compared on questions of its own workspace.")
    if job.result is None or job.result.state == EndpointState.RETIRED:
        raise TrainingError(_("There is no model to compare."))
    if job.comparisons.filter(ended_at=None).exists():
        raise TrainingError(_("A comparison of this model is under way already."))
    made = TuningComparison.objects.create(
        workspace=job.workspace,
        job=job,
        question_set=question_set,
        retrieval_run=runs.start(question_set, by=by, endpoint=job.endpoint),
        hybrid_run=runs.start(question_set, by=by, endpoint=job.result),
        tuned={"cases": {}},
        asked_by=by,
    )
    record(
        EventType.TUNING_COMPARE_ASKED,
        on=made,
        workspace=job.workspace_id,
        by=by,
        job=job.pk,
        question_set=question_set.pk,
        version=made.retrieval_run.set_version if made.retrieval_run else None,
    )
    return made


def unheld() -> Q:
    """Comparisons that are under way and that no living worker holds."""
    return Q(ended_at=None) & (Q(lease_until=None) | Q(lease_until__lt=Now()))


def work(comparison_id: UUID) -> None:
    """Ask some of the questions, unless all are asked or another worker is at it."""
    taken = TuningComparison.objects.filter(unheld(), pk=comparison_id)
    if not taken.update(attempt=F("attempt") + 1, lease_until=_from_now()):
        return
    rows = TuningComparison.objects.select_related(
        "workspace", "asked_by", "retrieval_run", "question_set", "job__result", "job__training_set"
    )
    comparison = rows.get(pk=comparison_id)
    with context.acting(None):
        try:
            _work(comparison)
        except LeaseLost:
            logger.info("Comparison %s was taken over; attempt %s ends.", comparison.pk, comparison.attempt)
        finally:
            _ours(comparison).update(lease_until=None)


def results_of(comparison: TuningComparison) -> list[CaseResult]:
    """What the trained model came to alone, as the cases of a run are; stored nowhere."""
    return [CaseResult(case_id=UUID(pk), **measured) for pk, measured in comparison.tuned["cases"].items()]


def comparisons_open_to(user: User) -> QuerySet[TuningComparison]:
    """The comparisons of workspaces that `user` manages."""
    return TuningComparison.objects.filter(access.where_allowed(user, Action.MANAGE))


# --- Inside -------------------------------------------------------------------------------------------------


def _work(comparison: TuningComparison) -> None:
    run, endpoint = comparison.retrieval_run, comparison.job.result
    if comparison.attempt > MOST_ATTEMPTS or run is None or endpoint is None:
        return _end(comparison, _("It was broken off."))
    until = monotonic() + SLICE_SECONDS
    for case in cases_in(comparison.question_set, run.set_version):
        if str(case.pk) in comparison.tuned["cases"]:
            continue
        if monotonic() > until:
            return None
        # Asked anew for each: a right may go while a comparison is under way.
        if refused := _refusal(comparison):
            return _end(comparison, refused)
        try:
            measured = _asked(comparison, endpoint, case)
        except (ModelRefused, EndpointError) as failed:
            return _end(comparison, failed.detail if isinstance(failed, ModelRefused) else str(failed))
        comparison.tuned["cases"][str(case.pk)] = measured
        if not _ours(comparison).update(tuned=comparison.tuned, lease_until=_from_now()):
            raise LeaseLost(comparison.pk)
    return _end(comparison)


def _refusal(comparison: TuningComparison) -> str:
    person, workspace = comparison.asked_by, comparison.workspace
    if not all(access.allows(person, action, workspace) for action in (Action.MANAGE, Action.ASK, Action.OPEN)):
        return _("Whoever asked for it may not ask questions here any more.")
    workspace.refresh_from_db(fields=["archived_at"])
    if workspace.archived_at is not None:
        return _("This workspace is archived, so nothing is sent to a model for it any more.")
    return ""


def _asked(comparison: TuningComparison, endpoint: ModelEndpoint, case: QuestionCase) -> dict[str, Any]:
    """The measures of one case. Raises ModelRefused and EndpointError where no case can be asked."""
    if case.erased_at is not None or not readable(comparison.asked_by, [case]):
        return {"outcome": CLOSED}
    prompt = Prompt("alone-1", "", comparison.job.training_set.instructions, case.question)
    reply = governing.ask(
        endpoint,
        prompt,
        purpose=Purpose.COMPARISON,
        workspace=comparison.workspace,
        by=comparison.asked_by,
        documents=case.documents,
        question=case.question,
    )
    started = monotonic()
    try:
        text = "".join(reply)
    except ModelRefused as refused:
        if refused.code not in _OF_ONE_CASE:
            raise
        return {"outcome": str(refused.status)}
    except ModelFailed as failed:
        return {"outcome": str(failed.status), "refusal_right": False}
    usage: dict[str, int] = {name: reply.usage[name] for name in ("input", "output") if name in reply.usage}
    cost = scoring.cost_of(usage, endpoint)
    return {
        "outcome": str(AnswerStatus.ANSWERED),
        "refusal_right": not case.must_refuse,
        "facts": sum(scoring.says(text, fact) for fact in case.facts) / len(case.facts) if case.facts else None,
        "seconds": round(monotonic() - started, 4),
        "cost": None if cost is None else str(cost),
    }


@transaction.atomic
def _end(comparison: TuningComparison, problem: str = "") -> None:
    if not _ours(comparison).update(problem=problem[:300], ended_at=timezone.now()):
        raise LeaseLost(comparison.pk)
    record(
        EventType.TUNING_COMPARED,
        on=comparison,
        workspace=comparison.workspace_id,
        by=comparison.asked_by,
        job=comparison.job_id,
        cases=len(comparison.tuned["cases"]),
        outcome="failed" if problem else "done",
    )


def _ours(comparison: TuningComparison) -> QuerySet[TuningComparison]:
    return TuningComparison.objects.filter(pk=comparison.pk, attempt=comparison.attempt, ended_at=None)


def _from_now() -> Any:
    return Now() + timedelta(seconds=settings.LEASE_SECONDS)


access.guard(TuningComparison, visible=comparisons_open_to, workspace_of=lambda comparison: comparison.workspace)
