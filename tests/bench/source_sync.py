"""What a sync of a folder costs: the first one, a preview, one with nothing new, and one with ten changes.

    python -m tests.bench.source_sync [--objects 10000] [--first 10000] [--changes 10] [--json]

Reading and embedding the files is ingestion, measured elsewhere; here each is listed, compared, received and recorded.
With `--first` below `--objects` the others are remembered as if they had been brought in too, which takes less time.
Counted are statements sent to the database and processor seconds of this process and its children, for each object of
the folder and for each that was brought in; seconds on the clock are context. Exits with 1 when a budget is missed: as
many statements for the last object as for the first, none for an object that did not change, and memory that does not
grow with what is brought in.
"""

import argparse
import json
import resource
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.bench.installation import installation

#: Statements for one object that is brought in; what a sync with nothing new sends in all; megabytes that may be added.
MOST_STATEMENTS = 40
MOST_FOR_NOTHING = 60
MOST_GROWTH = 60.0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--objects", type=int, default=10_000)
    parser.add_argument("--first", type=int, default=10_000)
    parser.add_argument("--changes", type=int, default=10)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with installation(), tempfile.TemporaryDirectory(prefix="inlock-bench-") as folder:
        figures = measure(Path(folder).resolve(), options.objects, options.first, options.changes)
    faults = missed(figures, options.changes)
    print(json.dumps(figures | {"missed": faults}, indent=2) if options.json else table(figures, faults))
    return int(bool(faults))


def measure(folder: Path, objects: int, first: int, changes: int) -> dict[str, Any]:
    """Write the files and sync; the cost and the counts of each run."""
    from django.conf import settings

    from documents import library
    from documents.models import RunKind
    from documents.sources import sync
    from documents.sources.keeping import Wish, ask_run, create_source
    from workspaces.members import add_member, create_user, create_workspace

    settings.SOURCE_FOLDERS = [str(folder)]
    library.dispatch = lambda *_: None
    first = min(first, objects)
    manager = create_user(username="bench-sync", password=None, by=None)
    workspace = create_workspace(slug="bench-sync", name="Sync", policy="open", by=None)
    add_member(workspace, manager, "manager", by=None)
    source = create_source(workspace, "folder", Wish("Files", {"folder": str(folder)}), by=manager)

    def look(kind: str = RunKind.SYNC) -> dict[str, Any]:
        run = ask_run(source, kind, by=manager)
        with costs() as cost:
            sync.work(run.pk)
        run.refresh_from_db()
        counts = {name: getattr(run, name) for name in ("added", "changed", "unchanged", "removed", "failed")}
        return {"state": run.state, **cost, **counts}

    # So that what is loaded and prepared once is not counted with the objects.
    write(folder, range(min(200, first)))
    figures = {"warm up": look()}
    write(folder, range(min(200, first), first))
    figures["first"] = look()
    write(folder, range(first, objects))
    figures["preview"] = look(RunKind.PREVIEW)
    remember(source)
    figures["nothing new"] = look()
    for number in range(changes):
        (folder / "000" / f"{number:05}.txt").write_text(f"Policy number {number}, changed.\n")
    return figures | {"ten changes": look()}


@contextmanager
def costs() -> Iterator[dict[str, Any]]:
    """Statements, processor seconds, seconds and added megabytes of what happens inside."""
    from django.db import connection

    cost: dict[str, Any] = {"statements": 0}

    def count(execute: Any, *asked: Any) -> Any:
        cost["statements"] += 1
        return execute(*asked)

    before, started, memory = _processor_seconds(), time.perf_counter(), _megabytes()
    with connection.execute_wrapper(count):
        yield cost
    cost["processor"] = round(_processor_seconds() - before, 2)
    cost["seconds"] = round(time.perf_counter() - started, 2)
    cost["megabytes"] = round(_megabytes() - memory, 1)


def _processor_seconds() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def _megabytes() -> float:
    """The most that this process has held so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def missed(figures: dict[str, Any], changes: int) -> list[str]:
    """What was not kept, in words."""
    first, nothing, changed = figures["first"], figures["nothing new"], figures["ten changes"]
    faults = []
    if first["added"] and first["statements"] > MOST_STATEMENTS * first["added"]:
        faults.append(f"more than {MOST_STATEMENTS} statements for an object that is new")
    if nothing["statements"] > MOST_FOR_NOTHING:
        faults.append(f"more than {MOST_FOR_NOTHING} statements for a sync with nothing new")
    if changed["changed"] != changes or changed["statements"] > MOST_FOR_NOTHING + MOST_STATEMENTS * changes:
        faults.append("a sync with a few changes does more than those")
    if first["megabytes"] > MOST_GROWTH:
        faults.append(f"memory grew by {first['megabytes']} MB in the first sync")
    return faults


def write(folder: Path, numbers: Iterable[int]) -> None:
    """One small file for each number, a hundred a folder."""
    for number in numbers:
        file = folder / f"{number // 100:03}" / f"{number:05}.txt"
        file.parent.mkdir(exist_ok=True)
        file.write_text(f"Policy number {number}. Employees tell their manager before they leave.\n")


def remember(source: Any) -> None:
    """Make every file of the folder known, with a document, as a sync would have."""
    from audit.chain import digest
    from documents.models import Document, SourceItem
    from documents.sources import CONNECTORS

    with CONNECTORS[source.kind](source.options) as connector:
        listed = {entry.key: entry for entry in connector.list().entries}
    for key in source.items.values_list("key", flat=True):
        del listed[key]
    documents = Document.objects.bulk_create(
        Document(workspace=source.workspace, path=f"{source.folder}/{entry.path}", title=entry.path)
        for entry in listed.values()
    )
    SourceItem.objects.bulk_create(
        SourceItem(
            source=source,
            key=entry.key,
            key_sha256=digest(entry.key),
            path=entry.path,
            tag=entry.tag,
            document=document,
        )
        for entry, document in zip(listed.values(), documents, strict=True)
    )


def table(figures: dict[str, Any], faults: list[str]) -> str:
    """The figures for a person."""
    names = ("added", "changed", "unchanged", "statements", "processor", "seconds", "megabytes")
    lines = [f"{'sync':14}" + "".join(f"{name:>11}" for name in names) + f"{'per object':>24}"]
    for name, row in figures.items():
        brought = row["added"] + row["changed"]
        each = brought or row["unchanged"] or 1
        per = f"{row['statements'] / each:8.2f} SQL {1000 * row['processor'] / each:7.2f} ms"
        lines.append(f"{name:14}" + "".join(f"{row[one]:>11}" for one in names) + f"{per:>24}")
    return "\n".join([*lines, *(f"MISSED: {fault}" for fault in faults)])


if __name__ == "__main__":
    sys.exit(main())
