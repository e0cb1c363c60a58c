"""A question set about the documents of the library, and runs of it in this process."""

from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone


@pytest.fixture
def questions(policies: Any, handbook: Any, purchasing: Any, manager: Any) -> Any:
    """A set of four cases: three that the documents answer, one that has to be refused."""
    from answers.evaluation import sets
    from answers.evaluation.sets import Case

    def at(version: Any, quote: str = "") -> dict[str, Any]:
        return {"document": str(version.document_id), "page": None, "quote": quote}

    made = sets.create(policies, name="Everyday questions", by=manager)
    cases = [
        Case(
            "How many days of annual leave does an employee have?",
            "leave",
            expected=[at(handbook, "25 working days of annual leave")],
            facts=["25 working days"],
        ),
        Case(
            "How long is the first parent's leave?",
            "parental",
            expected=[at(handbook)],
            facts=["16 weeks"],
        ),
        Case(
            "Who approves purchases above EUR 15,000?",
            "approval",
            expected=[at(purchasing)],
            facts=["management board"],
        ),
        Case("Which enzyme splits lactose in the human gut?", "enzyme", must_refuse=True),
    ]
    return sets.put(made, cases, by=manager)


@pytest.fixture
def evaluated(questions: Any, manager: Any) -> Callable[..., Any]:
    """evaluated() → a run of the set with everything done in this process."""
    from answers.evaluation import runs
    from workspaces.dispatch import inline

    def run(question_set: Any = None, *, by: Any = None, **options: Any) -> Any:
        with inline():
            started = runs.start(question_set or questions, by=by or manager, **options)
        work(started)
        started.refresh_from_db()
        return started

    return run


def work(run: Any) -> None:
    """Slice after slice, as the doorbell does. Tests run in a transaction, where nothing rings on commit."""
    from answers.evaluation import working

    while working.work(run.pk):
        pass


@pytest.fixture
def asked(policies: Any, manager: Any) -> Any:
    """A set of four cases that need no document; `answer` says how a run of it came out."""
    from answers.evaluation import sets
    from answers.evaluation.sets import Case

    made = sets.create(policies, name="Hard questions", by=manager)
    return sets.put(made, [Case(f"Who holds key {n}?", f"q{n}", facts=["Nobody"]) for n in range(4)], by=manager)


def answer(run: Any, *, right: int = 4, outcome: str = "answered") -> Any:
    """A run as if its questions had been asked, so many of them answered rightly and the others refused."""
    from answers.evaluation import figures
    from answers.evaluation.querysets import cases_in
    from answers.models import CaseResult, RunState

    for number, case in enumerate(cases_in(run.question_set, run.set_version)):
        is_right = number < right
        told = outcome if is_right else "refused_no_evidence"
        CaseResult.objects.create(run=run, case=case, outcome=told, refusal_right=is_right, facts=float(is_right))
    run.state, run.ended_at = RunState.DONE, timezone.now()
    run.figures = figures.figures_of(list(run.results.all()), seed=1)
    run.save()
    return run


@pytest.fixture
def gated(policies: Any, asked: Any, manager: Any) -> Any:
    """The gate of the workspace, on."""
    from answers.evaluation import terms
    from answers.evaluation.figures import Metric
    from answers.evaluation.thresholds import Threshold

    limits = [Threshold(Metric.REFUSAL, 0.7, worse_by=0.1), Threshold(Metric.FACTS, 0.5)]
    return terms.choose(policies, enabled=True, question_set=asked, thresholds=limits, by=manager)


@pytest.fixture
def second(policies: Any, make_user: Any) -> Any:
    """Another manager of the workspace."""
    from workspaces.members import add_member

    person = make_user("second-manager")
    add_member(policies, person, "manager", by=None)
    return person


@pytest.fixture
def twin(db: None) -> Any:
    """A model that answers as the built-in one does, under another name."""
    from answers.models import EndpointKind, ModelEndpoint

    approved = {"state": "approved", "approved_at": timezone.now(), "ceiling": "restricted"}
    return ModelEndpoint.objects.create(name="twin", kind=EndpointKind.EXTRACTIVE, **approved)
