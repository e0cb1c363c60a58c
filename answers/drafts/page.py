"""What an officer sees of a draft: each sentence with what it cites and how it stands on it, and what may be done.

Pure assembly: reads, decides nothing and changes nothing. The sources and the history have modules of their own.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from answers import grounding, policy, review, separation
from answers.access import declassification
from answers.citations.marks import MARK, take_out
from answers.drafts import alike, comments
from answers.drafts.history import History, history_of
from answers.drafts.sources import Source, sources_of
from answers.models import Answer, Clarification, Comment, Draft, Grounding, Priority
from answers.queue import order as queue
from answers.review import reasons
from answers.states import DraftState
from audit.chain import digest
from documents.changes.differences import Piece, difference
from documents.sentences import sentence_spans
from workspaces.classification import Classification
from workspaces.models import User

#: Shares of a sentence's words found in its quotes, of answers from before there were verdicts.
_WELL, _PARTLY = 80, 50
_TONES: dict[str, str] = {Grounding.SUPPORTED: "good", Grounding.PARTLY: "warning", Grounding.UNSUPPORTED: "bad"}


@dataclass(frozen=True, slots=True)
class Part:
    """A run of plain text, or a citation mark when `number` is given."""

    text: str
    number: int | None = None


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence of the draft. `percent` and `verdict` are empty where nothing was measured."""

    parts: list[Part]
    citations: list[int]
    percent: int | None = None
    #: One of `models.Grounding`, or "".
    verdict: str = ""
    #: What the verdict rests on, in words.
    reasons: tuple[str, ...] = ()

    @property
    def tone(self) -> str:
        """good, warning or bad, for the mark beside it; neutral where nothing was measured."""
        if self.verdict:
            return _TONES[self.verdict]
        if self.percent is None:
            return "neutral"
        if self.percent >= _WELL:
            return "good"
        return "warning" if self.percent >= _PARTLY else "bad"

    @property
    def label(self) -> str:
        """The verdict in words; without one, what is known."""
        if self.verdict:
            return str(Grounding(self.verdict).label)
        if self.percent is not None:
            return _("%(percent)s %% of its words stand in the cited text") % {"percent": self.percent}
        if self.citations:
            return _("Written by a person: compare it with its source yourself")
        return _("Cites nothing")


