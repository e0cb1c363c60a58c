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
            "pages": settings.MAX_PAGES,
            "endings": ",".join(f".{ending}" for ending in FORMATS),
            "names": SHOWN_FORMATS,
        },
    }
