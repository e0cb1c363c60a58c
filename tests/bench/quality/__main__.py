"""Measure quality on public collections, through the product: one table, and one JSON document.

    python -m tests.bench.quality DATA [--only scifact,filings] [--space NAME] [--json OUT] [--keep DIR]

DATA is laid out as docs/benchmarks.md says; sets whose folder is missing are left out and named. Texts are brought in,
parsed, cut, embedded and indexed as any document, into an installation of its own; with --keep it stays in DIR, and
the next run brings in only what changed. Exits with 1 when a figure misses its floor.
"""

import argparse
import json
import sys
import time
from pathlib import Path

from tests.bench.installation import installation
from tests.bench.quality.bench import Bench
from tests.bench.quality.sets import SETS, Figure, Set


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, metavar="DATA")
    parser.add_argument("--only", default="", help="names of sets, separated by commas")
    parser.add_argument(
        "--space", default="", metavar="NAME", help="the built-in embedding model; the default one without"
    )
    parser.add_argument("--json", type=Path, metavar="OUT", help="write every figure to this file")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="keep the installation for the next run")
    options = parser.parse_args(arguments)
    chosen = choose(options.only)
    if chosen is None:
        parser.error(f"the sets are {', '.join(each.name for each in SETS)}")
    figures: list[Figure] = []
    with installation(options.keep):
        bench = Bench(options.data.resolve(), options.space)
        for each in chosen:
            if not each.is_in(bench.data):
                print(f"{each.name}: left out, its folder is not in {options.data}", file=sys.stderr)
                continue
            started = time.perf_counter()
            figures += each.measure(bench)
            print(f"{each.name}: {time.perf_counter() - started:.0f} s", file=sys.stderr, flush=True)
    print(table(figures))
    if options.json:
        options.json.write_text(json.dumps([figure.as_json() for figure in figures], indent=2) + "\n", encoding="utf-8")
    return int(not all(figure.holds for figure in figures))


def choose(names: str) -> list[Set] | None:
    """The sets of these names, all of them for ""; None where one is not known."""
    wanted = [name.strip() for name in names.split(",") if name.strip()]
    if not set(wanted) <= {each.name for each in SETS}:
        return None
    return [each for each in SETS if not wanted or each.name in wanted]


def table(figures: list[Figure]) -> str:
    """The figures in columns; what misses its floor says so."""
    rows = [("set", "way", "figure", "value", "floor", "of", "")]
    for figure in figures:
        floor = "" if figure.floor is None else f"{'≤' if figure.at_most else '>'} {figure.floor:.3f}"
        said = "" if figure.floor is None else "ok" if figure.holds else "BELOW" if not figure.at_most else "ABOVE"
        rows.append((figure.set, figure.way, figure.name, f"{figure.value:.4f}", floor, str(figure.count), said))
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )


if __name__ == "__main__":
    sys.exit(main())
