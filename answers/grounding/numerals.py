"""Numbers written with figures, with their units and scales, as English and Serbian write them."""

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

    #: What it may mean together with its unit alone: "half a year" is no half of anything else.
    with_unit: frozenset[str] = frozenset()

    @property
    def amounts(self) -> frozenset[tuple[str, Decimal]]:
        """What it may mean in the smallest unit of its kind; empty where its unit is the only one of its kind."""
        if self.unit not in _PARTS:
            return frozenset()
        smallest, parts = _PARTS[self.unit]
        counts = [Decimal(value) for value in self.values | self.with_unit if _is_decimal(value)]
        return frozenset((smallest, count * parts) for count in counts)

    @property
    def kind(self) -> str:
        """The smallest unit of its kind: months for years, grams for kilograms."""
        return _PARTS[self.unit][0] if self.unit in _PARTS else self.unit

    def agrees(self, others: Sequence["Number"]) -> bool:
        """Whether one of `others` has the same value."""
        return any(not self.values.isdisjoint(other.values) for other in others)

    def is_same_amount(self, others: Sequence["Number"]) -> bool:
        """Whether one of `others` is as much, in this unit or another: a month is a twelfth of a year."""
        return any(not self.amounts.isdisjoint(other.amounts) for other in others)

    def has_other_unit(self, others: Sequence["Number"]) -> bool:
        """Whether its value stands among `others`, but each time with another unit."""
        same = [other.unit for other in others if not self.values.isdisjoint(other.values)]
        return bool(self.unit and same) and all(unit and unit != self.unit for unit in same)


#: How many of the smallest unit of its kind one is. Months and days are kept apart, and days and hours: a month is no
#: 30 days to a lawyer, a day of leave no 24 hours.
_PARTS: dict[str, tuple[str, Decimal]] = {
    unit: (smallest, Decimal(parts))
    for smallest, units in {
        "month": {"month": "1", "year": "12"},
        "day": {"day": "1", "week": "7"},
        "second": {"second": "1", "minute": "60", "hour": "3600"},
        "milligram": {"milligram": "1", "gram": "1000", "kilogram": "1000000", "tonne": "1000000000"},
        "millimetre": {"millimetre": "1", "centimetre": "10", "metre": "1000", "kilometre": "1000000"},
        "millilitre": {"millilitre": "1", "litre": "1000"},
    }.items()
    for unit, parts in units.items()
}
_NUMERAL = re.compile(
    r"(?<![\w.,])(?P<sign>[-−])?(?P<digits>\d{1,3}(?:[ \u00a0\u202f'’]\d{3})+(?:[.,]\d+)?(?!\d)|\d+(?:[.,]\d+)*)"
    r"(?P<ordinal>(?:st|nd|rd|th)\b)?"
)
_BEFORE = re.compile(r"(?P<sign>[$€£])\s?$|\b(?P<code>USD|EUR|RSD|GBP|CHF)\s?$")
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
    "milligram": ("mg.", "milligram", "miligram"),
    "gram": ("g.", "gr.", "gram"),
    "kilogram": ("kg.", "kilogram"),
    "tonne": ("t.", "tonn", "tona.", "tone."),
    "millimetre": ("mm.", "millimet", "milimet"),
    "centimetre": ("cm.", "centimet"),
    "kilometre": ("km.", "kilomet"),
    "metre": ("m.", "meter.", "meters.", "metre.", "metres.", "metar", "metra."),
    "mile": ("mile", "milja"),
    "millilitre": ("ml.", "millilit", "mililit"),
    "litre": ("l.", "liter", "litre", "litar", "litr"),
    "kilobyte": ("kb.", "kilobyte", "kilobajt"),
    "megabyte": ("mb.", "megabyte", "megabajt"),
    "gigabyte": ("gb.", "gigabyte", "gigabajt"),
    "terabyte": ("tb.", "terabyte", "terabajt"),
    "degree": ("degree", "stepen", "°c"),
}
_SCALES = {
    3: ("thousand", "hiljad", "tisuc", "k."),
    6: ("million", "milion", "milijun", "mn.", "mio.", "mil."),
    9: ("billion", "milijard", "bn.", "mlrd.", "mrd."),
    12: ("trillion", "bilion", "tn."),
}
#: "5m" is a length, "EUR 5m" and "5m euros" are millions.
_MONEY = frozenset({"euro", "dollar", "pound", "dinar"})
_MILLIONS = "m"


def written(text: str, taken: Sequence[Span]) -> Iterator[Number]:
    """The numbers in `text` that are written with figures, but for those inside one of the spans `taken`."""
    for match in _NUMERAL.finditer(text):
        start, end = match.span()
        if is_in(start, taken):
            continue
        before = _BEFORE.search(text, max(0, start - 5), start)
        unit_before = unit_of(before["sign"] or before["code"]) if before else ""
        unit, scale, after = what_follows(text, end, unit_before)
        if text[end : end + 1].isalpha() and not unit and not scale and not _DECADE.match(text, end):
            continue  # part of a name, such as 4G
        values = set(_values(match["digits"]))
        if scale:
            values = {_plain(Decimal(value) * 10**scale) for value in values if _is_decimal(value)}
            unit, _scale, after = what_follows(text, after)
        if match["sign"]:
            values = {f"-{value}" for value in values}
        first = before.start() if before else start
        yield Number(text[start:end], frozenset(values), unit_before or unit, (first, after if unit or scale else end))


def what_follows(text: str, end: int, unit_before: str = "") -> tuple[str, int, int]:
    """The unit, the power of ten, and where the word that says it ends."""
    found = _AFTER.match(text, end)
    if not found:
        return "", 0, end
    word = fold(found["word"])
    for power, beginnings in _SCALES.items():
        if _begins(word, beginnings):
            return "", power, found.end()
    is_money = unit_before in _MONEY or (word == _MILLIONS and what_follows(text, found.end())[0] in _MONEY)
    if word == _MILLIONS and is_money:
        return "", 6, found.end()
    unit = unit_of(found["word"])
    return unit, 0, found.end() if unit else end


def unit_of(word: str) -> str:
    """What a word measures, "" for one that is no unit."""
    folded = fold(word)
    for unit, beginnings in _UNITS.items():
        if _begins(folded, beginnings):
            return unit
    return ""


def _begins(word: str, beginnings: Sequence[str]) -> bool:
    return any(word == each[:-1] if each.endswith(".") else word.startswith(each) for each in beginnings)


def is_in(place: int, spans: Sequence[Span]) -> bool:
    """Whether a place lies inside one of the spans."""
    return any(first <= place < last for first, last in spans)


def _values(digits: str) -> Iterator[str]:
    """What a numeral may mean: its last separator is a decimal one, all of them part thousands, or it is a time."""
    joined = re.sub(r"[ \u00a0\u202f'’]", "", digits)
    marks = [letter for letter in joined if letter in ".,"]
    if not marks:
        yield _plain(Decimal(joined))
        return
    head, _mark, tail = joined.rpartition(marks[-1])
    if marks == ["."] and len(tail) == 2 and int(head) < 24 and int(tail) < 60:
        yield f"{int(head):02}:{tail}"
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
    return value.count(".") <= 1 and ":" not in value
