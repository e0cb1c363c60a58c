"""The verbs of a run: start it, stop it, go on with it."""

import secrets
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from answers.evaluation import setup
from answers.evaluation.querysets import cases_in
from answers.evaluation.sets import sha256_of
from answers.exceptions import EndpointError, EvaluationError
from answers.models import OPEN_RUNS, EvaluationRun, GateCandidate, ModelEndpoint, QuestionSet, RunState
from answers.tasks import evaluate_run
from audit.events import EventType
from audit.record import record
from workspaces import access
from workspaces.dispatch import dispatch
from workspaces.exceptions import Forbidden
from workspaces.models import User, Workspace
from workspaces.roles import Action

#: Runs of one workspace that may be under way at a time: a candidate and what it is compared with.
MOST_AT_ONCE = 2


@transaction.atomic
def start(
    question_set: QuestionSet,
    *,
    by: User,
    candidate: GateCandidate | None = None,
    replaced: bool = False,
    endpoint: ModelEndpoint | None = None,
    version: int | None = None,
) -> EvaluationRun:
    """Have a version of the set (None: the present one) asked, with the rights of `by`: with what is live, or would be.

    `replaced`: with what the candidate would take the place of. `endpoint`: with this model instead.
    Raises EvaluationError for an empty set, an archived workspace, or when enough runs are under way.
    """
    access.require(by, Action.MANAGE, question_set)
    for action in (Action.ASK, Action.OPEN):
        access.require(by, action, question_set.workspace)
    workspace = Workspace.objects.select_for_update(no_key=True).get(pk=question_set.workspace_id)
    if workspace.archived_at is not None:
        raise EvaluationError(_("This workspace is archived, so no model is asked for it any more."))
    if EvaluationRun.objects.filter(workspace=workspace, state__in=OPEN_RUNS).count() >= MOST_AT_ONCE:
        raise EvaluationError(_("Two runs are under way here. Wait for one, or stop it."))
    question_set = QuestionSet.objects.get(pk=question_set.pk)
    version = version or question_set.version
    cases = list(cases_in(question_set, version))
    if not cases:
        raise EvaluationError(_("This question set holds no question yet."))
    run = EvaluationRun(
        workspace=workspace,
        question_set=question_set,
        set_version=version,
        cases_sha256=sha256_of(cases),
        case_count=len(cases),
        candidate=candidate,
        replaced=replaced,
        endpoint=endpoint,
        started_by=by,
        seed=secrets.randbelow(2**31),
    )
    try:
        described = setup.describe(setup.of_run(run))
    except EndpointError as error:
        raise EvaluationError(str(error)) from error
    run.setup = described | {"surroundings": setup.surroundings(workspace)}
    run.setup_sha256 = setup.sha256_of(described)
    run.save()
    _note(EventType.EVALUATION_STARTED, run, by, cases=len(cases), goes_on=False)
    dispatch(evaluate_run, run.pk)
    return run


def repeat(run: EvaluationRun, *, by: User) -> EvaluationRun:
    """Have the same version of the set asked once more, with the same change or model as they are now.

    What both ran with stands beside both. Raises EvaluationError as `start` does.
    """
    access.require(by, Action.MANAGE, run)
    return start(
        run.question_set,
        by=by,
        candidate=run.candidate,
        replaced=run.replaced,
        endpoint=run.endpoint,
        version=run.set_version,
    )


@transaction.atomic
def stop(run: EvaluationRun, *, by: User) -> EvaluationRun:
    """End the run where it is; its worker finds its lease gone. Raises EvaluationError when it is over already."""
    run = _locked(run, by)
    if run.state not in OPEN_RUNS:
        raise EvaluationError(_("This run is over already."))
    run.state, run.ended_at, run.lease_until = RunState.STOPPED, timezone.now(), None
    run.attempt += 1
    run.save(update_fields=["state", "ended_at", "lease_until", "attempt"])
    _note(EventType.EVALUATION_STOPPED, run, by, done=run.results.count())
    return run


@transaction.atomic
def resume(run: EvaluationRun, *, by: User) -> EvaluationRun:
    """Go on with a run that was stopped or broke off; what was asked is not asked again.

    Only who started it: it goes on with their rights. Raises EvaluationError when it is under way or done.
    """
    run = _locked(run, by)
    if run.started_by_id != by.pk:
        raise Forbidden(user=by, workspace=run.workspace, action=Action.MANAGE, thing=run)
    if run.state not in (RunState.STOPPED, RunState.FAILED):
        raise EvaluationError(_("This run needs nobody to go on with it."))
    run.state, run.ended_at, run.problem, run.deaths, run.errors = RunState.WAITING, None, "", 0, 0
    run.save(update_fields=["state", "ended_at", "problem", "deaths", "errors"])
    _note(EventType.EVALUATION_STARTED, run, by, cases=run.case_count - run.results.count(), goes_on=True)
    dispatch(evaluate_run, run.pk)
    return run


def _locked(run: EvaluationRun, by: User) -> EvaluationRun:
    access.require(by, Action.MANAGE, run)
    rows = EvaluationRun.objects.select_related("workspace", "question_set")
    return rows.select_for_update(of=("self",), no_key=True).get(pk=run.pk)


def _note(event: EventType, run: EvaluationRun, by: User, **details: Any) -> None:
    record(
        event,
        on=run,
        workspace=run.workspace_id,
        by=by,
        question_set=run.question_set_id,
        version=run.set_version,
        cases_sha256=run.cases_sha256,
        setup_sha256=run.setup_sha256,
        candidate=run.candidate_id,
        **details,
    )
