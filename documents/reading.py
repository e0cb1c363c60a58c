"""What a person sees who opens a document: the version, the place in it, what is new, and who else may open it."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.db.models import Sum
from django.urls import reverse
from django.utils.translation import gettext as _

from documents import findings, viewer
from documents.forms import PlaceForm
from documents.listing import Row, newest
from documents.models import HEAVY, Document, Version
from documents.restriction import granted_groups, granted_people
from documents.states import VersionState
from workspaces.exceptions import Hidden
from workspaces.models import PeopleGroup, User
from workspaces.roles import Action

#: Formats whose pages can be drawn as images.
DRAWN = frozenset({"pdf"})


@dataclass(frozen=True, slots=True)
class Place:
    """Where in a version's text the reader is, with the ways on from here."""

    document: Document
    version: Version
    leaves: list[viewer.Leaf]
    leaf: viewer.Leaf
    cited: viewer.Range | None

    @property
    def shown(self) -> viewer.Shown:
        """The text of this page."""
        return viewer.shown(self.version.text, self.leaf, self.cited)

    @property
    def unit(self) -> str:
        """What pages are called in this format."""
        return {"page": _("Page"), "slide": _("Slide"), "sheet": _("Sheet")}.get(self.leaf.kind, _("Part"))

    @property
    def counted(self) -> str:
        """What the version's page count counts."""
        names = {"page": _("Pages"), "slide": _("Slides"), "sheet": _("Sheets")}
        return names.get(self.leaf.kind, _("Sections"))

    @property
    def label(self) -> str:
        """What the file calls the page, where that says more than its number."""
        return "" if self.leaf.label == str(self.leaf.number) else self.leaf.label

    @property
    def last_number(self) -> int:
        return self.leaves[-1].number

    @property
    def is_cited_here(self) -> bool:
        return self.cited is not None and viewer.within(self.leaf, self.cited) is not None

    @property
    def image_url(self) -> str:
        """The page as an image; "" where pages of this format cannot be drawn."""
        if not drawn(self.version, self.leaf):
            return ""
        address = {"slug": self.document.workspace.slug, "pk": self.document.pk, "version": self.version.pk}
        url = reverse("documents:page", kwargs=address | {"number": self.leaf.number})
        return f"{url}?{urlencode(self._range())}" if self.is_cited_here else url

    @property
    def previous_url(self) -> str:
        before, _after = viewer.neighbours(self.leaves, self.leaf)
        return self._url(page=before.number) if before else ""

    @property
    def next_url(self) -> str:
        _before, after = viewer.neighbours(self.leaves, self.leaf)
        return self._url(page=after.number) if after else ""

    @property
    def cited_url(self) -> str:
        """Back to the page of the citation; "" without one."""
        return self._url() + "#cited" if self.cited else ""

    def _url(self, **page: int) -> str:
        return "?" + urlencode({"version": self.version.pk, **page, **self._range()})

    def _range(self) -> dict[str, int]:
        return {"start": self.cited[0], "end": self.cited[1]} if self.cited else {}


@dataclass(frozen=True, slots=True)
class Reading:
    """An opened document. `place` is None when the version has no text to show (yet)."""

    document: Document
    version: Version
    #: The document with the version there is news about, as the list shows it.
    news: Row
    place: Place | None
    #: The address asked for a place that this version does not have.
    misplaced: bool

    @property
    def is_current(self) -> bool:
        return self.version.pk == self.document.current_version_id

    @property
    def hidden_text(self) -> list[str]:
        """What the opened version holds and nobody sees, by kind."""
        return findings.hidden_text(self.version)

    @property
    def unread(self) -> list[findings.Unread]:
        """The attachments of the opened version that are no part of its text."""
        return findings.unread(self.version)

    @property
    def row(self) -> Row:
        """The opened version as a line of the list would show it."""
        return Row(self.document, self.version)


def opened(document: Document, version: Version | None, asked: PlaceForm) -> Reading:
    """`document` opened at the place `asked` for, in `version` or else in the one that answers.

    Raises Hidden for a document that has no version at all.
    """
    latest = newest(document)
    if version is not None and version.pk != document.current_version_id:
        # Only its number is shown; its text stays where it is.
        document.current_version = document.versions.defer(*HEAVY).filter(pk=document.current_version_id).first()
    version = version or document.current_version or latest
    if version is None or latest is None:
        raise Hidden(workspace=document.workspace, action=Action.OPEN, thing=document)
    news = Row(document, latest)
    if not _is_readable(version):
        return Reading(document, version, news, None, misplaced=False)
    leaves = viewer.leaves(version.sections, len(version.text))
    data = asked.cleaned_data if asked.is_valid() else {}
    cited = _cited(data, len(version.text))
    leaf = _leaf(leaves, data.get("page"), cited)
    misplaced = not asked.is_valid() or leaf is None or (cited is None and data["start"] is not None)
    return Reading(document, version, news, Place(document, version, leaves, leaf or leaves[0], cited), misplaced)


def drawn(version: Version, leaf: viewer.Leaf) -> bool:
    """Whether this page can be drawn as an image."""
    return leaf.kind == "page" and version.format in DRAWN


def versions_of(document: Document) -> list[Row]:
    """All versions, the latest first, without their text."""
    versions = document.versions.defer(*HEAVY).select_related("created_by").order_by("-number")
    return [Row(document, version) for version in versions]


def passages_of(document: Document) -> int:
    """How many passages a deletion takes out of the index and the database."""
    return document.versions.aggregate(sum=Sum("passage_count"))["sum"] or 0


@dataclass(frozen=True, slots=True)
class Openers:
    """Who holds a grant on a restricted document: people by name, and groups of people."""

    people: list[User]
    groups: list[PeopleGroup]


def openers_of(document: Document) -> Openers:
    """The holders of a grant on `document`."""
    return Openers(granted_people(document), granted_groups(document))


def _is_readable(version: Version) -> bool:
    """Whether its text is whole: ready now, ready once (and perhaps ingested again), or overtaken after it was read."""
    return bool(version.text) and (version.ready_at is not None or version.state == VersionState.SUPERSEDED)


def _cited(data: dict[str, Any], length: int) -> viewer.Range | None:
    start, end = data.get("start"), data.get("end")
    return (start, end) if start is not None and end is not None and end <= length else None


def _leaf(leaves: list[viewer.Leaf], page: int | None, cited: viewer.Range | None) -> viewer.Leaf | None:
    if page is not None:
        return viewer.leaf_numbered(leaves, page)
    return viewer.leaf_at(leaves, cited[0]) if cited else leaves[0]
