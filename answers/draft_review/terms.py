"""Defined terms of a draft: defined and never used, or used like one and never defined. Pure.

English and Serbian definitions are read. What is used without a definition is only looked for in English, where a
capital after an article tells it; in Serbian a capital tells a name.
"""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from django.utils.translation import gettext as _

from answers.draft_review.found import Found, Span
from answers.models import FindingCategory, Severity
from documents.analysis import detect_language, fold

_OPEN, _CLOSE = '["“„«”]', '["”“»]'
_TERM = r"(?P<term>[^\W\d_][\w’'&/-]*(?:[ ][\w’'&/-]+){0,5})"
_DEFINING = (
    re.compile(
        rf"{_OPEN}{_TERM}{_CLOSE}\s+(?:shall\s+)?(?:means?|have|has the meaning|refers? to|is defined as|includes?"
        r"|znači|označava|podrazumeva|podrazumijeva|predstavlja|означава|значи|подразумева|представља)\b"
    ),
    re.compile(
        rf"\(\s*(?:(?:each|together|collectively|hereinafter|hereafter|below)\b[^()\"“„«]{{0,40}})?(?:the|an?|each)?\s*"
        rf"{_OPEN}{_TERM}{_CLOSE}\s*\)",
        re.IGNORECASE,
    ),
    re.compile(
        rf"\(\s*(?:u daljem tekstu|dalje u tekstu|у даљем тексту|даље у тексту)\s*:?\s*{_OPEN}?{_TERM}{_CLOSE}?\s*\)",
        re.IGNORECASE,
    ),
)
_WORD = re.compile(r"[^\W_][\w’'&/-]*")
#: "the Receiving Party": a capital after an article or its like, in the middle of a sentence.
_USED = re.compile(
    r"(?<=[a-z,;] )(?:the|an?|any|each|such|every) (?P<term>[A-Z][a-z]+(?: (?:of )?[A-Z][a-z]+){0,3})(?![\w’'-])"
)
#: Names that carry a capital anyway.
_NAMES = re.compile(
    r"\b(?:Act|Agreement|Annex|Appendix|Article|Authority|Bank|Board|Chapter|City|Code|Commission|Committee|Company"
    r"|Convention|Council|Court|Department|Directive|Government|Group|Internet|Kingdom|Law|Member|Ministry|Office|Part"
    r"|Parliament|Protocol|Regulation|Republic|Schedule|Section|State|States|Treaty|Tribunal|Union|University"
    r"|Monday|Tuesday|Wednesday|Thursday|Friday|Saturday|Sunday|January|February|March|April|May|June|July|August"
    r"|September|October|November|December)\b"
)
#: Used so often, a capital is no slip of the pen.
_OFTEN = 2
_ENDING = 3


@dataclass(frozen=True, slots=True)
class Definition:
    """A term, where its name stands, and the whole of the defining words."""

    term: str
    start: int
    end: int
    whole: Span


def definitions(text: str) -> list[Definition]:
    """The terms that `text` defines, in order; of one defined twice, both."""
    found = [
        Definition(match["term"], *match.span("term"), match.span())
        for form in _DEFINING
        for match in form.finditer(text)
    ]
    return sorted({one.start: one for one in found}.values(), key=lambda one: one.start)


def check(text: str) -> Iterator[Found]:
    """Findings on the terms of a draft; none where it defines nothing."""
    defined = definitions(text)
    if not defined:
        return
    first: dict[str, Definition] = {}
    for one in defined:
        known = first.setdefault(fold(one.term), one)
        if known is not one:
            yield Found(
                Severity.MAJOR,
                FindingCategory.TERM,
                one.start,
                one.end,
                _("“%(term)s” is defined twice.") % {"term": one.term},
                other=(known.start, known.end),
            )
    words = [(fold(word.group()), word.start()) for word in _WORD.finditer(text)]
    for one in first.values():
        if not _is_used(one, defined, words):
            explanation = _("“%(term)s” is defined and not used anywhere else.") % {"term": one.term}
            yield Found(Severity.MINOR, FindingCategory.TERM, one.start, one.end, explanation)
    if detect_language(text) == "en":
        yield from _undefined(text, set(first))


def _is_used(term: Definition, defined: list[Definition], words: list[tuple[str, int]]) -> bool:
    """Whether the term stands anywhere but where it is defined; words may be inflected."""
    wanted = [fold(word) for word in _WORD.findall(term.term)]
    inside = [one.whole for one in defined if fold(one.term) == fold(term.term)]
    for place in range(len(words) - len(wanted) + 1):
        at = words[place][1]
        if any(start <= at < end for start, end in inside):
            continue
        if all(_same(one, words[place + n][0]) for n, one in enumerate(wanted)):
            return True
    return False


def _same(term: str, word: str) -> bool:
    """Whether `word` is `term` in another case or number: Serbian changes the last letters, English adds one."""
    stem = term if len(term) <= _ENDING + 1 else term[: max(_ENDING + 1, len(term) - _ENDING)]
    return word.startswith(stem) and abs(len(word) - len(term)) <= _ENDING


def _undefined(text: str, defined: set[str]) -> Iterator[Found]:
    places: dict[str, Span] = {}
    counts: Counter[str] = Counter()
    for match in _USED.finditer(text):
        term = match["term"]
        folded = fold(term)
        known = any(all(map(_same, one.split(), folded.split())) for one in defined if one and _as_long(one, folded))
        if known or _NAMES.search(term):
            continue
        counts[folded] += 1
        places.setdefault(folded, match.span("term"))
    for folded, (start, end) in places.items():
        if counts[folded] >= _OFTEN:
            explanation = _("“%(term)s” is written like a defined term, and nothing here defines it.")
            yield Found(Severity.MINOR, FindingCategory.TERM, start, end, explanation % {"term": text[start:end]})


def _as_long(one: str, other: str) -> bool:
    return len(one.split()) == len(other.split())
