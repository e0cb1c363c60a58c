"""Small files of every format, made when a test wants them."""

import io
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import docx
import openpyxl
import pptx
from PIL import Image
from reportlab.lib.pagesizes import A4
from reportlab.lib.pdfencrypt import StandardEncryption
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen import canvas

LINE = 14
PARAGRAPH = 2 * LINE


def pdf(
    path: Path,
    pages: Sequence[Sequence[Sequence[str]]],
    *,
    title: str = "",
    password: str = "",
    rotation: int = 0,
) -> Path:
    """A PDF whose pages hold paragraphs, which are lists of lines."""
    encrypt = StandardEncryption(password, canPrint=0) if password else None
    drawing = canvas.Canvas(str(path), pagesize=A4, encrypt=encrypt)
    if title:
        drawing.setTitle(title)
    for page in pages:
        if rotation:
            drawing.setPageRotation(rotation)
        drawing.setFont("Helvetica", 11)
        # A turned page is as high as it was wide.
        height = (A4[0] if rotation else A4[1]) - 72
        for paragraph in page:
            for line in paragraph:
                drawing.drawString(72, height, line)
                height -= LINE
            height -= PARAGRAPH - LINE
        drawing.showPage()
    drawing.save()
    return path


def scanned_pdf(path: Path, pages: int = 1) -> Path:
    """A PDF that holds only pictures."""
    drawing = canvas.Canvas(str(path), pagesize=A4)
    for _ in range(pages):
        drawing.drawImage(ImageReader(Image.new("RGB", (60, 80), "white")), 0, 0, *A4)
        drawing.showPage()
    drawing.save()
    return path


def docx_of(path: Path, *, title: str = "") -> Path:
    """Headings, a list, a table and a numbered list."""
    document = docx.Document()
    document.core_properties.title = title
    document.add_heading("Leave", 1)
    document.add_paragraph("Every employee has leave. It is paid.")
    document.add_heading("Parental leave", 2)
    document.add_paragraph("Sixteen weeks after a birth.")
    table = document.add_table(rows=0, cols=2)
    for cells in (("Kind", "Days"), ("Annual", "25"), ("Study", "5")):
        row = table.add_row()
        for cell, text in zip(row.cells, cells, strict=True):
            cell.text = text
    document.add_heading("Sickness", 1)
    document.add_paragraph("Call before nine.", style="List Bullet")
    document.add_paragraph("Send a note.", style="List Bullet")
    document.save(str(path))
    return path


def xlsx(path: Path, sheets: Mapping[str, Sequence[Sequence[Any]]], *, hidden: Sequence[str] = ()) -> Path:
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(list(row))
        if name in hidden:
            sheet.sheet_state = "hidden"
    book.save(path)
    return path


def pptx_of(path: Path, slides: Sequence[tuple[str, Sequence[str], str]]) -> Path:
    """Slides of (title, points, note)."""
    deck = pptx.Presentation()
    for title, points, note in slides:
        slide = deck.slides.add_slide(deck.slide_layouts[1])
        slide.shapes.title.text = title
        slide.placeholders[1].text = "\n".join(points)
        if note:
            slide.notes_slide.notes_text_frame.text = note
    deck.save(str(path))
    return path


def text(path: Path, content: str | bytes) -> Path:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def zipped(path: Path, entries: Mapping[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in entries.items():
            archive.writestr(name, data)
    return path


def with_part(source: Path, target: Path, name: str, data: bytes) -> Path:
    """A copy of an Office file with one part replaced or added."""
    with zipfile.ZipFile(source) as archive:
        entries = {entry: archive.read(entry) for entry in archive.namelist()}
    return zipped(target, {**entries, name: data})


def part(source: Path, name: str) -> bytes:
    with zipfile.ZipFile(source) as archive:
        return archive.read(name)


def png_size(image: bytes) -> tuple[int, int]:
    return Image.open(io.BytesIO(image)).size
