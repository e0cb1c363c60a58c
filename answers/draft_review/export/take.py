"""Take an examined draft away: the text with what was accepted, and what was found as comments."""

from collections.abc import Callable
from dataclasses import dataclass

from django.db import transaction
from django.utils.translation import gettext as _

from answers.draft_review.export import markdown, word
from answers.draft_review.reading import Shown, findings_of
from answers.exceptions import ExaminationError
from answers.export.naming import file_name
from answers.models import Examination, ExaminationState
from audit.events import EventType
from audit.record import record
from workspaces import access
from workspaces.exceptions import Forbidden
from workspaces.models import User
from workspaces.roles import Action

_DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
FORMATS: dict[str, tuple[str, Callable[[Examination, list[Shown]], bytes]]] = {
    "docx": (_DOCX, word.write),
    "md": ("text/markdown; charset=utf-8", markdown.write),
}


@dataclass(frozen=True, slots=True)
class File:
    name: str
    content: bytes
    content_type: str


@transaction.atomic
def take(examination: Examination, *, format: str, by: User) -> File:
    """The owner's file, once findings are released; with what they may read at this moment.

    Raises Hidden or Forbidden, and ExaminationError before the findings are released.
    """
    access.require(by, Action.ASK, examination)
    if examination.asked_by_id != by.pk:
        raise Forbidden(user=by, workspace=examination.workspace, action=Action.ASK, thing=examination)
    if examination.state != ExaminationState.RELEASED:
        raise ExaminationError(_("What was found in this draft is not released."))
    content_type, write = FORMATS[format]
    found = findings_of(examination, by)
    content = write(examination, found)
    record(
        EventType.EXAMINATION_EXPORTED,
        on=examination,
        workspace=examination.workspace_id,
        by=by,
        format=format,
        findings=len(found),
        text_sha256=examination.text_sha256,
    )
    return File(file_name(examination.title, format, otherwise="draft"), content, content_type)