@dataclass(frozen=True, slots=True)
class DraftPage:
    """Everything on the page."""

    draft: Draft
    answer: Answer
    sentences: list[Sentence]
    sources: list[Source]
    changes: list[Piece]
    history: History
    comments: list[Comment]
    #: The user names that a comment may mention.
    mentionable: list[str]
    seen_sha256: str
    #: Why this person decides nothing here, and why they at least do not approve; empty when they may.
    objection: str
    approval_objection: str
    #: Why they do not edit; empty when they may.
    edit_objection: str
    #: The highest classification among its sources, and whether approving takes two people.
    classification: Classification | None
    takes_two: bool
    #: What the release policy held it by; None for a draft from before that was kept.
    held_by: policy.Why | None
    is_open: bool
    may_decide: bool
    may_approve: bool
    may_submit: bool
    may_take: bool
    #: Who reads it now, until when; None for nobody.
    holder: User | None
    held_until: datetime | None
    is_mine: bool
    is_overdue: bool
    #: Whom the text can be declassified for with the approval that releases it; None where this one does not.
    readers: QuerySet[User] | None
    priorities: list[tuple[int, Any]]
    #: What reviewers asked the asker, with the replies.
    clarifications: list[Clarification]
    may_reopen: bool
    #: How many other drafts that wait say exactly this, of those open to the person.
    alike: int
    #: Reasons to choose from: what they are for, and their texts; and those for an edit.
    reasons: list[tuple[Any, list[str]]]
    edit_reasons: list[str]

    @property
    def cited(self) -> int:
        """How many sources the text as it stands cites."""
        return sum(source.is_cited for source in self.sources)

    @property
    def changed(self) -> list[Source]:
        """The cited sources that were replaced while the draft waits."""
        return [source for source in self.sources if source.is_cited and source.now] if self.is_open else []

    @property
    def weak(self) -> int:
        """How many sentences do not stand well on what they cite."""
        return sum(sentence.tone in ("warning", "bad") for sentence in self.sentences)


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
    holder = queue.holder(draft) if is_open else None
    edit_objection = (separation.refusal_to_edit(user, answer) or "") if is_open else ""
    offered = reasons.offered(draft.workspace) if is_open else {}
    return DraftPage(
        draft=draft,
        answer=answer,
        sentences=sentences_of(draft),
        sources=sources_of(draft),
        changes=difference(answer.text, draft.text) if draft.text != answer.text else [],
        history=history_of(draft),
        comments=list(draft.comments.select_related("written_by")),
        mentionable=list(comments.mentionable(draft).exclude(pk=user.pk).values_list("username", flat=True)),
        seen_sha256=digest(draft.text),
        objection=objection,
        approval_objection=approval_objection,
        edit_objection=edit_objection,
        classification=separation.classification_of(answer),
        takes_two=takes_two,
        held_by=policy.why(answer),
        is_open=is_open,
        may_decide=not objection and waiting,
        may_approve=may_approve,
        may_submit=draft.state == DraftState.RETURNED,
        may_take=is_open and not approval_objection and draft.assigned_to_id != user.pk,
        holder=holder,
        held_until=draft.claimed_until if holder else None,
        is_mine=holder == user,
        is_overdue=queue.is_overdue(draft),
        readers=declassification.possible_readers(answer) if releases else None,
        priorities=list(Priority.choices),
        clarifications=list(Clarification.objects.filter(review__draft=draft)),
        may_reopen=not is_open and review.may_reopen(answer, user),
        alike=alike.count(draft, user) if may_approve else 0,
        reasons=_for_decisions(offered) if not objection else [],
        edit_reasons=offered.get("edit", []) if not edit_objection else [],
    )


def _for_decisions(offered: Mapping[str, list[str]]) -> list[tuple[Any, list[str]]]:
    """Of what a workspace offers, the reasons for the decisions that can be taken here."""
    return [(reasons.ACTS[act], offered[act]) for act in separation.DECISIONS if offered.get(act)]


def sentences_of(draft: Draft) -> list[Sentence]:
    """The sentences of the draft as it stands, with what the checks said of exactly these."""
    measured = {one["text"].strip(): one for one in (draft.sentences or draft.answer.sentences)}
    return [_sentence(piece, measured.get(piece.strip(), {})) for piece in _pieces(draft.text)]


def checked(answer: Answer, text: str) -> list[Sentence]:
    """The sentences of a text that somebody is writing, checked against what the answer cites. Nothing is stored."""
    found = grounding.check(answer, text)
    return [
        _sentence(one.text, {"grounding": one.grounding, "verdict": one.verdict, "reasons": one.reasons})
        for one in found
    ]


def _pieces(text: str) -> Iterable[str]:
    """The sentences of a marked text, each with the marks that follow it."""
    unmarked = take_out(text)
    for start, end in sentence_spans(unmarked.text):
        yield text[unmarked.place(start) : unmarked.place(end)].strip()


def _sentence(text: str, measured: dict[str, Any]) -> Sentence:
    parts, after = [], 0
    for match in MARK.finditer(text):
        if match.start() > after:
            parts.append(Part(text[after : match.start()]))
        parts.append(Part(match.group(), int(match[1])))
        after = match.end()
    if after < len(text):
        parts.append(Part(text[after:]))
    share = measured.get("grounding")
    return Sentence(
        parts=parts,
        citations=sorted({part.number for part in parts if part.number is not None}),
        percent=None if share is None else round(float(share) * 100),
        verdict=measured.get("verdict", ""),
        reasons=_in_words(measured.get("reasons", ())),
    )


def _in_words(reasons: Sequence[dict[str, str]]) -> tuple[str, ...]:
    return tuple(str(grounding.in_words(reason)) for reason in reasons)
