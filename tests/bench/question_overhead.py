"""What a question costs outside search and model: milliseconds and SQL queries.

Run: python -m tests.bench.question_overhead [QUESTIONS]   (in an installation of its own)
"""

import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.bench.installation import installation

QUESTION = "How many days of paid parental leave does the second parent take?"
BUDGET_MS, BUDGET_QUERIES = 60, 25
_NOT_COUNTED = ("SAVEPOINT", "RELEASE SAVEPOINT", "BEGIN", "COMMIT")


@dataclass(frozen=True)
class Cost:
    """One question, outside search and model."""

    milliseconds: float
    cpu_milliseconds: float
    queries: int


def main(questions_asked: int) -> None:
    with installation():
        print(f"one embedding, as a yardstick for this machine now: {_embedding_ms():.1f} ms")
        for policy in ("open", "review"):
            workspace, member = _seed(policy)
            _ask(workspace, member)
            costs = [_ask(workspace, member) for _ in range(questions_asked)]
            outside = sorted(cost.milliseconds for cost in costs)
            cpu = statistics.median(cost.cpu_milliseconds for cost in costs)
            queries = {cost.queries for cost in costs}
            print(
                f"{policy:<6} outside search and model: p50 {statistics.median(outside):.1f} ms, "
                f"p95 {outside[int(len(outside) * 0.95)]:.1f} ms (budget {BUDGET_MS} p50), "
                f"of which our own CPU p50 {cpu:.1f} ms; "
                f"SQL queries {sorted(queries)} (budget {BUDGET_QUERIES})"
            )


def _embedding_ms() -> float:
    from documents.embeddings import default_space, embed_query

    embed_query(QUESTION, default_space())
    times = []
    for _ in range(20):
        began = time.perf_counter()
        embed_query(QUESTION, default_space())
        times.append(time.perf_counter() - began)
    return statistics.median(times) * 1000


def _seed(policy: str) -> tuple[Any, Any]:
    from django.db import transaction

    from tests.answers import library
    from workspaces.members import add_member, create_user, create_workspace

    with transaction.atomic():
        workspace = create_workspace(slug=policy, name=policy, policy=policy, by=None)
        people = {
            role: create_user(username=f"{policy}-{role}", by=None)
            # Without a reviewer what is to be held is refused, which costs less.
            for role in ("manager", "contributor", "reviewer", "member")
        }
        for role, person in people.items():
            add_member(workspace, person, role, by=None)
    library.add_document(workspace, "employee-handbook.md", library.HANDBOOK)
    library.add_document(workspace, "purchasing-policy.md", library.PURCHASING)
    return workspace, people["member"]


def _ask(workspace: Any, member: Any) -> Cost:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    from answers import chat_models, pipeline, questions
    from answers.steps import retrieve

    inside = Cost(0.0, 0.0, 0)
    search, stream_chat = retrieve.search, chat_models.stream_chat

    def apart(work: Callable[[], Any]) -> Any:
        nonlocal inside
        began, cpu, before = time.perf_counter(), time.thread_time(), len(captured)
        result = work()
        inside = Cost(
            inside.milliseconds + (time.perf_counter() - began) * 1000,
            inside.cpu_milliseconds + (time.thread_time() - cpu) * 1000,
            inside.queries + _count(captured.captured_queries[before:]),
        )
        return result

    retrieve.search = lambda *args, **named: apart(lambda: search(*args, **named))
    chat_models.stream_chat = lambda *args, **named: iter(apart(lambda: list(stream_chat(*args, **named))))
    try:
        with CaptureQueriesContext(connection) as captured:
            began, cpu = time.perf_counter(), time.thread_time()
            answer = questions.ask(workspace=workspace, text=QUESTION, by=member)
            pipeline.run(answer.pk)
            took, used = (time.perf_counter() - began) * 1000, (time.thread_time() - cpu) * 1000
    finally:
        retrieve.search, chat_models.stream_chat = search, stream_chat
    return Cost(
        took - inside.milliseconds,
        used - inside.cpu_milliseconds,
        _count(captured.captured_queries) - inside.queries,
    )


def _count(queries: list[Any]) -> int:
    return sum(not query["sql"].startswith(_NOT_COUNTED) for query in queries)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 50)
