"""Times of day: "14:30", "2 pm", "half past two in the afternoon", "pola tri popodne", "у 14 часова и 30 минута"."""

import re
from collections.abc import Iterator, Sequence
from itertools import islice

from answers.grounding.number_words import value_of
from answers.grounding.numerals import Number, Span, is_in, unit_of
from documents.analysis import fold

_CLOCK = re.compile(
    r"(?<![\w.,:/])(?P<h>[01]?\d|2[0-3])(?:[:.](?P<min>[0-5]\d))?(?![\d:/]|[.,]\d)\s?"
    r"(?P<half>[ap]\.?m\b\.?)|(?<![\w.,:/])(?P<h2>[01]?\d|2[0-3]):(?P<min2>[0-5]\d)(?![\d:]|[.,]\d)",
    re.IGNORECASE,
)
#: Written without a nought and without am or pm, such an hour of an office day is often an afternoon's.
_LAST_AFTERNOON_HOUR = 6

# Patterns over folded words with one blank between them; H an hour, M minutes. "Ten to three" and "deset do tri" are
# times only behind a word that asks for one: elsewhere they say from where to where.
_H = r"(?P<h>\d{1,2}|[a-z]+)"
_M = r"(?P<m>\d{1,2}|quarter|[a-z]+(?: five| pet| i pet)?)"
_SPOKEN = tuple(
    (re.compile(pattern), sign)
    for pattern, sign in (
        (rf"half past {_H}", "half_after"),
        (rf"{_M}(?: minutes?)? past {_H}", "after"),
        (rf"{_M} minut\w* (?:to|do) {_H}", "before"),
        (rf"(?:a )?(?P<m>quarter) to {_H}", "before"),
        (rf"(?:at|u) (?P<m>five|ten|twenty|twenty five|pet|deset|petnaest|dvadeset) (?:to|do) {_H}", "before"),
        (rf"pola {_H}", "half_before"),
        (rf"{_H} o clock", "full"),
        (rf"{_H} (?:casova|cas|casa) i {_M}(?: minut\w*)?", "official_after"),
        (rf"{_H} (?:casova|cas|casa)", "official"),
        (rf"(?:at|by|until) {_H} (?P<m>fifteen|thirty|forty five)", "after"),
        (rf"(?:u|oko) {_H} i (?P<m>petnaest|trideset|cetrdeset pet)", "after"),
        (r"noon|midday|(?:u|do|od|tacno) podne", "noon"),
        (r"midnight|ponoc|ponoci", "midnight"),
    )
)
#: What stands in front of a time and is no part of it.
_LEADS = frozenset({"at", "by", "until", "u", "oko", "do", "od", "tacno"})
_MINUTES = {"quarter": 15}
_NAMED = {"noon": 12, "midnight": 0}
#: Said of twenty-four hours; the other forms of twelve.
_OF_THE_WHOLE_DAY = frozenset({"official", "official_after", *_NAMED})
_WORDS_OF_A_TIME = 6
#: Without one of these no time is said in words: the cheap look at every sentence.
_SIGNS = re.compile(
    r"past|minut|quarter|pola|clock|cas|noon|midday|podne|night|ponoc|fifteen|thirty|forty|naest|trideset|cetrdeset"
    r"|\b(?:at|u) (?:five|ten|twenty|pet|deset|dvadeset)\b"
)

#: The half of the day, behind a time; "at night" may be either.
_IN_LETTERS = re.compile(r"[\s\u00a0]?(?P<half>[ap])\.?m\b\.?", re.IGNORECASE)
_HALVES = (
    (re.compile(r"(?:in the (?:afternoon|evening)|popodne|po podne|posle podne|uvece|navece)\b"), "p"),
    (re.compile(r"(?:in the morning|ujutru|ujutro|prepodne|pre podne)\b"), "a"),
)
_TOKEN = re.compile(r"\d+|[^\W\d_]+")
#: Between the words of a time: blanks, a hyphen, the apostrophe of "o'clock".
_GAP = re.compile(r"[\s\u00a0'’-]{0,2}")


