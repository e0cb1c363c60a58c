"""Pages of documents that change nothing: the list, the viewer, page images, the original."""

import logging
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.views.decorators.http import require_GET

from audit.events import EventType
from audit.record import record
from documents import sandbox, viewer
from documents.forms import FilterForm, GrantForm, PlaceForm
from documents.listing import GROUPS, Row, listing
from documents.models import HEAVY, Document, Version
from documents.openings import note_page
from documents.originals import download, local_path
from documents.parse import FORMATS, ParseFailed
from documents.reading import drawn, opened, openers_of, passages_of, versions_of
from documents.restriction import people_to_grant
from workspaces import access
from workspaces.classification import Classification
from workspaces.decorators import in_workspace
from workspaces.exceptions import Hidden
from workspaces.models import Workspace
from workspaces.roles import Action

logger = logging.getLogger(__name__)

#: The endings a person chooses by; `FORMATS` knows a few more spellings.
SHOWN_FORMATS = (
    "PDF, DOCX, PPTX, XLSX, ODT, RTF, EPUB, EML, MSG, CSV, HTML, Markdown, TXT, DOC, XLS, PPT, PNG, JPEG, TIFF, WEBP"
)

# --- The list -------------------------------------------------------------------------------


@require_GET
@in_workspace(Action.OPEN)
def list_documents(request: HttpRequest, workspace: Workspace) -> HttpResponse:
    """All documents of the workspace that this person may open."""
    return render(request, "documents/list.html", _list_context(request, workspace))


@require_GET
@in_workspace(Action.OPEN)
def progress(request: HttpRequest, workspace: Workspace) -> HttpResponse:
    """The list's table alone; htmx asks for it again and again while something is in work."""
    return render(request, "documents/_rows.html", _list_context(request, workspace))


# --- The viewer ---------------------------------------------------------------------------------------------


@require_GET
@in_workspace(Action.OPEN)
def detail(request: HttpRequest, workspace: Workspace, pk: UUID) -> HttpResponse:
    """The viewer: `?version=` (else the current one), and `?start=&end=` or `?page=` in it."""
    document = _find(request, workspace, pk)
    version = _version(request, document, request.GET["version"]) if "version" in request.GET else None
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
    if document.restricted:
        context["openers"] = openers_of(document)
    if Action.MANAGE_DOCUMENTS in access.reach(request.user, workspace):
        context["passages"] = passages_of(document)
        context["levels"] = Classification.choices
        context["grant_form"] = GrantForm(people=people_to_grant(document))
    return render(request, "documents/detail.html", context)


@require_GET
@in_workspace(Action.OPEN)
def status(request: HttpRequest, workspace: Workspace, pk: UUID, version: UUID) -> HttpResponse:
    """How far a version in work has come, for htmx; once nothing more happens, the page is told to load again."""
    document = _find(request, workspace, pk)
    row = Row(document, _version(request, document, version, without=HEAVY))
    response = render(request, "documents/_status.html", {"row": row})
    if not row.working:
        response.headers["HX-Refresh"] = "true"
    return response


@require_GET
@in_workspace(Action.OPEN)
def page(request: HttpRequest, workspace: Workspace, pk: UUID, version: UUID, number: int) -> HttpResponse:
    """A page as an image, with `?start=&end=` (in the version's text) marked where it touches the page."""
    document = _find(request, workspace, pk)
    found = _version(request, document, version)
    leaf = viewer.leaf_numbered(viewer.leaves(found.sections, len(found.text)), number)
    if leaf is None or not drawn(found, leaf):
        raise Http404
    place = PlaceForm(request.GET)
    marked = None
    if place.is_valid() and place.cleaned_data["start"] is not None:
        marked = viewer.within(leaf, (place.cleaned_data["start"], place.cleaned_data["end"]))
    try:
        image = _draw(found, leaf, [marked] if marked else [])
    except ParseFailed as error:
        logger.warning("Page %s of version %s cannot be drawn: %s.", number, found.pk, error.code)
        raise Http404 from error
    note_page(document, found, page=number)
    return HttpResponse(image, content_type="image/png")


@require_GET
@in_workspace(Action.OPEN)
def original(request: HttpRequest, workspace: Workspace, pk: UUID, version: UUID) -> HttpResponseBase:
    """The file exactly as it was received."""
    document = _find(request, workspace, pk)
    found = _version(request, document, version, without=HEAVY)
    response = download(request, found)
    with transaction.atomic():
        record(EventType.ORIGINAL_DOWNLOADED, on=document, workspace=workspace, version=found.pk, sha256=found.sha256)
    return response


# --- Inside -------------------------------------------------------------------------------------------------


def _find(request: HttpRequest, workspace: Workspace, pk: UUID, action: str = Action.OPEN) -> Document:
    """The document of this workspace, if the person may do `action` with it."""
    return access.find(request.user, action, Document, pk=pk, workspace=workspace)


def _version(request: HttpRequest, document: Document, pk: Any, *, without: tuple[str, ...] = ()) -> Version:
    """The version of this document, and of no other; `without` names fields that are not needed."""
    try:
        return access.visible(request.user, Version).defer(*without).get(pk=pk, document=document)
    except (Version.DoesNotExist, ValidationError) as error:
        raise Hidden(user=request.user, workspace=document.workspace, action=Action.OPEN, thing=document) from error


def _list_context(request: HttpRequest, workspace: Workspace) -> dict[str, Any]:
    form = FilterForm(request.GET)
    asked = form.usable()
    found = listing(request.user, workspace, **asked)
    kept = {name: value for name, value in asked.items() if value and name != "page"}
    return {
        "listing": found,
        "asked": asked,
        "groups": [(code, label, found.counts[code]) for code, (label, _states) in GROUPS.items()],
        "levels": Classification.choices,
        "query": urlencode(kept) + "&" if kept else "",
        "poll": urlencode(kept | {"page": found.page.number}),
        "limits": {
            "bytes": settings.MAX_UPLOAD_BYTES,
            "megabytes": settings.MAX_UPLOAD_BYTES // 1024**2,
            "endings": ",".join(f".{ending}" for ending in FORMATS),
            "names": SHOWN_FORMATS,
        },
    }


def _draw(version: Version, leaf: viewer.Leaf, marked: list[viewer.Range]) -> bytes:
    """The page as a PNG; without the mark where the stored text does not fit the page. Raises ParseFailed."""
    text = version.text[leaf.start : leaf.end]
    with local_path(version) as path:
        try:
            return sandbox.render_page(path, page=leaf.number, highlight=marked, page_text=text)
        except sandbox.HighlightMismatch:
            logger.warning("Page %s of version %s cannot be marked.", leaf.number, version.pk)
            return sandbox.render_page(path, page=leaf.number, highlight=[], page_text=text)
