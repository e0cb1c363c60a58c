"""Understand a follow-up without a model: its question with the topic of the earlier ones written behind it.

"When does it expire?" after "How many days of annual leave are there?" becomes "When does it (days of annual leave)
expire?". Nothing is guessed: the words are the asker's own, and the brackets show what was carried over. English and
Serbian, in both scripts.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from documents import analysis

#: Words of earlier questions that are carried over at most.
MOST_WORDS = 8
#: A question with fewer words of its own than this cannot be understood alone.
_FEWEST_OWN = 2
#: A pronoun after so many words of the question's own means one of them.
_OWN_BEFORE_PRONOUN = 2

_TOKEN = re.compile(r"[^\W_]+(?:[-’'][^\W_]+)*")
_END = re.compile(r"[\s?.!…]*\Z")


def _words(listed: str) -> frozenset[str]:
    return frozenset(listed.split())


# All folded: lower case, Latin, without diacritics.
_OPENERS = {
    "en": ("and", "but", "or", "what about", "how about", "what if", "also", "then", "then what", "so", "same for"),
    "sr": ("a", "i", "ali", "ili", "sta je sa", "sta sa", "sta ako", "onda", "takodje", "isto", "znaci"),
}
_PRONOUNS = {
    "en": _words("it its they them their theirs he him his she her hers this that these those there one ones"),
    "sr": _words(
        """ono njega njemu njim njime njoj njom njih njima njegov njegova njegovo njegove njegovog njegovom njegovi
        njen njena njeno njene njenog njenom njeni njihov njihova njihovo njihove njihovog njihovi to toga tog tome
        tom tim tih taj ta ovo ovoga ovog ovome ovom ovim ovih ovaj ova ga mu im ju joj tamo"""
    ),
}
#: Beside these the pronoun points at nothing earlier: "is it allowed to …", "how long does it take to …".
_EMPTY_IT = re.compile(
    r"\b(?:(?:is|was|be) it (?:\w+ )?(?:allowed|possible|permitted|required|necessary|mandatory|ok|legal) to\b"
    r"|it (?:take|takes|cost|costs) to\b|je to(?:\s+\w+)? (?:da|sto)\b)"
)
#: These point only in some places: after nothing, or after one of the words below; else they belong to what follows.
_POINTING = _words("this that these those there one ones")
_BEFORE_POINTING = _words(
    "about of for with to in from by like than after before is are was were does do did can on if"
)
_JOINING = _words("of for in on to the a an and za u na o od iz sa s i po do")
#: They ask, and are no topic.
_ASKING = _words(
    "many much tell explain say know want need please ima imaju reci kazi objasni znati zelim molim treba mozes"
)


@dataclass(frozen=True, slots=True)
class _Word:
    """A word of a question as it stands there; `stem` is "" for a stop word."""

    text: str
    folded: str
    stem: str
    start: int
    end: int


def is_follow_up(question: str, earlier: Sequence[str] = ()) -> bool:
    """Whether the question leans on an `earlier` one: it opens with "and", points at something, or is hardly there."""
    words, language = _read(question, earlier)
    if not words:
        return False
    own = [word for word in words if word.stem]
    return _opens_as_one(words, language) or _pointer(words, language) is not None or len(own) < _FEWEST_OWN


def stand_alone(question: str, earlier: Sequence[str]) -> str:
    """`question` with what it leans on from the `earlier` ones (oldest first); "" where it stands alone already."""
    if not earlier or not is_follow_up(question, earlier):
        return ""
    words, language = _read(question, earlier)
    topic = _topic(words, earlier)
    if not topic:
        return ""
    pointer = _pointer(words, language)
    if pointer is None:
        end = _END.search(question)
        place = end.start() if end else len(question)
    else:
        place = pointer.end
    return f"{question[:place]} ({topic}){question[place:]}"


def _read(question: str, earlier: Sequence[str] = ()) -> tuple[list[_Word], str]:
    # A follow-up of three words often shows no language; it is asked in that of the question before it.
    told = (analysis.detect_language(text) for text in (question, *reversed(earlier)))
    language = "sr" if next(filter(None, told), "") == "sr" else "en"
    return [_word(match, language) for match in _TOKEN.finditer(question)], language


def _word(match: re.Match[str], language: str) -> _Word:
    folded = analysis.fold(match.group())
    stems = [] if folded in _ASKING else analysis.words(match.group(), language)
    return _Word(match.group(), folded, stems[-1] if stems else "", match.start(), match.end())


def _opens_as_one(words: Sequence[_Word], language: str) -> bool:
    start = " ".join(word.folded for word in words[:4]) + " "
    return any(start.startswith(f"{opener} ") for opener in _OPENERS[language])


def _pointer(words: Sequence[_Word], language: str) -> _Word | None:
    """The word that points at what was said before, if one does."""
    if _EMPTY_IT.search(" ".join(word.folded for word in words)):
        return None
    own = 0
    for position, word in enumerate(words):
        if own >= _OWN_BEFORE_PRONOUN:
            return None
        if word.folded in _PRONOUNS[language] and _points(words, position):
            return word
        own += bool(word.stem)
    return None


def _points(words: Sequence[_Word], position: int) -> bool:
    """Whether "that" is a pronoun here: "is that allowed?", and not "contracts that end"."""
    if words[position].folded not in _POINTING:
        return True
    return position == 0 or words[position - 1].folded in _BEFORE_POINTING


def _topic(asked: Sequence[_Word], earlier: Sequence[str]) -> str:
    """The words of the nearest earlier question that stands alone, and of the follow-ups since, as a phrase."""
    taken = {word.stem for word in asked if word.stem}
    phrases: list[str] = []
    left = MOST_WORDS
    for place in reversed(range(len(earlier))):
        question, its_earlier = earlier[place], earlier[:place]
        words, _language = _read(question, its_earlier)
        kept = _carried(words, taken, asked)
        kept = kept[:left]
        left -= len(kept)
        taken |= {word.stem for word in kept}
        if kept:
            phrases.append(_phrase(words, kept))
        if not left or not is_follow_up(question, its_earlier):
            break
    return ", ".join(phrases)


def _carried(words: Sequence[_Word], taken: set[str], asked: Sequence[_Word]) -> list[_Word]:
    """What an earlier question adds: of "full-time employees" nothing, when "part-time employees" are asked for."""
    described = {after.stem for before, after in pairwise(asked) if before.stem and after.stem}
    kept = []
    for position, word in enumerate(words):
        following = words[position + 1] if position + 1 < len(words) else None
        is_exchanged = following is not None and following.stem in described
        if word.stem and word.stem not in taken and not is_exchanged:
            kept.append(word)
    return kept


def _phrase(words: Sequence[_Word], kept: Sequence[_Word]) -> str:
    """The kept words in their order, with the small words that join neighbours."""
    places = [words.index(word) for word in kept]
    parts = [kept[0].text]
    for before, place in pairwise(places):
        between = words[before + 1 : place]
        joins = all(word.folded in _JOINING for word in between)
        inside = [*(word.text for word in between), words[place].text] if joins else [words[place].text]
        parts.append((" " if joins else ", ") + " ".join(inside))
    return "".join(parts)
