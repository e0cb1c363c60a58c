"""A place in a version's text, with the ways on from there: pages, the citation, what was looked for."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.translation import gettext as _

from documents.models import Document, Version
from documents.viewer import blocks as viewer
from documents.viewer import leaves as screens
from documents.viewer import slides
from documents.viewer.finding import MOST, find
from documents.viewer.leaves import Leaf, Range, Section

#: Formats whose pages can be drawn as images; those of slides are made first.
PICTURES = frozenset({"jpeg", "jpg", "png", "tif", "tiff", "webp"})
DRAWN = PICTURES | {"pdf"}
#: Places of a search that are listed at once, with the words around them.
LISTED = 8
_AROUND = 60


@dataclass(frozen=True, slots=True)
class Hit:
    """One place of a search as the list shows it: where, with the words around it."""

    number: int
    where: str
    before: str
    text: str
    after: str
    url: str
    is_chosen: bool


@dataclass(frozen=True, slots=True)
class Search:
    """What was looked for in a version: the places, and the number (from 1) of the one the reader is at."""

    wanted: str
    places: list[Range]
    #: The text holds further places than these.
    more: bool
    #: 0 where nothing was found.
    number: int

    @property
    def chosen(self) -> Range | None:
        return self.places[self.number - 1] if self.number else None

    @property
    def most(self) -> int:
        """How many places are told at most."""
        return MOST


@dataclass(frozen=True, slots=True)
class Place:
    """Where in a version's text the reader is, with the ways on from here."""

    document: Document
    version: Version
    leaves: list[Leaf]
    leaf: Leaf
    cited: Range | None
    search: Search | None = None

    @property
    def shown(self) -> list[viewer.Block]:
        """The text of this screen."""
        search = self.search
        found, chosen = (search.places, search.chosen) if search else ([], None)
        return viewer.shown(self.version.text, self.leaf, self.cited, found, chosen)

    @property
    def unit(self) -> str:
        """What pages are called in this format."""
        return unit(self.leaf.kind)

    @property
    def counted(self) -> str:
        """What the version's page count counts."""
        names = {"page": _("Pages"), "slide": _("Slides"), "sheet": _("Sheets")}
        return names.get(self.leaf.kind, _("Sections"))

    @property
    def label(self) -> str:
        """What the file calls the page, where that says more than its number."""
        if self.leaf.kind == "section" and self.leaf.label.isdigit():
            return ""
        return "" if self.leaf.label == str(self.leaf.number) else self.leaf.label

    @property
    def last_number(self) -> int:
        return self.leaves[-1].number

    @property
    def is_cited_here(self) -> bool:
        return self.cited is not None and screens.within((self.leaf.start, self.leaf.end), self.cited) is not None

    @property
    def image_url(self) -> str:
        """The page as an image; "" where pages of this format cannot be drawn."""
        if not drawn(self.version, self.leaf):
            return ""
        address = {"slug": self.document.workspace.slug, "pk": self.document.pk, "version": self.version.pk}
        url = reverse("documents:page", kwargs=address | {"number": self.leaf.number})
        query = (self._range() if self.is_cited_here else {}) | self._find()
        return f"{url}?{urlencode(query)}" if query else url

    @property
    def previous_url(self) -> str:
        before, _after = screens.neighbours(self.leaves, self.leaf)
        return self._leaf_url(before) if before else ""

    @property
    def next_url(self) -> str:
        _before, after = screens.neighbours(self.leaves, self.leaf)
        return self._leaf_url(after) if after else ""

    @property
    def cited_url(self) -> str:
        """Back to the page of the citation; "" without one."""
        return self._url() + "#cited" if self.cited else ""

    @property
    def without_search_url(self) -> str:
        """The same screen when nothing is looked for any more."""
        return "?" + urlencode({"version": self.version.pk, **self._number(self.leaf), **self._range()})

    @property
    def previous_hit_url(self) -> str:
        return self._hit_url(self.search.number - 1) if self.search and self.search.number > 1 else ""

    @property
    def next_hit_url(self) -> str:
        search = self.search
        return self._hit_url(search.number + 1) if search and 0 < search.number < len(search.places) else ""

    @property
    def hits(self) -> list[Hit]:
        """The places found around the chosen one."""
        if self.search is None or not self.search.number:
            return []
        last = max(1, len(self.search.places) - LISTED + 1)
        first = min(max(1, self.search.number - LISTED // 2), last)
        numbers = range(first, min(first + LISTED, len(self.search.places) + 1))
        return [self._hit(self.search, number) for number in numbers]

    def _hit(self, search: Search, number: int) -> Hit:
        start, end = search.places[number - 1]
        text = self.version.text
        before, after = text[max(0, start - _AROUND) : start], text[end : end + _AROUND]
        return Hit(
            number,
            name_of_section(screens.section_at(self.version.sections, start)),
            before if start <= _AROUND else "…" + before.partition(" ")[2],
            text[start:end],
            after if end + _AROUND >= len(text) else after.rpartition(" ")[0] + "…",
            self._hit_url(number),
            number == search.number,
        )

    def _hit_url(self, number: int) -> str:
        return self._url(hit=number) + "#hit"

    def _leaf_url(self, leaf: Leaf) -> str:
        return self._url(**self._number(leaf))

    def _number(self, leaf: Leaf) -> dict[str, int]:
        return {"page": leaf.number} | ({"part": leaf.part} if leaf.part > 1 else {})

    def _url(self, **place: int) -> str:
        return "?" + urlencode({"version": self.version.pk, **place, **self._range(), **self._find()})

    def _range(self) -> dict[str, int]:
        return {"start": self.cited[0], "end": self.cited[1]} if self.cited else {}

    def _find(self) -> dict[str, str]:
        return {"find": self.search.wanted} if self.search else {}


def place_in(document: Document, version: Version, data: dict[str, Any]) -> tuple[Place, bool]:
    """The place that was asked for, and whether there is such a place; without one it is the beginning."""
    leaves = screens.leaves(version.sections, version.text)
    cited = _cited(data, len(version.text))
    leaf = _leaf(leaves, data, cited)
    if data.get("find") and data.get("near") is not None and data.get("page") is None:
        leaf = screens.leaf_at(leaves, data["near"])
    search = _search(version.text, data, (leaf or leaves[0]).start) if data.get("find") else None
    exists = leaf is not None and (cited is not None or data.get("start") is None)
    if search and search.chosen and (data.get("hit") or data.get("page") is None):
        # A search without a page turns to its first place, a chosen place to its own page.
        leaf = screens.leaf_at(leaves, search.chosen[0])
    return Place(document, version, leaves, leaf or leaves[0], cited, search), exists


def has_pages(version: Version) -> bool:
    """Whether the numbered pages of this version can be drawn as images."""
    return version.format in DRAWN or slides.are_drawn(version)


def drawn(version: Version, leaf: Leaf) -> bool:
    """Whether this page can be drawn as an image."""
    return leaf.kind in ("page", "slide") and has_pages(version)


def unit(kind: str) -> str:
    """What a section of this kind is called."""
    return {"page": _("Page"), "slide": _("Slide"), "sheet": _("Sheet")}.get(kind, _("Part"))


def name_of_section(section: Section | None) -> str:
    """A section as a person says it: "Page 3", a sheet's name, a heading with those above it; "" without one."""
    if section is None or (section["label"] == "1" and section["kind"] == "section"):
        return ""
    return f"{unit(section['kind'])} {section['label']}" if section["label"].isdigit() else section["label"]


def _cited(data: dict[str, Any], length: int) -> Range | None:
    start, end = data.get("start"), data.get("end")
    return (start, end) if start is not None and end is not None and end <= length else None


def _leaf(leaves: list[Leaf], data: dict[str, Any], cited: Range | None) -> Leaf | None:
    if data.get("page") is not None:
        return screens.leaf_numbered(leaves, data["page"], data.get("part") or 1)
    return screens.leaf_at(leaves, cited[0]) if cited else leaves[0]


def _search(text: str, data: dict[str, Any], start: int) -> Search:
    """The places of what is looked for; the chosen one is the asked one, or the first from `start` on."""
    found = find(text, data["find"])
    following = next((number for number, (low, _high) in enumerate(found.places, 1) if low >= start), 1)
    number = min(data.get("hit") or following, len(found.places))
    return Search(data["find"], found.places, found.more, number)
