"""The list of a workspace's documents as a page."""

from collections.abc import Collection
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET

from documents.bulk.orders import acts_for
from documents.filters import DUE, GROUPS, ME, NOBODY, UNABLE, Asked
from documents.forms import FilterForm
from documents.ingestion import intake, room
from documents.listing import Listing, listing
from documents.models import Source
from documents.parse import FORMATS
from workspaces import access
from workspaces.classification import Classification
from workspaces.decorators import in_workspace
from workspaces.dispatch import worker_is_up
from workspaces.models import User, Workspace
from workspaces.roles import Action

#: The endings a person chooses by; `FORMATS` knows a few more spellings.
SHOWN_FORMATS = (
    "PDF, DOCX, PPTX, XLSX, ODT, RTF, EPUB, EML, MSG, CSV, HTML, Markdown, TXT, DOC, XLS, PPT, PNG, JPEG, TIFF, WEBP"
)
#: A list of so many is asked for anew less often while something in it is in work.
_MANY = 5000
SHOWN_COLUMNS = (
    ("title", _("Title")),
    ("state", _("State")),
    ("owner", _("Owner")),
    ("valid", _("Valid until")),
    ("passages", _("Passages")),
    ("size", _("Size")),
    ("updated", _("Updated")),
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
    asked = FilterForm(request.GET).asked()
    found = listing(request.user, workspace, asked)
    rights = access.reach(request.user, workspace)
    folder = found.tree.get(asked.folder) if asked.folder else None
    return {
        "listing": found,
        "levels": Classification.choices,
        "asked": asked,
        "groups": [
            ("", _("All"), found.total, asked.query(state="")),
            *((code, label, found.counts[code], asked.query(state=code)) for code, (label, _rule) in GROUPS.items()),
        ],
        "dues": [
            (code, DUE[code], count, asked.query(due="" if asked.due == code else code))
            for code, count in (("review", found.to_review), ("expired", found.expired))
            if count or asked.due == code
        ],
        "columns": [_column(name, label, asked) for name, label in SHOWN_COLUMNS],
        "choices": (choices := _choices(request.user, workspace, found)),
        "narrowings": _narrowings(asked, choices),
        "folder": folder,
        "folders_above": found.tree.above(folder) if folder else [],
        "folders_inside": found.tree.inside(folder),
        "acts": acts_for(rights),
        "review": _review(found, rights),
        "query": f"{asked.query()}&" if asked.query() else "",
        "outside": asked.query(folder=""),
        "poll_seconds": 1.5 if found.total < _MANY else 10,
        "poll": asked.query(page=found.page.number),
        "limits": _limits(),
        # Only who brings files waits for them; it asks the broker, not the database.
        "is_paused": Action.ADD in rights and not worker_is_up(intake.QUEUE),
    }


def _review(found: Listing, rights: Collection[str]) -> tuple[int, str]:
    """How many documents wait for this person to look them through, and the list's filter that shows them."""
    if Action.MANAGE_DOCUMENTS in rights:
        return found.to_review, "due=review"
    return found.yours_to_review if Action.ADD in rights else 0, f"due=review&owner={ME}"


def _choices(user: User, workspace: Workspace, found: Listing) -> dict[str, Any]:
    """What the list can be filtered by."""
    return {
        "level": Classification.choices,
        "format": [(name, name.upper()) for name in sorted(FORMATS)],
        "tag": found.tags,
        "owner": User.objects.filter(pk__in=found.owners).order_by("username"),
        "due": list(DUE.items()),
        "source": access.visible(user, Source).filter(workspace=workspace).order_by("name"),
    }


def _narrowings(asked: Asked, choices: dict[str, Any]) -> list[tuple[str, str]]:
    """What narrows the list, in words, each with the address of the list without it. A folder has its own way out."""
    people = {str(person.pk): person.name for person in choices["owner"]}
    words = {
        "level": dict(choices["level"]),
        "due": DUE,
        "owner": people
        | {ME: _("Yours"), NOBODY: _("Nobody's"), UNABLE: _("Without an owner who may keep them current")},
        "source": {str(source.pk): source.name for source in choices["source"]},
        "open_to": {"all": _("Open to the workspace"), "named": _("Open to named people")},
        "format": dict(choices["format"]),
    }
    given = {name: value for name, value in asked.filters.items() if name not in {"folder", "state", "q"}}
    return [(words.get(name, {}).get(value, value), asked.query(**{name: ""})) for name, value in given.items()]


def _column(name: str, label: Any, asked: Asked) -> dict[str, Any]:
    """A heading that orders the list by its column, the other way round when it does so already."""
    by = asked.sort or "title"
    return {
        "name": name,
        "label": label,
        "is_number": name in {"passages", "size"},
        "order": {name: "ascending", f"-{name}": "descending"}.get(by, ""),
        "query": asked.query(sort=f"-{name}" if by == name else name),
    }


def _limits() -> dict[str, Any]:
    return {
        "bytes": settings.MAX_UPLOAD_BYTES,
        "megabytes": settings.MAX_UPLOAD_BYTES // 1024**2,
        "pages": settings.MAX_PAGES,
        "characters": settings.MAX_CHARACTERS,
        "unpacked_megabytes": settings.MAX_UNPACKED_BYTES // 1024**2,
        "seconds": settings.PARSE_SECONDS,
        "recognising_seconds": settings.RECOGNISE_SECONDS,
        "is_short": room.is_short(),
        "endings": ",".join(f".{ending}" for ending in FORMATS),
        "names": SHOWN_FORMATS,
    }
