"""Pages that show one document and change nothing: the viewer, page images, the original."""

import logging
from typing import Any
from uuid import UUID

from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.views.decorators.http import require_GET

from audit.events import EventType
from audit.record import record
from documents import sandbox
from documents.access.restriction import people_to_grant
from documents.cards.forms import ConfirmForm
from documents.cards.metadata import keeps
from documents.citing import cited_by
from documents.forms import GrantForm
from documents.ingestion.originals import download, local_path, part_asked
from documents.listing import Row
from documents.models import HEAVY, UsageRight, Version
from documents.parse import ParseFailed
from documents.tasks import draw_slides_task
from documents.viewer import leaves, scans, slides
from documents.viewer.finding import find
from documents.viewer.forms import PlaceForm
from documents.viewer.lookup import document_of, version_of
from documents.viewer.openings import note_page
from documents.viewer.places import PICTURES, drawn
from documents.viewer.reading import opened, openers_of, passages_of, versions_of
from workspaces import access
from workspaces.classification import Classification
from workspaces.decorators import in_workspace
from workspaces.dispatch import dispatch
from workspaces.models import Workspace
from workspaces.roles import Action

logger = logging.getLogger(__name__)


@require_GET
@in_workspace(Action.OPEN)
def detail(request: HttpRequest, workspace: Workspace, pk: UUID) -> HttpResponse:
    """The viewer: `?version=` (else the current one), and `?start=&end=` or `?page=` in it."""
    document = document_of(request, workspace, pk)
    version = version_of(request, document, request.GET["version"]) if "version" in request.GET else None
    reading = opened(document, version, PlaceForm(request.GET))
    with transaction.atomic():
        record(
            EventType.DOCUMENT_OPENED,
            on=document,
            workspace=workspace,
            version=reading.version.pk,
            number=reading.version.number,
            place=reading.place.leaf.number if reading.place else None,
        )
    context: dict[str, Any] = {"reading": reading, "document": document, "versions": versions_of(document)}
    if reading.place and slides.claim(reading.version):
        dispatch(draw_slides_task, reading.version.pk)
    context["slides_coming"] = slides.are_coming(reading.version)
    context["cited"] = cited_by(document, user=request.user)
    context |= {"keeps": keeps(document, request.user), "next_year": ConfirmForm.next_year()}
    if document.restricted:
        context["openers"] = openers_of(document)
    if Action.MANAGE_DOCUMENTS in access.reach(request.user, workspace):
        context["passages"] = passages_of(document)
        context["levels"], context["usages"] = Classification.choices, UsageRight.choices
        context["grant_form"] = GrantForm(people=people_to_grant(document))
    return render(request, "documents/detail.html", context)


@require_GET
@in_workspace(Action.OPEN)
def status(request: HttpRequest, workspace: Workspace, pk: UUID, version: UUID) -> HttpResponse:
    """How far a version in work has come, for htmx; once nothing more happens, the page is told to load again."""
    document = document_of(request, workspace, pk)
    found = version_of(request, document, version, without=HEAVY)
    if "slides" in request.GET:
        # The page waits for its pictures, or for the news that there will be none.
        return HttpResponse(status=204, headers={} if slides.are_coming(found) else {"HX-Refresh": "true"})
    row = Row(document, found)
    response = render(request, "documents/_status.html", {"row": row})
    if not row.working:
        response.headers["HX-Refresh"] = "true"
    return response


@require_GET
@in_workspace(Action.OPEN)
def page(request: HttpRequest, workspace: Workspace, pk: UUID, version: UUID, number: int) -> HttpResponse:
    """A page as an image, with `?start=&end=` (in the version's text) and what `?find=` finds on it marked."""
    document = document_of(request, workspace, pk)
    found = version_of(request, document, version)
    screens = leaves.leaves(found.sections, found.text)
    leaf = leaves.leaf_numbered(screens, number)
    if leaf is None or not drawn(found, leaf):
        raise Http404
    try:
        image = _draw(found, number, leaves.whole_range(screens, number), PlaceForm(request.GET))
    except ParseFailed as error:
        logger.warning("Page %s of version %s cannot be drawn: %s.", number, found.pk, error.code)
        raise Http404 from error
    note_page(document, found, page=number)
    return HttpResponse(image, content_type="image/png")


@require_GET
@in_workspace(Action.OPEN)
def original(request: HttpRequest, workspace: Workspace, pk: UUID, version: UUID) -> HttpResponseBase:
    """The file exactly as it was received."""
    document = document_of(request, workspace, pk)
    found = version_of(request, document, version, without=HEAVY)
    response = download(request, found)
    part = part_asked(request, found)
    told = {"first": part[0], "last": part[1], "size": found.file.size} if part else {}
    with transaction.atomic():
        record(
            EventType.ORIGINAL_DOWNLOADED,
            on=document,
            workspace=workspace,
            version=found.pk,
            sha256=found.sha256,
            **told,
        )
    return response


# --- Inside ---------------------------------------------------------------------------------------------------


def _draw(version: Version, number: int, whole: leaves.Range, asked: PlaceForm) -> bytes:
    """The page as a PNG; without marks where the stored text does not fit the page. Raises ParseFailed."""
    text = version.text[slice(*whole)]
    data = asked.cleaned_data if asked.is_valid() else {}
    cited = leaves.within(whole, (data["start"], data["end"])) if data.get("start") is not None else None
    found = find(text, data["find"]).places if data.get("find") else []
    marks = {"highlight": [cited] if cited else [], "found": found}
    kind = "slides" if version.format in slides.FORMATS else "picture" if version.format in PICTURES else "pdf"
    with slides.drawn_pages(version) if kind == "slides" else local_path(version) as path:
        try:
            return sandbox.render_page(path, page=number, page_text=text, kind=kind, **marks)
        except sandbox.HighlightMismatch:
            places = [] if kind == "slides" else scans.places_on(version, path, number, text)
            if places:
                return sandbox.render_page(path, page=number, page_text=text, kind=kind, places=places, **marks)
            logger.info("Page %s of version %s cannot be marked.", number, version.pk)
            return sandbox.render_page(path, page=number, page_text=text, kind=kind, highlight=[])
