"""Question sets as files: CSV for people with a spreadsheet, JSON lines for programs.

What is written here, `reading_files` reads back without loss.
"""

import csv
import io
import json
from collections.abc import Iterable, Mapping
from typing import Any

from answers.models import QuestionCase
from audit.export import harmless

COLUMNS = ("id", "question", "documents", "passages", "facts", "refuse")
#: In one cell of a table: between values that have a line each, or in one line, and between the parts of a passage.
BESIDE, WITHIN = " | ", " :: "


def as_jsonl(cases: Iterable[QuestionCase], paths: Mapping[str, str]) -> str:
    """One JSON object a line; `paths` tells the document of each id."""
    return "".join(json.dumps(_document(case, paths), ensure_ascii=False) + "\n" for case in cases)


def as_csv(cases: Iterable[QuestionCase], paths: Mapping[str, str]) -> str:
    """A table that no spreadsheet takes for a formula."""
    written = io.StringIO()
    rows = csv.writer(written)
    rows.writerow(COLUMNS)
    for case in cases:
        told = _document(case, paths)
        passages = [WITHIN.join(_parts(passage)) for passage in told.get("passages", ())]
        cells = [
            told["id"],
            told["question"],
            _joined(told.get("documents", ())),
            _joined(passages),
            _joined(told.get("facts", ())),
            "yes" if told.get("refuse") else "",
        ]
        rows.writerow([guarded(cell) for cell in cells])
    return written.getvalue()


def _document(case: QuestionCase, paths: Mapping[str, str]) -> dict[str, Any]:
    told: dict[str, Any] = {"id": case.code, "question": case.question}
    if case.must_refuse:
        return told | {"refuse": True}
    whole = [item for item in case.expected if item["page"] is None and not item["quote"]]
    narrow = [item for item in case.expected if item not in whole]
    if whole:
        told["documents"] = [paths.get(item["document"], item["document"]) for item in whole]
    if narrow:
        told["passages"] = [
            {
                "document": paths.get(item["document"], item["document"]),
                **({"page": item["page"]} if item["page"] is not None else {}),
                **({"quote": item["quote"]} if item["quote"] else {}),
            }
            for item in narrow
        ]
    if case.facts:
        told["facts"] = list(case.facts)
    return told


def _parts(passage: Mapping[str, Any]) -> list[str]:
    parts = [passage["document"], str(passage.get("page", "")), passage.get("quote", "")]
    return parts if parts[2] else parts[:2]


def _joined(values: Iterable[str]) -> str:
    listed = list(values)
    # A last line of its own says that lines part the values, not the sign that one of them holds.
    ends = "\n" if len(listed) == 1 and BESIDE in listed[0] else ""
    return "\n".join(listed) + ends


def guarded(cell: str) -> str:
    """As `harmless`, and so that `unguarded` gives back every cell."""
    return f"'{cell}" if harmless(cell.lstrip("'")) != cell.lstrip("'") else cell


def unguarded(cell: str) -> str:
    return cell[1:] if cell.startswith("'") and harmless(cell.lstrip("'")) != cell.lstrip("'") else cell
