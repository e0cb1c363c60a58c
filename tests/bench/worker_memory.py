"""How much memory a worker and the processes that read files take, over one long file and over many small ones.

    python -m tests.bench.worker_memory [--pages 2000] [--files 10000] [--json]

A PDF of a quarter of the pages is brought in first and the whole one then, and so are the small files: memory that is
flat is the same at both. `ready_seconds` is the time to the first passage that answers, which is the time to all of
them: half of a document is never searched. Reads /proc, so it wants Linux.
"""

import argparse
import json
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

from tests.bench.installation import installation

MEGABYTE = 1024 * 1024
#: What a quarter may lack of the whole and still be called the same.
SLACK = 1.25
_LOOKING_SECONDS = 0.02


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pages", type=int, default=2000)
    parser.add_argument("--files", type=int, default=10_000)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with installation(), tempfile.TemporaryDirectory(prefix="inlock-bench-") as folder:
        figures = measure(Path(folder), options.pages, options.files)
    if options.json:
        print(json.dumps(figures, indent=2))
    else:
        for name, figure in figures.items():
            print(f"{name}: {figure}")
    return 0 if figures["flat"] else 1


def measure(folder: Path, pages: int, files: int) -> dict[str, Any]:
    from documents import embeddings, index, sandbox
    from tests.documents import samples
    from workspaces import members

    person = members.create_user(username="bench", by=None)
    workspace = members.create_workspace(slug="bench", name="", manager=person, by=None)
    small = [samples.text(folder / f"{n:05}.txt", f"Clause {n} says that leave is paid.") for n in range(files)]
    long = {count: report(folder / f"{count}.pdf", count) for count in (pages // 4, pages)}
    # Loaded once in the life of a worker.
    embeddings.embed_passages(["The model is loaded."], embeddings.default_space())
    index.version()
    sandbox.parse(small[0], name="a.txt")

    figures: dict[str, Any] = {"worker_at_first_mb": worker_mb()}
    with Children() as children:
        for count, path in long.items():
            started = time.perf_counter()
            bring_in(workspace, person, [path])
            figures[f"pdf_{count}_pages"] = {
                "ready_seconds": round(time.perf_counter() - started, 1),
                "worker_mb": worker_mb(),
                "child_mb": children.peak_mb(),
            }
        for part in (small[: files // 4], small[files // 4 :]):
            bring_in(workspace, person, part)
            figures[f"small_files_to_{part[-1].stem}"] = {"worker_mb": worker_mb(), "child_mb": children.peak_mb()}
    quarter, whole = (each["worker_mb"] for name, each in figures.items() if name.startswith("small"))
    figures["flat"] = whole <= SLACK * quarter
    return figures


def report(path: Path, pages: int) -> Path:
    from tests.documents import samples

    page = [[f"Clause {n} says that leave of kind {n} is paid after {n} days."] for n in range(20)]
    return samples.pdf(path, [page] * pages)


def bring_in(workspace: Any, person: Any, paths: list[Path]) -> None:
    from documents.ingestion import intake

    for row in intake.bring_in(workspace, [intake.Found(path.name, path) for path in paths], by=person, threads=1):
        if not row.is_ready:
            raise SystemExit(f"{row.path} ended as {row.state}")


def worker_mb() -> float:
    """What this process takes now."""
    return memory_of("self", "VmRSS:")


def memory_of(pid: str | int, what: str) -> float:
    try:
        status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    except (FileNotFoundError, ProcessLookupError):
        return 0.0
    line = next((line for line in status.splitlines() if line.startswith(what)), "")
    return round(int(line.split()[1]) * 1024 / MEGABYTE, 1) if line else 0.0


class Children:
    """The most that a process which reads a file took since last asked, as far as looking often shows it."""

    def __enter__(self) -> "Children":
        self._most, self._ended = 0.0, threading.Event()
        self._looking = threading.Thread(target=self._look)
        self._looking.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._ended.set()
        self._looking.join()

    def peak_mb(self) -> float:
        most, self._most = self._most, 0.0
        return most

    def _look(self) -> None:
        from documents import forking

        while not self._ended.wait(_LOOKING_SECONDS):
            process = forking.forker._process
            if process is None:
                continue
            children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
            for pid in children.read_text(encoding="ascii").split() if children.exists() else ():
                self._most = max(self._most, memory_of(pid, "VmHWM:"))


if __name__ == "__main__":
    sys.exit(main())
