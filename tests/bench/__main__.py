"""`make bench`: every measurement in turn, each in a process and on engines of its own.

    python -m tests.bench [DATA]

Speed is measured on texts the project brings along. DATA, a folder of public collections laid out as
docs/benchmarks.md says, adds quality and ingestion of real reports. Exits with 1 when a budget is missed.
"""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
DEMO = ROOT / "inlock" / "demo" / "documents"


def main(arguments: list[str]) -> int:
    data = Path(arguments[0]).resolve() if arguments else None
    if data is not None and not data.is_dir():
        print(f"There is no folder {data}.", file=sys.stderr)
        return 2
    failed = [name for name, command in commands(data).items() if not run(name, command)]
    print(f"\nBudget missed: {', '.join(failed)}" if failed else "\nEvery budget was kept.")
    return 1 if failed else 0


def commands(data: Path | None) -> dict[str, list[str]]:
    """What is run, by name: module and arguments."""
    reports = data / "filings" / "pdfs" if data else DEMO
    chosen = {
        "ingestion throughput": ["tests.bench.ingest_throughput", str(reports), "--limit", "3" if data else "20"],
        "ingestion of small texts": ["tests.bench.ingest_throughput", "--texts", "500"],
        "reading by format": ["tests.bench.parse_speed", *([str(reports)] if data else [])],
        "memory of a worker": ["tests.bench.worker_memory", "--files", "2000"],
        "search latency": ["tests.bench.search_latency", "--passages", "100000"],
        "comparing an index": ["tests.bench.reconcile"],
        "question overhead": ["tests.bench.question_overhead"],
        "fifty people at once": ["tests.bench.asking_at_once"],
        "model policy": ["tests.bench.model_policy"],
        "finding what is open": ["tests.bench.access_visible"],
        "lists in the admin": ["tests.bench.admin_lists"],
        "lists of documents": ["tests.bench.document_lists"],
        "cockpit": ["tests.bench.cockpit"],
        "readiness": ["tests.bench.readiness"],
        "training sets": ["tests.bench.training_sets"],
        "examined drafts": ["tests.bench.draft_review"],
        "precedents": ["tests.bench.precedents"],
        "sync of a folder": ["tests.bench.source_sync"],
        "audit trail": ["tests.bench.audit_trail"],
    }
    if data:
        chosen["quality"] = ["tests.bench.quality", str(data)]
    return chosen


def run(name: str, command: list[str]) -> bool:
    print(f"\n== {name}: python -m {' '.join(command)}", flush=True)
    return subprocess.run([sys.executable, "-m", *command], cwd=ROOT, check=False).returncode == 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
