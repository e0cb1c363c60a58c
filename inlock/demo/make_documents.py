"""Write the demo documents that are stored in binary formats.

Run once after changing `originals`, and commit what it writes:
`python -m inlock.demo.make_documents`. Two runs with the same libraries give
the same bytes. The libraries belong to the development group; the demo itself
only reads the files.
"""

import re
import sys
import zipfile
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path

from docx import Document
from openpyxl import Workbook
from openpyxl.styles import Font
from pptx import Presentation
from reportlab.lib import colors
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle, getSampleStyleSheet
from reportlab.lib.units import mm
from reportlab.platypus import ListFlowable, ListItem, SimpleDocTemplate, Spacer
from reportlab.platypus import PageBreak as PdfPageBreak
from reportlab.platypus import Paragraph as PdfParagraph
from reportlab.platypus import Table as PdfTable
from reportlab.platypus.flowables import Flowable

from inlock.demo import originals
from inlock.demo.originals import Block, Bullets, Cell, Heading, PageBreak, Paragraph, Table

FROZEN = (2026, 1, 5, 9, 0, 0)
FROZEN_TEXT = "2026-01-05T09:00:00Z"
INK = colors.HexColor("#1d2b4f")
RULE = colors.HexColor("#c9cfdc")


class _Paged(SimpleDocTemplate):
    """Numbers the pages after their text, so that the text is read before its footer."""

    def afterPage(self) -> None:  # noqa: N802 (reportlab's name)
        canvas = self.canv
        canvas.setFont("Helvetica", 8)
        canvas.setFillColor(colors.HexColor("#6b7386"))
        canvas.drawString(22 * mm, 12 * mm, f"Velmarin Freight · {self.title}")
        canvas.drawRightString(A4[0] - 22 * mm, 12 * mm, f"Page {self.page}")


def write_pdf(path: Path, title: str, blocks: Sequence[Block]) -> None:
    """Write Latin text as a PDF with its title on the first page and page numbers below."""
    template = _Paged(
        str(path), pagesize=A4, title=title, author="Velmarin Freight", invariant=1,
        leftMargin=22 * mm, rightMargin=22 * mm, topMargin=24 * mm, bottomMargin=24 * mm,
    )  # fmt: skip
    styles = getSampleStyleSheet()
    story: list[Flowable] = [PdfParagraph(title, _style(styles, "Title")), Spacer(1, 6 * mm)]
    for block in blocks:
        story.extend(_pdf_flowables(block, styles))
    template.build(story)


def _style(styles, name: str) -> ParagraphStyle:  # type: ignore[no-untyped-def]
    looks = {
        "Title": {"fontSize": 22, "leading": 27, "alignment": 0, "textColor": INK},
        "Heading1": {"fontSize": 15, "leading": 20, "textColor": INK, "spaceBefore": 10},
        "Heading2": {"fontSize": 12, "leading": 16, "textColor": INK, "spaceBefore": 8},
        "BodyText": {"fontSize": 10.5, "leading": 15.5, "spaceAfter": 7},
    }
    return ParagraphStyle(f"demo-{name}", parent=styles[name], **looks[name])


def _pdf_flowables(block: Block, styles) -> list[Flowable]:  # type: ignore[no-untyped-def]
    body = _style(styles, "BodyText")
    match block:
        case Heading(text, level):
            return [PdfParagraph(text, _style(styles, f"Heading{level}"))]
        case Paragraph(text):
            return [PdfParagraph(text, body)]
        case Bullets(items):
            return [ListFlowable([ListItem(PdfParagraph(item, body)) for item in items], bulletType="bullet")]
        case Table(rows):
            cells = [[PdfParagraph(cell, body) for cell in row] for row in rows]
            table = PdfTable(cells, hAlign="LEFT", repeatRows=1)
            table.setStyle(
                [
                    ("LINEBELOW", (0, 0), (-1, -1), 0.5, RULE),
                    ("LINEBELOW", (0, 0), (-1, 0), 1.2, INK),
                    ("VALIGN", (0, 0), (-1, -1), "TOP"),
                ]
            )
            return [Spacer(1, 2 * mm), table, Spacer(1, 4 * mm)]
        case PageBreak():
            return [PdfPageBreak()]


