"""Bring text into the one form that is stored, searched and cited.

The form never changes again after parsing, so that a character range stays
true for ever. `normalise_mapped` also says where each character came from.
"""

import re
import unicodedata
from collections.abc import Iterable


def _code_points(*ranges: tuple[int, int]) -> Iterable[int]:
    for first, last in ranges:
        yield from range(first, last + 1)


# Characters that a reader cannot see, that reorder what is seen, or that a
# database or JSON encoder refuses. Hidden instructions travel in some of them.
_REMOVED = _code_points(
    (0x00, 0x08),  # control characters, without tab and line feed
    (0x0E, 0x1F),
    (0x7F, 0x84),
    (0x86, 0x9F),
    (0xAD, 0xAD),  # soft hyphen
    (0x034F, 0x034F),
    (0x061C, 0x061C),
    (0x115F, 0x1160),
    (0x17B4, 0x17B5),
    (0x180B, 0x180F),
    (0x200B, 0x200F),  # zero width, direction marks
    (0x202A, 0x202E),  # direction overrides
    (0x2060, 0x206F),
    (0x3164, 0x3164),
    (0xD800, 0xDFFF),  # lone surrogates
    (0xFDD0, 0xFDEF),
    (0xFE00, 0xFE0F),  # variation selectors
    (0xFEFF, 0xFEFF),
    (0xFFA0, 0xFFA0),
    (0xFFF0, 0xFFFB),
    (0xFFFE, 0xFFFF),
    (0xE0000, 0xE0FFF),  # tags and more variation selectors
)
_SPACES = _code_points(
    (0xA0, 0xA0), (0x1680, 0x1680), (0x2000, 0x200A), (0x202F, 0x202F), (0x205F, 0x205F), (0x3000, 0x3000)
)
_LIGATURES = {
    0xFB00: "ff",
    0xFB01: "fi",
    0xFB02: "fl",
    0xFB03: "ffi",
    0xFB04: "ffl",
    0xFB05: "st",
    0xFB06: "st",
}
# Bullets of the Symbol and Wingdings fonts, which Office stores as private characters.
_BULLETS = {0xF0B7: "•", 0xF0A7: "•", 0xF0D8: "•", 0xF0FC: "✓"}

_TABLE: dict[int, str | None] = {
    **dict.fromkeys(_REMOVED),
    **dict.fromkeys(_SPACES, " "),
    **_LIGATURES,
    **_BULLETS,
    0x0B: "\n",
    0x0C: "\n",
    0x85: "\n",
    0x2028: "\n",
    0x2029: "\n\n",
}
_LINE_ENDS = re.compile(r"\r\n?")
_SPACING = (
    (re.compile(r"(?<=[^ \t\n])[ \t]+"), " "),
    (re.compile(r"^[ \t]*\t[ \t]*", re.MULTILINE), "    "),
    (re.compile(r"(?<! ) +$", re.MULTILINE), ""),
    (re.compile(r"\n{3,}"), "\n\n"),
)
# Where two characters may compose, they belong to one cluster: marks, and the
# vowels and finals of Hangul, which are no marks but compose all the same.
_HANGUL_TAIL = re.compile(r"[\u1161-\u11ff]")


def normalise(text: str) -> str:
    """The stored form of `text`: composed (NFC), visible, one blank line between paragraphs.

    Runs of spaces inside a line become one; indentation is kept, with four
    spaces for a tab. Applying it twice changes nothing.
    """
    text = _LINE_ENDS.sub("\n", text).translate(_TABLE)
    text = unicodedata.normalize("NFC", text)
    for pattern, replacement in _SPACING:
        text = pattern.sub(replacement, text)
    return text.strip()


def normalise_mapped(text: str) -> tuple[str, list[int]]:
    """`normalise(text)`, and for each of its characters the index in `text` it stems from."""
    origin = list(range(len(text)))
    text, origin = _replace(_LINE_ENDS, "\n", text, origin)
    text, origin = _translate(text, origin)
    text, origin = _compose(text, origin)
    for pattern, replacement in _SPACING:
        text, origin = _replace(pattern, replacement, text, origin)
    start = len(text) - len(text.lstrip())
    end = max(start, len(text.rstrip()))
    return text[start:end], origin[start:end]


def _replace(pattern: re.Pattern[str], new: str, text: str, origin: list[int]) -> tuple[str, list[int]]:
    pieces: list[str] = []
    kept: list[int] = []
    done = 0
    for match in pattern.finditer(text):
        pieces += (text[done : match.start()], new)
        kept += origin[done : match.start()]
        kept += [origin[match.start()]] * len(new)
        done = match.end()
    if not done:
        return text, origin
    return "".join(pieces) + text[done:], kept + origin[done:]


def _translate(text: str, origin: list[int]) -> tuple[str, list[int]]:
    if text.isascii() and text.isprintable():
        return text, origin
    pieces: list[str] = []
    kept: list[int] = []
    for index, character in zip(origin, text, strict=True):
        new = _TABLE.get(ord(character), character)
        if new:
            pieces.append(new)
            kept += [index] * len(new)
    return "".join(pieces), kept


def _compose(text: str, origin: list[int]) -> tuple[str, list[int]]:
    if unicodedata.is_normalized("NFC", text):
        return text, origin
    pieces: list[str] = []
    kept: list[int] = []
    for start, end in _clusters(text):
        composed = unicodedata.normalize("NFC", text[start:end])
        pieces.append(composed)
        # A cluster that got shorter or longer keeps its own order; no character
        # can stem from outside it.
        kept += [origin[min(start + n, end - 1)] for n in range(len(composed))]
    return "".join(pieces), kept


def _clusters(text: str) -> Iterable[tuple[int, int]]:
    start = 0
    for index in range(1, len(text)):
        character = text[index]
        if unicodedata.category(character).startswith("M") or _HANGUL_TAIL.match(character):
            continue
        yield start, index
        start = index
    if text:
        yield start, len(text)
