"""Words of which one sentence may say only one where the other says another: opposites, days, periods, quantities."""

import re
from collections.abc import Iterator

from documents.analysis import fold


def _listed(words: str) -> frozenset[str]:
    return frozenset(words.split())


_OPPOSITES = tuple(
    (_listed(one), _listed(other))
    for one, other in (
        ("least minimum minimal", "most maximum maximal"),
        ("najmanje minimalno minimum barem", "najvise maksimalno maksimum"),
        ("more above exceeds exceeding over", "less fewer below under"),
        ("vise iznad preko", "manje ispod"),
        ("before earlier prior within", "after later following"),
        ("pre prije ranije", "posle poslije nakon kasnije"),
        ("increase increased increases increasing rise rises rose rising higher grew", "decrease decreased decreases "
         "decreasing reduce reduced fall falls fell lower dropped shrank"),
        ("povecava povecan povecana povecanje raste porastao porasla visi", "smanjuje smanjen smanjena smanjenje pada "
         "opao opala nizi"),
        ("allowed permitted may", "forbidden prohibited banned"),
        ("dozvoljeno dozvoljen dozvoljena sme", "zabranjeno zabranjen zabranjena nedozvoljeno"),
        ("required mandatory must obligatory", "optional voluntary"),
        ("obavezno obavezan obavezna mora", "neobavezno dobrovoljno opciono"),
        ("includes included including", "excludes excluded excluding"),
        ("ukljucuje ukljucen ukljucujuci", "iskljucuje iskljucen iskljucujuci"),
        ("always", "never rarely seldom"), ("uvek uvijek", "nikad nikada retko rijetko"),
        ("all every", "none some few"), ("svi sve svaki", "neki neke nijedan nijedna"),
        ("if", "unless"),
        ("first", "last"), ("prvi prva prvo", "poslednji poslednja poslednje"),
        ("internal", "external"), ("north northern", "south southern"), ("east eastern", "west western"),
        ("approve approved approves", "reject rejected rejects"), ("odobrava odobren", "odbija odbijen"),
        ("open", "closed"), ("win won wins", "lose lost loses"), ("paid", "unpaid"), ("placeno", "neplaceno"),
        ("valid", "invalid"), ("vazeci vazeca vazece", "nevazeci nevazeca nevazece"),
        ("legal lawful", "illegal unlawful"), ("zakonit zakonita zakonito", "nezakonit nezakonita nezakonito"),
    )
)  # fmt: skip

#: Kinds of words whose members differ from each other: each member with its forms, a "*" for any ending.
_KINDS = tuple(
    tuple(frozenset(member.split()) for member in kind)
    for kind in (
        ("monday mondays ponedelj* ponedjelj*", "tuesday tuesdays utorak utorkom utorka", "wednesday wednesdays "
         "sreda sredu sredom srede srijed*", "thursday thursdays cetvrtak cetvrtk*", "friday fridays petak petk*",
         "saturday saturdays subota subotu subotom subote", "sunday sundays nedeljom"),
        ("january januar*", "february februar*", "mart marta martu martom", "april*", "maj maja maju majem",
         "june jun juna junu", "july jul jula julu", "august avgust*", "september septemb*", "october oktob*",
         "november novemb*", "december decemb*"),
        ("daily dnevno dnevni dnevna", "weekly nedeljno sedmicno tjedno", "monthly mesecno mjesecno mesecni mesecna",
         "quarterly kvartalno tromesecno", "yearly annually annual godisnje godisnji godisnja"),
    )
)  # fmt: skip
#: "Two days a week", "5 % per annum": what something is counted by.
_RATE = re.compile(r"\b(?:a|an|per|each|every|one|svake|svakog|svaki|svaku) (day|week|month|quarter|year|hour)s?\b")
#: A denial before a word turns it into its opposite.
_DENIED = _listed("not cannot never ne nije nisu nisam nismo niste")
_REACH = 2
_TOKEN = re.compile(r"[^\W_]+")


def opposite(claim: str, source: str) -> tuple[str, str] | None:
    """A word of the claim, and the word of the source that excludes it; None where there is no such pair."""
    mine, theirs = _TOKEN.findall(fold(claim)), _TOKEN.findall(fold(source))
    return _opposed(mine, theirs) or _of_another_kind(set(mine), set(theirs)) or _other_rate(claim, source)


def _opposed(mine: list[str], theirs: list[str]) -> tuple[str, str] | None:
    for one, other in _OPPOSITES:
        here, there = _sides(mine, one, other), _sides(theirs, one, other)
        for side in (0, 1):
            if here[side] and there[1 - side] and not here[1 - side] and not there[side]:
                return min(here[side]), min(there[1 - side])
    return None


def _sides(tokens: list[str], one: frozenset[str], other: frozenset[str]) -> tuple[set[str], set[str]]:
    """The words of both sides of a pair; a denied one stands on the other side."""
    found: tuple[set[str], set[str]] = set(), set()
    for place, token in enumerate(tokens):
        if token in one or token in other:
            is_denied = not _DENIED.isdisjoint(tokens[max(0, place - _REACH) : place])
            found[(token in other) != is_denied].add(token)
    return found


def _of_another_kind(mine: set[str], theirs: set[str]) -> tuple[str, str] | None:
    for kind in _KINDS:
        here, there = dict(_members(mine, kind)), dict(_members(theirs, kind))
        only_here, only_there = sorted(here.keys() - there.keys()), sorted(there.keys() - here.keys())
        if only_here and only_there:
            return here[only_here[0]], there[only_there[0]]
    return None


def _members(tokens: set[str], kind: tuple[frozenset[str], ...]) -> Iterator[tuple[int, str]]:
    for number, forms in enumerate(kind):
        endless = tuple(form[:-1] for form in forms if form.endswith("*"))
        for token in sorted(tokens):
            if token in forms or (endless and token.startswith(endless)):
                yield number, token
                break


def _other_rate(claim: str, source: str) -> tuple[str, str] | None:
    mine, theirs = set(_RATE.findall(claim.lower())), set(_RATE.findall(source.lower()))
    if mine and theirs and mine.isdisjoint(theirs):
        return min(mine), min(theirs)
    return None
