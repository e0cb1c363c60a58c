"""Tell text that a file holds from text that its reader would see.

What nobody sees is no part of the stored text: it is counted by kind, for the people who answer for the file.
Numbers here draw the line; where a background is not known, white text counts as seen.
"""

import re

#: unseen: marked as hidden, or drawn without ink · white: in the colour of what it stands on · tiny · off_page ·
#: tags, zero_width, bidi: characters without a shape of their own, in which messages travel.
KINDS = ("unseen", "white", "tiny", "off_page", "tags", "zero_width", "bidi")

#: Points below which nobody reads.
TINY = 2.0
#: Each of the three colours of what cannot be told from white paper.
NEARLY_WHITE = 0xF5

_TAGS = re.compile("[\U000e0001-\U000e007f]")
# A flag of a region is written with tags, after a black flag.
_FLAG = re.compile("\U0001f3f4[\U000e0020-\U000e007f]+")
_ZERO_WIDTH = re.compile("[\u200b\u2060-\u2064\ufeff]|(?<=[A-Za-z])[\u200c\u200d]")
# One or two come with text that was copied from a web page.
_FEW = 4
_OVERRIDES = re.compile("[\u202d\u202e]")


def in_characters(text: str) -> dict[str, int]:
    """What travels in characters that are not drawn, which normalising removes."""
    if text.isascii():
        return {}
    tags = len(_TAGS.findall(_FLAG.sub("", text)))
    zero_width = len(_ZERO_WIDTH.findall(text.lstrip("\ufeff")))
    overrides = len(_OVERRIDES.findall(text))
    return {"tags": tags, "zero_width": zero_width if zero_width > _FEW else 0, "bidi": overrides}


def is_white(colour: str) -> bool:
    """Whether a colour of six hexadecimal digits cannot be told from white paper."""
    try:
        return len(colour) == 6 and all(part >= NEARLY_WHITE for part in bytes.fromhex(colour))
    except ValueError:
        return False


def weight(text: str) -> int:
    """How much a piece of hidden text counts: its characters, without the spaces."""
    return sum(not character.isspace() for character in text)
