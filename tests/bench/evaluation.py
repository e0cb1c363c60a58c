"""How many questions a run of a question set asks in a second, with the built-in model.

    python -m tests.bench.evaluation [--questions 200] [--json]

The documents are the tests' own. Told are questions a second by the clock and by the processor, and statements a
question: what a run adds to a question is the difference to `question_overhead`.
"""

import argparse
import json
import resource
import time
from typing import Any

from tests.bench.installation import installation

_ASKED = (
    ("How many days of annual leave does an employee have?", False),
    ("How long is the first parent's leave?", False),
    ("Who approves purchases above EUR 15,000?", False),
    ("Which enzyme splits lactose in the human gut?", True),
)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--questions", type=int, default=200)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with installation():
        figures = measure(options.questions)
    print(json.dumps(figures, indent=2) if options.json else "\n".join(f"{k:24} {v}" for k, v in figures.items()))
    return int(figures["state"] != "done")


def measure(questions: int) -> dict[str, Any]:
    """Fill a workspace, ask the questions once to warm up, then all of them in one run."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    from answers.evaluation import runs, sets, working
    from answers.evaluation.sets import Case
    from tests.answers import library
    from workspaces.members import add_member, create_user, create_workspace

    manager = create_user(username="manager", password="correct-horse-battery-staple", by=None)
    workspace = create_workspace(slug="bench", name="Bench", policy="open", by=None)
    for role in ("manager", "contributor"):
        add_member(workspace, manager, role, by=None)
    for path, text in (("handbook.md", library.HANDBOOK), ("purchasing.md", library.PURCHASING)):
        library.add_document(workspace, path, text)
    asked = [_ASKED[n % len(_ASKED)] for n in range(questions)]
    cases = [
        Case(f"{question} ({n})", str(n), must_refuse=refused, facts=() if refused else ("the",))
        for n, (question, refused) in enumerate(asked)
    ]
    warm = sets.put(sets.create(workspace, name="Warm", by=manager), cases[: len(_ASKED)], by=manager)
    _to_the_end(runs.start(warm, by=manager), working)
    run = runs.start(sets.put(sets.create(workspace, name="All", by=manager), cases, by=manager), by=manager)
    began, before = time.perf_counter(), _processor()
    with CaptureQueriesContext(connection) as queries:
        _to_the_end(run, working)
    seconds, processor = time.perf_counter() - began, _processor() - before
    run.refresh_from_db()
    return {
        "questions": questions,
        "state": run.state,
        "seconds": round(seconds, 2),
        "processor_seconds": round(processor, 2),
        "questions_a_second": round(questions / seconds, 1),
        "by_processor": round(questions / processor, 1),
        "sql_a_question": round(len(queries) / questions, 1),
        "figures": run.figures,
    }


def _to_the_end(run: Any, working: Any) -> None:
    while working.work(run.pk):
        pass


def _processor() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    raise SystemExit(main())
