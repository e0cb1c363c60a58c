"""Tell what a web page holds from what its reader sees, by the styles that stand in the page itself.

Styles that other files would bring are not known here: a page that asks for some may put white words on black, so
there white counts as seen, unless the page itself says what lies behind.
"""

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from lxml import html as lxml_html

from . import html_selectors as selectors
from .hidden import TINY
from .html_colours import INHERITED, Colour, colour_in
from .html_selectors import Selector

#: Property → value in lower case, as the strongest declaration has it; True where nothing weaker may change it.
Declared = dict[str, tuple[str, bool]]

_PAPER: Colour = (255, 255, 255, 1.0)
#: Two colours nearer than this in each part cannot be told apart.
_ALIKE = 0xFF - 0xF5
_FAINT = 0.05
_MOVING = (
    "left",
    "right",
    "top",
    "bottom",
    "text-indent",
    "margin",
    "margin-left",
    "margin-top",
    "transform",
    "translate",
)
_SIZES = ("height", "max-height", "width")
#: How many pixels one of it is, where it depends on the screen about so many.
_PIXELS = {"px": 1, "": 1, "pt": 4 / 3, "em": 16, "rem": 16, "ex": 8, "ch": 8, "cm": 38, "mm": 3.8, "in": 96, "pc": 16}
_PIXELS |= {"vw": 12, "vh": 10, "%": 10}
#: So many pixels beside its place nothing is on the screen.
_FAR = 1000
_FONT = _PIXELS | {"%": 0.16, "vw": 12}
_LENGTH = re.compile(r"(?<![\w#.-])(-?(?:\d+\.?\d*|\.\d+))(px|pt|r?em|ex|ch|cm|mm|in|pc|vw|vh|%)?(?![\w.])")
_NO_AREA = re.compile(r"rect\((?:\s*[01](?:px)?[\s,]*){4}\)|inset\(\s*(?:[5-9]\d|100)%|(?:circle|ellipse)\(\s*0")
_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
_ESCAPE = re.compile(r"\\([0-9a-f]{1,6})\s?|\\(.)", re.IGNORECASE | re.DOTALL)
_RULES = r"((?:[^{}]*\{[^{}]*\})*[^{}]*)"
_EVERYWHERE = re.compile(
    r"@(?:media\s+(?:only\s+)?(?:all|screen)\s*|layer[^{;]*|supports[^{;]*)\{" + _RULES + r"\}", re.IGNORECASE
)
# What holds for a printer, or a screen of some size, says nothing of what a reader sees.
_CONDITIONAL = re.compile(r"@[^{};]*\{(?:[^{}]*\{[^{}]*\})*[^{}]*\}|@[^{};]*;")
_RULE = re.compile(r"([^{}]+)\{([^{}]*)\}")
# Commas inside of brackets part no selectors.
_COMMA = re.compile(r",(?![^()\[\]]*[)\]])")
_VARIABLE = re.compile(r"(--[\w-]+)\s*:\s*([^;{}]+)")
_VARIABLE_USED = re.compile(r"var\(\s*(--[\w-]+)\s*(?:,([^()]*))?\)")
_MAX_STYLES = 200_000
# Variables may stand for others.
_MAX_VARIABLES = 4
_LOOKS = """
    display visibility opacity color font font-size mso-hide content-visibility clip clip-path overflow overflow-x
    overflow-y background background-color background-image background-clip -webkit-background-clip
    -webkit-text-fill-color
"""
#: Properties that can hide.
_TELLING = frozenset((*_MOVING, *_SIZES, *_LOOKS.split()))


@dataclass(frozen=True, slots=True)
class _Rule:
    selector: Selector
    place: int
    declared: Declared

    def strength(self) -> tuple[tuple[int, int, int], int]:
        return self.selector.weight, self.place


