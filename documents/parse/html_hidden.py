"""Tell what a web page holds from what its reader sees, by the styles that stand in the page itself.

Styles that other files would bring are not known here: a page that asks for some may put white words on black, so
there white counts as seen.
"""

import re
from dataclasses import dataclass

from lxml import html as lxml_html

from .hidden import NEARLY_WHITE

_UNSEEN = re.compile(
    r"display\s*:\s*none|visibility\s*:\s*(?:hidden|collapse)|opacity\s*:\s*(?:0(?:\.0*)?|\.0+)(?![.\d])"
    r"|clip\s*:\s*rect\(\s*[01](?:px)?[\s,]+[01](?:px)?[\s,]+[01](?:px)?[\s,]+[01]|mso-hide\s*:\s*all",
    re.IGNORECASE,
)
_TINY = re.compile(r"font-size\s*:\s*(?:0?\.\d+|[01](?:\.\d+)?)\s*(?:px|pt)|font-size\s*:\s*0(?![.\d])", re.IGNORECASE)
_OFF_PAGE = re.compile(r"(?:left|top|right|text-indent|margin-left)\s*:\s*-\d{4,}\s*px", re.IGNORECASE)
_COLOUR = re.compile(
    r"(?<![\w-])color\s*:\s*(#[0-9a-f]{3,6}|white|transparent|rgba?\(\s*(\d+)[\s,]+(\d+)[\s,]+(\d+))", re.IGNORECASE
)
_GROUND = re.compile(r"background", re.IGNORECASE)
_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
# What holds for a printer, or a screen of some size, says nothing of what a reader sees.
_CONDITIONAL = re.compile(r"@[^{};]*\{(?:[^{}]*\{[^{}]*\})*[^{}]*\}|@[^{};]*;")
_RULE = re.compile(r"([^{}]+)\{([^{}]*)\}")
_SIMPLE = re.compile(r"[\w-]*(?:[.#][\w-]+)?")
_MAX_STYLES = 200_000


@dataclass(frozen=True, slots=True)
class _Say:
    """What one set of declarations does to the text it is about."""

    kind: str = ""
    white: bool = False
    ground: bool = False


class Styles:
    """The rules of a page, as far as they hide text."""

    def __init__(self, tree: lxml_html.HtmlElement) -> None:
        self._rules: dict[str, _Say] = {}
        self.knows_grounds = True
        for link in tree.iter("link"):
            if "stylesheet" in link.get("rel", "").lower():
                self.knows_grounds = False
        sheets = "".join(style.text or "" for style in tree.iter("style"))[:_MAX_STYLES]
        for selectors, body in _RULE.findall(_CONDITIONAL.sub("", _COMMENT.sub("", sheets))):
            said = _said(body)
            for selector in selectors.split(","):
                name = selector.strip().lower()
                if said != _Say() and name and _SIMPLE.fullmatch(name):
                    self._rules[name] = said

    def hides(self, node: lxml_html.HtmlElement) -> str:
        """How the element itself is hidden: a kind of `hidden.KINDS`, or "" when it is not."""
        if node.get("hidden") is not None:
            return "unseen"
        if not (self._rules or node.get("style")):
            return ""
        sayings = self._about(node)
        kind = next((said.kind for said in sayings if said.kind), "")
        if kind or not self.knows_grounds or not any(said.white for said in sayings):
            return kind
        around = (node, *node.iterancestors())
        has_ground = any(each.get("bgcolor") or any(said.ground for said in self._about(each)) for each in around)
        return "" if has_ground else "white"

    def _about(self, node: lxml_html.HtmlElement) -> list[_Say]:
        said = []
        if style := node.get("style"):
            said.append(_said(style))
        if self._rules and isinstance(node.tag, str):
            marks = [f".{name}" for name in node.get("class", "").lower().split()]
            marks += [f"#{node.get('id').lower()}"] if node.get("id") else []
            names = [node.tag, *marks, *(f"{node.tag}{mark}" for mark in marks)]
            said += [self._rules[name] for name in names if name in self._rules]
        return said


def hides(tag: str) -> str:
    """How a tag, as it is written, hides what it is around; "" when it does not."""
    return _said(tag).kind or ("unseen" if re.search(r"\shidden[\s=>]", tag) else "")


def _said(declarations: str) -> _Say:
    kind = ""
    for each, pattern in (("unseen", _UNSEEN), ("tiny", _TINY), ("off_page", _OFF_PAGE)):
        if pattern.search(declarations):
            kind = each
            break
    colour = _COLOUR.search(declarations)
    return _Say(kind, bool(colour and _is_white(colour)), bool(_GROUND.search(declarations)))


def _is_white(colour: re.Match[str]) -> bool:
    name = colour[1].lower()
    if colour[2]:
        return all(int(part) >= NEARLY_WHITE for part in colour.groups()[1:])
    if name.startswith("#"):
        digits = name[1:]
        parts = [digit * 2 for digit in digits] if len(digits) == 3 else re.findall("..", digits)
        return len(parts) == 3 and all(int(part, 16) >= NEARLY_WHITE for part in parts)
    return True
