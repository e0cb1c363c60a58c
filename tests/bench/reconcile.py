"""What it costs to compare an index with the database, both ways, and to bring it back to what the database says.

    python -m tests.bench.reconcile [--passages 100000] [--differing 1000] [--rounds 3] [--json] [--keep DIR]

Comparing is measured in turns with the least it could do, which is to list every id that Chroma holds; mending with
putting or removing exactly the ids that differ. Given are the median seconds, this process's processor seconds, the
statements sent to the database, and by how many megabytes this process grew at its peak (wants Linux). The last row is
the whole check that is made once a day, which also holds every vector in the index against the stored one.

Exits with 1 when a budget is missed: a ratio of 3 for comparing and for mending, as many statements however many
passages there are, and megabytes that a fraction of the vectors would not fit into.
"""

import argparse
import json
import statistics
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.bench.installation import installation
from tests.bench.search_latency import fill
from tests.bench.worker_memory import memory_of

BUDGET = 3.0
#: Of one comparison, and of one mending of a thousand ids.
MOST_STATEMENTS = {"compare": 6, "mend": 30}
#: That a comparison of 100,000 passages may add, of which the vectors alone take 154.
MOST_GROWTH = 60.0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--passages", type=int, default=100_000)
    parser.add_argument("--differing", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="keep the installation for the next run")
    options = parser.parse_args()
    with installation(options.keep):
        figures = measure(options.passages, options.differing, options.rounds)
    faults = missed(figures)
    print(json.dumps(figures | {"missed": faults}, indent=2) if options.json else table(figures, faults))
    return int(bool(faults))


def measure(passages: int, differing: int, rounds: int) -> dict[str, Any]:
    """Fill the installation, then damage its index in two ways, again and again, and have it mended."""
    from documents import index, reconcile
    from documents.embeddings import default_space
    from documents.indexing import checks as index_checks
    from documents.models import Passage, Version
    from workspaces.models import Workspace

    workspace = Workspace.objects.filter(slug="bench").first() or fill(passages, 0)[0]
    Version.objects.filter(document__workspace=workspace).update(in_index=True)
    space = default_space()
    # Spread over all versions, as what is lost in a crash is not.
    every = Passage.objects.filter(workspace=workspace).order_by("id").values_list("pk", flat=True)
    passages = len(every)
    lost = [str(id) for id in every[:differing]]
    spare = list(index.vectors(workspace.pk, space, lost).values())
    strangers = [str(uuid.uuid4()) for _ in lost]
    runs: dict[str, list[dict[str, Any]]] = {}

    def run(name: str, act: Callable[[], Any]) -> Any:
        with cost() as figures:
            result = act()
        runs.setdefault(name, []).append(figures)
        return result

    def differ(**expected: int) -> Any:
        found = run("compare, " + " ".join(expected), lambda: reconcile.compare(workspace))
        if any(len(getattr(found, name)) != count for name, count in expected.items()):
            raise SystemExit(f"Expected {expected}, found {found}")
        return found

    matrix = _matrix(spare)
    reconcile.compare(workspace)
    for _round in range(rounds):
        run("list", lambda: index.ids(workspace.pk, space))
        run("compare", lambda: reconcile.compare(workspace))
        index.delete(workspace.pk, space, lost)
        missing = differ(missing=differing)
        run("put", lambda: index.upsert(workspace.pk, space, lost, matrix))
        index.delete(workspace.pk, space, lost)
        run("mend, missing", lambda found=missing: reconcile.mend(workspace, found))
        index.upsert(workspace.pk, space, strangers, matrix)
        foreign = differ(foreign=differing)
        run("remove", lambda: index.delete(workspace.pk, space, strangers))
        index.upsert(workspace.pk, space, strangers, matrix)
        run("mend, foreign", lambda found=foreign: reconcile.mend(workspace, found))
        if not reconcile.compare(workspace).is_none:
            raise SystemExit("What was mended differs still.")
    checked = run("the daily check", lambda: index_checks.check(workspace))
    if not checked.agrees or checked.differed:
        raise SystemExit(f"The check found {checked.differed} differences and left {checked.left}")
    return {"passages": passages, "differing": differing, "rounds": rounds} | {
        name: {what: round(statistics.median(each[what] for each in many), 3) for what in many[0]}
        for name, many in runs.items()
    }


def _matrix(vectors: list[Any]) -> Any:
    import numpy as np

    return np.array(vectors, dtype="<f4")


@contextmanager
def cost() -> Iterator[dict[str, Any]]:
    """Filled at the end: seconds, processor seconds, statements, and megabytes that were added at the peak."""
    from django.db import connection

    figures: dict[str, Any] = {}
    statements = 0

    def count(execute: Any, *sent: Any) -> Any:
        nonlocal statements
        statements += 1
        return execute(*sent)

    # From here on the peak counts anew.
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    before = memory_of("self", "VmRSS:")
    began, used = time.perf_counter(), time.process_time()
    with connection.execute_wrapper(count):
        yield figures
    figures |= {
        "seconds": time.perf_counter() - began,
        "cpu": time.process_time() - used,
        "sql": statements,
        "grown_mb": max(0.0, memory_of("self", "VmHWM:") - before),
    }


#: What is measured, the least that it could do, and its kind of budget.
_HELD = (
    ("compare", "list", "compare"),
    ("compare, missing", "list", "compare"),
    ("compare, foreign", "list", "compare"),
    ("mend, missing", "put", "mend"),
    ("mend, foreign", "remove", "mend"),
)


def ratio(figures: dict[str, Any], name: str, least: str) -> float:
    return round(figures[name]["seconds"] / figures[least]["seconds"], 2)


def missed(figures: dict[str, Any]) -> list[str]:
    """What is beyond its budget, in words."""
    faults = []
    for name, least, kind in _HELD:
        row = figures[name]
        if (times := ratio(figures, name, least)) > BUDGET:
            faults.append(f"{name} takes {times} times as long as {least}")
        if row["sql"] > MOST_STATEMENTS[kind]:
            faults.append(f"{name} sends {row['sql']} statements")
        if row["grown_mb"] > MOST_GROWTH:
            faults.append(f"{name} takes {row['grown_mb']} MB")
    return faults


def table(figures: dict[str, Any], faults: list[str]) -> str:
    least_of = {name: least for name, least, _kind in _HELD}
    lines = [
        f"{figures['passages']} passages, {figures['differing']} that differ, {figures['rounds']} rounds",
        f"{'':20}{'seconds':>9}{'cpu s':>8}{'SQL':>5}{'MB':>8}  ratio",
    ]
    for name, row in figures.items():
        if isinstance(row, dict):
            least = f"  {ratio(figures, name, least_of[name])} x {least_of[name]}" if name in least_of else ""
            lines.append(f"{name:20}{row['seconds']:9}{row['cpu']:8}{row['sql']:5.0f}{row['grown_mb']:8}{least}")
    return "\n".join([*lines, *(f"MISSED: {fault}" for fault in faults)])


if __name__ == "__main__":
    sys.exit(main())
