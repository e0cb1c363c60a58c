"""How long a check of a workspace's readiness takes when it has many documents.

    python -m tests.bench.readiness [--documents 10000] [--json]

The workspace is that of `document_lists`: nothing of it was ingested, so what is told of its index and files is bad
news, which takes as long to find as good. The budget is ten seconds for all checks; the slowest are named.
"""

import argparse
import json
import resource
import sys
import time
from typing import Any

from tests.bench.document_lists import fill
from tests.bench.installation import installation

BUDGET_SECONDS = 10.0
_NAMED = 8


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--documents", type=int, default=10_000)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with installation():
        figures = measure(options.documents)
    print(json.dumps(figures, indent=2) if options.json else table(figures))
    return int(figures["seconds"] > BUDGET_SECONDS)


def measure(documents: int) -> dict[str, Any]:
    """Fill the installation, then make every check once, as a run does."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    from workspaces.models import Workspace
    from workspaces.readiness import registry, running

    fill(documents)
    scene, rows = registry.Scene(Workspace.objects.get(slug="papers")), []
    began, before = time.perf_counter(), _processor()
    for check in registry.checks():
        with CaptureQueriesContext(connection) as queries:
            found, milliseconds = running.look(check, scene)
        rows.append({"check": check.code, "outcome": found.outcome, "ms": milliseconds, "sql": len(queries)})
        if "check" in found.facts:
            print(f"{check.code} failed: see the log.", file=sys.stderr)
    return {
        "documents": documents,
        "checks": len(rows),
        "seconds": round(time.perf_counter() - began, 2),
        "processor_seconds": round(_processor() - before, 2),
        "sql": sum(row["sql"] for row in rows),
        "slowest": sorted(rows, key=lambda row: -row["ms"])[:_NAMED],
    }


def _processor() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def table(figures: dict[str, Any]) -> str:
    head = (
        f"{figures['documents']:,} documents, {figures['checks']} checks: {figures['seconds']} s, "
        f"{figures['processor_seconds']} s of this process's processor, {figures['sql']} queries"
    )
    return "\n".join([head, *(f"{row['ms']:7} ms {row['sql']:4} SQL  {row['check']}" for row in figures["slowest"])])


if __name__ == "__main__":
    sys.exit(main())
