"""What a person sees who opens a document: the version, the place in it, what is new, and who else may open it."""

from dataclasses import dataclass

from django.db.models import Sum

from documents.access.restriction import granted_groups, granted_people
from documents.listing import Row, newest
from documents.models import HEAVY, Document, Version
from documents.states import VersionState
from documents.viewer import findings
from documents.viewer.forms import PlaceForm
from documents.viewer.places import Place, place_in
from workspaces.exceptions import Hidden
from workspaces.models import PeopleGroup, User
from workspaces.roles import Action


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
    def textless(self) -> str:
        """The numbers of pages of the opened version that are pictures without text."""
        return findings.textless(self.version)

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
    if not is_readable(version):
        return Reading(document, version, news, None, misplaced=False)
    data = asked.cleaned_data if asked.is_valid() else {}
    place, exists = place_in(document, version, data)
    return Reading(document, version, news, place, misplaced=not (asked.is_valid() and exists))


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


def is_readable(version: Version) -> bool:
    """Whether its text is whole: ready now, ready once (and perhaps ingested again), or overtaken after it was read."""
    return bool(version.text) and (version.ready_at is not None or version.state == VersionState.SUPERSEDED)
