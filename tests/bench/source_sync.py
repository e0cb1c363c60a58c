"""How long a sync of a folder takes: the first one, one with nothing new, and one with ten changes.

    python -m tests.bench.source_sync [--objects 10000] [--first 500] [--changes 10] [--json]

Reading and embedding the files is ingestion, measured elsewhere; here each is listed, compared, received and recorded.
The first sync is of `--first` files; the others are then remembered as if they had been brought in too. There is no
budget but the work: a sync with ten changes fetches ten files.
"""

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tests.bench.installation import installation


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--objects", type=int, default=10_000)
    parser.add_argument("--first", type=int, default=500)
    parser.add_argument("--changes", type=int, default=10)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with installation(), tempfile.TemporaryDirectory(prefix="inlock-bench-") as folder:
        figures = measure(Path(folder).resolve(), options.objects, options.first, options.changes)
    print(json.dumps(figures, indent=2) if options.json else table(figures))
    return int(figures["ten changes"]["changed"] != options.changes)


def measure(folder: Path, objects: int, first: int, changes: int) -> dict[str, Any]:
    """Write the files and sync three times; seconds and counts of each."""
    from django.conf import settings

    from documents import library
    from documents.models import RunKind
    from documents.sources import sync
    from documents.sources.keeping import Wish, ask_run, create_source
    from workspaces.members import add_member, create_user, create_workspace

    settings.SOURCE_FOLDERS = [str(folder)]
    library.dispatch = lambda *_: None
    write(folder, range(first))
    manager = create_user(username="bench-sync", password=None, by=None)
    workspace = create_workspace(slug="bench-sync", name="Sync", policy="open", by=None)
    add_member(workspace, manager, "manager", by=None)
    source = create_source(workspace, "folder", Wish("Files", {"folder": str(folder)}), by=manager)

    def look(kind: str = RunKind.SYNC) -> dict[str, Any]:
        run = ask_run(source, kind, by=manager)
        started = time.perf_counter()
        sync.work(run.pk)
        seconds = time.perf_counter() - started
        run.refresh_from_db()
        counts = {name: getattr(run, name) for name in ("added", "changed", "unchanged", "removed", "failed")}
        return {"state": run.state, "seconds": round(seconds, 2), **counts}

    figures = {"first": look()}
    write(folder, range(first, objects))
    figures["preview"] = look(RunKind.PREVIEW)
    remember(source)
    figures["nothing new"] = look()
    for number in range(changes):
        (folder / "000" / f"{number:05}.txt").write_text(f"Policy number {number}, changed.\n")
    return figures | {"ten changes": look()}


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


def table(figures: dict[str, Any]) -> str:
    """The figures for a person."""
    lines = [f"{'sync':14}{'seconds':>9}{'added':>8}{'changed':>9}{'unchanged':>11}"]
    for name, row in figures.items():
        lines.append(f"{name:14}{row['seconds']:9.2f}{row['added']:8}{row['changed']:9}{row['unchanged']:11}")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
