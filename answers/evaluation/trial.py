"""Answer a question through the pipeline's own steps without making an answer of it.

There is no row of an answer, of evidence or of a draft, and no stream: what never was an answer cannot be shown as
one, reviewed, given again, gathered as a gap or told to anybody. Rights and the entry of what a model was given are
as for any question.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any

from django.db.models import Model, QuerySet
from django.utils.translation import gettext as _

from answers import pipeline
from answers.exceptions import Ended, ModelFailed
from answers.language import language_of, speaking
from answers.models import Answer, ModelEndpoint, Question, TemplateVersion, WorkspaceChecks
from answers.states import AnswerStatus
from answers.steps.state import Outcome, State
from documents.embedding.vector_space import Space
from documents.models import WorkspaceReranker
from documents.reranking.rerankers import chosen_for
from workspaces import access
from workspaces.models import User, Workspace
from workspaces.roles import Action

#: What settles an answer of the person who asks, looks back at others or decides where it goes. Every other step of
#: the pipeline, also one that is added later, is tried.
LEFT_OUT = frozenset({"scope", "understand", "reuse", "route"})


@dataclass(frozen=True, slots=True)
class Trial:
    """What a question is tried for."""

    #: The row that entries of the trail are about.
    run: Model
    #: That row, as long as this attempt holds it: `leases` renews and watches it in place of an answer's.
    held: Callable[[], QuerySet[Any]]
    #: What the model policy is told the model is asked for: a code of `answers.models.Purpose`.
    purpose: str
    #: Where to search; None for where the workspace is searched.
    space: Space | None = None
    #: How strict to be and who judges; None for what the workspace chose.
    checks: WorkspaceChecks | None = None
    #: What puts the finds in order.
    reranker: Callable[[Workspace], WorkspaceReranker | None] = chosen_for


@dataclass(slots=True)
class Tried:
    """How a trial ended: an ending's code, why, what was made on the way, and the seconds of each step."""

    ending: str
    state: State
    problem: str = ""
    seconds: float = 0.0
    steps: list[dict[str, Any]] = field(default_factory=list)

    @property
    def usage(self) -> dict[str, int]:
        """The tokens of "input" and "output" that the model that wrote told of; empty where it told nothing."""
        return next((step["tokens"] for step in self.steps if "tokens" in step), {})


def begin(
    question: str,
    *,
    workspace: Workspace,
    by: User,
    trial: Trial,
    endpoint: ModelEndpoint,
    template: TemplateVersion | None = None,
    attempt: int = 1,
) -> State:
    """The state of a question as after the step `scope`. Raises Hidden or Forbidden."""
    for action in (Action.ASK, Action.OPEN):
        access.require(by, action, workspace)
    asked = Question(workspace=workspace, asked_by=by, text=question, language=language_of(question))
    answer = Answer(question=asked, workspace=workspace, asked_by=by, endpoint=endpoint, attempt=attempt)
    answer.held_by_trial = trial.held  # type: ignore[attr-defined]  # which `leases.ours` asks
    state = State(answer, trial=trial)
    state.endpoint, state.template = endpoint, template
    return state


def attempt(state: State) -> Tried:
    """Run the steps up to an ending. Raises LeaseLost."""
    tried = Tried(AnswerStatus.ANSWERED, state)
    started = perf_counter()
    with speaking(state.language):
        for step in pipeline.STEPS:
            if step.__name__ in LEFT_OUT:
                continue
            before = perf_counter()
            outcome = _outcome(step, state, tried)
            told = {"step": step.__name__, "outcome": outcome.code, "seconds": round(perf_counter() - before, 4)}
            tokens = outcome.detail.get("tokens")
            tried.steps.append(told | ({"tokens": tokens} if tokens else {}))
            if outcome.ending:
                tried.ending = AnswerStatus(outcome.ending).value
                break
    tried.seconds = perf_counter() - started
    return tried


def _outcome(step: pipeline.Step, state: State, tried: Tried) -> Outcome:
    try:
        return step(state)
    except Ended as ended:
        status, tried.problem = ended.status, str(ended.details.get("reason", ""))
    except ModelFailed as failure:
        status, tried.problem = failure.status, failure.detail
    if not tried.problem:
        tried.problem = _("It ended at the step “%(step)s”.") % {"step": pipeline.LABELS[step.__name__]}
    return Outcome(code=AnswerStatus(status).value, ending=status)
