"""What the styles and lists of a DOCX say about a paragraph: heading level, bullet, number."""

import re
from dataclasses import dataclass

from lxml.etree import _Element as Element

W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_HEADING = re.compile(r"heading ([1-9])", re.IGNORECASE)
_ROMAN = tuple(
    zip(
        (1000, 900, 500, 400, 100, 90, 50, 40, 10, 9, 5, 4, 1),
        ("m", "cm", "d", "cd", "c", "xc", "l", "xl", "x", "ix", "v", "iv", "i"),
        strict=True,
    )
)
_BODY_TEXT = 9  # Word's outline level for "not a heading"

ListPlace = tuple[str, int]  # id of the list, level from 0


@dataclass(frozen=True, slots=True)
class Style:
    """What a paragraph is: `level` from 0 for a heading, None otherwise."""

    level: int | None = None
    is_title: bool = False
    place: ListPlace | None = None


class Styles:
    """The styles of a document; a style inherits from the one it is based on."""

    def __init__(self, root: Element | None) -> None:
        self._elements: dict[str, Element] = {}
        self._known: dict[str, Style] = {}
        self._default = ""
        for element in root.iter(f"{W}style") if root is not None else ():
            identity = element.get(f"{W}styleId", "")
            self._elements[identity] = element
            if element.get(f"{W}type") == "paragraph" and element.get(f"{W}default") in {"1", "true"}:
                self._default = identity

    def of(self, paragraph: Element) -> Style:
        properties = paragraph.find(f"{W}pPr")
        if properties is None:
            return self._named(self._default)
        base = self._named(_value(properties, "pStyle") or self._default)
        return _over(base, properties)

    def _named(self, identity: str) -> Style:
        if identity not in self._known:
            # Entered before it is known, so that styles based on each other in a ring come to an end.
            self._known[identity] = Style()
            self._known[identity] = self._read(identity)
        return self._known[identity]

    def _read(self, identity: str) -> Style:
        element = self._elements.get(identity)
        if element is None:
            return Style()
        based_on = _value(element, "basedOn")
        base = self._named(based_on) if based_on else Style()
        # Word writes the English name whatever its language; the id is translated.
        name = _value(element, "name")
        if found := _HEADING.fullmatch(name):
            base = Style(int(found.group(1)) - 1, False, base.place)
        elif name.lower() == "title":
            base = Style(None, True, base.place)
        properties = element.find(f"{W}pPr")
        return base if properties is None else _over(base, properties)


class Numbering:
    """Counts the numbered paragraphs of a document as Word shows them."""

    def __init__(self, root: Element | None) -> None:
        self._levels: dict[str, dict[int, Element]] = {}
        self._abstract: dict[str, str] = {}
        self._counts: dict[str, dict[int, int]] = {}
        if root is None:
            return
        for element in root.iter(f"{W}abstractNum"):
            levels = {_number(level.get(f"{W}ilvl")): level for level in element.iter(f"{W}lvl")}
            self._levels[element.get(f"{W}abstractNumId", "")] = levels
        for element in root.iter(f"{W}num"):
            self._abstract[element.get(f"{W}numId", "")] = _value(element, "abstractNumId")

    def next_mark(self, style: Style) -> str:
        """ "2.1", "(a)" or "•" for the next paragraph of its list; "" when it is in none."""
        place = style.place
        if place is None or place[0] not in self._abstract:
            return ""
        abstract = self._abstract[place[0]]
        levels = self._levels.get(abstract, {})
        level = levels.get(place[1])
        if level is None:
            return ""
        counts = self._counts.setdefault(abstract, {})
        counts[place[1]] = counts.get(place[1], _start(level) - 1) + 1
        for deeper in [other for other in counts if other > place[1]]:
            del counts[deeper]
        return _mark(levels, level, counts)


def _mark(levels: dict[int, Element], level: Element, counts: dict[int, int]) -> str:
    if _value(level, "numFmt") in {"bullet", "none"}:
        return "•" if _value(level, "numFmt") == "bullet" else ""

    def counted(match: re.Match[str]) -> str:
        index = int(match.group(1)) - 1
        other = levels.get(index)
        if other is None:
            return ""
        return _written(counts.get(index, _start(other)), _value(other, "numFmt"))

    return re.sub(r"%([1-9])", counted, _value(level, "lvlText")).strip()


def _written(count: int, form: str) -> str:
    if form in {"lowerLetter", "upperLetter"}:
        letters = chr(ord("a") + (count - 1) % 26) * ((count - 1) // 26 + 1)
        return letters if form == "lowerLetter" else letters.upper()
    if form in {"lowerRoman", "upperRoman"} and 0 < count < 4000:
        roman = ""
        for value, sign in _ROMAN:
            roman += sign * (count // value)
            count %= value
        return roman if form == "lowerRoman" else roman.upper()
    return f"{count:02d}" if form == "decimalZero" else str(count)


def _over(base: Style, properties: Element) -> Style:
    """`base` with what these paragraph properties say on top."""
    level = base.level
    outline = _value(properties, "outlineLvl")
    if outline:
        level = _number(outline) if _number(outline) < _BODY_TEXT else None
    place = base.place
    numbering = properties.find(f"{W}numPr")
    if numbering is not None:
        identity = _value(numbering, "numId") or (place[0] if place else "")
        depth = _value(numbering, "ilvl")
        place = (identity, _number(depth) if depth else (place[1] if place else 0))
        # List 0 is Word's way of taking a paragraph out of its list.
        place = None if identity == "0" else place
    return Style(level, base.is_title, place)


def _value(element: Element, name: str) -> str:
    child = element.find(f"{W}{name}")
    return child.get(f"{W}val", "") if child is not None else ""


def _number(value: str | None) -> int:
    return int(value) if value and value.isdecimal() else 0


def _start(level: Element) -> int:
    start = _value(level, "start")
    return _number(start) if start else 1
