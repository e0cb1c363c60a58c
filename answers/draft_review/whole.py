"""What is found in a draft as a whole, once each clause was looked at."""

from collections import Counter
from collections.abc import Iterator

from answers.draft_review import consistency, guides, sections, terms
from answers.draft_review.clauses import Part
from answers.draft_review.found import Found
from answers.draft_review.sections import Section
from answers.models import ClauseSource, Examination
from answers.steps.state import Source
from audit.chain import digest
from documents.models import Document
from workspaces import access

#: The closest document is the first find of so many clauses, and of so large a share of them.
_FEWEST_CLAUSES, _LEAST_SHARE = 3, 0.5
_FEWEST_SECTIONS, _MOST_SECTIONS = 3, 60


def check(examination: Examination) -> Iterator[Found]:
    """Contradictions, terms, and sections that are missing, by what its owner may open now. Raises as a search does."""
    text, language = examination.text, examination.language.partition("-")[0]
    parts = [Part(clause.label, clause.start, clause.end) for clause in examination.clauses.all()]
    yield from consistency.check(text, language)
    yield from terms.check(text)
    person, workspace = examination.asked_by, examination.workspace
    hits = guides.find(examination, f"{examination.title} {sections.SEARCH}")
    asked_for = list(sections.by_checklist(text, parts, guides.authorised(person, workspace, hits), language))
    yield from asked_for
    if not asked_for:
        yield from sections.by_document(text, parts, _sections_of_closest(examination, len(parts)), language)


def _sections_of_closest(examination: Examination, clauses: int) -> list[Section]:
    """The headed sections of the document that most clauses found first; none where no document is that close."""
    # Written down in the order in which they were found. What comes later is in a small workspace every document.
    found_first = ClauseSource.objects.filter(clause__examination=examination).order_by("clause_id", "pk")
    counts = Counter(found_first.distinct("clause_id").values_list("document", flat=True))
    if not counts:
        return []
    closest, count = max(counts.items(), key=lambda one: (one[1], one[0]))
    if count < _FEWEST_CLAUSES or count < _LEAST_SHARE * clauses:
        return []
    found = access.visible(examination.asked_by, Document).filter(pk=closest, current_version__isnull=False)
    document = found.select_related("current_version").first()
    if document is None or document.current_version is None:
        return []
    version = document.current_version
    headed = [one for one in version.sections if one["kind"] == "section" and one["heading"]][:_MOST_SECTIONS]
    if len(headed) < _FEWEST_SECTIONS:
        return []
    return [
        Section(one["heading"][-1], _as_source(document, version.text[one["start"] : one["end"]], one["start"]))
        for one in headed
        if version.text[one["start"] : one["end"]].strip()
    ]


def _as_source(document: Document, text: str, start: int) -> Source:
    assert document.current_version_id is not None  # noqa: S101  (the caller looked)
    return Source(
        number=1,
        passage_id=document.current_version_id,
        document_id=document.pk,
        version_id=document.current_version_id,
        title=document.title,
        text=text,
        start=start,
        end=start + len(text),
        page=None,
        locator="",
        language="",
        sha256=digest(text),
        scores={},
    )
