"""Read numbers, their units and dates out of a text, as English and Serbian write them.

"1,234.5" and "1.234,5" are the same number, "25 %" and "двадесет пет посто" the same share, "12. marta 2024." and
"March 12, 2024" the same day. Where a spelling has two meanings ("1.234"), it has both, and either may agree.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

from documents.analysis import fold

Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Number:
    """A number as it is written, what it may mean, and its unit: "" where none stands by it."""

    text: str
    values: frozenset[str]
    unit: str
    #: Where it stands, its unit included.
    span: Span = (0, 0)

    def agrees(self, others: Sequence["Number"]) -> bool:
        """Whether one of `others` has the same value."""
        return any(not self.values.isdisjoint(other.values) for other in others)

    def has_other_unit(self, others: Sequence["Number"]) -> bool:
        """Whether its value stands among `others`, but each time with another unit."""
        same = [other.unit for other in others if not self.values.isdisjoint(other.values)]
        return bool(self.unit and same) and all(unit and unit != self.unit for unit in same)


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


@dataclass(frozen=True, slots=True)
class Figures:
    """What a text holds of them, in reading order."""

    numbers: tuple[Number, ...]
    dates: tuple[Date, ...]


def read(text: str, *, only_claimed: bool = False) -> Figures:
    """The figures of `text`. `only_claimed`: without "one", which is seldom meant as a number, and list numbering."""
    dates = list(_dates(text))
    taken = [date.span for date in dates]
    start = _LIST_NUMBER.match(text)
    if only_claimed and start:
        taken.append(start.span())
    numbers = [*_written(text, taken), *_spoken(text, only_claimed=only_claimed)]
    if not only_claimed:
        # A year may be named alone where the source has the whole date.
        numbers += [Number(str(y), frozenset({str(y)}), "") for date in dates for y, _m, _d in date.meanings if y]
    return Figures(tuple(numbers), tuple(dates))


def without(text: str) -> str:
    """`text` with blanks for its figures and their units, which are compared by what they mean."""
    found = read(text, only_claimed=True)
    for start, end in (figure.span for figure in (*found.numbers, *found.dates)):
        text = text[:start] + " " * (end - start) + text[end:]
    return text


# --- Numbers ----------------------------------------------------------------------------------------------------

_LIST_NUMBER = re.compile(r"\s*\d{1,2}[.)]\s")
_NUMERAL = re.compile(
    r"(?<![\w.,])(?P<sign>[-−])?(?P<digits>\d{1,3}(?:[ \u00a0\u202f'’]\d{3})+(?:[.,]\d+)?(?!\d)|\d+(?:[.,]\d+)*)"
    r"(?P<ordinal>(?:st|nd|rd|th)\b)?"
)
_BEFORE = re.compile(r"(?P<sign>[$€£])\s?$|\b(?P<code>USD|EUR|RSD|GBP|CHF)\s$")
_AFTER = re.compile(r"[\s\u00a0-]{0,2}(?P<word>%|‰|[$€£]|°C|[^\W\d_]+)")
_DECADE = re.compile(r"['’]?s\b")
_UNITS = {
    # Folded beginnings of words, the longest first where one begins another; a "." ends a word that must be whole.
    "percent": ("%", "percent", "per.", "posto", "odsto", "procen", "prozent"),
    "euro": ("€", "eur.", "euro", "evro", "evra"),
    "dollar": ("$", "usd.", "dollar", "dolar"),
    "pound": ("£", "gbp.", "pound", "funt"),
    "dinar": ("rsd.", "dinar", "din."),
    "day": ("day", "dan.", "dana.", "danom.", "dani."),
    "week": ("week", "nedelj", "sedmic", "tjed"),
    "month": ("month", "mesec", "mjesec"),
    "year": ("year", "godin"),
    "hour": ("hour", "sat.", "sata.", "sati.", "h."),
    "minute": ("minut", "min."),
    "second": ("second", "sekund"),
    "kilogram": ("kg.", "kilogram"),
    "kilometre": ("km.", "kilomet"),
    "metre": ("m.", "meter.", "meters.", "metre.", "metres.", "metar", "metra."),
    "mile": ("mile", "milja"),
    "degree": ("degree", "stepen", "°c"),
}
_SCALES = {
    3: ("thousand", "hiljad", "tisuc"),
    6: ("million", "milion", "milijun"),
    9: ("billion", "milijard"),
    12: ("trillion", "bilion"),
}


def _written(text: str, taken: Sequence[Span]) -> Iterator[Number]:
    for match in _NUMERAL.finditer(text):
        start, end = match.span()
        if any(first <= start < last for first, last in taken):
            continue
        values = set(_values(match["digits"]))
        unit, scale, after = _what_follows(text, end)
        if text[end : end + 1].isalpha() and not unit and not scale and not _DECADE.match(text, end):
            continue  # part of a name, such as 4G
        if scale:
            values = {_plain(Decimal(value) * 10**scale) for value in values if _is_decimal(value)}
            unit, _scale, after = _what_follows(text, after)
        if match["sign"]:
            values = {f"-{value}" for value in values}
        before = _BEFORE.search(text, max(0, start - 5), start)
        if before:
            unit = _unit_of(before["sign"] or before["code"])
        first = before.start() if before else start
        yield Number(text[start:end], frozenset(values), unit, (first, after if unit or scale else end))


def _what_follows(text: str, end: int) -> tuple[str, int, int]:
    """The unit, the power of ten, and where the word that says it ends."""
    found = _AFTER.match(text, end)
    if not found:
        return "", 0, end
    word = fold(found["word"])
    for power, beginnings in _SCALES.items():
        if word.startswith(beginnings):
            return "", power, found.end()
    return _unit_of(found["word"]), 0, found.end()


def _unit_of(word: str) -> str:
    folded = fold(word)
    for unit, beginnings in _UNITS.items():
        if any(folded == each[:-1] if each.endswith(".") else folded.startswith(each) for each in beginnings):
            return unit
    return ""


def _values(digits: str) -> Iterator[str]:
    """What a numeral may mean: its last separator is a decimal one, or all of them part thousands."""
    joined = re.sub(r"[ \u00a0\u202f'’]", "", digits)
    marks = [letter for letter in joined if letter in ".,"]
    if not marks:
        yield _plain(Decimal(joined))
        return
    head, _mark, tail = joined.rpartition(marks[-1])
    if len(set(marks)) == 1:
        groups = joined.split(marks[0])
        if all(len(group) == 3 for group in groups[1:]) and groups[0] != "0" and len(groups[0]) <= 3:
            yield _plain(Decimal("".join(groups)))
        elif len(marks) > 1:
            yield joined  # 3.2.1 is the number of a section
            return
    if len(marks) == 1 or marks.count(marks[-1]) == 1:
        yield _plain(Decimal(re.sub(r"[.,]", "", head) + "." + tail))


def _plain(value: Decimal) -> str:
    return f"{value.normalize():f}"


def _is_decimal(value: str) -> bool:
    return value.count(".") <= 1


_ONES = {
    "zero nula": 0, "one jedan jedna jedno jednog jedne": 1, "two dva dve dvije": 2, "three tri": 3,
    "four cetiri": 4, "five pet": 5, "six sest": 6, "seven sedam": 7, "eight osam": 8, "nine devet": 9,
    "ten deset": 10, "eleven jedanaest": 11, "twelve dvanaest": 12, "thirteen trinaest": 13,
    "fourteen cetrnaest": 14, "fifteen petnaest": 15, "sixteen sesnaest": 16, "seventeen sedamnaest": 17,
    "eighteen osamnaest": 18, "nineteen devetnaest": 19,
}  # fmt: skip
_TENS = {
    "twenty dvadeset": 20, "thirty trideset": 30, "forty cetrdeset": 40, "fifty pedeset": 50, "sixty sezdeset": 60,
    "seventy sedamdeset": 70, "eighty osamdeset": 80, "ninety devedeset": 90, "hundred sto stotinu": 100,
}  # fmt: skip
_WORD_VALUES = {word: value for table in (_ONES, _TENS) for words, value in table.items() for word in words.split()}
_SPOKEN = re.compile(r"[^\W\d_]+")


def _spoken(text: str, *, only_claimed: bool) -> Iterator[Number]:
    """Numbers in words, tens with the ones behind them as one number."""
    words = list(_SPOKEN.finditer(text))
    at = 0
    while at < len(words):
        value = _WORD_VALUES.get(fold(words[at].group()))
        first = last = words[at]
        at += 1
        if value is None:
            continue
        if 20 <= value <= 90 and at < len(words):
            step = at + 1 if fold(words[at].group()) == "i" and at + 1 < len(words) else at
            ones = _WORD_VALUES.get(fold(words[step].group()), 0)
            if 1 <= ones <= 9 and words[step].start() - last.end() <= 3:
                value, last, at = value + ones, words[step], step + 1
        unit, scale, after = _what_follows(text, last.end())
        if scale:
            value, (unit, _scale, after) = value * 10**scale, _what_follows(text, after)
        if value > 1 or unit or not only_claimed:
            end = after if unit or scale else last.end()
            yield Number(text[first.start() : last.end()], frozenset({str(value)}), unit, (first.start(), end))


# --- Dates ------------------------------------------------------------------------------------------------------

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
    re.compile(rf"\b(?P<d>\d{{1,2}})(?:st|nd|rd|th|\.)?(?: of)? {_WORD}(?:,? (?P<y>\d{{4}}))?\b"),
    re.compile(rf"\b{_WORD} (?P<d>\d{{1,2}})(?:st|nd|rd|th)?(?:,? (?P<y>\d{{4}}))?\b(?!\.\d)"),
    re.compile(rf"\b{_WORD},? (?P<y>\d{{4}})\b"),
)
_SLASHED = _DATE_FORMS[2]


def _dates(text: str) -> Iterator[Date]:
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
    year, day = int(parts.get("y") or 0), int(parts.get("d") or 0)
    orders = [(month, day), (day, month)] if is_slashed else [(month, day)]
    return [(year, m, d) for m, d in orders if 1 <= m <= 12 and d <= 31]


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
