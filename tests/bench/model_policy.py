"""What the model policy costs on every call: microseconds of our own processor time and SQL queries.

Run: python -m tests.bench.model_policy [CALLS] [DOCUMENTS]   (in an installation of its own)

No server is asked: what is measured is the decision with the setting aside, and the counting afterwards.
"""

import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

from tests.bench.installation import installation

NOT_COUNTED = ("SAVEPOINT", "RELEASE SAVEPOINT", "BEGIN", "COMMIT")
#: The decision in one read and the setting aside; the counting afterwards.
MOST_QUERIES = {"permit": 4, "settle": 3, "built-in": 0}


def main(calls: int, documents: int) -> int:
    with installation():
        from answers.endpoints import built_in
        from answers.governing import amounts, ledger, policy

        endpoint, call = _seed(documents)
        built = built_in()
        permits: list[Any] = []
        ledger.open_periods(call.whose)
        found = {
            "permit": _measure(calls, lambda: permits.append(policy.permit(endpoint, call))),
            "settle": _measure(
                calls,
                lambda: ledger.settle(
                    permits.pop().reserved, amounts.of(endpoint, 900, 90), estimated=False, seconds=1.0
                ),
            ),
            "built-in": _measure(calls, lambda: policy.permit(built, call)),
        }
    for name, (wall, cpu, queries) in found.items():
        print(
            f"{name:<9} p50 {wall:,.0f} µs, of which our own processor {cpu:,.0f} µs; {queries} SQL queries "
            f"(budget {MOST_QUERIES[name]})"
        )
    return int(any(queries > MOST_QUERIES[name] for name, (_wall, _cpu, queries) in found.items()))


def _measure(calls: int, act: Callable[[], Any]) -> tuple[float, float, int]:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    with CaptureQueriesContext(connection) as captured:
        act()
    queries = sum(not query["sql"].startswith(NOT_COUNTED) for query in captured.captured_queries)
    walls, cpus = [], []
    for _ in range(calls - 1):
        began, cpu = time.perf_counter(), time.thread_time()
        act()
        walls.append((time.perf_counter() - began) * 1e6)
        cpus.append((time.thread_time() - cpu) * 1e6)
    return statistics.median(walls), statistics.median(cpus), queries


def _seed(documents: int) -> tuple[Any, Any]:
    from decimal import Decimal

    from django.db import transaction
    from django.utils import timezone

    from answers.endpoints import built_in
    from answers.governing import Purpose, budgets
    from answers.governing.policy import Call
    from answers.models import ModelEndpoint, WorkspaceModels
    from answers.prompts import Prompt
    from documents.models import Document
    from workspaces.members import add_member, create_user, create_workspace

    with transaction.atomic():
        workspace = create_workspace(slug="busy", name="Busy", policy="open", by=None)
        people = {role: create_user(username=role, by=None) for role in ("manager", "member")}
        for role, person in people.items():
            add_member(workspace, person, role, by=None)
    endpoint = ModelEndpoint.objects.create(
        name="server",
        base_url="http://127.0.0.1:9/v1",
        model="m",
        state="approved",
        approved_at=timezone.now(),
        input_price=Decimal(2),
        output_price=Decimal(8),
    )
    models = WorkspaceModels.objects.create(workspace=workspace, default_endpoint=built_in())
    models.choices.add(endpoint)
    budgets.change(workspace, by=people["manager"], day_tokens=10**12, month_cost=Decimal(10**9))
    rows = Document.objects.bulk_create(
        Document(workspace=workspace, path=f"{number}.md", title=f"Document {number}") for number in range(documents)
    )
    prompt = Prompt("answer-1", "0" * 64, "Answer from the sources.", "What is there? " * 600)
    named = frozenset(row.pk for row in rows)
    return endpoint, Call(Purpose.ANSWER, workspace, people["member"], prompt, named)


if __name__ == "__main__":
    arguments = [int(argument) for argument in sys.argv[1:]]
    sys.exit(main(*(arguments + [500, 8][len(arguments) :])))
