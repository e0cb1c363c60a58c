"""Ask the questions of a run, one after the other, a slice at a time. The row is the job.

Each case is written in the transaction that renews the lease, so that a killed worker loses one case and no case is
there twice. A document that is closed to who started the run closes its case; nobody is shown more by a run than by
asking themselves.
"""

import logging
from collections.abc import Sequence
from datetime import timedelta
from time import monotonic
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Case, F, Q, QuerySet, Value, When
from django.db.models.expressions import Combinable
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext as _

from answers.evaluation import scoring, setup, trial
from answers.evaluation.figures import CLOSED, figures_of
from answers.evaluation.querysets import cases_in, readable
from answers.evaluation.setup import Setup
from answers.evaluation.trial import Trial, Tried
from answers.exceptions import EndpointError, EvaluationError, LeaseLost
from answers.models import OPEN_RUNS, CaseResult, EvaluationRun, Purpose, QuestionCase, RunState
from audit import context
from audit.chain import digest
from audit.events import EventType
from audit.record import record
from workspaces import access
from workspaces.exceptions import Refused
from workspaces.killpoints import killpoint
from workspaces.middleware import record_refusal
from workspaces.places import PLACES
from workspaces.roles import Action

logger = logging.getLogger(__name__)

#: A slice ends after so many seconds, so that people's questions are not kept waiting behind a long run.
SLICE_SECONDS = 15.0
#: Attempts in a row that ended without a word, or with an error of ours, and got no case done.
MOST_DEATHS = MOST_ERRORS = 3


def unheld() -> Q:
    """Open runs that no living worker holds."""
    return Q(state__in=OPEN_RUNS) & (Q(lease_until=None) | Q(lease_until__lt=Now()))


def work(run_id: UUID) -> bool:
    """Do a slice of the run, unless it is over or another worker is at it; whether there is more to do.

    It waits for a place in this process as a question of a person does, and gives it on after each of its questions
    while somebody waits for one.
    """
    with PLACES.taken(run_id) as is_ours:
        return is_ours and _take_up(run_id)


def _take_up(run_id: UUID) -> bool:
    taken = EvaluationRun.objects.filter(unheld(), pk=run_id).update(
        state=RunState.WORKING,
        attempt=F("attempt") + 1,
        deaths=F("deaths") + Case(When(lease_until__isnull=False, then=Value(1)), default=Value(0)),
        lease_until=_from_now(),
    )
    if not taken:
        return False
    rows = EvaluationRun.objects.select_related("workspace", "question_set", "started_by", "candidate", "endpoint")
    run = rows.get(pk=run_id)
    with context.acting(None):
        try:
            return _work(run)
        except LeaseLost:
            logger.info("Run %s was stopped or taken over; attempt %s ends.", run.pk, run.attempt)
            return False
        except (KeyboardInterrupt, SystemExit):
            _ours(run).update(lease_until=None)
            raise
        except Exception as error:
            # Not to carry on: the next sweep need not wait for the lease, and three in a row end the run.
            _ours(run).update(lease_until=None, errors=F("errors") + 1)
            logger.error("Run %s: attempt %s failed with %s", run.pk, run.attempt, type(error).__name__)  # noqa: TRY400
            raise


def _work(run: EvaluationRun) -> bool:
    if run.deaths >= MOST_DEATHS:
        return _end(run, RunState.FAILED, _("Three attempts ended the program that asks the questions."))
    if run.errors >= MOST_ERRORS:
        return _end(run, RunState.FAILED, _("Three attempts failed with an error in the portal."))
    try:
        ready = _ready(run)
        return _slice(run, ready)
    except Refused as refused:
        record_refusal(refused)
        return _end(run, RunState.FAILED, _("Who started this run may not ask questions here any more."))
    except (EvaluationError, EndpointError) as error:
        return _end(run, RunState.FAILED, str(error))


def _ready(run: EvaluationRun) -> Setup:
    """What it runs with, if that is what it was started with. Raises Refused, EvaluationError and EndpointError."""
    for action in (Action.MANAGE, Action.ASK, Action.OPEN):
        access.require(run.started_by, action, run.workspace)
    if run.workspace.archived_at is not None:
        raise EvaluationError(_("This workspace is archived, so no model is asked for it any more."))
    ready = setup.of_run(run)
    if setup.sha256_of(setup.describe(ready)) != run.setup_sha256:
        raise EvaluationError(_("What it runs with was changed while it was under way. Start it anew."))
    return ready


