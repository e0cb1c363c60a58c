"""What became of an answer's quotes in the versions that answer today: where each stands, or what reads like it."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import QuerySet

from answers.models import Answer, Citation
from documents import analysis
from documents.changes.differences import Piece, Room, difference
from documents.models import Passage, Version
from documents.sentences import sentence_spans

#: Of a version's passages the nearest is looked for among so many.
_MOST_PASSAGES = 3000
#: The share of the quote's words that a sentence must have for the two to be shown side by side.
_NEAR = 0.3


@dataclass(frozen=True, slots=True)
class QuoteNow:
    """One citation and its quote today. `start` is None where the quote stands nowhere in the current version."""

    citation: Citation
    #: The version that answers today; None where none does.
    version: Version | None
    start: int | None
    #: What reads most like the quote, where it is gone; "" where nothing does.
    nearest: str = ""
    pieces: tuple[Piece, ...] = ()

    @property
    def is_unchanged(self) -> bool:
        """Whether the version that was cited is the one that answers."""
        return self.version is not None and self.version.pk == self.citation.version_id

    @property
    def stands(self) -> bool:
        return self.start is not None

    @property
    def end(self) -> int | None:
        return None if self.start is None else self.start + len(self.citation.quote)


def quotes_now(answer: Answer, shown: Iterable[int], *, compared: bool = False) -> list[QuoteNow]:
    """Each citation of the numbers in `shown`; with what is nearest to a lost quote if `compared`."""
    cited = answer.citations.filter(number__in=list(shown)).select_related("document", "version")
    citations = list(cited.defer("version__text", "version__sections"))
    current = {citation.document.current_version_id for citation in citations}
    # The whole texts: read only where a quote has to be looked for in them.
    moved = {c.document.current_version_id for c in citations if c.document.current_version_id != c.version_id}
    versions = Version.objects.defer("sections").filter(pk__in=moved).in_bulk()
    versions |= Version.objects.defer("text", "sections").filter(pk__in=current - moved).in_bulk()
    room = Room()
    return [_now(c, versions.get(c.document.current_version_id), compared, room) for c in citations]


def _now(citation: Citation, version: Version | None, compared: bool, room: Room) -> QuoteNow:
    if version is None or not citation.quote:
        return QuoteNow(citation, version, None)
    if version.pk == citation.version_id:
        return QuoteNow(citation, version, citation.start)
    start = place_of(citation.quote, version.text, near=citation.start)
    if start is not None or not compared:
        return QuoteNow(citation, version, start)
    nearest = _nearest(citation.quote, version.passages.all())
    pieces = tuple(difference(citation.quote, nearest, room)) if nearest else ()
    return QuoteNow(citation, version, None, nearest, pieces)


def place_of(quote: str, text: str, *, near: int) -> int | None:
    """Where `quote` stands in `text` byte for byte, the place closest to `near` of several; None where it does not."""
    before, after = text.rfind(quote, 0, near + len(quote)), text.find(quote, near)
    found = [place for place in (before, after) if place >= 0]
    return min(found, key=lambda place: abs(place - near), default=None)


def _nearest(quote: str, passages: QuerySet[Passage]) -> str:
    """The sentence that shares most words with the quote."""
    wanted = set(analysis.words(quote))
    best, score = "", 0.0
    for text in passages.order_by("position").values_list("text", flat=True)[:_MOST_PASSAGES]:
        if len(wanted & set(analysis.words(text))) <= score * len(wanted):
            continue
        for start, end in sentence_spans(text):
            words = set(analysis.words(text[start:end]))
            share = len(wanted & words) / max(len(wanted | words), 1)
            if share > score:
                best, score = text[start:end], share
    return best if score >= _NEAR else ""
