"""How many pages a second of processor time each format is read at.

    python -m tests.bench.parse_speed [DIR] [--pages 200] [--json]

Files of every format are generated; with DIR those that lie in it are read as well, and their formats are told apart
by "your". A page of a format without pages is 3,000 characters of its text. Everything runs in this process: what the
child that reads a file in the portal costs besides, `tests.bench.ingest_throughput` counts. The budget is for the PDF
files of DIR: 150 pages.
"""

import argparse
import json
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path

from documents.parse import FORMATS, Parsed, ParseFailed, parse_file
from documents.parse.model import NUMBERED
from tests.documents import books, mails, samples

BUDGET = 150
CHARACTERS = 3000
SENTENCE = "Every employee has leave of twenty-five days a year, which is paid as if it had been worked. "
PARAGRAPH = SENTENCE * 6
PAGE = [PARAGRAPH] * 5


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("directory", metavar="DIR", nargs="?", type=Path)
    parser.add_argument("--pages", type=int, default=200, help="of each generated file")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="inlock-bench-") as folder:
        figures = {ending: measure([path]) for ending, path in generated(Path(folder), options.pages)}
    figures |= {f"your {ending}": measure(files) for ending, files in found(options.directory)}
    if options.json:
        print(json.dumps(figures, indent=2))
    else:
        for name, figure in figures.items():
            print(f"{name:12} {figure['pages']:6} pages {figure['pages_per_second']:10,.1f} pages/s")
    reports = figures.get("your pdf")
    return 0 if reports is None or reports["pages_per_second"] >= BUDGET else 1


def measure(files: Iterable[Path]) -> dict[str, float]:
    pages, seconds, failed = 0.0, 0.0, 0
    for path in files:
        started = time.process_time()
        try:
            parsed = parse_file(path, path.name)
        except ParseFailed:
            failed += 1
            continue
        seconds += time.process_time() - started
        pages += pages_of(parsed)
    speed = pages / seconds if seconds else 0.0
    return {"pages": round(pages), "seconds": round(seconds, 3), "pages_per_second": round(speed, 1), "failed": failed}


def pages_of(parsed: Parsed) -> float:
    if parsed.sections[0].kind in NUMBERED - {"sheet"}:
        return parsed.page_count
    return len(parsed.text) / CHARACTERS


def found(directory: Path | None) -> Iterator[tuple[str, list[Path]]]:
    by_ending: dict[str, list[Path]] = defaultdict(list)
    for path in sorted(directory.rglob("*")) if directory else ():
        if path.is_file() and path.suffix.lower().removeprefix(".") in FORMATS:
            by_ending[path.suffix.lower().removeprefix(".")].append(path)
    yield from by_ending.items()


def generated(folder: Path, pages: int) -> Iterator[tuple[str, Path]]:
    lines = [[PARAGRAPH[start : start + 90] for start in range(0, len(PARAGRAPH), 90)]] * 5
    text = "\n\n".join(PAGE * pages)
    web = "".join(f"<h2>Clause {n}</h2>" + f"<p>{PARAGRAPH}</p>" * 5 for n in range(pages))
    rows = [["Kind", "Days", "Remark"], *([f"Leave {n}", n, SENTENCE] for n in range(30 * pages))]
    table = "\n".join(",".join(f'"{cell}"' for cell in row) for row in rows)
    yield "pdf", samples.pdf(folder / "a.pdf", [lines] * pages)
    yield "docx", document(folder / "a.docx", pages)
    yield "pptx", samples.pptx_of(folder / "a.pptx", [("Leave", [SENTENCE] * 8, SENTENCE)] * pages)
    yield "xlsx", samples.xlsx(folder / "a.xlsx", {"Leave": rows})
    yield "odt", books.odt(folder / "a.odt", f"<text:p>{PARAGRAPH}</text:p>" * 5 * pages)
    yield "epub", books.epub(folder / "a.epub", [web])
    yield "html", samples.text(folder / "a.html", f"<html><body>{web}</body></html>")
    yield "eml", mails.eml(folder / "a.eml", subject="Leave", plain=text)
    yield "rtf", samples.text(folder / "a.rtf", "{\\rtf1 " + f"{PARAGRAPH}\\par " * 5 * pages + "}")
    yield "csv", samples.text(folder / "a.csv", table)
    yield "md", samples.text(folder / "a.md", "".join(f"# Clause {n}\n\n" + "\n\n".join(PAGE) for n in range(pages)))
    yield "txt", samples.text(folder / "a.txt", text)


def document(path: Path, pages: int) -> Path:
    import docx

    written = docx.Document()
    for number in range(pages):
        written.add_heading(f"Clause {number}", 2)
        for paragraph in PAGE:
            written.add_paragraph(paragraph)
    written.save(str(path))
    return path


if __name__ == "__main__":
    sys.exit(main())
