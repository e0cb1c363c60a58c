"""Dates as English and Serbian write them: "March 12, 2024", "12. marta 2024.", "12.03.24."."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from answers.grounding.numerals import Number, Span
from documents.analysis import fold


@dataclass(frozen=True, slots=True)
class Date:
    """A date as it is written, and the (year, month, day) it may mean; 0 for a part that is not said."""

    text: str
    meanings: frozenset[tuple[int, int, int]]
    span: Span = (0, 0)

    def agrees(self, others: Sequence["Date"], numbers: Sequence[Number]) -> bool:
        """Whether one of `others` says the same; the year may stand apart, among `numbers`."""
        return any(
            _says(mine, theirs, numbers) for mine in self.meanings for other in others for theirs in other.meanings
        )


_MONTHS = (
    ("january", "jan", "januar"), ("february", "feb", "februar"), ("march", "mar", "mart"), ("april", "apr"),
    ("may", "maj"), ("june", "jun", "jun"), ("july", "jul", "jul"), ("august", "aug", "avg", "avgust"),
    ("september", "sep", "sept", "septembar", "septembr"), ("october", "oct", "okt", "oktobar", "oktobr"),
    ("november", "nov", "novembar", "novembr"), ("december", "dec", "decembar", "decembr"),
)  # fmt: skip
_MONTH_OF = {name: number for number, names in enumerate(_MONTHS, start=1) for name in names}
_CASES = ("", "a", "u", "om", "e")
_WORD = r"(?P<month>[^\W\d_]{3,10})\.?"
_DATE_FORMS = (
    re.compile(r"\b(?P<y>\d{4})-(?P<m>\d{1,2})-(?P<d>\d{1,2})\b"),
    re.compile(r"\b(?P<d>\d{1,2})\. ?(?P<m>\d{1,2})\. ?(?P<y>\d{4})\b"),
    re.compile(r"\b(?P<d>\d{1,2})/(?P<m>\d{1,2})/(?P<y>\d{4})\b"),
    re.compile(r"\b(?P<d>\d{1,2})\. ?(?P<m>\d{1,2})\. ?(?P<y>\d{2})\b(?![.,:]?\d)"),
    re.compile(rf"\b(?P<d>\d{{1,2}})(?:st|nd|rd|th|\.)?(?: of)? {_WORD}(?:,? (?P<y>\d{{4}}|['’]\d{{2}}))?\b"),
    re.compile(rf"\b{_WORD} (?P<d>\d{{1,2}})(?:st|nd|rd|th)?(?:,? (?P<y>\d{{4}}))?\b(?!\.\d)"),
    re.compile(rf"\b{_WORD},? (?P<y>\d{{4}})\b"),
)
#: Of years in two figures.
_FIRST_OF_LAST_CENTURY = 70
_SLASHED = _DATE_FORMS[2]


def dated(text: str) -> Iterator[Date]:
    """The dates in `text`."""
    taken: list[Span] = []
    for form in _DATE_FORMS:
        for match in form.finditer(text):
            if any(match.start() < last and first < match.end() for first, last in taken):
                continue
            meanings = _meanings(match, is_slashed=form is _SLASHED)
            if meanings:
                taken.append(match.span())
                yield Date(match.group().strip(), frozenset(meanings), match.span())


def _meanings(match: re.Match[str], *, is_slashed: bool) -> list[tuple[int, int, int]]:
    parts = match.groupdict()
    month = _month(parts["month"]) if "month" in parts else int(parts["m"])
    year, day = _year(parts.get("y") or ""), int(parts.get("d") or 0)
    orders = [(month, day), (day, month)] if is_slashed else [(month, day)]
    return [(year, m, d) for m, d in orders if 1 <= m <= 12 and d <= 31]


def _year(written: str) -> int:
    """The year of four or two figures; 0 where none is written."""
    if not written:
        return 0
    year = int(written.strip("'’"))
    if year >= 100:
        return year
    return year + (1900 if year >= _FIRST_OF_LAST_CENTURY else 2000)


def _month(word: str) -> int:
    """1 to 12, or 0 for a word that is no month; English writes months with a capital, and may is a verb without."""
    folded = fold(word)
    if folded in {"may", "march", "mar"} and word[0].islower():
        return 0
    for case in _CASES:
        if folded.endswith(case) and (found := _MONTH_OF.get(folded[: len(folded) - len(case)])):
            return found
    return 0


def _says(mine: tuple[int, int, int], theirs: tuple[int, int, int], numbers: Sequence[Number]) -> bool:
    for part, (said, stands) in enumerate(zip(mine, theirs, strict=True)):
        if not said or said == stands:
            continue
        is_year_apart = part == 0 and not stands and any(str(said) in number.values for number in numbers)
        if not is_year_apart:
            return False
    return True
