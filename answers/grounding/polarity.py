"""Compare what two sentences deny, and where one says the opposite of the other; English and Serbian."""

import re
from collections.abc import Iterator

from documents.analysis import LANGUAGES, fold, words


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
_NOT_DENYING = re.compile(r"\bno\. ?(?=\d)|\bnot only\b|\bne samo\b|\bnot later than\b", re.IGNORECASE)
_CLAUSE = re.compile(r"[.;:!?\n]+\s|,\s")
_TOKEN = re.compile(r"[^\W_]+")
#: Words before and after a denial that it may be about.
_BEFORE, _AFTER = 3, 4
#: A denial of a source has to be about this many words of the claim before leaving it out counts.
_SHARED = 2

_OPPOSITES = tuple(
    (_listed(one), _listed(other))
    for one, other in (
        ("least minimum minimal", "most maximum maximal"),
        ("najmanje minimalno minimum barem", "najvise maksimalno maksimum"),
        ("more above exceeds exceeding over", "less fewer below under"),
        ("vise iznad preko", "manje ispod"),
        ("before earlier prior", "after later following"),
        ("pre prije ranije", "posle poslije nakon kasnije"),
        ("increase increased increases increasing rise rose higher", "decrease decreased decreases decreasing "
         "reduce reduced fall fell lower"),
        ("povecava povecan povecana povecanje raste visi", "smanjuje smanjen smanjena smanjenje pada nizi"),
        ("allowed permitted may", "forbidden prohibited banned"),
        ("dozvoljeno dozvoljen dozvoljena sme", "zabranjeno zabranjen zabranjena nedozvoljeno"),
        ("required mandatory must obligatory", "optional voluntary"),
        ("obavezno obavezan obavezna mora", "neobavezno dobrovoljno opciono"),
        ("includes included including", "excludes excluded excluding"),
        ("ukljucuje ukljucen ukljucujuci", "iskljucuje iskljucen iskljucujuci"),
        ("always", "never"), ("uvek uvijek", "nikad nikada"), ("all every", "none"),
        ("first", "last"), ("prvi prva prvo", "poslednji poslednja poslednje"),
        ("internal", "external"), ("north northern", "south southern"), ("east eastern", "west western"),
        ("approve approved approves", "reject rejected rejects"), ("odobrava odobren", "odbija odbijen"),
        ("open", "closed"), ("win won wins", "lose lost loses"), ("paid", "unpaid"), ("placeno", "neplaceno"),
    )
)  # fmt: skip


def spelled_out(text: str) -> str:
    """`text` with "isn't" and its like as two words."""
    return _SHORTENED.sub(lambda match: f"{_WHOLE.get(match[1].lower(), match[1])} not", text)


def denial_differs(claim: str, source: str, language: str) -> bool:
    """Whether the claim denies what the source states of the same words, or states what it denies."""
    claimed, sourced = set(words(claim, language)), set(words(source, language))
    mine, theirs = list(_denials(claim, language)), list(_denials(source, language))
    unmatched = list(theirs)
    for scope in mine:
        match = next((other for other in unmatched if scope & other), None)
        if match is not None:
            unmatched.remove(match)
        elif scope & sourced and not any(scope & other for other in theirs):
            return True
    return any(
        len(scope & claimed) >= min(_SHARED, len(scope)) and not any(scope & other for other in mine)
        for scope in unmatched
        if scope
    )


def opposite(claim: str, source: str) -> tuple[str, str] | None:
    """A word of the claim, and the word of the source that says its opposite; None where there is no such pair."""
    mine, theirs = set(_TOKEN.findall(fold(claim))), set(_TOKEN.findall(fold(source)))
    for one, other in _OPPOSITES:
        for here, there in ((one, other), (other, one)):
            said, stands = mine & here, theirs & there
            if said and stands and not mine & there and not theirs & here:
                return min(said), min(stands)
    return None


def _denials(text: str, language: str) -> Iterator[set[str]]:
    """For each denial of the text the words it may be about."""
    plain = _NOT_DENYING.sub(" ", spelled_out(text))
    for clause in _CLAUSE.split(plain):
        tokens = _TOKEN.findall(clause)
        for place, token in enumerate(tokens):
            if fold(token) in _NEGATIONS:
                near = [t for t in tokens[max(0, place - 2 * _BEFORE) : place] if fold(t) not in _NEGATIONS]
                after = [t for t in tokens[place + 1 : place + 1 + 2 * _AFTER] if fold(t) not in _NEGATIONS]
                yield set(_content(near, language)[-_BEFORE:]) | set(_content(after, language)[:_AFTER])


def _content(tokens: list[str], language: str) -> list[str]:
    return words(" ".join(tokens), language if language in LANGUAGES else "")
