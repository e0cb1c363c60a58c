"""Amounts that are said without a number: "for a year", "half an hour", "godinu dana", "pola sata"."""

import re
from collections.abc import Iterator, Sequence

from answers.grounding.numerals import Number, Span, is_in, unit_of

#: Of words without a number of their own. An article counts only behind words that ask for a length.
_BY_ARTICLE = re.compile(
    r"\b(?:for|within|after|least|most|than|lasts?|takes?|(?:period|term|duration) of)"
    r" (?P<what>an? (?P<unit>[a-z]+))\b",
    re.IGNORECASE,
)
_HALF = re.compile(r"\b(?P<what>(?:half an?|pola|пола) (?P<unit>[^\W\d_]+))\b", re.IGNORECASE)
_WHOLE = re.compile(
    r"\b(?P<what>(?P<unit>godinu|mesec|mjesec|nedelju|sedmicu|годину|месец|недељу|седмицу) (?:dana|дана)"
    r"|(?P<hour>sat|сат) (?:vremena|времена))\b",
    re.IGNORECASE,
)
_HALVED = frozenset({"year", "hour"})


def unnumbered(text: str, taken: Sequence[Span], *, only_claimed: bool) -> Iterator[Number]:
    """Amounts of `text` that are said without a number; `only_claimed` leaves out what an article says."""
    forms = [(_HALF, "0.5"), (_WHOLE, "1")] + ([] if only_claimed else [(_BY_ARTICLE, "1")])
    for form, count in forms:
        for match in form.finditer(text):
            parts = match.groupdict()
            unit = unit_of(parts.get("unit") or parts.get("hour") or "")
            is_one = unit and (form is not _HALF or unit in _HALVED)
            if is_one and not is_in(match.start("what"), taken):
                yield Number(match["what"], frozenset(), unit, match.span("what"), frozenset({count}))
