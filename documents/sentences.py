"""Find the sentences of a text as exact character ranges; English and Serbian, both scripts.

Pages come with lines broken anywhere, and with headings, lists and tables
between the prose. A line end is a space inside prose and an end elsewhere.
"""

import re
from collections.abc import Iterator
from itertools import pairwise

Span = tuple[int, int]


def _listed(words: str) -> frozenset[str]:
    return frozenset(words.split())


# A sentence never ends after these: what they shorten always follows.
_BEFORE_MORE = _listed("""
    mr mrs ms dr prof st sr jr hon rev gen capt lt sgt e.g i.e eg ie cf viz vs resp incl excl approx ca
    npr tzv tj odn g gđa gđica gosp ul bul akad dipl
    др проф нпр тзв тј одн г гђа гђица госп ул бул акад дипл
""")
# After these it does not end when a figure follows: "No. 5", "čl. 12", "Jan. 3".
_BEFORE_FIGURE = _listed("""
    no nos fig figs art arts sec secs para paras ch chs vol vols ed eds p pp pg est min max
    jan feb mar apr jun jul aug sep sept oct okt nov dec
    čl tač t br str god sl
    чл ст тач т бр стр год сл
""")
# These may end a sentence; they do when the next word is one that begins sentences.
_MAYBE = _listed("""
    inc corp co ltd llc plc u.s u.k u.n e.u d.c a.m p.m ph.d etc dept n.a al itd i.dr i.sl итд и.др и.сл
""")
_STARTERS = _listed("""
    the this that these those we our it its they their he she his her in on at for from by with as if when
    while there a an and but however all no any each such to under during
    ovaj ova ovo ovi u na za od iz sa ako kada kad dok mi ona oni sve svi svaki nije se po prema
    овај ова ово ови у на за од из са ако када кад док ми она они све сви сваки није се по према
""")
# Serbian writes ordinals with a full stop; after these a number is one: "čl. 12. Zakona".
_BEFORE_ORDINAL = _listed("""
    čl član člana članu st stav stava tač tačka tačke чл члан члана члану ст став става тач тачка тачке
""")

_BLANK_LINES = re.compile(r"\n[ \t]*\n\s*")
_END = re.compile(r"[.!?…]+[\"'”’“»)\]]*(?=\s)")
_LAST_WORD = re.compile(r"[\w.]*\w$")
_NEXT_WORD = re.compile(r"[\"'„“”‘’«»(\[]*(\w+)?")
_LIST_ITEM = re.compile(r"[ \t]*(?:[•◦▪‣●○·*–—-][ \t]|\(?\d{1,2}[.)][ \t]|\(?[^\W\d_]\)[ \t]|\([ivx]+\)[ \t])")
_NUMBER = re.compile(r"[(\[$€£¥+–—-]*\d[\d.,]*[)\]%]*|[-–—$€£%)]+|N/A")
_FIGURES_PER_ROW = 2
# A line this much shorter than the longest around it was ended on purpose.
_SHORT_LINE = 0.6


def sentence_spans(text: str) -> list[Span]:
    """The (start, end) of each sentence, heading, list item and table row, in order.

    Spans hold no white space at their ends, never overlap, and leave out
    nothing but white space.
    """
    spans: list[Span] = []
    for start, end in _blocks(text):
        for first, last in _segments(text, start, end):
            spans += _sentences(text, first, last)
    return spans


def is_table_row(line: str) -> bool:
    """Whether a line reads like a row of a table: cells with bars, or mostly figures at its end."""
    if " | " in line or "\t" in line:
        return True
    words = line.split()
    if not words or not _NUMBER.fullmatch(words[-1]):
        return False
    figures = sum(1 for word in words if _NUMBER.fullmatch(word))
    return figures >= _FIGURES_PER_ROW and figures * 4 >= len(words)


def _blocks(text: str) -> Iterator[Span]:
    start = 0
    for gap in _BLANK_LINES.finditer(text):
        yield start, gap.start()
        start = gap.end()
    yield start, len(text)


def _segments(text: str, start: int, end: int) -> Iterator[Span]:
    """The runs of lines of one block that belong together."""
    lines = _lines(text, start, end)
    width = max(last - first for first, last in lines)
    begin = start
    for (first, last), (next_first, next_last) in pairwise(lines):
        if _ends_line(text[first:last], text[next_first:next_last], width):
            yield begin, last
            begin = next_first
    yield begin, end


def _lines(text: str, start: int, end: int) -> list[Span]:
    lines = []
    while (newline := text.find("\n", start, end)) >= 0:
        lines.append((start, newline))
        start = newline + 1
    return [*lines, (start, end)]


def _ends_line(line: str, following: str, width: int) -> bool:
    if _LIST_ITEM.match(following) or is_table_row(line) or is_table_row(following):
        return True
    begins = following.lstrip()[:1]
    if begins.islower() or line.rstrip().endswith((",", "-", "–", "—")):
        return False
    return len(line.strip()) < _SHORT_LINE * width


def _sentences(text: str, start: int, end: int) -> Iterator[Span]:
    begin = start
    for match in _END.finditer(text, start, end):
        if match.end() < end and _is_end(text, begin, match):
            yield from _trimmed(text, begin, match.end())
            begin = match.end()
    yield from _trimmed(text, begin, end)


def _is_end(text: str, begin: int, match: re.Match[str]) -> bool:
    after = text[match.end() : match.end() + 60].lstrip()
    following = _NEXT_WORD.match(after)
    word = (following.group(1) or "") if following else ""
    if not match.group().startswith(".") or match.group().startswith(".."):
        return not word[:1].islower()
    if word[:1].islower():
        return False
    last = _LAST_WORD.search(text, max(begin, match.start() - 40), match.start())
    if last is None:
        return True
    before = text[max(begin, last.start() - 40) : last.start()].split()
    return _ends_after(last.group(), before[-1] if before else "", word)


def _ends_after(last: str, before: str, following: str) -> bool:
    """Whether the full stop after the word `last` ends the sentence, given its neighbours."""
    lowered = last.lower()
    if lowered in _BEFORE_MORE:
        return False
    if lowered in _BEFORE_FIGURE and following[:1].isdigit():
        return False
    if last.isdigit():
        # "1. Scope" at the beginning is a number of a list; "in 2019. The" ends.
        return len(last) > 2 if not before else before.lower().rstrip(".") not in _BEFORE_ORDINAL
    if lowered in _MAYBE or _is_initials(last):
        return following.lower() in _STARTERS
    return True


def _is_initials(word: str) -> bool:
    return all(len(part) == 1 and part.isalpha() and part.isupper() for part in word.split("."))


def _trimmed(text: str, start: int, end: int) -> Iterator[Span]:
    piece = text[start:end]
    first = start + len(piece) - len(piece.lstrip())
    last = start + len(piece.rstrip())
    if first < last:
        yield first, last
