"""Count as Word counts: the numbers of headings and lists, which it shows and does not store."""

from dataclasses import dataclass, field

from docx.document import Document
from docx.opc.constants import RELATIONSHIP_TYPE
from docx.oxml import parse_xml
from docx.oxml.ns import qn
from docx.oxml.xmlchemy import BaseOxmlElement

BULLET = "•"
LEVELS = 9
_ROMAN = ((1000, "m"), (900, "cm"), (500, "d"), (400, "cd"), (100, "c"), (90, "xc"), (50, "l"), (40, "xl"), (10, "x"))
_ROMAN += ((9, "ix"), (5, "v"), (4, "iv"), (1, "i"))
_MOST = 4000


@dataclass(slots=True)
class _Level:
    """How one level of a list is counted and written."""

    format: str = "decimal"
    pattern: str = ""
    start: int = 1


@dataclass(slots=True)
class _List:
    """One list: lists that share the count share it as long as none begins anew."""

    key: str
    levels: dict[int, _Level] = field(default_factory=dict)
    anew: dict[int, int] = field(default_factory=dict)


class Numbers:
    """The numbers of one document; ask for each paragraph, in order."""

    def __init__(self, document: Document) -> None:
        self._lists: dict[str, _List] = {}
        self._counts: dict[str, dict[int, int]] = {}
        self._begun: set[str] = set()
        self._by_style: dict[str, int] = {}
        try:
            root = parse_xml(document.part.part_related_by(RELATIONSHIP_TYPE.NUMBERING).blob)
        except KeyError:
            return
        self._learn(root)

    def mark(self, list_number: str, level: int) -> str:
        """What Word writes before the paragraph: "2.1", "b)", a bullet, or ""."""
        found = self._lists.get(list_number)
        if found is None or level not in found.levels:
            return BULLET if found is None else ""
        counts = self._counts.setdefault(found.key, {})
        if list_number not in self._begun:
            self._begun.add(list_number)
            for each in found.anew:
                counts.pop(each, None)
        for deeper in [each for each in counts if each > level]:
            del counts[deeper]
        one = found.levels[level]
        counts[level] = counts[level] + 1 if level in counts else found.anew.get(level, one.start)
        if one.format == "bullet":
            return BULLET
        text = one.pattern
        for each in range(level + 1):
            of = found.levels.get(each, _Level())
            text = text.replace(f"%{each + 1}", _written(counts.get(each, of.start), of.format))
        return " ".join(text.split())

    def level_of(self, style: str) -> int:
        """The level that a paragraph of this style has when it names none."""
        return self._by_style.get(style, 0)

    def _learn(self, root: BaseOxmlElement) -> None:
        abstract = {each.get(qn("w:abstractNumId"), ""): each for each in root.iter(qn("w:abstractNum"))}
        for number in root.iter(qn("w:num")):
            name, refers = number.get(qn("w:numId"), ""), number.find(qn("w:abstractNumId"))
            key = refers.get(qn("w:val"), "") if refers is not None else ""
            made = self._lists[name] = _List(key)
            for level in abstract[key].iter(qn("w:lvl")) if key in abstract else ():
                self._learn_level(made, level)
            for override in number.iter(qn("w:lvlOverride")):
                place = _number(override.get(qn("w:ilvl")), 0)
                start = override.find(qn("w:startOverride"))
                if start is not None:
                    made.anew[place] = _number(start.get(qn("w:val")), 1)
                for level in override.iter(qn("w:lvl")):
                    self._learn_level(made, level)

    def _learn_level(self, made: _List, level: BaseOxmlElement) -> None:
        place = _number(level.get(qn("w:ilvl")), 0)
        value = {each: level.find(qn(f"w:{each}")) for each in ("numFmt", "lvlText", "start", "pStyle")}
        said = {each: found.get(qn("w:val"), "") for each, found in value.items() if found is not None}
        made.levels[place] = _Level(
            said.get("numFmt", "decimal"), said.get("lvlText", f"%{place + 1}."), _number(said.get("start"), 1)
        )
        if "pStyle" in said:
            self._by_style[said["pStyle"]] = place


def _number(value: str | None, otherwise: int) -> int:
    return int(value) if value and value.isdecimal() and len(value) < 7 else otherwise


def _written(number: int, format: str) -> str:
    match format:
        case "none":
            return ""
        case "lowerLetter" | "upperLetter" if number > 0:
            # After z comes aa, then bb.
            letters = chr(ord("a") + (number - 1) % 26) * min(1 + (number - 1) // 26, LEVELS)
            return letters if format == "lowerLetter" else letters.upper()
        case "lowerRoman" | "upperRoman" if 0 < number < _MOST:
            text = ""
            for value, sign in _ROMAN:
                text += sign * (number // value)
                number %= value
            return text if format == "lowerRoman" else text.upper()
        case "decimalZero":
            return f"{number:02d}"
    return str(number)
