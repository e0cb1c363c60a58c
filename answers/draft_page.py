"""What an officer sees of a draft: each sentence with what it cites, each source in its place, and how it came about.

Pure assembly: reads, decides nothing and changes nothing.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.db.models import F, QuerySet, Value
from django.db.models.functions import Greatest, Least, Substr
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from answers import declassification, review, separation
from answers.draft_text import marks
from answers.marks import MARK, take_out
from answers.models import Answer, Citation, Draft
from answers.reading import place_in_words
from answers.states import DraftState
from audit.chain import digest
from documents.differences import Piece, difference
from documents.findings import hidden_text, textless
from documents.places import has_pages
from documents.sentences import sentence_spans
from workspaces.classification import Classification
from workspaces.models import User

#: Characters of the source shown before and after a quote.
CONTEXT = 280
#: What a change of state is called where its label would not say what was done.
_STEP = {DraftState.APPROVED_ONCE: gettext_lazy("Approved by the first of two")}
#: Formats whose text has the lines of a page.
_WRAPPED = frozenset({"pdf"})
#: Shares of a sentence's words found in its quotes: from here on it stands well, or at least in part.
_WELL, _PARTLY = 0.8, 0.5


@dataclass(frozen=True, slots=True)
class Part:
    """A run of plain text, or a citation mark when `number` is given."""

    text: str
    number: int | None = None


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence of the draft. `percent` is its grounding; None where it was not measured, as after an edit."""

    parts: list[Part]
    citations: list[int]
    percent: int | None

    @property
    def tone(self) -> str:
        """good, warning or bad, for the bar beside it; neutral where nothing was measured."""
        if self.percent is None:
            return "neutral"
        if self.percent >= _WELL * 100:
            return "good"
        return "warning" if self.percent >= _PARTLY * 100 else "bad"


@dataclass(frozen=True, slots=True)
class Source:
    """One citation in its place: the quote with the text around it, and where to read on."""

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
    restricted: bool
    #: What the cited version holds and its readers do not see, by kind.
    hidden_text: list[str]
    textless: str
    #: Lines end where the page ended them, not where the text does.
    is_wrapped: bool
    viewer: str
    image: str


@dataclass(frozen=True, slots=True)
class Step:
    """One form of the draft: who gave it that form, when, why, and what changed."""

    at: datetime
    who: str
    what: str
    reason: str
    pieces: list[Piece]


@dataclass(frozen=True, slots=True)
class DraftPage:
    """Everything on the page."""

    draft: Draft
    answer: Answer
    sentences: list[Sentence]
    sources: list[Source]
    changes: list[Piece]
    steps: list[Step]
    seen_sha256: str
    #: Why this person decides nothing here, and why they at least do not approve; empty when they may.
    objection: str
    approval_objection: str
    #: The highest classification among its sources, and whether approving takes two people.
    classification: Classification | None
    takes_two: bool
    is_open: bool
    may_decide: bool
    may_approve: bool
    may_submit: bool
    may_take: bool
    #: Whom the text can be declassified for with the approval that releases it; None where this one does not.
    readers: QuerySet[User] | None

    @property
    def cited(self) -> int:
        """How many sources the text as it stands cites."""
        return sum(source.is_cited for source in self.sources)


def page_of(draft: Draft, user: User) -> DraftPage:
    """The page as `user` sees it. Whether they may see it is asked before."""
    answer = draft.answer
    tied = separation.with_ties(Draft.objects.filter(pk=draft.pk), user).get()
    objection = separation.refusal_of(tied, "return") or ""
    approval_objection = separation.refusal_of(tied, separation.APPROVE) or ""
    is_open = draft.state in review.WHEN["edit"]
    waiting = draft.state in review.WHEN["approve"]
    may_approve = not approval_objection and waiting
    takes_two = is_open and (draft.first_approval_id is not None or separation.needs_second(answer))
    releases = may_approve and not (takes_two and draft.first_approval_id is None)
    return DraftPage(
        draft=draft,
        answer=answer,
        sentences=_sentences(draft.text, answer),
        sources=_sources(draft),
        changes=difference(answer.text, draft.text) if draft.text != answer.text else [],
        steps=_steps(draft),
        seen_sha256=digest(draft.text),
        objection=objection,
        approval_objection=approval_objection,
        classification=separation.classification_of(answer),
        takes_two=takes_two,
        is_open=is_open,
        may_decide=not objection and waiting,
        may_approve=may_approve,
        may_submit=draft.state == DraftState.RETURNED,
        may_take=is_open and not approval_objection and draft.assigned_to_id != user.pk,
        readers=declassification.possible_readers(answer) if releases else None,
    )


def _sentences(text: str, answer: Answer) -> list[Sentence]:
    measured = {one["text"].strip(): one.get("grounding") for one in answer.sentences}
    return [_sentence(piece, measured.get(piece.strip())) for piece in _pieces(text)]


def _pieces(text: str) -> Iterable[str]:
    """The sentences of a marked text, each with the marks that follow it."""
    unmarked = take_out(text)
    for start, end in sentence_spans(unmarked.text):
        yield text[unmarked.place(start) : unmarked.place(end)].strip()


def _sentence(text: str, grounding: float | None) -> Sentence:
    parts, after = [], 0
    for match in MARK.finditer(text):
        if match.start() > after:
            parts.append(Part(text[after : match.start()]))
        parts.append(Part(match.group(), int(match[1])))
        after = match.end()
    if after < len(text):
        parts.append(Part(text[after:]))
    percent = None if grounding is None else round(float(grounding) * 100)
    return Sentence(parts, sorted({part.number for part in parts if part.number is not None}), percent)


def _sources(draft: Draft) -> list[Source]:
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
    cited = marks(draft.text)
    return [_source(citation, draft, citation.number in cited) for citation in citations]


def _source(citation: Any, draft: Draft, is_cited: bool) -> Source:
    version, document = citation.version, citation.document
    current = document.current_version
    return Source(
        number=citation.number,
        title=document.title,
        locator=place_in_words(citation),
        before=f"…{citation.before}" if citation.start > CONTEXT else citation.before,
        quote=citation.quote,
        after=f"{citation.after}…" if len(citation.after) == CONTEXT else citation.after,
        is_intact=citation.stored == citation.quote,
        is_cited=is_cited,
        version_number=version.number,
        replaced_by=current.number if current is not None and current.pk != version.pk else None,
        restricted=document.restricted,
        hidden_text=hidden_text(version),
        textless=textless(version),
        is_wrapped=version.format in _WRAPPED,
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


def _steps(draft: Draft) -> list[Step]:
    """Every form the draft had, the newest first."""
    forms = list(draft.history.select_related("history_user", "assigned_to").order_by("history_date", "history_id"))
    steps = [_step(form, before) for before, form in zip([None, *forms], forms, strict=False)]
    return steps[::-1]


def _step(form: Any, before: Any) -> Step:
    pieces: list[Piece] = []
    if before is None:
        what = _("Written by the model and held for review")
    elif form.text != before.text:
        what, pieces = _("Edited"), difference(before.text, form.text)
    elif form.state != before.state:
        submitted = form.state == DraftState.WAITING
        what = _("Submitted again") if submitted else _STEP.get(form.state, DraftState(form.state).label)
    elif form.assigned_to_id:
        what = _("Assigned to %(name)s") % {"name": form.assigned_to.name}
    else:
        what = _("Assigned to nobody")
    who = form.history_user.name if form.history_user else _("The portal itself")
    return Step(form.history_date, who, str(what), form.history_change_reason or "", pieces)
