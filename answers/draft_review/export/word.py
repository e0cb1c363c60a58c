"""An examined draft as DOCX: findings are Word's own comments on the exact words, accepted ones tracked changes.

Text is put in as text: no field, no macro, no picture, no link.
"""

from collections.abc import Sequence
from io import BytesIO
from typing import Any

from django.utils import timezone

from answers.draft_review.deciding import edit_of
from answers.draft_review.export.in_words import said
from answers.draft_review.improved import Piece, pieces
from answers.draft_review.reading import Shown
from answers.models import Examination, FindingDecision

AUTHOR = "Inlock"


def write(examination: Examination, found: list[Shown]) -> bytes:
    """The file."""
    # Takes a third of a second, which only who takes a file away should wait.
    from docx import Document

    document = Document()
    properties = document.core_properties
    properties.title = examination.title
    properties.author = properties.last_modified_by = properties.comments = ""
    _Writer(document, examination, found).write()
    out = BytesIO()
    document.save(out)
    return out.getvalue()


class _Writer:
    """Walks the draft's pieces once; a line of the draft is a paragraph."""

    def __init__(self, document: Any, examination: Examination, found: Sequence[Shown]) -> None:
        self.document, self.found = document, found
        self.rows = [one.finding for one in found]
        self.pieces = pieces(examination.text, self.rows)
        self.author = examination.asked_by.name
        self.at = timezone.now().strftime("%Y-%m-%dT%H:%M:%SZ")
        self.paragraph = document.add_paragraph()
        self.changes = 0

    def write(self) -> None:
        # A comment lies between two marks: where its first and after its last piece.
        first = {n: next(i for i, piece in enumerate(self.pieces) if n in piece.on) for n in range(len(self.rows))}
        last = {n: max(i for i, piece in enumerate(self.pieces) if n in piece.on) for n in range(len(self.rows))}
        comments = {n: self._comment(one) for n, one in enumerate(self.found)}
        for place, piece in enumerate(self.pieces):
            for n in [n for n in piece.on if first[n] == place]:
                self._mark("commentRangeStart", comments[n])
            self._piece(piece)
            for n in [n for n in piece.on if last[n] == place]:
                self._mark("commentRangeEnd", comments[n])
                self._refer(comments[n])

    def _comment(self, one: Shown) -> int:
        comment = self.document.comments.add_comment(text="\n".join(said(one)), author=AUTHOR, initials="IN")
        return int(comment.comment_id)

    def _piece(self, piece: Piece) -> None:
        accepted = next((n for n in piece.on if self.rows[n].decision == FindingDecision.ACCEPTED), None)
        if accepted is None:
            self._lines(piece.text)
            return
        self._lines(piece.text, "del")
        if piece.end == self.rows[accepted].end:
            self._lines(edit_of(self.rows[accepted]).to, "ins")

    def _lines(self, text: str, change: str = "") -> None:
        for number, line in enumerate(text.split("\n")):
            if number:
                self.paragraph = self.document.add_paragraph()
            if line:
                self._run(line, change)

    def _run(self, text: str, change: str) -> None:
        run = self.paragraph.add_run(text)
        if not change:
            return
        from docx.oxml import OxmlElement
        from docx.oxml.ns import qn

        self.changes += 1
        wrapped = OxmlElement(f"w:{change}")
        wrapped.set(qn("w:id"), str(10_000 + self.changes))
        wrapped.set(qn("w:author"), self.author)
        wrapped.set(qn("w:date"), self.at)
        run._r.addprevious(wrapped)
        wrapped.append(run._r)
        if change == "del":
            for element in run._r.findall(qn("w:t")):
                element.tag = qn("w:delText")
                element.set("{http://www.w3.org/XML/1998/namespace}space", "preserve")

    def _mark(self, name: str, comment: int) -> None:
        from docx.oxml import OxmlElement
        from docx.oxml.ns import qn

        mark = OxmlElement(f"w:{name}")
        mark.set(qn("w:id"), str(comment))
        self.paragraph._p.append(mark)

    def _refer(self, comment: int) -> None:
        from docx.oxml import OxmlElement
        from docx.oxml.ns import qn

        reference = OxmlElement("w:commentReference")
        reference.set(qn("w:id"), str(comment))
        self.paragraph.add_run()._r.append(reference)
