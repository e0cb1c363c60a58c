"""Read numbers, their units and dates out of a text, as English and Serbian write them.

"1,234.5" and "1.234,5" are the same number, "25 %" and "двадесет пет посто" the same share, "12. marta 2024." and
"March 12, 2024" the same day. Where a spelling has two meanings ("1.234"), it has both, and either may agree.
"""

import re
from dataclasses import dataclass

from answers.grounding.amounts import unnumbered
from answers.grounding.clocks import clocks
from answers.grounding.dates import Date, dated
from answers.grounding.number_words import spoken
from answers.grounding.numerals import Number, written


@dataclass(frozen=True, slots=True)
class Figures:
    """What a text holds of them: numbers with figures first, then those in words, then the years of dates."""

    numbers: tuple[Number, ...]
    dates: tuple[Date, ...]


_LIST_NUMBER = re.compile(r"\s*\d{1,2}[.)]\s")


def read(text: str, *, only_claimed: bool = False) -> Figures:
    """The figures of `text`. `only_claimed`: without "one", which is seldom meant as a number, and list numbering."""
    dates = list(dated(text))
    taken = [date.span for date in dates]
    start = _LIST_NUMBER.match(text)
    if only_claimed and start:
        taken.append(start.span())
    numbers = list(clocks(text, taken))
    taken += [clock.span for clock in numbers]
    amounts = list(unnumbered(text, taken, only_claimed=only_claimed))
    numbers += [*written(text, taken), *spoken(text, taken, only_claimed=only_claimed), *amounts]
    if not only_claimed:
        # A year may be named alone where the source has the whole date.
        numbers += [Number(str(y), frozenset({str(y)}), "") for date in dates for y, _m, _d in date.meanings if y]
    return Figures(tuple(numbers), tuple(dates))


def without(text: str) -> str:
    """`text` with blanks for its figures and their units, which are compared by what they mean."""
    found = read(text, only_claimed=True)
    for start, end in (figure.span for figure in (*found.numbers, *found.dates)):
        text = text[:start] + " " * (end - start) + text[end:]
    return text
