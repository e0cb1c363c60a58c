"""A question set about the documents of the library, and runs of it in this process."""

from collections.abc import Callable
from typing import Any

import pytest


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
def gated(policies: Any, questions: Any, manager: Any) -> Any:
    """The gate of the workspace, on."""
    from answers.evaluation import gate
    from answers.evaluation.figures import Metric
    from answers.evaluation.thresholds import Threshold

    asked = [Threshold(Metric.REFUSAL, 0.8, worse_by=0.1), Threshold(Metric.RECALL, 0.5)]
    return gate.choose(policies, enabled=True, question_set=questions, thresholds=asked, by=manager)
