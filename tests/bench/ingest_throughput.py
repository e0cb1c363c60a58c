"""How fast documents become ready, as a ratio to embedding the same passages and doing nothing else.

    python -m tests.bench.ingest_throughput DIR [--limit 20] [--json]
    python -m tests.bench.ingest_throughput --texts 5000 [--words 30]

Some files are ingested and their passages then embedded bare, in turns within one run, because absolute times on a
shared machine say little. `alone` is what the `ingest` command does with one thread, `command` what it does with all
cores (into a second workspace). The budget is a ratio of 0.8 for `alone`. Bare is one call for each text; `batched`
says what the embedder makes of as many texts in a call as ingestion gives it. On a machine that others use as well, the
ratio of processor seconds (ours, not the engines' nor the parsers') says more than that of the clock.
"""

import argparse
import json
import os
import sys
import tempfile
import time
from itertools import count as count_from
from itertools import islice
from pathlib import Path
from typing import Any

from tests.bench.installation import installation

BUDGET = 0.8
#: Files that are ingested before their passages are embedded bare.
IN_TURN = 100


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("directory", metavar="DIR", nargs="?")
    parser.add_argument("--limit", type=int, default=20, help="files to take, by sorted path")
    parser.add_argument("--texts", type=int, default=0, help="make so many text files, and take them all")
    parser.add_argument("--words", type=int, default=150, help="in each of them")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    if not options.directory and not options.texts:
        parser.error("name a folder, or how many texts to make")
    with installation(), tempfile.TemporaryDirectory(prefix="inlock-bench-") as folder:
        write_texts(Path(folder), options.texts, options.words)
        figures = measure(options.directory or folder, options.texts or options.limit)
    if options.json:
        print(json.dumps(figures, indent=2))
    else:
        for name, figure in figures.items():
            print(f"{name}: {figure}")
    return 0 if figures["alone_ratio"] >= BUDGET else 1


def write_texts(folder: Path, count: int, words: int) -> None:
    """Files of one or a few passages each, no two alike."""
    for number in range(count):
        clauses = (
            f"Clause {number}.{n} says that leave of kind {n} is paid after {number + n} days." for n in count_from(1)
        )
        text = " ".join(islice(clauses, max(1, words // 14)))
        (folder / f"{number:05}.txt").write_text(text, encoding="ascii")


def measure(directory: str, limit: int) -> dict[str, Any]:
    from documents import embeddings, index, sandbox
    from documents.ingestion import intake
    from documents.models import Passage, StageRun
    from documents.stages import embedded
    from documents.states import PROGRESS
    from workspaces import members

    person = members.create_user(username="bench", by=None)
    alone = members.create_workspace(slug="alone", name="", manager=person, by=None)
    together = members.create_workspace(slug="together", name="", manager=person, by=None)
    files = intake.find([directory])[:limit]
    space = embeddings.default_space()
    # A worker loads all three once in its life, so none is timed.
    embeddings.embed_passages(["The model is loaded."], space)
    index.version()
    for found in {found.file.suffix: found for found in files}.values():
        sandbox.parse(found.file, name=found.file.name)

    passages = 0
    ingesting, embedding, batching = Spent(), Spent(), Spent()
    for start in range(0, len(files), IN_TURN):
        with ingesting:
            brought = list(intake.bring_in(alone, files[start : start + IN_TURN], by=person, threads=1))
        texts = [
            embedded.text_of(passage.version.document, passage)
            for passage in Passage.objects.filter(version__document__in=[row.document_id for row in brought])
            .select_related("version__document")
            .order_by("version", "position")
        ]
        with embedding:
            for text in texts:
                embeddings.embed_passages([text], space)
        with batching:
            for first in range(0, len(texts), embedded.BATCH):
                embeddings.embed_passages(texts[first : first + embedded.BATCH], space)
        passages += len(texts)

    runs = StageRun.objects.values_list("stage", "seconds")
    stages = {str(state): round(sum(seconds for stage, seconds in runs if stage == state), 2) for state in PROGRESS[1:]}
    with Spent() as commanding:
        rows = list(intake.bring_in(together, files, by=person))
    return {
        "files": len(files),
        "ready": sum(row.is_ready for row in rows),
        "passages": passages,
        "embedder_passages_per_second": round(passages / embedding.seconds, 1),
        "batched_embedder_passages_per_second": round(passages / batching.seconds, 1),
        "alone_passages_per_second": round(passages / ingesting.seconds, 1),
        "alone_ratio": round(embedding.seconds / ingesting.seconds, 3),
        "alone_cpu_ratio": round(embedding.cpu / ingesting.cpu, 3),
        "alone_seconds_per_stage": stages,
        "command_passages_per_second": round(passages / commanding.seconds, 1),
        "command_ratio": round(embedding.seconds / commanding.seconds, 3),
        "budget": BUDGET,
    }


class Spent:
    """Seconds by the wall and by the processor (children included) spent inside all its blocks together."""

    def __init__(self) -> None:
        self.seconds = self.cpu = 0.0

    def __enter__(self) -> "Spent":
        self.seconds -= time.perf_counter()
        self.cpu -= sum(os.times()[:4])
        return self

    def __exit__(self, *error: object) -> None:
        self.seconds += time.perf_counter()
        self.cpu += sum(os.times()[:4])


if __name__ == "__main__":
    sys.exit(main())