def write_docx(path: Path, title: str, language: str, blocks: Sequence[Block]) -> None:
    document = Document()
    document.core_properties.title = title
    document.core_properties.author = "Velmarin Freight"
    document.core_properties.language = language
    for block in blocks:
        match block:
            case Heading(text, level):
                document.add_heading(text, level)
            case Paragraph(text):
                document.add_paragraph(text)
            case Bullets(items):
                for item in items:
                    document.add_paragraph(item, style="List Bullet")
            case Table(rows):
                table = document.add_table(rows=0, cols=len(rows[0]), style="Table Grid")
                for row in rows:
                    for cell, text in zip(table.add_row().cells, row, strict=True):
                        cell.text = text
            case PageBreak():
                document.add_page_break()
    buffer = BytesIO()
    document.save(buffer)
    _freeze(buffer, path)


def write_xlsx(path: Path, title: str, sheets: dict[str, tuple[tuple[Cell, ...], ...]]) -> None:
    workbook = Workbook()
    workbook.remove(workbook.worksheets[0])
    workbook.properties.title = title
    workbook.properties.creator = "Velmarin Freight"
    for name, rows in sheets.items():
        sheet = workbook.create_sheet(name)
        for row in rows:
            sheet.append(row)
        for cell in sheet[1]:
            cell.font = Font(bold=True)
        for column in sheet.columns:
            width = max(len(str(cell.value)) for cell in column)
            sheet.column_dimensions[column[0].column_letter].width = width + 2
    buffer = BytesIO()
    workbook.save(buffer)
    _freeze(buffer, path)


def write_pptx(path: Path, title: str, slides: Sequence[tuple[str, tuple[str, ...]]]) -> None:
    presentation = Presentation()
    presentation.core_properties.title = title
    presentation.core_properties.author = "Velmarin Freight"
    for heading, lines in slides:
        slide = presentation.slides.add_slide(presentation.slide_layouts[1])
        slide.shapes.title.text = heading
        slide.placeholders[1].text = "\n".join(lines)
    buffer = BytesIO()
    presentation.save(buffer)
    _freeze(buffer, path)


def _freeze(buffer: BytesIO, path: Path) -> None:
    """Write the office file with one fixed date in place of the moment it was made."""
    with (
        zipfile.ZipFile(buffer) as made,
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as out,
    ):
        for name in made.namelist():
            content = made.read(name)
            if name == "docProps/core.xml":
                content = re.sub(rb"\d{4}-\d\d-\d\dT[\d:]{8}Z", FROZEN_TEXT.encode(), content)
            entry = zipfile.ZipInfo(name, date_time=FROZEN)
            entry.compress_type = zipfile.ZIP_DEFLATED
            out.writestr(entry, content)


def write_all(folder: Path) -> None:
    """Write every binary demo document below `folder`, in the folder of its workspace."""
    policies, legal = folder / "policies", folder / "legal"
    policies.mkdir(parents=True, exist_ok=True)
    legal.mkdir(parents=True, exist_ok=True)
    write_pdf(policies / "employee-handbook.pdf", "Employee handbook", originals.HANDBOOK)
    write_docx(policies / "purchasing-policy.docx", "Purchasing policy", "en", originals.PURCHASING)
    write_docx(policies / "rad-od-kuce.docx", "Pravilnik o radu od kuće", "sr-Latn", originals.HOME_WORK_SR)
    write_xlsx(policies / "travel-expenses.xlsx", "Travel expenses 2026", originals.TRAVEL)
    write_xlsx(policies / "salary-bands.xlsx", "Salary bands 2026", originals.SALARY_BANDS)
    write_pptx(policies / "security-basics.pptx", "Security basics", originals.SECURITY_SLIDES)
    write_docx(legal / "mutual-nda.docx", "Mutual non-disclosure agreement", "en", originals.NDA)
    write_pdf(legal / "carrier-agreement.pdf", "Carrier framework agreement", originals.CARRIER)


if __name__ == "__main__":
    write_all(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent / "documents")
