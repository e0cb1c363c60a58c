"""An answer as DOCX. Text is put in as text: no field, no macro, no picture, and no link but those to the portal."""

from io import BytesIO
from typing import Any

from django.utils.translation import gettext as _

from answers.citations import marks
from answers.export.content import Content, Source

_LINK = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/hyperlink"
_TITLE_CHARACTERS = 200


def write(content: Content) -> bytes:
    """The file."""
    # Takes a third of a second, which only who takes a file away should wait.
    from docx import Document

    document = Document()
    _describe(document.core_properties, content)
    document.add_heading(" ".join(content.question.split()), level=1)
    document.add_paragraph(content.origin)
    told = document.add_paragraph()
    told.add_run(content.label).bold = True
    told.add_run(f" {content.status}")
    for paragraph in content.paragraphs:
        _marked(document.add_paragraph(), paragraph)
    document.add_heading(content.heading, level=2)
    for source in content.sources:
        _source(document, source)
    end = document.add_paragraph()
    end.add_run(f"{content.proof}\n{content.taken} ")
    _link(end, content.url, content.url)
    out = BytesIO()
    document.save(out)
    return out.getvalue()


def _describe(properties: Any, content: Content) -> None:
    properties.title = " ".join(content.question.split())[:_TITLE_CHARACTERS]
    properties.author = properties.last_modified_by = properties.comments = ""
    properties.subject = content.label
    properties.language = content.language


def _source(document: Any, source: Source) -> None:
    head = document.add_paragraph()
    head.add_run(f"[{source.number}] ")
    if source.is_closed:
        head.add_run(_("This source is not open to you."))
        return
    _link(head, source.title, source.url)
    head.add_run(f", {source.place}, {source.version}")
    head.paragraph_format.keep_with_next = True
    document.add_paragraph(source.quote, style="Quote")


def _marked(paragraph: Any, text: str) -> None:
    """Citation marks stand raised, as in print."""
    after = 0
    for match in marks.MARK.finditer(text):
        paragraph.add_run(text[after : match.start()])
        paragraph.add_run(match.group()).font.superscript = True
        after = match.end()
    paragraph.add_run(text[after:])


def _link(paragraph: Any, text: str, url: str) -> None:
    from docx.oxml import OxmlElement
    from docx.oxml.ns import qn
    from docx.text.run import Run

    element = OxmlElement("w:hyperlink")
    element.set(qn("r:id"), paragraph.part.relate_to(url, _LINK, is_external=True))
    inner = OxmlElement("w:r")
    element.append(inner)
    paragraph._p.append(element)
    run = Run(inner, paragraph)
    run.text = text
    run.font.underline = True
