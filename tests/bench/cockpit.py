"""How long the cockpit takes where the trail is long: 1,000,000 entries, and the rows that stand behind them.

    python -m tests.bench.cockpit [--events 1000000] [--rounds 10] [--explain] [--json]

A tenth of the entries are questions, asked by 500 people in four workspaces over 400 days; each has its answer, a fifth
of them a draft, most of these a decision, a tenth a judgement, and half a counted call to a model. Opened by a manager
and by an administrator, for each period. The budget is 300 ms at p95 for a workspace, and a number of queries that
depends on nothing; processor seconds of this process are told too: they mean something on a busy machine.
"""

import argparse
import json
import sys
import time
from typing import Any

from tests.bench.admin_lists import multiply
from tests.bench.document_lists import _explain, _processor, quantile
from tests.bench.installation import installation

BUDGET_MS = 300.0
PASSWORD = "correct-horse-battery-staple"
PERIODS = (7, 30, 90, 365)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--explain", action="store_true")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with installation():
        figures = measure(options.events, options.rounds, explain=options.explain)
    print(json.dumps(figures) if options.json else "\n".join(map(line, figures["pages"])))
    return int(any(row["p95_ms"] > BUDGET_MS for row in figures["pages"] if row["person"] == "manager"))


def measure(events: int, rounds: int, *, explain: bool) -> dict[str, Any]:
    """Fill the installation, then open each page for each period in turns."""
    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext

    people, rows = fill(events), []
    for name, address in (("manager", "/w/place-1/cockpit/"), ("admin", "/cockpit/")):
        client = Client(headers={"host": "localhost"})
        client.force_login(people[name], backend="django.contrib.auth.backends.ModelBackend")
        for days in PERIODS:
            seconds, before = [], _processor()
            for _round in range(rounds + 1):
                start = time.perf_counter()
                response = client.get(f"{address}?days={days}")
                seconds.append(time.perf_counter() - start)
                if response.status_code != 200:
                    raise SystemExit(f"{address} answered {response.status_code}.")
            spent = _processor() - before
            with CaptureQueriesContext(connection) as queries:
                client.get(f"{address}?days={days}")
            if explain:
                _explain(f"{name}, {days} days", queries.captured_queries)
            rows.append(
                {
                    "person": name,
                    "days": days,
                    "p50_ms": quantile(seconds[1:], 0.5),
                    "p95_ms": quantile(seconds[1:], 0.95),
                    "cpu_ms": round(1000 * spent / (rounds + 1), 1),
                    "sql": len(queries),
                    "sql_ms": round(1000 * sum(float(query["time"]) for query in queries.captured_queries), 1),
                }
            )
            print(line(rows[-1]), file=sys.stderr, flush=True)
    return {"events": events, "rounds": rounds, "pages": rows}


def fill(events: int) -> dict[str, Any]:
    """The rows behind a trail of that length, and the trail; who opens the pages."""
    from django.db import connection, transaction
    from django.utils import timezone

    from answers.models import Answer, Draft, Feedback, ModelEndpoint, Question, Review, Usage
    from audit.models import Event
    from audit.record import record
    from workspaces import members
    from workspaces.models import User

    questions, made = events // 10, timezone.now()
    then = "now() - (n::bigint * 104729 % 576000) * interval '1 minute'"
    person = "md5('person' || n::bigint * 7919 % 500)::uuid"
    with transaction.atomic():
        people = {name: members.create_user(username=name, by=None) for name in ("manager", "admin")}
        members.set_platform_administrator(people["admin"], by=None)
        multiply(
            User.objects.create_user("template"), 500, id="md5('person' || n - 1)::uuid", username="'person-' || n"
        )
        first = members.create_workspace(slug="place-1", name="Place", by=None)
        members.add_member(first, people["manager"], "manager", by=None)
        places = [first] + [members.create_workspace(slug=f"place-{n}", name=f"Place {n}", by=None) for n in (2, 3, 4)]
        place = f"(ARRAY[{', '.join(repr(str(one.pk)) for one in places)}]::uuid[])[1 + n % 4]"
        by = people["manager"]
        question = Question.objects.create(workspace=first, asked_by=by, text="What holds?", language="en")
        answer = Answer.objects.create(
            question=question, workspace=first, asked_by=by, text="This.", status="refused_no_evidence", ended_at=made
        )
        draft = Draft.objects.create(workspace=first, answer=answer, text="This.", due_at=made)
        review = Review.objects.create(draft=draft, decision="approved", decided_by=by, text_sha256="0" * 64)
        judged = Feedback.objects.create(answer=answer, given_by=by, given_at=made, helped=True, text_sha256="0" * 64)
        usage = Usage.objects.create(
            workspace=first, person=by, endpoint=ModelEndpoint.objects.get(), endpoint_label="m", purpose="answer",
            day=made.date(), input_tokens=900, output_tokens=90, cost=1, currency="EUR", state="settled",
            open_until=made,
        )  # fmt: skip
        status = "(ARRAY['refused_no_evidence', 'held_for_review', 'failed_search', 'stopped_by_asker'])[1 + n / 4 % 4]"
        here = {"workspace_id": place, "asked_by_id": person}
        multiply(question, questions, id="md5('q' || n)::uuid", asked_at=then, **here)
        multiply(
            answer, questions, id="md5('a' || n)::uuid", question_id="md5('q' || n)::uuid",
            created_at=then, status=status, **here,
        )  # fmt: skip
        multiply(
            draft, questions // 5, id="md5('d' || n)::uuid", answer_id="md5('a' || n)::uuid", workspace_id=place,
            created_at=then, state="CASE WHEN n % 10 = 0 THEN 'waiting' ELSE 'approved' END",
            grounding="(ARRAY['supported', 'partly', 'unsupported'])[1 + n % 3]", text="'This ' || n",
        )  # fmt: skip
        multiply(
            review, questions // 6, id="md5('r' || n)::uuid", draft_id="md5('d' || n)::uuid",
            decided_at=f"{then} + interval '5 hours'",
        )  # fmt: skip
        multiply(
            judged, questions // 10, id="md5('f' || n)::uuid", answer_id="md5('a' || n)::uuid", given_by_id=person,
            given_at=then,
        )  # fmt: skip
        multiply(
            usage, questions // 2, id="md5('u' || n)::uuid", workspace_id=place, person_id=person, at=then,
            day=f"({then})::date", endpoint_label="'model-' || n % 6 || ': m at http://x'",
        )  # fmt: skip
        entry = record("workspace.changed", on=first, workspace=first, by=by)
        multiply(
            entry, events, id="md5('e' || n)::uuid", chain="'bench'", seq="n", at=then,
            prev_hash="md5('e' || n - 1)", hash="md5('e' || n)", actor_id=f"({person})::text",
        )  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
    if Event.objects.count() < events:
        raise SystemExit("The trail is not as long as it should be.")
    return people


def line(row: dict[str, Any]) -> str:
    return (
        f"{row['person']:<8} {row['days']:3} days  p50 {row['p50_ms']:7.1f} ms  p95 {row['p95_ms']:7.1f} ms  "
        f"cpu {row['cpu_ms']:6.1f} ms  sql {row['sql']:3} in {row['sql_ms']:7.1f} ms"
    )


if __name__ == "__main__":
    sys.exit(main())
