"""How long the list of a workspace's documents, its coverage page and a choice of everything take when there are many.

    python -m tests.bench.document_lists [--documents 100000] [--rounds 20] [--explain] [--json] [--keep DIR]

A thousand folders, three owners, two tags each on two hundred, a hundredth restricted and a hundredth failed; opened by
a member and by the manager. The budget of the list is 300 ms at p95, and a number of SQL queries that does not depend
on the number of documents. Processor seconds of this process are told too: they mean something on a busy machine.
With --keep the filled installation stays in DIR, and the next run opens it again.
"""

import argparse
import json
import resource
import sys
import time
from pathlib import Path
from typing import Any

from tests.bench.installation import installation

BUDGET_MS = 300.0
PASSWORD = "correct-horse-battery-staple"
BASE = "/w/papers/documents/"
LISTS = {
    "first page": "",
    "page 1000": "?page=1000",
    "by update": "?sort=-updated",
    "by size": "?sort=-size",
    "by passages": "?sort=-passages",
    "by validity": "?sort=valid",
    "by owner": "?sort=owner",
    "search, few match": "?q=izvestaj+99777",
    "search, all match": "?q=%D0%B8%D0%B7%D0%B2%D0%B5%D1%88%D1%82%D0%B0%D1%98",
    "search, none match": "?q=nowhere",
    "failed": "?state=failed",
    "ready": "?state=ready",
    "confidential": "?level=confidential",
    "pdf": "?format=pdf",
    "tag": "?tag=tag+7",
    "expired": "?due=expired",
    "mine": "?owner=me",
}
#: Told, without a budget: they are opened now and then.
PAGES = {
    "coverage": "coverage/",
    "near-duplicates": "coverage/alike/",
    "choice of everything": "bulk/?act=tag&everything=1&q=izvestaj",
}

_FILL = """
INSERT INTO documents_folder (id, workspace_id, parent_id, path, created_at)
  SELECT gen_random_uuid(), %(place)s, NULL, 'folder ' || n, now() FROM generate_series(1, 1000) n;
INSERT INTO documents_tag (id, workspace_id, name, folded)
  SELECT gen_random_uuid(), %(place)s, 'tag ' || n, 'tag ' || n FROM generate_series(1, 200) n;
INSERT INTO documents_document (id, workspace_id, path, title, folded, restricted, classification, usage, created_at,
    owner_id, folder_id, valid_until, review_on, review_note)
  SELECT gen_random_uuid(), %(place)s, 'folder/' || n || '.md', 'Izveštaj ' || md5(n::text) || ' ' || n,
    'izvestaj ' || md5(n::text) || ' ' || n || ' folder/' || n || '.md', n %% 100 = 0,
    CASE n %% 10 WHEN 0 THEN 'confidential' ELSE 'internal' END, 'unstated', now() - n * interval '1 minute',
    (%(owners)s::uuid[])[1 + n %% 3], folders.ids[1 + n %% 1000],
    CASE WHEN n %% 5 = 0 THEN current_date + (n %% 400 - 100) END,
    CASE WHEN n %% 50 = 0 THEN current_date + (n %% 400 - 20) END, ''
  FROM generate_series(1, %(documents)s) n,
    (SELECT array_agg(id) AS ids FROM documents_folder) folders;
INSERT INTO documents_version (id, document_id, number, turn, sha256, size, filename, format, file, created_at, state,
    failure_code, failure_sentence, failure_retryable, ready_at, attempt, deaths, errors, done, in_index, text,
    sections, findings, language, page_count, passage_count, pipeline)
  SELECT gen_random_uuid(), id, 1, 1, md5(id::text) || md5(path), 1000 + length(path), path,
    CASE WHEN right(md5(path), 1) < '8' THEN 'pdf' ELSE 'md' END, '', created_at,
    CASE WHEN right(md5(path), 2) < '03' THEN 'failed' ELSE 'ready' END, 'damaged', 'It is damaged.', false, now(),
    1, 0, 0, 1, true, repeat('Parental leave lasts twenty-six weeks. ', 20), '[]', '{}', 'en', 1,
    1 + length(title) %% 7, ''
  FROM documents_document;
UPDATE documents_document d SET latest_version_id = v.id, current_version_id = CASE v.state WHEN 'ready' THEN v.id END
  FROM documents_version v WHERE v.document_id = d.id;
INSERT INTO documents_documenttag (document_id, tag_id)
  SELECT d.id, tags.ids[1 + (abs(hashtext(d.path)) + step * 71) %% 200]
  FROM documents_document d, (SELECT array_agg(id) AS ids FROM documents_tag) tags, generate_series(0, 1) step;
"""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--documents", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--explain", action="store_true", help="print the plans of the slowest statements")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="keep the installation for the next run")
    options = parser.parse_args()
    with installation(options.keep):
        figures = measure(options.documents, options.rounds, explain=options.explain)
    print(json.dumps(figures, indent=2) if options.json else table(figures))
    return int(any(row["p95_ms"] > BUDGET_MS for row in figures["lists"] if row["has_budget"]))