class Styles:
    """The rules of a page, as far as they hide text."""

    def __init__(self, tree: lxml_html.HtmlElement) -> None:
        self._rules: dict[str, list[_Rule]] = defaultdict(list)
        self.knows_grounds = not any("stylesheet" in link.get("rel", "").lower() for link in tree.iter("link"))
        shown = (each for each in tree.iter("style") if each.get("media", "all").lower() in {"", "all", "screen"})
        sheets = _COMMENT.sub("", "".join(style.text or "" for style in shown)[:_MAX_STYLES])
        # Whoever sets one twice, for different elements, is believed the last time.
        self._variables = {name: value.strip() for name, value in _VARIABLE.findall(sheets.lower())}
        for place, (names, body) in enumerate(_RULE.findall(_CONDITIONAL.sub("", _EVERYWHERE.sub(r"\1", sheets)))):
            declared = {name: said for name, said in _declared(body).items() if name in _TELLING}
            for selector in map(selectors.parsed, _COMMA.split(names.lower())) if declared else ():
                if selector is not None:
                    self._rules[selector.key].append(_Rule(selector, place, declared))

    def hides(self, node: lxml_html.HtmlElement) -> str:
        """How the element itself is hidden: a kind of `hidden.KINDS`, or "" when it is not."""
        if node.get("hidden") is not None:
            return "unseen"
        said = self._about(node)
        if not said:
            return ""
        for kind, is_so in (("unseen", _is_unseen), ("tiny", _is_tiny), ("off_page", _is_off_page)):
            if is_so(said):
                return kind
        return "white" if self._is_white(node, said) else ""

    def _is_white(self, node: lxml_html.HtmlElement, said: dict[str, str]) -> bool:
        """Whether its letters have the colour of what they stand on."""
        value = said.get("-webkit-text-fill-color") or said.get("color", "")
        letters = colour_in(value)
        if letters is None or value in INHERITED:
            return False
        if letters[3] < _FAINT:
            # Letters that are cut out of their ground are seen.
            return "text" not in said.get("background-clip", "") + said.get("-webkit-background-clip", "")
        for around in (node, *node.iterancestors()):
            ground = _ground(self._about(around))
            if ground is None:
                return False
            if ground[3] >= _FAINT:
                # Further out, something may lie between that is not known here.
                is_near = around is node or (self.knows_grounds and _are_alike(ground, _PAPER))
                return is_near and _are_alike(letters, ground)
        return self.knows_grounds and _are_alike(letters, _PAPER)

    def _about(self, node: lxml_html.HtmlElement) -> dict[str, str]:
        """What is declared of the element, by its attributes, the rules of the page and its own style."""
        if not isinstance(node.tag, str):
            return {}
        declared: Declared = {}
        _lay(dict(_attributes(node)), over=declared)
        if self._rules:
            rules = [rule for key in selectors.keys(node) for rule in self._rules.get(key, ())]
            for rule in sorted((each for each in rules if each.selector.matches(node)), key=_Rule.strength):
                _lay(rule.declared, over=declared)
        if style := node.get("style"):
            _lay(_declared(style), over=declared)
        return {name: self._said(value) for name, (value, _) in declared.items()}

    def _variable(self, used: re.Match[str]) -> str:
        """Its value or the one to fall back on; one that is not set here, another file may set."""
        return self._variables.get(used[1], used[0] if used[2] is None else used[2].strip())

    def _said(self, value: str) -> str:
        for _ in range(_MAX_VARIABLES):
            if "var(" not in value:
                break
            value = _VARIABLE_USED.sub(self._variable, value)
        return value


def _lay(upper: Declared, *, over: Declared) -> None:
    for name, said in upper.items():
        if said[1] or not over.get(name, ("", False))[1]:
            over[name] = said


def _attributes(node: lxml_html.HtmlElement) -> Iterator[tuple[str, tuple[str, bool]]]:
    for attribute, name in (("color", "color"), ("text", "color"), ("bgcolor", "background-color")):
        if value := node.get(attribute, "").strip().lower():
            yield name, (f"#{value}" if re.fullmatch("[0-9a-f]{6}", value) else value, False)
    if node.get("background"):
        yield "background", ("url()", False)


def _declared(style: str) -> Declared:
    declared: Declared = {}
    for declaration in _ESCAPE.sub(_unescaped, _COMMENT.sub("", style)).lower().split(";"):
        name, colon, value = declaration.partition(":")
        if colon:
            _lay({name.strip(): (value.replace("!important", "").strip(), "!important" in value)}, over=declared)
    return declared


def _unescaped(escape: re.Match[str]) -> str:
    return escape[2] if escape[2] else chr(min(int(escape[1], 16), 0x10FFFF))


def _pixels(value: str, units: dict[str, float] = _PIXELS) -> list[float]:
    if "(" in value and not value.startswith(("translate", "matrix")):
        return []
    return [float(number) * units[unit or ""] for number, unit in _LENGTH.findall(value)]


def _is_unseen(said: dict[str, str]) -> bool:
    if said.get("display") == "none" or said.get("mso-hide") == "all" or said.get("content-visibility") == "hidden":
        return True
    if said.get("visibility") in {"hidden", "collapse"}:
        return True
    opacity = re.fullmatch(r"(\d*\.?\d+|\d+\.)(%?)", said.get("opacity", ""))
    if opacity and float(opacity[1]) / (100 if opacity[2] else 1) < _FAINT:
        return True
    if _NO_AREA.search(said.get("clip", "") + said.get("clip-path", "")) or "scale(0)" in said.get("transform", ""):
        return True
    if not any(
        word in said.get(name, "") for name in ("overflow", "overflow-x", "overflow-y") for word in ("hid", "cli")
    ):
        return False
    return any(each <= 1 for name in _SIZES for each in _pixels(said.get(name, "")))


def _is_tiny(said: dict[str, str]) -> bool:
    # The height of lines comes after a slash; a weight is a number too, of hundreds.
    value = said.get("font-size") or said.get("font", "").partition("/")[0]
    return any(size < TINY * _PIXELS["pt"] for size in _pixels(value, _FONT))


def _is_off_page(said: dict[str, str]) -> bool:
    return any(each <= -_FAR for name in _MOVING for each in _pixels(said.get(name, "")))


def _ground(said: dict[str, str]) -> Colour | None:
    """What the element puts behind its text: a colour, clear when it says nothing; None when that is not known."""
    for name in ("background-image", "background-color", "background"):
        value = said.get(name, "")
        if "url(" in value or "gradient(" in value:
            return None
        if value and name != "background-image":
            return colour_in(value)
    return (0, 0, 0, 0.0)


def _are_alike(one: Colour, other: Colour) -> bool:
    return all(abs(a - b) <= _ALIKE for a, b in zip(one[:3], other[:3], strict=True))
