"""What a person sees who asks what changed between two versions of a document."""

from dataclasses import dataclass
from urllib.parse import urlencode

from django.urls import reverse

from documents.changes.comparison import MOST_CHARACTERS, Change, Comparison, Side, Text, compare
from documents.models import Document, Version
from documents.states import VersionState
from documents.viewer.places import name_of_section
from documents.viewer.reading import is_readable


@dataclass(frozen=True, slots=True)
class Changes:
    """Two versions and what differs; `comparison` is None where there is nothing to compare, and `why` says why."""

    document: Document
    before: Version | None
    after: Version | None
    comparison: Comparison | None
    #: "" or one of: single, same, unread, long.
    why: str = ""

    @property
    def most_characters(self) -> int:
        """The limit on a version's length, which the page names."""
        return MOST_CHARACTERS

    @property
    def rows(self) -> list[tuple[object, str, str, str, str]]:
        """Each row of the comparison with the place and the address of either side; empty for what is unchanged."""
        rows = []
        for row in self.comparison.rows if self.comparison else []:
            sides = (row.before, row.after) if isinstance(row, Change) else (None, None)
            (was, was_url), (now, now_url) = self._place(self.before, sides[0]), self._place(self.after, sides[1])
            rows.append((row, was, was_url, now, now_url))
        return rows

    @property
    def previous_url(self) -> str:
        return self._url(-1)

    @property
    def next_url(self) -> str:
        return self._url(1)

    def _url(self, step: int) -> str:
        """The page so many pages on; "" where there is none."""
        if self.comparison is None or self.before is None or self.after is None:
            return ""
        page = self.comparison.page + step
        query = {"before": self.before.pk, "after": self.after.pk, "page": page}
        return "?" + urlencode(query) if 1 <= page <= self.comparison.pages else ""

    def _place(self, version: Version | None, side: Side | None) -> tuple[str, str]:
        if version is None or side is None:
            return "", ""
        address = {"slug": self.document.workspace.slug, "pk": self.document.pk}
        place = urlencode({"version": version.pk, "start": side.start, "end": side.end})
        return name_of_section(side.section), f"{reverse('documents:detail', kwargs=address)}?{place}#cited"


def changes_of(document: Document, before: Version | None, after: Version | None, *, page: int) -> Changes:
    """What differs from `before` to `after`; by default to the version that answers, from the one read before it."""
    read = document.versions.filter(ready_at__isnull=False) | document.versions.filter(state=VersionState.SUPERSEDED)
    if after is None:
        newest = read.order_by("-number")
        after = newest.filter(pk=document.current_version_id).first() or newest.first()
    if before is None and after is not None:
        earlier = read.exclude(pk=after.pk).order_by("-number")
        before = earlier.filter(number__lt=after.number).first() or earlier.last()
    if before is None or after is None:
        return Changes(document, before, after, None, "single")
    if before.pk == after.pk:
        return Changes(document, before, after, None, "same")
    if not (is_readable(before) and is_readable(after)):
        return Changes(document, before, after, None, "unread")
    if max(len(before.text), len(after.text)) > MOST_CHARACTERS:
        return Changes(document, before, after, None, "long")
    sides = (Text(before.text, before.sections), Text(after.text, after.sections))
    return Changes(document, before, after, compare(*sides, page=page))
