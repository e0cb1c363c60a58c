"""The forms an answer can take: what a model is told about each, and how a finished text is read in it.

A text that does not keep its form is still an answer: it is shown as sentences, and the page says so.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.translation import gettext_lazy as _

from answers.models import Shape
from answers.prompts import harmless

MOST_COLUMNS = 6
#: Where a template names no columns.
DEFAULT_COLUMNS = ("Subject", "What the source says")

#: Word a model writes → (code, label, tone of its badge).
CHECKS = {
    "MET": ("met", _("Met"), "ok"),
    "NOT MET": ("not_met", _("Not met"), "fail"),
    "UNCLEAR": ("unclear", _("Unclear"), "warn"),
}
SEVERITIES = {
    "BLOCKER": ("blocker", _("Blocker"), "fail"),
    "MAJOR": ("major", _("Major"), "warn"),
    "MINOR": ("minor", _("Minor"), "info"),
}
_WORDS = {Shape.CHECKLIST: CHECKS, Shape.FINDINGS: SEVERITIES}

_FORMS = {
    Shape.ANSWER: "One to five plain sentences, the direct answer first.",
    Shape.LIST: "A list: each item on a line of its own that begins with “- ”. Nothing before or after the list.",
    Shape.TABLE: (
        "A table: each row on a line of its own, written | cell | cell |, with the source numbers in the last cell. "
        "No row of headings, nothing before or after the rows. The columns are: %(columns)s."
    ),
    Shape.CHECKLIST: (
        "A checklist: each point on a line of its own that begins with “- MET: ”, “- NOT MET: ” or “- UNCLEAR: ”, "
        "these words as they stand here. Nothing before or after the list."
    ),
    Shape.FINDINGS: (
        "Findings: each on a line of its own that begins with “- BLOCKER: ”, “- MAJOR: ” or “- MINOR: ”, these words "
        "as they stand here, the gravest first. Nothing before or after the findings."
    ),
}
_BULLET = re.compile(r"\A\s*(?:[-*•–]|\d{1,2}[.)])\s+")
_RULER = re.compile(r"\A\s*\|?[\s:|-]+\|?\s*\Z")


@dataclass(frozen=True, slots=True)
class Item:
    """One line of a shaped answer. `code`, `label` and `tone` are empty for what is only quoted."""

    cells: tuple[str, ...]
    code: str = ""
    label: str = ""
    tone: str = ""


def form_of(shape: str, columns: Sequence[str]) -> str:
    """What a model is told about the form."""
    told = _FORMS[Shape(shape)]
    return told % {"columns": "; ".join(harmless(name) for name in columns or DEFAULT_COLUMNS)} if "%" in told else told


def read(shape: str, columns: Sequence[str], text: str) -> list[Item] | None:
    """The lines of a text that keeps its form; None for one that does not, and for sentences, which have no lines.

    A plain list is read in every form: it is what the built-in model gives, which quotes and judges nothing.
    """
    shape = Shape(shape)
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if shape == Shape.ANSWER or not lines:
        return None
    if all(_BULLET.match(line) for line in lines):
        return [_item(shape, _BULLET.sub("", line)) for line in lines]
    return _rows(columns or DEFAULT_COLUMNS, lines) if shape == Shape.TABLE else None


def _item(shape: Shape, line: str) -> Item:
    for word, (code, label, tone) in _WORDS.get(shape, {}).items():
        if line.upper().startswith(f"{word}:"):
            return Item((line[len(word) + 1 :].strip(),), code, str(label), tone)
    return Item((line,))


def _rows(columns: Sequence[str], lines: Sequence[str]) -> list[Item] | None:
    rows = []
    for line in lines:
        if not line.startswith("|"):
            return None
        if _RULER.match(line):
            continue
        cells = tuple(cell.strip() for cell in line.strip("|").split("|"))
        if len(cells) != len(columns):
            return None
        if [cell.casefold() for cell in cells] != [name.casefold() for name in columns]:
            rows.append(Item(cells))
    return rows or None
