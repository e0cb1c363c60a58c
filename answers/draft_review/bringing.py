"""Take a draft in: pasted, or read from a file in the sandbox. Only its text is kept, never the file."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePath
from tempfile import NamedTemporaryFile

from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.utils.translation import gettext as _

from answers import endpoints
from answers.draft_review import ruling
from answers.draft_review.clauses import split
from answers.exceptions import ExaminationError
from answers.governing import turns
from answers.language import language_of
from answers.models import OPEN_EXAMINATIONS, Examination, ModelEndpoint, TemplateVersion
from answers.tasks import examine_draft
from audit.chain import digest
from audit.events import EventType
from audit.record import record
from documents import sandbox
from documents.parse import ParseFailed
from documents.parse.normalise import normalise
from workspaces import access
from workspaces.classification import Classification
from workspaces.dispatch import dispatch
from workspaces.models import User, Workspace
from workspaces.roles import Action

MOST_PAGES = 50
#: Fifty close-set pages.
MOST_CHARACTERS = 250_000
MOST_CLAUSES = 800
MOST_BYTES = 20 * 1024 * 1024
MAX_TITLE = 200
#: Of one person in one workspace at a time.
_MOST_UNDER_WAY = 3
#: Somebody waits on the page for it.
_LIMITS = sandbox.Limits(wall_seconds=40, cpu_seconds=25, pages=MOST_PAGES, characters=MOST_CHARACTERS)


@dataclass(frozen=True, slots=True)
class Brought:
    """The text of a draft as it is kept, and whether the file held characters that nobody sees."""

    title: str
    text: str
    had_hidden: bool = False


def read_file(file: UploadedFile) -> Brought:
    """The text of an uploaded file. Raises ExaminationError with a sentence for its owner."""
    name = PurePath(file.name or "").name
    if (file.size or 0) > MOST_BYTES:
        raise ExaminationError(_("The file is larger than %(most)d MB.") % {"most": MOST_BYTES // 1024**2})
    try:
        with _on_disk(file) as path:
            parsed = sandbox.parse(path, name=name, limits=_LIMITS)
    except ParseFailed as error:
        if error.code == "too_large":
            raise ExaminationError(_too_long()) from error
        raise ExaminationError(_(error.sentence)) from error
    return Brought(parsed.title or PurePath(name).stem, parsed.text, bool(parsed.hidden))


def read_text(title: str, text: str) -> Brought:
    """A pasted draft in the form that is kept."""
    kept = normalise(text)
    return Brought(title, kept, any(not letter.isprintable() and letter not in "\n\t\r" for letter in text))


@transaction.atomic
def bring(
    workspace: Workspace,
    brought: Brought,
    *,
    by: User,
    classification: str = Classification.INTERNAL,
    endpoint: ModelEndpoint | None = None,
) -> Examination:
    """Have a draft held against the guidance of `workspace`. It is open to `by` alone until findings are reviewed.

    Raises Hidden or Forbidden, EndpointError for a model that is not the workspace's, and ExaminationError.
    """
    access.require(by, Action.ASK, workspace)
    access.require(by, Action.OPEN, workspace)
    if workspace.archived_at is not None:
        raise ExaminationError(_("This workspace is archived: what was examined can be read, and nothing new is."))
    if not brought.text:
        raise ExaminationError(_("There is no text in it."))
    if len(brought.text) > MOST_CHARACTERS or len(split(brought.text)) > MOST_CLAUSES:
        raise ExaminationError(_too_long())
    turns.take_turn(by)
    under_way = Examination.objects.filter(workspace=workspace, asked_by=by, state__in=OPEN_EXAMINATIONS).count()
    if under_way >= _MOST_UNDER_WAY:
        raise ExaminationError(_("Drafts of yours are still being examined. Wait until one is done."))
    template = ruling.in_force(workspace)
    chosen = _model(workspace, template, endpoint)
    made = Examination.objects.create(
        workspace=workspace,
        asked_by=by,
        title=" ".join(normalise(brought.title).split())[:MAX_TITLE] or _("Draft"),
        language=language_of(brought.text),
        text=brought.text,
        text_sha256=digest(brought.text),
        classification=Classification(classification),
        had_hidden=brought.had_hidden,
        template=template,
        endpoint=chosen,
        endpoint_label=endpoints.label_of(chosen),
    )
    record(
        EventType.EXAMINATION_ASKED,
        on=made,
        workspace=workspace,
        by=by,
        text_sha256=made.text_sha256,
        characters=len(made.text),
        classification=made.classification,
        endpoint=made.endpoint_label,
        template={"number": template.number, "sha256": template.sha256} if template else {},
    )
    dispatch(examine_draft, made.pk)
    return made


def _model(workspace: Workspace, template: TemplateVersion | None, wanted: ModelEndpoint | None) -> ModelEndpoint:
    """Who reads the draft: the template's model, where it names one."""
    named = template.endpoint if template else None
    if named is not None and wanted not in (None, named):
        raise ExaminationError(_("Drafts here are always read by the model “%(model)s”.") % {"model": named.name})
    chosen = named or wanted or endpoints.default_for(workspace)
    endpoints.require_allowed(chosen, workspace)
    return chosen


def _too_long() -> str:
    return _("The draft is longer than %(most)d pages. Split it and bring the parts.") % {"most": MOST_PAGES}


@contextmanager
def _on_disk(file: UploadedFile) -> Iterator[Path]:
    with NamedTemporaryFile(prefix="inlock-draft-") as copy:
        for chunk in file.chunks():
            copy.write(chunk)
        copy.flush()
        yield Path(copy.name)
