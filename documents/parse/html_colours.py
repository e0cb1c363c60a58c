"""Colours as styles of web pages spell them."""

import colorsys
import re

#: Red, green and blue to 255, and how much of what lies behind is covered, to 1.
Colour = tuple[int, int, int, float]

_CLEAR: Colour = (0, 0, 0, 0.0)
#: Colours of another element's choice: for a ground, none of its own.
INHERITED = frozenset({"inherit", "initial", "unset", "revert"})
_NAMES: dict[str, Colour] = {
    "white": (255, 255, 255, 1.0),
    "snow": (255, 250, 250, 1.0),
    "ivory": (255, 255, 240, 1.0),
    "floralwhite": (255, 250, 240, 1.0),
    "ghostwhite": (248, 248, 255, 1.0),
    "whitesmoke": (245, 245, 245, 1.0),
    "black": (0, 0, 0, 1.0),
    "transparent": _CLEAR,
    "none": _CLEAR,
    **dict.fromkeys(INHERITED, _CLEAR),
}
# Said of a ground beside its colour.
_PLACE = """
    repeat no x y scroll fixed local center left right top bottom auto cover contain border padding content box
    px em rem pt
"""
_PLACES = frozenset(_PLACE.split())
_HEX = re.compile(r"#([0-9a-f]{8}|[0-9a-f]{6}|[0-9a-f]{3,4})(?![0-9a-f])")
_FUNCTION = re.compile(r"(rgb|hsl)a?\(([^()]*)\)")
_WORD = re.compile(r"[a-z]+")


def colour_in(value: str) -> Colour | None:
    """The colour that a value in lower case names, with other words around or alone; None when it is not known."""
    if found := _HEX.search(value):
        digits = found[1] if len(found[1]) > 4 else "".join(digit * 2 for digit in found[1])
        red, green, blue, cover = bytes.fromhex(digits.ljust(8, "f"))
        return red, green, blue, cover / 255
    if found := _FUNCTION.search(value):
        return _called(found[1], re.split(r"[\s,/]+", found[2].strip()))
    words = [word for word in _WORD.findall(value) if word not in _PLACES]
    if value and not words:
        return _CLEAR
    return _NAMES.get(words[0]) if words else None


def _called(function: str, parts: list[str]) -> Colour | None:
    try:
        cover = _part(parts[3], 1) if len(parts) > 3 else 1.0
        if function == "hsl":
            red, green, blue = colorsys.hls_to_rgb(
                float(parts[0].removesuffix("deg")) / 360, _part(parts[2], 100) / 100, _part(parts[1], 100) / 100
            )
            return round(red * 255), round(green * 255), round(blue * 255), cover
        red, green, blue = (_part(each, 255) for each in parts[:3])
        return round(red), round(green), round(blue), cover
    except (ValueError, IndexError, OverflowError):
        return None


def _part(word: str, whole: int) -> float:
    return float(word[:-1]) * whole / 100 if word.endswith("%") else float(word)
