"""The sources of a draft: each citation in its place, with what a reviewer has to know of the version it cites."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.db.models import F, Value
from django.db.models.functions import Greatest, Least, Substr
from django.urls import reverse

from answers.citations.quotes import QuoteNow, quotes_now
from answers.drafts.text import marks
from answers.models import Citation, Draft
from answers.reading import place_in_words
from documents.viewer.findings import hidden_text, textless
from documents.viewer.flowing import flowing
from documents.viewer.places import has_pages

#: Characters of the source shown before and after a quote.
CONTEXT = 280


@dataclass(frozen=True, slots=True)
class Source:
    """One citation in its place: the quote with the text around it, as running text, and where to read on."""

    number: int
    title: str
    locator: str
    before: str
    quote: str
    after: str
    is_intact: bool
    is_cited: bool
    version_number: int
    replaced_by: int | None
    #: Where a newer version answers by now: whether the quote stands there, or what reads most like it.
    now: QuoteNow | None
    restricted: bool
    #: What the cited version holds and its readers do not see, by kind.
    hidden_text: list[str]
    textless: str
    viewer: str
    image: str


def sources_of(draft: Draft) -> list[Source]:
    """The citations with their surroundings cut out by the database: a version's text can be megabytes."""
    start, width = F("start"), Value(CONTEXT)
    citations = (
        draft.answer.citations.select_related("document__current_version", "version")
        .defer("version__text", "version__sections", "document__current_version__text")
        .defer("document__current_version__sections")
        .annotate(
            before=Substr("version__text", Greatest(start - width, 0) + 1, Least(start, width)),
            stored=Substr("version__text", start + 1, F("end") - start),
            after=Substr("version__text", F("end") + 1, width),
        )
    )
    cited, rows = marks(draft.text), list(citations)
    changed = [row.number for row in rows if row.document.current_version_id not in (None, row.version_id)]
    found = quotes_now(draft.answer, changed, compared=True) if changed else []
    now = {quote.citation.number: quote for quote in found}
    return [_source(row, draft, row.number in cited, now.get(row.number)) for row in rows]


def _source(citation: Any, draft: Draft, is_cited: bool, now: QuoteNow | None) -> Source:
    version, document = citation.version, citation.document
    current = document.current_version
    before = f"…{citation.before}" if citation.start > CONTEXT else citation.before
    after = f"{citation.after}…" if len(citation.after) == CONTEXT else citation.after
    return Source(
        number=citation.number,
        title=document.title,
        locator=place_in_words(citation),
        before=flowing(before, version.format),
        quote=flowing(citation.quote, version.format),
        after=flowing(after, version.format),
        is_intact=citation.stored == citation.quote,
        is_cited=is_cited,
        version_number=version.number,
        replaced_by=current.number if current is not None and current.pk != version.pk else None,
        now=now,
        restricted=document.restricted,
        hidden_text=hidden_text(version),
        textless=textless(version),
        viewer=_viewer(citation, draft),
        image=_image(citation, draft),
    )


def _viewer(citation: Citation, draft: Draft) -> str:
    place = urlencode({"version": citation.version_id, "start": citation.start, "end": citation.end})
    address = reverse("documents:detail", args=[draft.workspace.slug, citation.document_id])
    return f"{address}?{place}#cited"


def _image(citation: Citation, draft: Draft) -> str:
    if citation.page is None or not has_pages(citation.version):
        return ""
    address = reverse(
        "documents:page", args=[draft.workspace.slug, citation.document_id, citation.version_id, citation.page]
    )
    return f"{address}?{urlencode({'start': citation.start, 'end': citation.end})}"
