"""Hold a text clause by clause against the documents open to a person, and tell which resemble it, where and why."""

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Left
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _

from answers.draft_review.clauses import split
from answers.draft_review.guides import authorised, mode_for
from answers.exceptions import QuestionError
from answers.steps.state import Source
from audit.chain import digest
from audit.events import EventType
from audit.record import record
from documents import analysis
from documents.models import Document, Version
from documents.search import Mode, SearchResult, search
from workspaces import access
from workspaces.classification import Classification
from workspaces.models import User, Workspace
from workspaces.roles import Action

#: Clauses that are compared: each is a search. Of a longer text the first that say something.
MOST_CLAUSES = 30
MOST_CHARACTERS = 250_000
#: Fewer words are a heading or a number, which many documents share.
_FEWEST_WORDS = 4
_LONGEST_QUERY = 700
_HITS, _DOCUMENTS, _MATCHES, _TERMS = 8, 10, 5, 6
#: Of a match's strength; the rest is the share of the clause's words that stand in the passage.
_MEANING_SHARE = 0.5
#: A weaker match is a coincidence of common words,
_LEAST = 0.3
#: unless it is as near in meaning as this (cosine): the same thing in other words.
_NEAR = 0.4
_WORD = re.compile(r"[^\W\d_]{3,}")


@dataclass(frozen=True, slots=True)
class Match:
    """A clause of the text and the passage it resembles: how near in meaning (None: not known), in which words."""

    clause: str
    label: str
    source: Source
    strength: float
    meaning: float | None
    words: float
    terms: tuple[str, ...]

    @property
    def place(self) -> str:
        return _("page %(number)s") % {"number": self.source.page} if self.source.page else self.source.locator


@dataclass(slots=True)
class Precedent:
    """A document that resembles the text, with its best matches. `score` is 0 to 1 over all clauses compared."""

    document_id: UUID
    title: str
    score: float
    matched: int
    matches: list[Match] = field(default_factory=list)

    @property
    def percent(self) -> int:
        return round(100 * self.score)


@dataclass(frozen=True, slots=True)
class Precedents:
    """What was found. `compared` of `clauses` clauses were looked for; `is_limited`: a part of the index was down."""

    precedents: list[Precedent]
    compared: int
    clauses: int
    is_limited: bool
    #: The text is classified above what a server of the search may read.
    by_words_alone: bool = False


def find(
    workspace: Workspace,
    text: str = "",
    *,
    like: Document | None = None,
    by: User,
    classification: str = Classification.INTERNAL,
) -> Precedents:
    """The documents of `workspace` open to `by` that resemble `text`, best first; the entry says what was handed out.

    `like`, in its place, is a document of the workspace: the first characters of the version that answers are compared
    with the other documents, at its own classification. No word of a text classified above what a server of the search
    may read is sent there: it is looked for by its words alone. Raises Hidden or Forbidden, QuestionError for a text
    that is empty or too long, and EmbeddingUnavailable.
    """
    access.require(by, Action.OPEN, workspace)
    if (like is None) == (not text.strip()):
        raise QuestionError(_("Bring a text or a document, one of the two."))
    within = None
    if like is not None:
        text, classification, within = _text_of(like, by), like.classification, ~Q(pk=like.pk)
    text = text.replace("\0", "").strip()
    if not text:
        raise QuestionError(_("There is no text in it."))
    if len(text) > MOST_CHARACTERS:
        raise QuestionError(_("The text is longer than %(most)d characters.") % {"most": MOST_CHARACTERS})
    clauses = [(part.label, text[part.start : part.end]) for part in split(text)]
    telling = [one for one in clauses if len(analysis.words(one[1])) >= _FEWEST_WORDS] or clauses[:1]
    compared = telling[:MOST_CLAUSES]
    mode = mode_for(workspace, classification)
    results = [
        search(by, workspace, clause[:_LONGEST_QUERY], k=_HITS, mode=mode, within=within) for _label, clause in compared
    ]
    with transaction.atomic():
        if like is not None:
            access.require(by, Action.OPEN, like)
        # At this moment, and only what is open now: searching took a while.
        hits = {hit.passage.pk: hit for result in results for hit in result.hits}
        sources = {source.passage_id: source for source in authorised(by, workspace, list(hits.values()))}
        matches = [
            match
            for (label, clause), result in zip(compared, results, strict=True)
            for match in _matches(label, clause, result, sources)
        ]
        found = _by_document(matches, len(compared))
        handed_out = {match.source.passage_id for one in found for match in one.matches}
        record(
            EventType.PRECEDENTS_SOUGHT,
            on=workspace,
            workspace=workspace,
            by=by,
            text_sha256=digest(text),
            document=like.pk if like is not None else None,
            classification=Classification(classification).value,
            characters=len(text),
            clauses=len(compared),
            documents=sorted(str(one.document_id) for one in found),
            passages=[{"id": id, "sha256": sources[id].sha256} for id in sorted(handed_out, key=str)],
        )
    is_limited = any(result.degraded for result in results)
    return Precedents(found, len(compared), len(telling), is_limited, by_words_alone=mode == Mode.KEYWORDS)


