"""What a person may read of an answer: its text once it is released, while every source it rests on is open to them."""

from dataclasses import asdict, dataclass
from typing import Any
from urllib.parse import urlencode

from django.db import transaction
from django.urls import reverse
from django.utils.translation import gettext as _

from answers import grounding
from answers.chat import waiting
from answers.citations import marks
from answers.models import Answer, Citation, Evidence
from answers.querysets import closed_documents, is_declassified_for, resting_on_closed
from answers.states import OPEN, RELEASED, WORDING, AnswerStatus
from answers.steps.state import Sentence
from audit.chain import digest
from audit.events import EventType
from audit.record import record
from workspaces import access
from workspaces.models import User
from workspaces.roles import Action


@dataclass(frozen=True, slots=True)
class Reading:
    """An answer as one person sees it. `text`, `sentences` and `citations` are empty where it may not be read."""

    answer: Answer
    text: str
    sentences: tuple[Sentence, ...]
    citations: tuple[Citation, ...]
    #: Released, and yet closed to this person since a source was closed to them.
    is_withheld: bool
    #: Numbers of citations whose source is closed to this person, of a text that a reviewer declassified for them.
    closed: tuple[int, ...] = ()

    @property
    def status(self) -> AnswerStatus:
        return AnswerStatus(self.answer.status)

    @property
    def sentence(self) -> str:
        """What the person is told about the status, in the language that is active."""
        if self.status == AnswerStatus.WAITING:
            return waiting.sentence(self.answer)
        return str(WORDING[self.status].sentence)

    @property
    def tone(self) -> str:
        return WORDING[self.status].tone

    @property
    def is_open(self) -> bool:
        """Whether it is still being made."""
        return self.status in OPEN


def read(answer: Answer, *, by: User) -> Reading:
    """The answer as `by` may see it now; handing out its text leaves an entry in the trail.

    Raises Hidden or Forbidden as `access.require` does.
    """
    access.require(by, Action.ASK, answer)
    if answer.status not in RELEASED:
        return Reading(answer, "", (), (), is_withheld=False)
    closed = closed_documents(by, answer)
    if closed and not is_declassified_for(by, answer):
        return Reading(answer, "", (), (), is_withheld=True)
    shown = set(marks.numbers(answer.released_text))
    citations = tuple(
        citation
        for citation in answer.citations.select_related("document", "version", "evidence").defer(
            "version__text", "version__sections"
        )
        if citation.number in shown
    )
    _note(answer, answer.released_text, by)
    return Reading(
        answer,
        answer.released_text,
        sentences_of(answer),
        tuple(citation for citation in citations if citation.document_id not in closed),
        is_withheld=False,
        closed=tuple(citation.number for citation in citations if citation.document_id in closed),
    )


def in_line(answer: Answer) -> Reading:
    """An answer that was asked for a moment ago, to whoever asked: nothing of it is there to be read."""
    return Reading(answer, "", (), (), is_withheld=False)


def inspect(answer: Answer, *, by: User) -> str | None:
    """The text as a reviewer sees it, released or not; "" where there is none, None where `by` may not see it.

    Handing out a text leaves an entry in the trail. Raises Hidden or Forbidden as `access.require` does.
    """
    access.require(by, Action.REVIEW, answer)
    is_released = answer.status in RELEASED
    # An answer of one's own is known whatever became of one's rights to its sources; its text is not, and nobody who
    # asked sees as a reviewer what was not released to them.
    closed = bool(closed_documents(by, answer)) and not is_declassified_for(by, answer)
    if closed or (answer.asked_by_id == by.pk and not is_released):
        return None
    # Of a suspended one too: what was released, which a reviewer may have edited.
    text = answer.released_text or answer.text
    if text:
        _note(answer, text, by)
    return text


def sentences_of(answer: Answer) -> tuple[Sentence, ...]:
    """The sentences of the released text with what supports each; those of the draft where a reviewer edited it."""
    if answer.released_text == answer.text:
        return tuple(Sentence(**sentence) for sentence in answer.sentences)
    draft = getattr(answer, "draft", None)
    if draft is not None and draft.text == answer.released_text and draft.sentences:
        return tuple(Sentence(**sentence) for sentence in draft.sentences)
    return tuple(grounding.check(answer, answer.released_text))


def place_of(citation: Citation, slug: str) -> str:
    """The address where the viewer shows the cited place, in the version that was cited."""
    page = reverse("documents:detail", kwargs={"slug": slug, "pk": citation.document_id})
    place = {"version": citation.version_id, "start": citation.start, "end": citation.end}
    return f"{page}?{urlencode(place)}"


def place_in_words(found: Citation | Evidence) -> str:
    """Where a citation or a passage stands, as a person says it: "page 3", or the sheet or heading."""
    if not found.locator.isdigit():
        return found.locator
    words = _("slide %(number)s") if found.version.format == "pptx" else _("page %(number)s")
    return words % {"number": found.locator}


def asked_as(reading: Reading, *, by: User) -> str:
    """What a follow-up was understood as; "" to whoever may not open all that the answer rests on."""
    answer = reading.answer
    if not answer.asked_as or reading.closed or reading.is_withheld:
        return ""
    return "" if not reading.text and resting_on_closed(by, [answer.pk]) else answer.asked_as


def as_document(reading: Reading) -> dict[str, Any]:
    """The reading as the command line and other programs get it."""
    answer = reading.answer
    runs = answer.steps.filter(attempt=answer.attempt) if answer.attempt else ()
    return {
        "answer_id": str(answer.pk),
        "status": answer.status,
        "sentence": reading.sentence,
        "text": reading.text,
        "citations": [_citation(citation, answer.workspace.slug) for citation in reading.citations],
        "sentences": [_sentence(sentence) for sentence in reading.sentences],
        "model": answer.model_label,
        "template": _template(answer),
        "seconds": {run.step: round(run.seconds, 4) for run in runs},
    }


def _template(answer: Answer) -> dict[str, Any] | None:
    """What it was asked with; None for the workspace's plain way."""
    version = answer.template
    return version and {"code": version.template.code, "name": version.name, "number": version.number}


def _note(answer: Answer, text: str, by: User) -> None:
    """The entry that `by` is handed exactly this text."""
    with transaction.atomic():
        record(EventType.ANSWER_READ, on=answer, workspace=answer.workspace_id, by=by, text_sha256=digest(text))


def _sentence(sentence: Sentence) -> dict[str, Any]:
    """With each reason in the words of the active language beside its code."""
    reasons = [reason | {"sentence": grounding.in_words(reason)} for reason in sentence.reasons]
    return asdict(sentence) | {"reasons": reasons}


def _citation(citation: Citation, slug: str) -> dict[str, Any]:
    return {
        "n": citation.number,
        "document": citation.document.path,
        "title": citation.document.title,
        "version": citation.version.number,
        "sha256": citation.version.sha256,
        "page": citation.page,
        "locator": citation.locator,
        "quote": citation.quote,
        "start": citation.start,
        "end": citation.end,
        "url": place_of(citation, slug),
        "valid_until": citation.document.valid_until,
        "is_expired": citation.document.is_expired,
    }
