"""Numbers in words: "two hundred and fifty", "двеста педесет хиљада", "a third", "twice", "half"."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from answers.grounding.numerals import Number, Span, is_in, what_follows
from documents.analysis import fold


def _table(listed: dict[str, int]) -> dict[str, int]:
    return {word: value for words, value in listed.items() for word in words.split()}


_ONES = _table({
    "zero nula": 0, "one jedan jedna jedno jednog jedne": 1, "two dva dve dvije": 2, "three tri": 3,
    "four cetiri": 4, "five pet": 5, "six sest": 6, "seven sedam": 7, "eight osam": 8, "nine devet": 9,
    "ten deset": 10, "eleven jedanaest": 11, "twelve dvanaest": 12, "thirteen trinaest": 13,
    "fourteen cetrnaest": 14, "fifteen petnaest": 15, "sixteen sesnaest": 16, "seventeen sedamnaest": 17,
    "eighteen osamnaest": 18, "nineteen devetnaest": 19,
})  # fmt: skip
_TENS = _table({
    "twenty dvadeset": 20, "thirty trideset": 30, "forty cetrdeset": 40, "fifty pedeset": 50, "sixty sezdeset": 60,
    "seventy sedamdeset": 70, "eighty osamdeset": 80, "ninety devedeset": 90,
})  # fmt: skip
_HUNDREDS = _table({
    "sto stotinu": 100, "dvesta dvjesta dvesto dvjesto": 200, "trista tristo": 300, "cetiristo": 400, "petsto": 500,
    "seststo": 600, "sedamsto": 700, "osamsto": 800, "devetsto": 900,
})  # fmt: skip
_TIMES_HUNDRED = frozenset(["hundred", "stotina", "stotine"])
_POWERS = _table({
    "thousand hiljadu hiljada hiljade tisucu tisuca tisuce": 10**3,
    "million millions milion miliona milijun milijuna": 10**6,
    "billion billions milijardu milijarda milijarde milijardi": 10**9,
    "trillion bilion biliona": 10**12,
})  # fmt: skip
#: These stand for a number by themselves ("hiljadu dinara"); the others only behind one ("thousands of people").
_ALONE = frozenset(["hundred", "thousand", "million", "billion", "hiljadu", "tisucu", "milion", "milijun", "milijardu"])
_JOINS = frozenset({"and", "i"})
#: Said alone. "Second" and "drugi" are left out: they also measure time and mean others.
_ORDINALS = _table({
    "first prvi prva prvo prvog prve prvom prvoj prvu prvih prvim": 1,
    "third thirds treci treca trece treceg trecem trecoj trecu trecina trecine trecinu": 3,
    "fourth cetvrti cetvrta cetvrto cetvrtog cetvrte cetvrtoj cetvrtom cetvrtu cetvrtina cetvrtine cetvrtinu": 4,
    "fifth peti peta peto petog pete petoj petom petu petina petine petinu": 5,
    "sixth sesti sesta sestog seste sestoj sestom sestu": 6,
    "seventh sedmi sedma sedmog sedmoj sedmom sedmu": 7, "eighth osmi osmog osmoj osmom osmu": 8,
    "ninth deveti deveta devetog devete devetoj devetom devetu": 9,
    "tenth deseti deseta desetog desete desetoj desetom desetu desetina desetine desetinu": 10,
    "twice dvaput dvaputa": 2, "thrice triput": 3,
})  # fmt: skip
_HALF = frozenset(["half", "pola", "polovina", "polovine", "polovinu", "polovini"])
#: Half of a hundred is fifty percent.
_HALF_VALUES = frozenset({"0.5", "50"})

WORD = re.compile(r"[^\W\d_]+")
#: Between two words of one number: a blank or a hyphen.
_GAP = 3
_DIGITS_BEFORE = re.compile(r"\d[\s\u00a0]?$")


@dataclass(frozen=True, slots=True)
class _Run:
    """A number in words: its value, and the words it takes."""

    value: int
    length: int


def value_of(written: str) -> int | None:
    """The number below a thousand that folded words or figures say, None where they say none: "forty five", "12"."""
    if written.isdecimal():
        return int(written)
    value = None
    for word in written.split():
        if word not in _JOINS:
            value = _grown(word, value or 0, is_first=value is None)
            if value is None:
                return None
    return value


def spoken(text: str, taken: Sequence[Span], *, only_claimed: bool) -> Iterator[Number]:
    """The numbers in words of `text` outside the spans `taken`; `only_claimed` leaves out a bare "one" and "first"."""
    words = [word for word in WORD.finditer(text) if not is_in(word.start(), taken)]
    folded = [fold(word.group()) for word in words]
    at = 0
    while at < len(words):
        first = words[at]
        if folded[at] in _HALF:
            yield Number(first.group(), _HALF_VALUES, "", first.span())
        run = _run(text, words, folded, at)
        if run is None:
            at += 1
            continue
        last = words[at + run.length - 1]
        unit, _scale, after = what_follows(text, last.end())
        is_ordinal = folded[at] in _ORDINALS
        if run.value > 1 or (unit and not is_ordinal) or not only_claimed:
            span = first.start(), after if unit else last.end()
            yield Number(text[first.start() : last.end()], frozenset({str(run.value)}), unit, span)
        at += run.length


def _run(text: str, words: list[re.Match[str]], folded: list[str], at: int) -> _Run | None:
    """The longest number that begins at a word; None where none does."""
    if folded[at] in _ORDINALS:
        return _Run(_ORDINALS[folded[at]], 1)
    if folded[at] in _POWERS and (
        folded[at] not in _ALONE or _DIGITS_BEFORE.search(text, max(0, words[at].start() - 2), words[at].start())
    ):
        return None
    whole = part = length = 0
    least_power = max(_POWERS.values()) * 10
    place = at
    while place < len(words):
        is_joined = bool(length) and folded[place] in _JOINS and _may_join(folded, place)
        step = place + 1 if is_joined else place
        if length and any(words[n].start() - words[n - 1].end() > _GAP for n in range(place, step + 1)):
            break
        grown = _grown(folded[step], part, is_first=not length)
        power = _POWERS.get(folded[step], 0)
        if grown is not None:
            part = grown
        elif power and power < least_power and (part or not length) and not is_joined:
            whole, part, least_power = whole + (part or 1) * power, 0, power
        else:
            break
        length, place = step - at + 1, step + 1
    return _Run(whole + part, length) if length else None


def _grown(word: str, part: int, *, is_first: bool) -> int | None:
    """What a part below a thousand becomes with one more word; None where that word does not continue it."""
    if word in _ONES:
        fits = is_first or not part % 100 or (part % 100 >= 20 and not part % 10 and 1 <= _ONES[word] <= 9)
        return part + _ONES[word] if fits and (is_first or _ONES[word]) else None
    if word in _TENS:
        return part + _TENS[word] if not part % 100 else None
    if word in _HUNDREDS:
        return part + _HUNDREDS[word] if not part else None
    if word in _TIMES_HUNDRED:
        is_alone = is_first and word in _ALONE
        return (part or 1) * 100 if is_alone or 1 <= part <= 19 else None
    return None


def _may_join(folded: list[str], place: int) -> bool:
    """Whether "and" belongs to the number: not in "one hundred and two hundred", nor in "two and three"."""
    if place + 1 >= len(folded):
        return False
    before, after = folded[place - 1], folded[place + 1]
    then = folded[place + 2] if place + 2 < len(folded) else ""
    is_english = folded[place] == "and"
    large = before in _TIMES_HUNDRED or before in _HUNDREDS or before in _POWERS
    is_continued = after in _TENS or after in _ONES
    if then in _TIMES_HUNDRED or then in _POWERS:
        return False
    return is_continued and (large or (not is_english and before in _TENS and after in _ONES))
