"""Compare what two sentences deny; English and Serbian, and the commonest denials of German and Romance languages."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from answers.grounding.exclusive import opposite
from documents.analysis import LANGUAGES, fold, words

__all__ = ["denial_differs", "opposite", "spelled_out"]


def _listed(words: str) -> frozenset[str]:
    return frozenset(words.split())


_NEGATIONS = _listed("""
    not no never none neither nor without cannot nobody nothing nowhere hardly forbidden prohibited forbids
    prohibits refuses denied impossible unable
    ne nije nisu nisam nismo niste nema nemaju nemamo nece necu neceju nikad nikada niko nista nijedan nijedna
    nijedno bez nemoj nemojte zabranjeno zabranjen zabranjena zabranjeni zabranjuje nedozvoljeno ni
    nicht kein keine keinen keiner nie niemals ohne ne pas jamais sans aucun aucune nunca sin ningun ninguna non mai
    senza nessun nessuna
""")
_SHORTENED = re.compile(r"\b([^\W\d_]+)n[’']t\b", re.IGNORECASE)
_WHOLE = {"ca": "can", "wo": "will", "sha": "shall"}
#: "No. 5" numbers something, and "not only" denies nothing.
_NOT_DENYING = re.compile(r"\bno\. ?(?=\d)|\bnot only\b|\bne samo\b", re.IGNORECASE)
#: Limits that are told as denials.
_LIMITS = (
    (re.compile(r"\b(?:no|not) (?:more|later|longer) than\b", re.IGNORECASE), "at most"),
    (re.compile(r"\b(?:no|not) (?:less|fewer|earlier|sooner) than\b", re.IGNORECASE), "at least"),
    (re.compile(r"\bне (више|касније|дуже) од\b|\bne (više|kasnije|duže) od\b", re.IGNORECASE), "najviše"),
    (re.compile(r"\bне (мање|раније|краће) од\b|\bne (manje|ranije|kraće) od\b", re.IGNORECASE), "najmanje"),
)
#: These deny what follows them, the others what the clause says.
_LACKING = _listed("without bez ohne sans sin senza")
_CLAUSE = re.compile(r"[.;:!?\n]+\s|,\s")
_TOKEN = re.compile(r"[^\W_]+")
#: Words before and after a denial that it may be about.
_BEFORE, _AFTER = 3, 4
#: A denial of a source has to be about this many words of the claim before leaving it out counts.
_SHARED = 2


def spelled_out(text: str) -> str:
    """`text` with "isn't" and its like as two words, and "no more than" as "at most"."""
    for pattern, limit in _LIMITS:
        text = pattern.sub(limit, text)
    return _SHORTENED.sub(lambda match: f"{_WHOLE.get(match[1].lower(), match[1])} not", text)


def denial_differs(claim: str, source: str, language: str) -> bool:
    """Whether the claim denies what the source states of the same words, or states what it denies."""
    claimed, sourced = set(words(claim, language)), set(words(source, language))
    mine, theirs = list(_denials(claim, language)), list(_denials(source, language))
    added, left_out = list(mine), list(theirs)
    for one in mine:
        # A "without" answers a "without" before it answers a "not".
        answering = sorted((other for other in left_out if one.about & other.about), key=lambda o: o.lacks != one.lacks)
        if answering:
            left_out.remove(answering[0])
            added.remove(one)
    return any(one.about & sourced and not _is_answered(one, theirs, left_out) for one in added) or any(
        len(other.about & claimed) >= min(_SHARED, len(other.about)) and not _is_answered(other, mine, added)
        for other in left_out
        if other.about
    )


def _is_answered(denial: "_Denial", others: list["_Denial"], unpaired: list["_Denial"]) -> bool:
    """Whether the other sentence denies the same: two denials may stand for one ("neither", "niko ne")."""
    return any(denial.about & other.about for other in others if other.lacks == denial.lacks or other in unpaired)


@dataclass(frozen=True, slots=True)
class _Denial:
    """The words it may be about, and whether it is a "without"."""

    about: frozenset[str]
    lacks: bool


def _denials(text: str, language: str) -> Iterator[_Denial]:
    plain = _NOT_DENYING.sub(" ", spelled_out(text))
    for clause in _CLAUSE.split(plain):
        tokens = _TOKEN.findall(clause)
        for place, token in enumerate(tokens):
            if fold(token) in _NEGATIONS:
                near = [t for t in tokens[max(0, place - 2 * _BEFORE) : place] if fold(t) not in _NEGATIONS]
                after = [t for t in tokens[place + 1 : place + 1 + 2 * _AFTER] if fold(t) not in _NEGATIONS]
                about = [*_content(near, language)[-_BEFORE:], *_content(after, language)[:_AFTER]]
                yield _Denial(frozenset(about), fold(token) in _LACKING)


def _content(tokens: list[str], language: str) -> list[str]:
    return words(" ".join(tokens), language if language in LANGUAGES else "")
