"""How long lists and pages take that read drafts, answers, questions, gaps or decisions when there are many.

    python -m tests.bench.admin_lists [--answers 100000] [--rounds 20] [--json] [--keep DIR] [--only WORD]

Half of the answers wait for a decision. Each rests on three of 2,000 documents, of which a hundredth is restricted;
one reviewer may open them all, the other none of those. One person asked all of it, a tenth of the questions stand in
gaps, and the release policy decided on each answer. The budget is 300 ms at p95, and a number of SQL queries that
does not depend on the number of answers. Processor milliseconds of this process are told too: they mean something on a
busy machine. With --keep the filled installation stays in DIR, and the next run opens it again.
"""

import argparse
import json
import sys
import time
import uuid
from functools import partial
from pathlib import Path
from typing import Any

from tests.bench.installation import installation

DOCUMENTS = 2000
#: Questions in a gap.
ALIKE = 20
REVIEWERS = ("all", "most")
ROLES = dict.fromkeys(REVIEWERS, "reviewer") | {"asker": "member", "manager": "manager"}
BUDGET_MS = 300.0
LISTS = {
    "drafts that wait": "/admin/answers/draft/",
    "drafts, page 40": "/admin/answers/draft/?p={page}",
    "all drafts": "/admin/answers/draft/?state=all",
    "drafts overdue": "/admin/answers/draft/?state=open&due=over",
    "drafts on my desk": "/admin/answers/draft/?state=open&desk=mine",
    "drafts that stand badly": "/admin/answers/draft/?grounding=unsupported",
    "drafts on confidential": "/admin/answers/draft/?classification=confidential",
    "drafts in Serbian": "/admin/answers/draft/?language=sr",
    "drafts by due date": "/admin/answers/draft/?o=2",
    "drafts by grounding": "/admin/answers/draft/?o=4",
    "drafts, least urgent": "/admin/answers/draft/?o=1",
    "drafts on public": "/admin/answers/draft/?classification=public",
    "a draft": "/admin/answers/draft/{draft}/change/",
    "answers": "/admin/answers/answer/",
    "answers, page 40": "/admin/answers/answer/?p={page}",
    "answers held": "/admin/answers/answer/?outcome=held",
}
#: Pages of the portal, and whose they are.
PAGES = {
    "questions asked": ("asker", "/w/bench/questions/"),
    "questions, searched": ("asker", "/w/bench/questions/?q=holds"),
    "questions, no find": ("asker", "/w/bench/questions/?q=nowhere"),
    "a chat": ("asker", "/w/bench/ask/"),
    "gaps": ("manager", "/w/bench/gaps/"),
    "gaps, newest": ("manager", "/w/bench/gaps/?sort=newest"),
}
#: The trial of rules over a month of decisions: the form's button, without its page.
TRIAL = "release rules tried"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--answers", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="keep the installation for the next run")
    parser.add_argument("--only", default="", metavar="WORD", help="only what has this in its name")
    options = parser.parse_args()
    with installation(options.keep):
        figures = measure(options.answers, options.rounds, options.only)
    print(json.dumps(figures, indent=2) if options.json else table(figures))
    return int(any(row["p95_ms"] > BUDGET_MS for row in figures["lists"]))


