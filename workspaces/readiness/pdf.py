"""A report of readiness as PDF, in a font that has Serbian letters of both scripts. What is signed is the JSON."""

from collections.abc import Iterable
from functools import cache
from importlib.resources import files
from io import BytesIO
from typing import Any
from xml.sax.saxutils import escape

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from audit.chain import digest
from workspaces.models import Outcome, ReadinessRun
from workspaces.readiness.reading import Line, Section

_FONT, _BOLD = "Roboto", "Roboto-Bold"
_FILES = {_FONT: "Roboto-Regular.ttf", _BOLD: "Roboto-Bold.ttf"}
_COLOURS = {Outcome.PASS: "#15803d", Outcome.WARN: "#a16207", Outcome.BLOCK: "#b91c1c", Outcome.NONE: "#4b5563"}


def write(run: ReadinessRun, sections: Iterable[Section]) -> bytes:
    """The file."""
    from reportlab.lib.pagesizes import A4
    from reportlab.lib.units import mm
    from reportlab.platypus import Paragraph, SimpleDocTemplate

    styles = _styles()
    verdict = _("Go") if run.is_go else _("No go")
    when = date_format(timezone.localtime(run.ended_at), "DATETIME_FORMAT") if run.ended_at else ""
    title = _("Readiness of %(name)s") % {"name": run.workspace.name}
    story: list[Any] = [
        Paragraph(_text(title), styles["title"]),
        Paragraph(_text(f"{verdict} · {run.score} / 100 · {when}"), styles["label"]),
    ]
    for section in sections:
        score = "" if section.score is None else f" · {section.score}"
        story.append(Paragraph(_text(f"{section.area.label}{score}"), styles["heading"]))
        story += [Paragraph(_line(line), styles["text"]) for line in section.lines]
    signed = _("SHA-256 of the signed report: %(hash)s") % {"hash": digest(run.report)} if run.report else ""
    story.append(Paragraph(_text(signed), styles["end"]))
    out, margin = BytesIO(), 22 * mm
    document = SimpleDocTemplate(
        out, pagesize=A4, leftMargin=margin, rightMargin=margin, topMargin=margin, bottomMargin=margin, title=title
    )
    document.build(story)
    return out.getvalue()


def _line(line: Line) -> str:
    outcome = f'<font color="{_COLOURS[line.outcome]}"><b>{_text(str(line.outcome.label))}</b></font>'
    # The name of a check says what holds when it passes, which a blocker would seem to claim.
    return f"{outcome} “{_text(line.label)}”. {_text(line.sentence)}"


@cache
def _styles() -> dict[str, Any]:
    """Registers the fonts as well, once for a process."""
    from reportlab.lib.styles import ParagraphStyle
    from reportlab.pdfbase import pdfmetrics
    from reportlab.pdfbase.ttfonts import TTFont

    for name, file in _FILES.items():
        pdfmetrics.registerFont(TTFont(name, str(files("font_roboto") / "files" / file)))
    pdfmetrics.registerFontFamily(_FONT, normal=_FONT, bold=_BOLD, italic=_FONT, boldItalic=_BOLD)
    text = ParagraphStyle("text", fontName=_FONT, fontSize=9.5, leading=13.5, spaceAfter=4, splitLongWords=1)
    return {
        "text": text,
        "title": ParagraphStyle("title", parent=text, fontName=_BOLD, fontSize=17, leading=22, spaceAfter=6),
        "label": ParagraphStyle("label", parent=text, fontSize=11, spaceAfter=10),
        "heading": ParagraphStyle("heading", parent=text, fontName=_BOLD, fontSize=12, leading=17, spaceBefore=8),
        "end": ParagraphStyle("end", parent=text, fontSize=8, spaceBefore=14),
    }


def _text(text: str) -> str:
    """`text` for a paragraph, whose little markup language must not see any of it."""
    return escape(text)