def _slice(run: EvaluationRun, ready: Setup) -> bool:
    until = monotonic() + SLICE_SECONDS
    left = list(cases_in(run.question_set, run.set_version).exclude(pk__in=run.results.values("case")))
    for case in left:
        # Asked anew for each: a right may go while a run is under way.
        open_now = bool(readable(run.started_by, [case])) and case.erased_at is None
        result = _asked(run, ready, case) if open_now else CaseResult(run=run, case=case, outcome=CLOSED)
        killpoint("evaluation_case_asked")
        with transaction.atomic():
            if not _ours(run).update(lease_until=_from_now(), deaths=0, errors=0):
                raise LeaseLost(run.pk)
            result.save()
        killpoint("evaluation_case_written")
        if (monotonic() > until or PLACES.waiting) and case is not left[-1]:
            _ours(run).update(lease_until=None)
            return True
    return _end(run, RunState.DONE)


def _asked(run: EvaluationRun, ready: Setup, case: QuestionCase) -> CaseResult:
    """What the case came to. Raises Refused and LeaseLost."""
    about = Trial(run, lambda: _ours(run), Purpose.EVALUATION, ready.space, ready.checks, lambda _here: ready.reranker)
    state = trial.begin(
        case.question,
        workspace=run.workspace,
        by=run.started_by,
        trial=about,
        endpoint=ready.endpoint,
        template=ready.template,
        attempt=run.attempt,
    )
    tried = trial.attempt(state)
    return _result(run, case, tried, ready)


def _result(run: EvaluationRun, case: QuestionCase, tried: Tried, ready: Setup) -> CaseResult:
    state, scores, usage = tried.state, scoring.score(case, tried), tried.usage
    cited = {quote.source.number for quote in state.quotes}
    return CaseResult(
        run=run,
        case=case,
        outcome=tried.ending,
        problem=tried.problem[:300],
        recall=scores.recall,
        precision=scores.precision,
        grounding=scores.grounding,
        facts=scores.facts,
        refusal_right=scores.refusal_right,
        seconds=round(tried.seconds, 4),
        tokens_in=usage.get("input"),
        tokens_out=usage.get("output"),
        cost=scoring.cost_of(usage, ready.endpoint),
        text=state.text,
        text_sha256=digest(state.text) if state.text else "",
        documents=sorted({source.document_id for source in state.sources}),
        passages=[
            {
                "passage": str(source.passage_id),
                "version": str(source.version_id),
                "document": str(source.document_id),
                "page": source.page,
                "sha256": source.sha256,
                "expected": scoring.is_expected(case, source),
                "cited": source.number in cited,
            }
            for source in state.sources
        ],
        steps=tried.steps,
    )


@transaction.atomic
def _end(run: EvaluationRun, state: RunState, problem: str = "") -> bool:
    """The ending, its figures and its entry, if the run is still this attempt's. Raises LeaseLost."""
    results: Sequence[CaseResult] = list(run.results.all())
    figures: dict[str, Any] = figures_of(results, seed=run.seed) if state == RunState.DONE else {}
    written = {"state": state, "problem": problem[:300], "ended_at": timezone.now(), "lease_until": None}
    if not _ours(run).update(**written, figures=figures):
        raise LeaseLost(run.pk)
    record(
        EventType.EVALUATION_ENDED,
        on=run,
        workspace=run.workspace_id,
        by=run.started_by,
        outcome=state.value,
        cases_sha256=run.cases_sha256,
        setup_sha256=run.setup_sha256,
        candidate=run.candidate_id,
        # An entry holds no floating-point numbers.
        figures={name: _as_text(figure) for name, figure in figures.items()},
    )
    return False


def _as_text(figure: dict[str, Any]) -> dict[str, Any]:
    return {name: str(value) if isinstance(value, float) else value for name, value in figure.items()}


def _ours(run: EvaluationRun) -> QuerySet[EvaluationRun]:
    return EvaluationRun.objects.filter(pk=run.pk, attempt=run.attempt, state=RunState.WORKING)


def _from_now() -> Combinable:
    return Now() + timedelta(seconds=settings.LEASE_SECONDS)