def measure(answers: int, rounds: int, only: str = "") -> dict[str, Any]:
    """Fill the installation, then open every list in turns as either reviewer."""
    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext

    from answers.models import Answer
    from workspaces.models import User

    started = time.perf_counter()
    people = {person.username: person for person in User.objects.filter(username__in=ROLES)}
    if people:
        answers = Answer.objects.count()
    else:
        people = fill(answers)
    filled = time.perf_counter() - started
    rows = []
    clients = {name: Client(headers={"host": "localhost"}) for name in people}
    for name, client in clients.items():
        client.force_login(people[name])
    acts = {(name, place): partial(_get, clients[name], url) for name in REVIEWERS for place, url in _lists().items()}
    acts |= {(name, place): partial(_get, clients[name], url) for place, (name, url) in PAGES.items()}
    acts[("manager", TRIAL)] = partial(_try_rules, people["manager"])
    acts = {key: act for key, act in acts.items() if only in key[1]}
    seconds: dict[tuple[str, str], list[float]] = {key: [] for key in acts}
    spent = dict.fromkeys(acts, 0.0)
    for number in range(rounds + 1):
        for key, act in acts.items():
            start, used = time.perf_counter(), time.process_time()
            act()
            if number:
                seconds[key].append(time.perf_counter() - start)
                spent[key] += time.process_time() - used
    for (name, place), took in seconds.items():
        with CaptureQueriesContext(connection) as queries:
            acts[name, place]()
        figures = {"p50_ms": quantile(took, 0.5), "p95_ms": quantile(took, 0.95), "sql": len(queries)}
        figures["cpu_ms"] = round(1000 * spent[name, place] / rounds, 1)
        slowest = max(float(query["time"]) for query in queries.captured_queries)
        rows.append({"who": name, "list": place, **figures, "slowest_sql_ms": round(1000 * slowest)})
    return {"answers": answers, "rounds": rounds, "fill_seconds": round(filled, 1), "lists": rows}


