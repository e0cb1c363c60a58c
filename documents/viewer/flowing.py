"""Stored text as running text, for people to read. What is stored, marked, checked and hashed keeps every line break.

Pure. A page ends its lines where it is full and not where the text wants it, and so does text recognition.
"""

import re

from documents.viewer.places import PICTURES

#: Formats whose lines end where the page ended them.
WRAPPED = frozenset({"pdf"}) | PICTURES

#: One line break, not part of an empty line; what is divided at it keeps its hyphen and gets no space.
_HYPHENATED = re.compile(r"(?<=\w-)[ \t]*\n[ \t]*(?=[^\W\d_])")
_BROKEN = re.compile(r"(?<!\n)[ \t]*\n[ \t]*(?!\n)")


def flowing(text: str, format: str) -> str:
    """`text`, a piece of a version of that format, with its lines joined where only the page had broken them."""
    if format not in WRAPPED:
        return text
    return _BROKEN.sub(" ", _HYPHENATED.sub("", text))
