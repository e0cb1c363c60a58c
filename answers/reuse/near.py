"""Decide whether two questions ask the same: nearness of meaning proposes, and what they say word by word decides.

A vector tells "first parent" from "second parent" as little as "with" from "without". So it only proposes; numbers,
dates, names, negation, the question word and every word of content must agree, in their order, but for slips of the
pen. What cannot be told is no match: then the question is answered anew.
"""

import re
from dataclasses import dataclass
from functools import lru_cache

from documents import analysis

#: The cosine under which two questions in a language that the model reads are not compared any further. The words
#: decide: vectors alone take 16 % of near misses for the same question from here on, and still 3 % at 0.95; with the
#: words it is 1 in 9,080 (tests/bench/quality/reuse.py). What people put in other words is found once in twenty.
LEAST_COSINE = 0.7

_WORD = re.compile(r"[^\W_]+(?:['’][^\W\d_]+)?")
_LISTED = {
    "negations": """not no never none nobody nothing neither nor without cannot except unless ne nije nisu nisam nisi
        nismo niste nema nemam nemas nemamo nemate nemaju nikad nikada niko nista bez osim ni niti nece necu neces
        necemo necete""",
    "asking": """who whom whose what which when where why how whether ko koga kome kim sta sto koji koja koje kojeg
        kojem kojih kojim kada kad gde gdje kuda odakle zasto kako koliko koliki kolika kolike ciji cija cije""",
    # Words between a person and their question. They carry nothing of what is asked.
    "polite": """please tell kindly hi hello thanks thank wonder wondering molim vas te hvala recite reci kazite kazi
        zdravo pozdrav zanima interesuje""",
    # Words that a search leaves out, and that turn a question into another one.
    "telling": """before after above below under over against between during until into from out up off only more most
        all any both few each same other again further once too than or iza ispod iznad pre posle nakon protiv
        izmedju tokom dok samo vise sve svi oba isti drugi opet kroz od do ili manje""",
}
_WORDS = {name: frozenset(listed.split()) for name, listed in _LISTED.items()}
#: From this many letters on, one wrong letter is a slip; shorter words differ by it.
_SLIP_FROM = 5


@dataclass(frozen=True, slots=True)
class Said:
    """What a question says that another must say too."""

    language: str
    #: Stems of its words of content in their order, numbers among them.
    content: tuple[str, ...]
    asking: tuple[str, ...]
    negations: tuple[str, ...]
    #: Words of content as they are written, folded, for slips; and which of them must be letter by letter the same.
    written: tuple[str, ...]
    exact: frozenset[str]


def same_question(one: str, other: str) -> bool:
    """Whether the two ask the same by what they say; their vectors were compared before, where they mean something."""
    return differs_in(one, other) == ""


def differs_in(one: str, other: str) -> str:
    """In what the two differ, as a code: language, question_word, negation, number_or_name, words; "" for nothing."""
    a, b = said(one), said(other)
    if a.language != b.language:
        return "language"
    if a.asking != b.asking:
        return "question_word"
    if a.negations != b.negations:
        return "negation"
    if a.content == b.content:
        return "" if a.content else "words"
    if len(a.content) != len(b.content):
        return "words"
    slips = 0
    for stem, stem_b, word, word_b in zip(a.content, b.content, a.written, b.written, strict=True):
        if stem == stem_b:
            continue
        if word in a.exact or word_b in b.exact:
            return "number_or_name"
        if not _is_slip(word, word_b):
            return "words"
        slips += 1
    return "" if slips <= _slips_allowed(len(a.content)) else "words"


@lru_cache(maxsize=4096)
def said(text: str) -> Said:
    """What `text` says, as `same_question` compares it."""
    language = analysis.detect_language(text) or "en"
    asking: list[str] = []
    negations: list[str] = []
    content: list[str] = []
    written: list[str] = []
    exact: set[str] = set()
    for position, match in enumerate(_WORD.finditer(text)):
        raw = match.group()
        folded = analysis.fold(raw).replace("’", "'")
        if folded.endswith("n't"):
            negations.append("not")
            continue
        word, _apostrophe, _ending = folded.partition("'")
        if word in _WORDS["negations"]:
            negations.append("not" if word == "cannot" else word)
        elif word in _WORDS["asking"]:
            asking.append(word)
        elif word in _WORDS["polite"]:
            continue
        elif stems := analysis.words(word, language):
            content += stems
            written += [word] * len(stems)
            if _is_exact(raw, position):
                exact.add(word)
        elif word in _WORDS["telling"]:
            content.append(word)
            written.append(word)
            exact.add(word)
    return Said(language, tuple(content), tuple(asking), tuple(sorted(negations)), tuple(written), frozenset(exact))


def _is_exact(raw: str, position: int) -> bool:
    """Numbers, and names: what is written with a capital behind the first word."""
    return any(letter.isdigit() for letter in raw) or raw.isupper() or (position > 0 and raw[:1].isupper())


def _slips_allowed(words: int) -> int:
    return 1 if words < 6 else 2


def _is_slip(one: str, other: str) -> bool:
    """Whether two words are one with a letter wrong, missing, doubled or exchanged with its neighbour."""
    if min(len(one), len(other)) < _SLIP_FROM or one[0] != other[0] or abs(len(one) - len(other)) > 1:
        return False
    begin = 0
    while begin < min(len(one), len(other)) and one[begin] == other[begin]:
        begin += 1
    a, b = one[begin:], other[begin:]
    if len(a) == len(b):
        return a[1:] == b[1:] or (len(a) > 1 and a[:2] == b[1::-1] and a[2:] == b[2:])
    longer, shorter = (a, b) if len(a) > len(b) else (b, a)
    return longer[1:] == shorter
