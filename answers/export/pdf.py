"""An answer as PDF, with a font in it that has Serbian letters of both scripts. Links lead to the portal alone."""

from functools import cache
from importlib.resources import files
from io import BytesIO
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from django.utils.translation import gettext as _

from answers.citations import marks
from answers.export.content import Content, Source

_FONT, _BOLD = "Roboto", "Roboto-Bold"
_FILES = {_FONT: "Roboto-Regular.ttf", _BOLD: "Roboto-Bold.ttf"}
#: Stands for a character that the font does not have; Markdown and DOCX keep it.
_MISSING = "□"
_TITLE_CHARACTERS = 200


def write(content: Content) -> bytes:
    """The file."""
    from reportlab.lib.pagesizes import A4
    from reportlab.lib.units import mm
    from reportlab.platypus import Paragraph, SimpleDocTemplate

    styles = _styles()
    story = [
        Paragraph(_text(content.question), styles["title"]),
        Paragraph(_text(content.origin), styles["small"]),
        Paragraph(f"<b>{_text(content.label)}</b> {_text(content.status)}", styles["label"]),
        *(Paragraph(_marked(paragraph), styles["text"]) for paragraph in content.paragraphs),
        Paragraph(_text(content.heading), styles["heading"]),
    ]
    for source in content.sources:
        story += _source(source, styles)
    end = f"{_text(content.proof)}<br/>{_text(content.taken)} {_link(content.url, content.url)}"
    story.append(Paragraph(end, styles["end"]))
    out = BytesIO()
    SimpleDocTemplate(
        out,
        pagesize=A4,
        leftMargin=24 * mm,
        rightMargin=24 * mm,
        topMargin=22 * mm,
        bottomMargin=22 * mm,
        title=" ".join(content.question.split())[:_TITLE_CHARACTERS],
        author="",
        subject=content.label,
        lang=content.language or None,
    ).build(story, onFirstPage=_number, onLaterPages=_number)
    return out.getvalue()


def _source(source: Source, styles: dict[str, Any]) -> list[Any]:
    from reportlab.platypus import Paragraph

    number = f"[{source.number}] "
    if source.is_closed:
        return [Paragraph(_text(number + _("This source is not open to you.")), styles["source"])]
    head = f"{number}{_link(source.url, source.title)}, {_text(f'{source.place}, {source.version}')}"
    return [Paragraph(head, styles["source"]), Paragraph(_text(source.quote), styles["quote"])]


@cache
def _styles() -> dict[str, Any]:
    """Registers the fonts as well, once for a process."""
    from reportlab.lib.colors import HexColor
    from reportlab.lib.styles import ParagraphStyle
    from reportlab.pdfbase import pdfmetrics
    from reportlab.pdfbase.ttfonts import TTFont

    for name, file in _FILES.items():
        pdfmetrics.registerFont(TTFont(name, str(files("font_roboto") / "files" / file)))
    pdfmetrics.registerFontFamily(_FONT, normal=_FONT, bold=_BOLD, italic=_FONT, boldItalic=_BOLD)
    soft = HexColor("#4b5563")
    text = ParagraphStyle("text", fontName=_FONT, fontSize=10.5, leading=15.5, spaceAfter=8, splitLongWords=1)
    small = ParagraphStyle("small", parent=text, fontSize=9, leading=13, textColor=soft)
    return {
        "text": text,
        "small": small,
        "title": ParagraphStyle("title", parent=text, fontName=_BOLD, fontSize=17, leading=22, spaceAfter=6),
        "heading": ParagraphStyle("heading", parent=text, fontName=_BOLD, fontSize=13, leading=18, spaceBefore=10),
        "label": ParagraphStyle("label", parent=small, spaceAfter=14),
        "source": ParagraphStyle("source", parent=text, fontSize=9.5, leading=14, spaceAfter=2, keepWithNext=1),
        "quote": ParagraphStyle(
            "quote", parent=text, fontSize=9.5, leading=14, leftIndent=12, borderPadding=(0, 0, 0, 6), textColor=soft
        ),
        "end": ParagraphStyle("end", parent=small, spaceBefore=12),
    }


@cache
def _known() -> frozenset[int]:
    from reportlab.pdfbase import pdfmetrics

    _styles()
    return frozenset(pdfmetrics.getFont(_FONT).face.charToGlyph)


def _text(text: str) -> str:
    """`text` for a paragraph, whose little markup language must not see any of it."""
    shown = "".join(char if ord(char) in _known() or char.isspace() else _MISSING for char in text)
    return escape(shown).replace("\n", "<br/>")


def _marked(text: str) -> str:
    parts, after = [], 0
    for match in marks.MARK.finditer(text):
        parts += [_text(text[after : match.start()]), f"<super>{match.group()}</super>"]
        after = match.end()
    return "".join([*parts, _text(text[after:])])


def _link(url: str, text: str) -> str:
    return f'<a href={quoteattr(url)} color="#1d4ed8">{_text(text)}</a>'


def _number(canvas: Any, document: Any) -> None:
    canvas.setFont(_FONT, 8)
    canvas.drawRightString(document.pagesize[0] - document.rightMargin, 30, str(document.page))