def address_of(match: Match, slug: str) -> str:
    """Where the viewer shows the passage."""
    source = match.source
    page = reverse("documents:detail", kwargs={"slug": slug, "pk": source.document_id})
    return f"{page}?{urlencode({'version': source.version_id, 'start': source.start, 'end': source.end})}"


def _text_of(document: Document, by: User) -> str:
    """The beginning of what answers now. Raises QuestionError where no version does."""
    access.require(by, Action.OPEN, document)
    current = Version.objects.filter(pk=document.current_version_id)
    text = current.annotate(beginning=Left("text", MOST_CHARACTERS)).values_list("beginning", flat=True).first()
    if not text:
        raise QuestionError(_("No version of the document is ready to be compared."))
    return text


def _matches(label: str, clause: str, result: SearchResult, sources: dict[UUID, Source]) -> list[Match]:
    """Of each document the passage that resembles the clause most."""
    best: dict[UUID, Match] = {}
    for hit in result.hits:
        source = sources.get(hit.passage.pk)
        if source is None:
            continue
        # As near as it would be with the built-in model, which the thresholds here were set with.
        nearness = None if hit.cosine is None else result.evidence.usual(hit.cosine)
        match = _match(label, clause, source, nearness)
        kept = best.get(source.document_id)
        resembles = match.strength >= _LEAST or (match.meaning or 0.0) >= _NEAR
        if resembles and (kept is None or match.strength > kept.strength):
            best[source.document_id] = match
    return list(best.values())


def _match(label: str, clause: str, source: Source, cosine: float | None) -> Match:
    said = set(analysis.words(clause, source.language or None))
    shared = said.intersection(analysis.words(source.text, source.language or None))
    words = len(shared) / len(said) if said else 0.0
    meaning = None if cosine is None else max(0.0, cosine)
    strength = words if meaning is None else _MEANING_SHARE * meaning + (1 - _MEANING_SHARE) * words
    return Match(clause, label, source, strength, meaning, words, _terms(clause, shared, source.language))


def _terms(clause: str, shared: set[str], language: str) -> tuple[str, ...]:
    """The words of the clause that the passage has too, as the clause writes them, the longest first."""
    found: dict[str, str] = {}
    for surface in _WORD.findall(clause):
        for stem in analysis.words(surface, language or None):
            if stem in shared:
                found.setdefault(stem, surface)
    return tuple(sorted(found.values(), key=len, reverse=True)[:_TERMS])


def _by_document(matches: Sequence[Match], compared: int) -> list[Precedent]:
    """Documents by the sum of their best match for each clause, over all clauses: much of a little, or all of it."""
    by_document: dict[UUID, list[Match]] = defaultdict(list)
    for match in matches:
        by_document[match.source.document_id].append(match)
    found = [
        Precedent(
            document_id,
            own[0].source.title,
            min(1.0, sum(match.strength for match in own) / compared),
            len(own),
            sorted(own, key=lambda match: -match.strength)[:_MATCHES],
        )
        for document_id, own in by_document.items()
    ]
    return sorted(found, key=lambda one: (-one.score, one.title))[:_DOCUMENTS]