def _lists() -> dict[str, str]:
    from answers.models import Draft

    draft = Draft.objects.order_by("created_at").values_list("pk", flat=True).first()
    far = min(40, Draft.objects.count() // 50)
    return {place: url.format(draft=draft, page=far) for place, url in LISTS.items()}


def _get(client: Any, url: str) -> None:
    response = client.get(url)
    if response.status_code != 200:
        raise SystemExit(f"{url} answered {response.status_code}.")


def _try_rules(manager: Any) -> None:
    from answers import policy
    from answers.policy.rules import Condition, Effect, Rule
    from workspaces.models import Workspace

    rules = [
        Rule("weak", "Weak", Condition.GROUNDING, Effect.HOLD, "50"),
        Rule("rest", "The rest", Condition.REST, Effect.RELEASE),
    ]
    policy.try_out(Workspace.objects.get(slug="bench"), rules, by=manager)


def quantile(seconds: list[float], share: float) -> float:
    """In milliseconds."""
    ordered = sorted(seconds)
    return round(1000 * ordered[min(len(ordered) - 1, int(share * len(ordered)))], 1)


def fill(answers: int) -> dict[str, Any]:
    """One workspace with `answers` answers, half of them held with a draft; the people by name."""
    from django.db import connection, transaction
    from django.utils import timezone

    from answers.models import Answer, Draft, Evidence, Gap, GapQuestion, Question, ReleaseDecision
    from answers.states import AnswerStatus, DraftState
    from documents.models import Document, Version
    from workspaces import access
    from workspaces.members import add_member, create_user, create_workspace

    with transaction.atomic():
        workspace = create_workspace(slug="bench", name="Bench", policy="review", by=None)
        people = {name: create_user(username=name, password=uuid.uuid4().hex, by=None) for name in ROLES}
        for name, role in ROLES.items():
            add_member(workspace, people[name], role, by=None)
        asker = people["asker"]
        document = Document.objects.create(workspace=workspace, path="0.md", title="Document")
        version = Version.objects.create(document=document, number=1, sha256="0" * 64, size=1, filename="0.md")
        multiply(document, DOCUMENTS, id=_id("document"), path="n || '.md'", restricted="n % 100 = 0")
        multiply(version, DOCUMENTS, id=_id("version"), document_id=_id("document"))
        for restricted in Document.objects.filter(restricted=True):
            access.grant("open_document", people["all"], restricted)
        question = Question.objects.create(workspace=workspace, asked_by=asker, text="What holds?", language="en")
        given = {"workspace": workspace, "asked_by": asker, "policy": "review", "ended_at": timezone.now()}
        answer = Answer.objects.create(question=question, status=AnswerStatus.HELD_FOR_REVIEW, text="This.", **given)
        draft = Draft.objects.create(workspace=workspace, answer=answer, text="This.", state=DraftState.WAITING)
        then = "now() - n * interval '1 minute'"
        multiply(question, answers, id=_id("question"), asked_at=then)
        states = (
            f"CASE WHEN n % 2 = 0 THEN '{AnswerStatus.HELD_FOR_REVIEW}' ELSE '{AnswerStatus.REFUSED_NO_EVIDENCE}' END"
        )
        multiply(answer, answers, id=_id("answer"), question_id=_id("question"), created_at=then, status=states)
        place = {"document": document, "version": version, "start": 0, "end": 5, "locator": "", "sha256": "0" * 64}
        for rank in range(1, 4):
            evidence = Evidence.objects.create(answer=answer, rank=rank, passage_id=uuid.uuid4(), **place)
            source = f"1 + (n * 7 + {rank} * 311) % {DOCUMENTS}"
            sources = {"document_id": _id("document", source), "version_id": _id("version", source)}
            multiply(evidence, answers, id=_id(f"evidence-{rank}"), answer_id=_id("answer"), **sources)
        halves = {
            "id": _id("draft"),
            "answer_id": _id("answer", "n * 2"),
            "created_at": "now() - n * interval '2 minute'",
            # As in life: most say something else, some say the same many times; some are urgent, late, weak.
            "text": "'This ' || CASE WHEN n % 10 = 0 THEN 0 ELSE n END",
            "priority": "1 + n % 4",
            "due_at": "now() + (n % 4000 - 100) * interval '1 minute'",
            "grounding": "CASE WHEN n % 20 = 0 THEN 'unsupported' ELSE 'supported' END",
            "assigned_to_id": "CASE WHEN n % 500 = 0 THEN (SELECT id FROM workspaces_user WHERE username = 'all') END",
        }
        multiply(draft, answers // 2, **halves)
        decided = {"workspace": workspace, "decided_at": timezone.now(), "policy": "review", "held": True, "draw": 7}
        decision = ReleaseDecision.objects.create(answer=answer, asked_by=asker, lowest_grounding=0.4, **decided)
        ages = "now() - n * interval '30 seconds'"
        weak = "CASE WHEN n % 5 = 0 THEN 0.4 ELSE 0.9 END"
        multiply(decision, answers, answer_id=_id("answer"), decided_at=ages, lowest_grounding=weak)
        gap = Gap.objects.create(workspace=workspace)
        multiply(gap, answers // 10 // ALIKE, id=_id("gap"), opened_at=then)
        asked = GapQuestion.objects.create(gap=gap, answer=answer, asker=asker, cause="no_evidence")
        places = {"gap_id": _id("gap", f"1 + n % {answers // 10 // ALIKE}"), "answer_id": _id("answer", "n * 10 - 1")}
        multiply(asked, answers // 10, id=_id("gap question"), added_at=then, **places)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    return people


def multiply(template: Any, count: int, **given: str) -> None:
    """Copy the row `count` times; `given` has SQL over `n`, 1 to `count`, for the columns that differ."""
    from django.db import connection

    fields = type(template)._meta.concrete_fields
    values = ", ".join(given.get(field.column, f'template."{field.column}"') for field in fields).replace("%", "%%")
    columns = ", ".join(f'"{field.column}"' for field in fields)
    table = type(template)._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {table} ({columns}) SELECT {values} FROM {table} template, generate_series(1, %s) n "  # noqa: S608 (ours alone)
            f"WHERE template.{type(template)._meta.pk.column} = %s",
            [count, template.pk],
        )


def _id(kind: str, number: str = "n") -> str:
    """SQL for the id of the row of a kind with this number."""
    return f"md5('{kind}' || ({number}))::uuid"


def table(figures: dict[str, Any]) -> str:
    lines = [
        f"{figures['answers']} answers, {figures['rounds']} rounds, filled in {figures['fill_seconds']} s",
        f"{'who':10}{'list':24}{'p50 ms':>9}{'p95 ms':>9}{'of budget':>11}{'cpu ms':>8}{'SQL':>5}{'slowest':>9}",
    ]
    for row in figures["lists"]:
        times = f"{row['p50_ms']:9}{row['p95_ms']:9}{row['p95_ms'] / BUDGET_MS:11.2f}"
        lines.append(f"{row['who']:10}{row['list']:24}{times}{row['cpu_ms']:8}{row['sql']:5}{row['slowest_sql_ms']:9}")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
