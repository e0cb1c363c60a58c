"""What one citation stands on, for the side panel and as a page of its own; authorised anew each time it is opened."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from answers.citations import marks
from answers.citations.why import why_found
from answers.models import Answer, Citation
from answers.reading import Reading, place_in_words, place_of, read
from audit.events import EventType
from audit.record import record
from documents.models import Version
from documents.viewer.flowing import flowing
from documents.viewer.forms import PlaceForm
from documents.viewer.reading import opened
from workspaces import access
from workspaces.decorators import in_workspace
from workspaces.exceptions import Hidden
from workspaces.models import Workspace
from workspaces.roles import Action


@dataclass(frozen=True, slots=True)
class Step:
    """The way to another citation of the same answer."""

    number: int
    url: str


@require_GET
@in_workspace(Action.ASK)
def citation(request: HttpRequest, workspace: Workspace, pk: UUID, number: int) -> HttpResponse:
    """The cited place with the quote marked, what it supports and why it was found: the panel's content, or a page."""
    answer = access.find(request.user, Action.ASK, Answer, pk=pk, workspace=workspace)
    reading = read(answer, by=request.user)
    cited = next((one for one in reading.citations if one.number == number), None)
    if cited is None:
        raise Hidden(user=request.user, workspace=workspace, action=Action.OPEN, thing=answer)
    context = {
        **_evidence(request, workspace, cited),
        **_neighbours(reading, cited),
        "supports": [
            marks.MARK.sub("", one.text).strip() for one in reading.sentences if cited.number in one.citations
        ],
        "why": why_found(cited, reading),
        "answer": answer,
    }
    return render(request, "answers/_citation.html" if request.htmx else "answers/citation.html", context)


def _evidence(request: HttpRequest, workspace: Workspace, cited: Citation) -> dict[str, Any]:
    """The cited place, authorised again and recorded as read."""
    version = access.find(request.user, Action.OPEN, Version, pk=cited.version_id, document=cited.document_id)
    reading = opened(version.document, version, PlaceForm({"start": cited.start, "end": cited.end}))
    with transaction.atomic():
        record(
            EventType.DOCUMENT_OPENED,
            on=version.document,
            workspace=workspace,
            version=version.pk,
            answer=cited.answer_id,
            citation=cited.number,
        )
    return {
        "citation": cited,
        "reading": reading,
        "place": place_in_words(cited),
        "url": place_of(cited, workspace.slug),
        "context": _around(version, cited.start, cited.end),
        "title": _("Source %(number)s") % {"number": cited.number},
    }


def _neighbours(reading: Reading, cited: Citation) -> dict[str, Any]:
    """Where it stands among the citations that are open to the reader, and the ones before and after it."""
    numbers = [one.number for one in reading.citations]
    place = numbers.index(cited.number)

    def step(to: int) -> Step | None:
        if not 0 <= to < len(numbers):
            return None
        answer = reading.answer
        kwargs = {"slug": answer.workspace.slug, "pk": answer.pk, "number": numbers[to]}
        return Step(numbers[to], reverse("answers:citation", kwargs=kwargs))

    return {"position": place + 1, "total": len(numbers), "previous": step(place - 1), "next": step(place + 1)}


def _around(version: Version, start: int, end: int, *, characters: int = 180) -> dict[str, str]:
    """The quote in the text around it, cut at white space, as running text."""
    text = version.text
    before, after = text[max(0, start - characters) : start], text[end : end + characters]
    if start > characters:
        before = "… " + before.partition(" ")[2]
    if end + characters < len(text):
        after = after.rpartition(" ")[0] + " …"
    pieces = {"before": before.lstrip(), "quote": text[start:end], "after": after.rstrip()}
    return {name: flowing(piece, version.format) for name, piece in pieces.items()}
