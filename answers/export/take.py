"""The verb: hand a released answer out as a file, to somebody who may read it at that moment, with an entry."""

from collections.abc import Callable
from dataclasses import dataclass

from django.db import transaction
from django.urls import reverse
from django.utils.translation import gettext as _

from answers.exceptions import ExportError
from answers.export import markdown, pdf, word
from answers.export.content import Content, content_of
from answers.export.naming import file_name
from answers.models import Answer
from answers.reading import read
from audit.events import EventType
from audit.record import record
from workspaces import access
from workspaces.models import User
from workspaces.roles import Action


@dataclass(frozen=True, slots=True)
class Format:
    """How a file of a kind is called and written."""

    ending: str
    content_type: str
    write: Callable[[Content], bytes]


@dataclass(frozen=True, slots=True)
class File:
    name: str
    content_type: str
    content: bytes


FORMATS: dict[str, Format] = {
    "markdown": Format("md", "text/markdown; charset=utf-8", markdown.write),
    "pdf": Format("pdf", "application/pdf", pdf.write),
    "docx": Format("docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document", word.write),
}


@transaction.atomic
def take(answer: Answer, *, format: str, by: User, at: Callable[[str], str]) -> File:
    """The answer as a file of `format` (a key of FORMATS); reading and taking it away are recorded.

    `at` makes a whole address of a path of the portal. Raises Hidden or Forbidden as reading does, and ExportError for
    an answer whose text `by` may not read now.
    """
    access.require(by, Action.ASK, answer)
    # Locked, so that what suspends or closes it comes before this, and refuses it, or after the entry.
    answer = (
        Answer.objects.select_for_update(of=("self",), no_key=True)
        .select_related("question", "workspace", "asked_by", "released_by", "endpoint")
        .get(pk=answer.pk)
    )
    reading = read(answer, by=by)
    if not reading.text:
        raise ExportError(_("Only an answer that was released and that you may read can be taken away."))
    kind = FORMATS[format]
    address = reverse("answers:answer", kwargs={"slug": answer.workspace.slug, "pk": answer.pk})
    content = kind.write(content_of(reading, at=at, url=address))
    record(
        EventType.ANSWER_EXPORTED,
        on=answer,
        workspace=answer.workspace_id,
        by=by,
        format=format,
        text_sha256=answer.released_sha256,
        citations=[citation.number for citation in reading.citations],
    )
    return File(file_name(answer.question.text, kind.ending, otherwise="answer"), kind.content_type, content)
