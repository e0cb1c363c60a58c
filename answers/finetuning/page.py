"""What the pages of fine-tuning say: tones of states, marked texts, and the bars of a verdict."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext as _

from answers.finetuning import exclusions, personal, tidying
from answers.finetuning.adviser import Advice
from answers.models import (
    Answer,
    FineTuningJob,
    JobState,
    SetState,
    TrainingExample,
    TrainingFlag,
    TrainingSet,
    Verdict,
)
from documents.models import Document
from workspaces import access
from workspaces.endpoints.base import EndpointState
from workspaces.models import User

SET_TONES = {SetState.BUILDING: "run", SetState.BUILT: "wait", SetState.SEALED: "seal", SetState.FAILED: "fail"}
JOB_TONES = {
    JobState.WAITING: "run",
    JobState.UPLOADING: "run",
    JobState.RUNNING: "run",
    JobState.SUCCEEDED: "ok",
    JobState.FAILED: "fail",
    JobState.CANCELLED: "none",
}
MODEL_TONES = {
    EndpointState.CANDIDATE: "wait",
    EndpointState.APPROVED: "ok",
    EndpointState.DEFAULT: "ok",
    EndpointState.RETIRED: "none",
}
VERDICT_TONES = {Verdict.RETRIEVAL: "ok", Verdict.FINE_TUNING: "seal", Verdict.HYBRID: "wait"}


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of a text, and what it looks like if it looks like data of a person."""

    text: str
    label: Any = ""


@dataclass(frozen=True, slots=True)
class Shown:
    """An example as it is looked through."""

    example: TrainingExample
    question: list[Piece]
    reply: list[Piece]
    personal: list[Any]
    #: Whether the reader may open the answer itself, which is its asker's and its reviewers'.
    has_answer: bool
    #: Whether a flag that nobody decided about yet is about it.
    is_in_doubt: bool

    @property
    def is_undecided(self) -> bool:
        return bool(self.personal) and self.example.kept_at is None and self.example.dropped_at is None


@dataclass(frozen=True, slots=True)
class Doubt:
    """A flag with the title of its document, where the reader may open that."""

    flag: TrainingFlag
    title: str


def shown(examples: Iterable[TrainingExample], *, to: User, doubted: Collection[UUID] = ()) -> list[Shown]:
    """The examples with what looks like data of a person marked in their texts; `doubted` names answers in doubt."""
    listed = list(examples)
    opened = access.visible(to, Answer).filter(pk__in=[one.answer_id for one in listed])
    readable = set(opened.order_by().values_list("pk", flat=True))
    return [
        Shown(
            one,
            list(pieces(one.question)),
            list(pieces(one.reply)),
            [personal.LABELS.get(kind, kind) for kind in one.personal],
            one.answer_id in readable,
            one.answer_id in doubted,
        )
        for one in listed
    ]


def pieces(text: str) -> Iterator[Piece]:
    """`text` in order, cut where something looks like data of a person."""
    at = 0
    for found in personal.find(text):
        if found.start > at:
            yield Piece(text[at : found.start])
        yield Piece(text[found.start : found.end], personal.LABELS[found.kind])
        at = found.end
    if at < len(text):
        yield Piece(text[at:])


def left_out(training_set: TrainingSet) -> list[tuple[Any, int]]:
    """Why answers stayed out, and how many each, in the order in which the reasons are asked."""
    counted = training_set.left_out
    return [(sentence, counted[code]) for code, sentence in exclusions.REASONS.items() if counted.get(code)]


def doubts(flags: list[TrainingFlag], *, to: User) -> list[Doubt]:
    """The flags as `to` may read them: a document that is closed to them has no title."""
    known = access.visible(to, Document).filter(pk__in={flag.document_id for flag in flags if flag.document_id})
    titles = dict(known.values_list("pk", "title"))
    return [Doubt(flag, titles.get(flag.document_id, "")) for flag in flags]


def files_of(job: FineTuningJob) -> str:
    """What became of the files at the provider once the training is over, as a sentence; "" before, and without any."""
    if job.ended_at is None or not (job.train_sent_at or job.validation_sent_at):
        return ""
    return _deletion(
        job,
        job.files_gone_at,
        under_way=_("They are being deleted there."),
        left=_("They could not be deleted there. Delete them on the provider's own page."),
    )


def model_of(job: FineTuningJob) -> str:
    """What becomes of the model at the provider, as a sentence; "" while it is to stay."""
    if job.model_unwanted_at is None:
        return ""
    return _deletion(
        job,
        job.model_gone_at,
        under_way=_("It is being deleted there."),
        left=_("It could not be deleted there. Delete it on the provider's own page."),
    )


def _deletion(job: FineTuningJob, gone_at: datetime | None, *, under_way: str, left: str) -> str:
    """When it was deleted at the provider, or which of the two sentences holds while it is not."""
    if gone_at:
        return _("Deleted there %(when)s.") % {"when": date_format(localtime(gone_at), "SHORT_DATETIME_FORMAT")}
    return under_way if job.misses < tidying.MOST_TRIES else left


def share(part: int, whole: int) -> int:
    """Of a bar a hundred long."""
    return round(100 * part / whole) if whole else 0


def bars(advice: Advice) -> dict[str, int]:
    """How long the two sums of a verdict are beside one another."""
    most = max(advice.retrieval, advice.tuning)
    return {"retrieval": share(advice.retrieval, most), "tuning": share(advice.tuning, most)}