def measure(documents: int, rounds: int, *, explain: bool) -> dict[str, Any]:
    """Fill the installation, then open every page in turns as either person."""
    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext

    from documents.models import Document
    from workspaces.models import User

    people = {person.username: person for person in User.objects.filter(username__in=("member", "manager"))}
    if people:
        documents = Document.objects.count()
    else:
        people = fill(documents)
    clients = {name: Client(headers={"host": "localhost"}) for name in people}
    for name, client in clients.items():
        client.force_login(people[name], backend="django.contrib.auth.backends.ModelBackend")
    rows = []
    for name, place, address in _asked():
        seconds, before = [], _processor()
        for _round in range(rounds + 1):
            start = time.perf_counter()
            response = clients[name].get(BASE + address)
            seconds.append(time.perf_counter() - start)
            if response.status_code != 200:
                raise SystemExit(f"{address} answered {response.status_code}.")
        spent = _processor() - before
        with CaptureQueriesContext(connection) as queries:
            clients[name].get(BASE + address)
        if explain:
            _explain(place, queries.captured_queries)
        row = {
            "person": name,
            "list": place,
            "p50_ms": quantile(seconds[1:], 0.5),
            "p95_ms": quantile(seconds[1:], 0.95),
            "cpu_ms": round(1000 * spent / (rounds + 1), 1),
            "sql": len(queries),
            "sql_ms": round(1000 * sum(float(query["time"]) for query in queries.captured_queries), 1),
            "has_budget": place in LISTS,
        }
        rows.append(row)
        print(line(row), file=sys.stderr, flush=True)
    return {"documents": documents, "rounds": rounds, "lists": rows}


def _asked() -> list[tuple[str, str, str]]:
    lists = [(name, place, address) for place, address in LISTS.items() for name in ("member", "manager")]
    return lists + [("manager", place, address) for place, address in PAGES.items()]


def _processor() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def _explain(place: str, queries: list[dict[str, str]]) -> None:
    from django.db import connection

    slowest = max(queries, key=lambda query: float(query["time"]))
    if not slowest["sql"].startswith("SELECT"):
        return
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE, BUFFERS) {slowest['sql'].replace('%', '%%')}", [])
        plan = "\n".join(row[0] for row in cursor.fetchall())
    print(f"-- {place}: {slowest['time']} s\n{slowest['sql'][:400]}\n{plan}\n", file=sys.stderr)


def quantile(seconds: list[float], share: float) -> float:
    """In milliseconds."""
    ordered = sorted(seconds)
    return round(1000 * ordered[min(len(ordered) - 1, int(share * len(ordered)))], 1)


def fill(documents: int) -> dict[str, Any]:
    """The workspace with its documents; the people who open the pages."""
    from django.db import connection, transaction

    from workspaces import members

    with transaction.atomic():
        people = {
            name: members.create_user(username=name, password=PASSWORD, by=None)
            for name in ("member", "manager", "contributor")
        }
        place = members.create_workspace(slug="papers", name="Papers", by=None)
        for name, person in people.items():
            members.add_member(place, person, name, by=None)
        owners = [people["member"].pk, people["manager"].pk, people["contributor"].pk]
        with connection.cursor() as cursor:
            for statement in _FILL.split(";\n"):
                if statement.strip():
                    cursor.execute(statement, {"place": place.pk, "owners": owners, "documents": documents})
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
    return {name: people[name] for name in ("member", "manager")}


def table(figures: dict[str, Any]) -> str:
    lines = [f"{figures['documents']:,} documents, {figures['rounds']} rounds"]
    return "\n".join([*lines, *map(line, figures["lists"])])


def line(row: dict[str, Any]) -> str:
    return (
        f"{row['list']:<22} {row['person']:<8} p50 {row['p50_ms']:7.1f} ms  p95 {row['p95_ms']:7.1f} ms  "
        f"cpu {row['cpu_ms']:6.1f} ms  sql {row['sql']:3} in {row['sql_ms']:7.1f} ms"
    )


if __name__ == "__main__":
    sys.exit(main())
