"""Decide whether two questions ask the same: nearness of meaning proposes, and what they say word by word decides.

A vector tells "first parent" from "second parent" as little as "with" from "without". So it only proposes; every word
must agree, in its place, but for articles, a plural, slips of the pen and words of politeness. Stems do not count: the
insurer and the insured share one. What cannot be told is no match: then the question is answered anew.
"""

import re
from dataclasses import dataclass
from functools import lru_cache

from documents import analysis

#: The cosine under which two questions in a language that the model reads are not compared any further. The words
#: decide: vectors alone take 16 % of near misses for the same question from here on, and still 3 % at 0.95; with the
#: words none of 9,080 (tests/bench/quality/reuse.py). What people put in other words is answered anew.
LEAST_COSINE = 0.7

# What stands for something by itself counts as a word: "10 %" is not "10 €".
_WORD = re.compile(r"[^\W_]+|[%‰€$£¥§+#]")
_APOSTROPHE = re.compile(r"(?<=[^\W\d_])['’](?=[^\W\d_])")
#: What English writes behind an apostrophe, as the word it stands for; "" stands for nothing that is asked.
_ENDINGS = {"s": "", "re": "", "m": "", "t": "not", "ll": "will", "ve": "have", "d": "would"}
_SHORTENED = {"ca": "can", "wo": "will", "sha": "shall"}
_LISTED = {
    "negations": """not no never none nobody nothing neither nor without cannot except unless ne nije nisu nisam nisi
        nismo niste nema nemam nemas nemamo nemate nemaju nikad nikada niko nista bez osim ni niti nece necu neces
        necemo necete""",
    "asking": """who whom whose what which when where why how whether ko koga kome kim sta sto koji koja koje kojeg
        kojem kojih kojim kada kad gde gdje kuda odakle zasto kako koliko koliki kolika kolike ciji cija cije""",
    # Words between a person and their question. They carry nothing of what is asked.
    "polite": """please kindly hi hello thanks thank wonder wondering molim hvala zdravo pozdrav zanima
        interesuje""",
    # These only before the question.
    "opening": """could can would will you i am was tell let me us know vas te mi me nam nas recite reci kazite kazi
        mozete li da""",
    "telling": "tell know recite reci kazite kazi",
    # The same question has them or not.
    "free": "a an the is are am do does je su li",
    # One slip makes the other of each two, so it is none.
    "both_words": """marital martial casual causal trial trail diary dairy board broad united untied desert dessert
        later latter angel angle quiet quite silver sliver""",
}
_WORDS = {name: frozenset(listed.split()) for name, listed in _LISTED.items()}
#: From this many letters on, a letter doubled or two exchanged are a slip; shorter words differ by it.
_SLIP_FROM = 5
_PLURAL_FROM = 4


@dataclass(frozen=True, slots=True)
class Said:
    """What a question says that another must say too."""

    language: str
    #: Its words in their order, folded, prepositions among them; and which must be the same letter by letter.
    content: tuple[str, ...]
    exact: frozenset[str]
    #: Each with how many words of content stand before it.
    asking: tuple[tuple[str, int], ...]
    negations: tuple[tuple[str, int], ...]


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
    if not a.content or len(a.content) != len(b.content):
        return "words"
    slips = 0
    for word, word_b in zip(a.content, b.content, strict=True):
        if word == word_b or (a.language == "en" and _is_plural(word, word_b)):
            continue
        if word in a.exact or word_b in b.exact:
            return "number_or_name"
        if not _is_slip(word, word_b):
            return "words"
        slips += 1
    return "" if slips <= _slips_allowed(len(a.content)) else "words"


# As many as a few workspaces compare with (answers/reuse/giving.py).
@lru_cache(maxsize=8192)
def said(text: str) -> Said:
    """What `text` says, as `same_question` compares it."""
    language = analysis.detect_language(text) or "en"
    asking: list[tuple[str, int]] = []
    negations: list[tuple[str, int]] = []
    content: list[str] = []
    exact: set[str] = set()
    for word, is_exact in _after_the_opening(_spoken(text)):
        if word in _WORDS["negations"] or word == "not":
            if word == "cannot":
                content.append("can")
            negations.append(("not" if word == "cannot" else word, len(content)))
        elif word in _WORDS["asking"]:
            asking.append((word, len(content)))
        elif word not in _WORDS["polite"] and (word not in _WORDS["free"] or (is_exact and word == "a")):
            content.append(word)
            # A word that a search leaves out turns a question round as it stands: before, from, them.
            if is_exact or not analysis.words(word, language):
                exact.add(word)
    return Said(language, tuple(content), frozenset(exact), tuple(asking), tuple(negations))


def _spoken(text: str) -> list[tuple[str, bool]]:
    """The words of `text`, folded, what is shortened written out, each with whether it is a number or a name."""
    found: list[tuple[str, bool]] = []
    pieces = _APOSTROPHE.split(text)
    for at, piece in enumerate(pieces):
        words = _WORD.findall(piece)
        ending = _ENDINGS.get(analysis.fold(words[0])) if at and words else None
        if ending is not None and found:
            last, is_exact = found.pop()
            if ending == "not":
                last = _SHORTENED.get(last.removesuffix("n") or last, last.removesuffix("n"))
            found.append((last, is_exact))
            found += [(ending, False)] if ending else []
            words = words[1:]
        for word in words:
            is_exact = not word.isalpha() or word.isupper() or (bool(found) and word[:1].isupper())
            found.append((analysis.fold(word), is_exact))
    return found


def _after_the_opening(words: list[tuple[str, bool]]) -> list[tuple[str, bool]]:
    """Without "Could you please tell me" and the like."""
    begin = 0
    for at, (word, _is_exact) in enumerate(words):
        if word in _WORDS["polite"] or word in _WORDS["telling"]:
            begin = at + 1
        elif word not in _WORDS["opening"]:
            break
    if begin and begin < len(words) and words[begin - 1][0] not in {"please", "kindly"}:
        begin += words[begin][0] in {"me", "us", "mi", "nam", "vas", "te"}
    return words[begin:]


def _slips_allowed(words: int) -> int:
    return 1 if words < 6 else 2


def _is_plural(one: str, other: str) -> bool:
    """Whether one of two English words is the other with the ending of its plural."""
    shorter, longer = sorted((one, other), key=len)
    if len(shorter) < _PLURAL_FROM:
        return False
    return longer in (f"{shorter}s", f"{shorter}es") or (shorter[-1] == "y" and longer == f"{shorter[:-1]}ies")


def _is_slip(one: str, other: str) -> bool:
    """Whether two words are one with a letter doubled or single, or exchanged with its neighbour.

    Any other letter may make another word of it: employer and employee, contract and contact.
    """
    if min(len(one), len(other)) < _SLIP_FROM or {one, other} <= _WORDS["both_words"]:
        return False
    begin = 0
    while begin < min(len(one), len(other)) and one[begin] == other[begin]:
        begin += 1
    a, b = one[begin:], other[begin:]
    if len(a) == len(b):
        return begin > 0 and len(a) > 1 and a[:2] == b[1::-1] and a[2:] == b[2:]
    longer, shorter = (a, b) if len(a) > len(b) else (b, a)
    return begin > 0 and longer[1:] == shorter and longer[0] == one[begin - 1]
