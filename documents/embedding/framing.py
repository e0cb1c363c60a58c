"""What is embedded and indexed for a passage: its text with its place in front, as a reader would see it."""

import re
from functools import lru_cache

from documents.analysis import words
from documents.titles import title_from

_YEAR = re.compile(r"(?:19|20)\d\d")
_SHORTEST_WORD = 3


def framed(title: str, path: str, locator: str, text: str) -> str:
    """`text` below the document's title, its file's name where it says more, and its section where it has a name."""
    section = locator if any(letter.isalpha() for letter in locator) else ""
    return "\n".join(part for part in (title, _name_that_says_more(title, path), section, text) if part)


@lru_cache(maxsize=2_000)
def _name_that_says_more(title: str, path: str) -> str:
    """The file's name in words where it holds a word or a year that the title lacks, otherwise "".

    Programs write titles: "ADBE 10-K FY22" into ADOBE_2022_10K.pdf, whose pages rarely say whose they are.
    """
    name = title_from(path) if path else ""
    unsaid = set(words(name, "")) - set(words(title, ""))
    tells = any(_YEAR.fullmatch(word) or (word.isalpha() and len(word) >= _SHORTEST_WORD) for word in unsaid)
    return name if tells else ""