def clocks(text: str, taken: Sequence[Span]) -> Iterator[Number]:
    """The times of day in `text`, but for those that begin inside one of the spans `taken`.

    A time of the twelve-hour clock that does not say which half of the day it means has both. A full hour may also be
    told by its number alone.
    """
    found: list[Span] = []
    for number in (*_in_figures(text), *_in_words(text)):
        if not is_in(number.span[0], [*taken, *found]):
            found.append(number.span)
            yield number


def _in_figures(text: str) -> Iterator[Number]:
    for match in _CLOCK.finditer(text):
        hour, minute = int(match["h"] or match["h2"]), int(match["min"] or match["min2"] or 0)
        half, end = (match["half"] or "").lower()[:1], match.end()
        if half and not 1 <= hour <= 12:
            continue
        if not half:
            half, end = _half_of_day(text, end)
        is_short = len(match["h2"] or "") == 1 and 1 <= hour <= _LAST_AFTERNOON_HOUR
        yield _time(text, (match.start(), end), hour, minute, half, is_open=is_short)


def _in_words(text: str) -> Iterator[Number]:
    if not _SIGNS.search(fold(text)):
        return
    tokens = list(_TOKEN.finditer(text))
    folded = [fold(token.group()) for token in tokens]
    for at in range(len(tokens)):
        reach = _together(text, tokens, at)
        for pattern, sign in _SPOKEN:
            match = pattern.match(" ".join(folded[at : at + reach]))
            if not match or (match.end() < len(match.string) and match.string[match.end()] != " "):
                continue
            last = tokens[at + match.group().count(" ")]
            read = _read(match, sign)
            if read is None or unit_of(_next_word(text, last.end())):
                continue
            half, end = _half_of_day(text, last.end())
            start = tokens[at + (folded[at] in _LEADS)].start()
            yield _time(text, (start, end), *read, half, is_open=sign not in _OF_THE_WHOLE_DAY)
            break


def _read(match: re.Match[str], sign: str) -> tuple[int, int] | None:
    """The hour and the minutes that a pattern found; None where a word is no such number."""
    if sign in _NAMED:
        return _NAMED[sign], 0
    said = match.groupdict()
    hour = value_of(said["h"])
    if hour is None or not 0 <= hour <= (24 if sign in _OF_THE_WHOLE_DAY else 12):
        return None
    if sign in {"full", "official"}:
        return hour, 0
    minutes = said.get("m") or ""
    minute = 30 if sign.startswith("half") else _MINUTES.get(minutes, value_of(minutes))
    if minute is None or not 0 < minute < 60:
        return None
    return ((hour - 1) or 12, 60 - minute) if sign.endswith("before") else (hour, minute)


def _time(text: str, span: Span, hour: int, minute: int, half: str, *, is_open: bool) -> Number:
    if half and 1 <= hour <= 12:
        hours = {hour % 12 + 12 * (half == "p")}
    else:
        hours = {hour % 12, hour % 12 + 12} if is_open and hour <= 12 else {hour % 24}
    values = {f"{each:02}:{minute:02}" for each in hours}
    if not minute and not half:
        values.add(str(hour))
    return Number(text[slice(*span)].strip(), frozenset(values), "", span)


def _half_of_day(text: str, end: int) -> tuple[str, int]:
    """ "a", "p" or "" by what follows, and where that ends."""
    if letters := _IN_LETTERS.match(text, end):
        return letters["half"].lower(), letters.end()
    tokens = list(islice(_TOKEN.finditer(text, end), 3))
    if tokens and _GAP.fullmatch(text, end, tokens[0].start()):
        said = " ".join(fold(token.group()) for token in tokens)
        for pattern, half in _HALVES:
            if match := pattern.match(said):
                return half, tokens[match.group().count(" ")].end()
    return "", end


def _together(text: str, tokens: Sequence[re.Match[str]], at: int) -> int:
    """How many words from here on may be of one time: no other sign stands between them."""
    count = 1
    while count < _WORDS_OF_A_TIME and at + count < len(tokens):
        before, following = tokens[at + count - 1], tokens[at + count]
        if not _GAP.fullmatch(text, before.end(), following.start()):
            break
        count += 1
    return count


def _next_word(text: str, end: int) -> str:
    token = _TOKEN.search(text, end, end + 20)
    return token.group() if token and _GAP.fullmatch(text, end, token.start()) else ""
