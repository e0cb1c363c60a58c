"""Take out of a Word document what its reader does not see: marked as hidden, white on white, or tiny."""

from collections import Counter
from dataclasses import dataclass

from docx.document import Document
from docx.oxml.ns import qn
from docx.oxml.xmlchemy import BaseOxmlElement

from .hidden import TINY, is_white, weight

_OFF = frozenset({"0", "false", "off"})
#: The colours of a theme that its paper has.
_PAPER = frozenset({"background1", "light1"})
_PLAIN = frozenset({"", "auto", "FFFFFF", "ffffff", "none", "white", "clear", "nil"})


@dataclass(frozen=True, slots=True)
class _Look:
    """What a style, or a run, says of its text; None where it says nothing."""

    unseen: bool | None = None
    white: bool | None = None
    tiny: bool | None = None
    shaded: bool | None = None

    def over(self, below: "_Look") -> "_Look":
        """This look, with what it leaves open as the one below has it."""
        return _Look(
            below.unseen if self.unseen is None else self.unseen,
            below.white if self.white is None else self.white,
            below.tiny if self.tiny is None else self.tiny,
            below.shaded if self.shaded is None else self.shaded,
        )

    @property
    def kind(self) -> str:
        if self.unseen:
            return "unseen"
        if self.tiny:
            return "tiny"
        return "white" if self.white and not self.shaded else ""


_NOTHING = _Look()


class Unseen:
    """Knows the styles of one document, and counts what it takes out."""

    def __init__(self, document: Document) -> None:
        self.found: Counter[str] = Counter()
        self._styles = {style.get(qn("w:styleId"), ""): style for style in document.styles.element.iter(qn("w:style"))}
        self._looks: dict[str, _Look] = {}
        defaults = document.styles.element.find(f"{qn('w:docDefaults')}/{qn('w:rPrDefault')}/{qn('w:rPr')}")
        self._base = _said(defaults) if defaults is not None else _NOTHING
        self._usual = next((name for name, style in self._styles.items() if _is_usual(style)), "")
        # On paper of a colour of its own, white may be seen.
        self._white_paper = document.element.find(qn("w:background")) is None

    def take_out_of(self, root: BaseOxmlElement) -> None:
        for run in list(root.iter(qn("w:r"))):
            look = self._look_of(run)
            if look.kind and not (look.kind == "white" and self._has_ground(run)):
                texts = run.iter(qn("w:t"), qn("w:delText"))
                self.found[look.kind] += sum(weight(text.text or "") for text in texts)
                run.getparent().remove(run)

    def _look_of(self, run: BaseOxmlElement) -> _Look:
        paragraph = run.getparent()
        while paragraph is not None and paragraph.tag != qn("w:p"):
            paragraph = paragraph.getparent()
        settings = paragraph.find(qn("w:pPr")) if paragraph is not None else None
        look = self._style(self._usual)
        if settings is not None:
            name = _named(settings, "w:pStyle")
            look = _Look(shaded=_shaded(settings)).over(self._style(name if name in self._styles else self._usual))
        look = look.over(self._base)
        own = run.find(qn("w:rPr"))
        if own is not None:
            look = _said(own).over(self._style(_named(own, "w:rStyle"))).over(look)
        return look

    def _style(self, name: str) -> _Look:
        if not name:
            return _NOTHING
        if name not in self._looks:
            # Known before what it is based on is asked, which may be itself.
            self._looks[name] = _NOTHING
            style = self._styles.get(name)
            if style is not None:
                run, paragraph = style.find(qn("w:rPr")), style.find(qn("w:pPr"))
                look = _said(run) if run is not None else _NOTHING
                if paragraph is not None:
                    look = look.over(_Look(shaded=_shaded(paragraph)))
                self._looks[name] = look.over(self._style(_named(style, "w:basedOn")))
        return self._looks[name]

    def _has_ground(self, run: BaseOxmlElement) -> bool:
        """Whether something dark may lie behind it that is said elsewhere: a cell, a table, a text box, the paper."""
        if not self._white_paper:
            return True
        for around in run.iterancestors():
            if around.tag == qn("w:txbxContent"):
                return True
            if around.tag == qn("w:tc") and _shaded(around.find(qn("w:tcPr"))):
                return True
            if around.tag == qn("w:tbl") and around.find(f"{qn('w:tblPr')}/{qn('w:tblStyle')}") is not None:
                return True
        return False


def _is_usual(style: BaseOxmlElement) -> bool:
    """Whether it is the style of paragraphs that name none."""
    return style.get(qn("w:type")) == "paragraph" and style.get(qn("w:default"), "0") not in _OFF


def _is_white_colour(colour: BaseOxmlElement) -> bool:
    theme = colour.get(qn("w:themeColor"))
    if theme in _PAPER:
        return colour.get(qn("w:themeShade")) is None
    # Any other colour of the theme is known to the theme alone.
    return theme is None and is_white(colour.get(qn("w:val"), ""))


def _named(settings: BaseOxmlElement, what: str) -> str:
    found = settings.find(qn(what))
    return found.get(qn("w:val"), "") if found is not None else ""


def _said(settings: BaseOxmlElement) -> _Look:
    vanish, colour, size = (settings.find(qn(name)) for name in ("w:vanish", "w:color", "w:sz"))
    points = size.get(qn("w:val"), "") if size is not None else ""
    return _Look(
        unseen=vanish.get(qn("w:val"), "1") not in _OFF if vanish is not None else None,
        white=_is_white_colour(colour) if colour is not None else None,
        tiny=float(points) / 2 < TINY if points.isdecimal() else None,
        shaded=_shaded(settings),
    )


def _shaded(settings: BaseOxmlElement | None) -> bool | None:
    if settings is None:
        return None
    shade, marker = settings.find(qn("w:shd")), settings.find(qn("w:highlight"))
    if marker is not None:
        return marker.get(qn("w:val"), "") not in _PLAIN
    if shade is None:
        return None
    fill = shade.get(qn("w:fill"), "")
    return not (fill in _PLAIN or is_white(fill)) or shade.get(qn("w:val"), "") not in _PLAIN
