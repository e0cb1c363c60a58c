"""The list of a workspace's documents as a page."""

from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from documents.forms import FilterForm
from documents.listing import GROUPS, listing
from documents.parse import FORMATS
from workspaces.classification import Classification
from workspaces.decorators import in_workspace
from workspaces.models import Workspace
from workspaces.roles import Action

#: The endings a person chooses by; `FORMATS` knows a few more spellings.
SHOWN_FORMATS = (
    "PDF, DOCX, PPTX, XLSX, ODT, RTF, EPUB, EML, MSG, CSV, HTML, Markdown, TXT, DOC, XLS, PPT, PNG, JPEG, TIFF, WEBP"
)


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
