"""Give an approved answer again, if the asker asks the same and may read all it rests on, now.

Everything is asked of the database at this moment: that the answer stands, was approved in exactly this form by enough
people, has not expired, and that each of its passages is current and open to the asker.
"""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.db.models.functions import Now, Substr

from answers import separation
from answers.exceptions import ApprovalGone
from answers.meaning import asked_is_erased, meaning_of
from answers.models import Answer, ApprovedAnswer, Decision, Evidence, GroundLost, Reuse, Review, SourceChange
from answers.reading import sentences_of
from answers.reuse.near import LEAST_COSINE, same_question
from answers.states import AnswerStatus
from answers.steps.state import Quote, Sentence, Source, State
from answers.suspension.standing import standing
from audit.chain import digest
from audit.events import EventType
from audit.record import record
from documents.models import Passage
from workspaces import access
from workspaces.models import User

#: Approved answers of a workspace that one question is compared with, the last approved first.
_COMPARED = 2000
#: Of those that say the same, how many are looked at: each costs the same few queries.
_LOOKED_AT = 5
_COPIED = ("version_id", "start", "end", "page", "locator")


@dataclass(frozen=True, slots=True)
class Given:
    """An approved answer that may be given to this asker now, with all it rests on."""

    approved: ApprovedAnswer
    similarity: float
    sources: tuple[Source, ...]
    quotes: tuple[Quote, ...]
    sentences: tuple[Sentence, ...]

    @property
    def text(self) -> str:
        return self.approved.answer.released_text


def find(state: State, question: str) -> Given | None:
    """The approved answer to `question` that may be given to the asker now; None where there is none."""
    for pk, similarity in _near(state, question):
        approved = _standing_still(pk).select_related("answer__question", "answer__released_by").first()
        given = _openable(state.asker, approved, similarity) if approved is not None else None
        if given is not None:
            return given
    return None


def in_force() -> QuerySet[ApprovedAnswer]:
    """Approved answers that may be given again, as far as that does not depend on who asks."""
    return ApprovedAnswer.objects.filter(
        workspace__reuse_rules__enabled=True,
        stopped_at=None,
        expires_at__gt=Now(),
        answer__status=AnswerStatus.ANSWERED_APPROVED,
        # Approved once more since, perhaps with other words: the row still names who stood by the text before.
        answer__released_at__lte=F("verified_at"),
    )


def require_standing(given: Given, asker: User) -> None:
    """Return while the approval stands, and keep it standing to the end of the transaction. Raises ApprovalGone."""
    rows = _standing_still(given.approved.pk).filter(answer__released_sha256=given.approved.answer.released_sha256)
    # Both rows: whoever suspends the answer, or ends its reuse, waits for us or is seen by us.
    held = rows.select_for_update(of=("self", "answer"), no_key=True).select_related("answer").first()
    if held is None or not _approved_enough(held.answer, asker):
        raise ApprovalGone(given.approved.pk)


def note(given: Given, answer: Answer) -> None:
    """Keep which answer was given again, and say so in the trail."""
    approved = given.approved
    Reuse.objects.create(
        answer=answer,
        approved=approved.answer,
        similarity=given.similarity,
        verified_at=approved.verified_at,
        verified_by_id=approved.verified_by_id,
    )
    record(
        EventType.ANSWER_REUSED,
        on=answer,
        workspace=answer.workspace_id,
        approved=approved.answer_id,
        approved_by=approved.answer.released_by_id,
        verified_at=approved.verified_at,
        text_sha256=approved.answer.released_sha256,
        similarity=str(given.similarity),
        passages=[{"id": source.passage_id, "sha256": source.sha256} for source in given.sources],
    )


# --- Inside -------------------------------------------------------------------------------------------------


def _standing_still(approved: UUID) -> QuerySet[ApprovedAnswer]:
    """That one, if it is in force and nothing it rests on changed, also where no sweep has closed it yet.

    What is given again is released today, so no sweep would close it afterwards.
    """
    sources = Evidence.objects.filter(answer=OuterRef(OuterRef("answer"))).order_by().values("document")
    raised = SourceChange.objects.filter(
        document__in=sources,
        reason=GroundLost.RECLASSIFIED,
        done_at=None,
        changed_at__gt=OuterRef("answer__released_at"),
    )
    stands = Exists(standing().filter(pk=OuterRef("answer")))
    return in_force().filter(stands, ~Exists(raised), pk=approved).exclude(asked_is_erased("answer"))


def _near(state: State, question: str) -> list[tuple[UUID, float]]:
    """Approved answers to the same question, nearest first, each with how near its vector is (1.0 where none is)."""
    language = state.language
    known = in_force().filter(same_template(state), workspace=state.workspace, language=language)
    known = known.exclude(answer__question__text="")
    known = known.exclude(Q(answer__released_by=state.asker) | Q(verified_by=state.asker))
    # The words first: they decide anyway, and thousands of vectors would cost more than all else that is done here.
    asked = known.order_by("-verified_at").values_list("pk", "answer__asked_as", "answer__question__text")[:_COMPARED]
    same = [pk for pk, asked_as, text in asked if same_question(question, asked_as or text)]
    if not same:
        return []
    meaning = meaning_of(question, language, state.workspace.pk, answer=state.answer.pk, by=state.asker)
    if not meaning.vector:
        # The model reads no such language: what the questions say decides alone.
        return [(pk, 1.0) for pk in same[:_LOOKED_AT]]
    rows = ApprovedAnswer.objects.filter(pk__in=same, space=meaning.space).values_list("pk", "vector")
    vectors = {pk: bytes(vector) for pk, vector in rows if len(vector) == len(meaning.vector)}
    cosines = meaning.cosines(list(vectors.values())).tolist()
    near = [(pk, round(cosine, 4)) for pk, cosine in zip(vectors, cosines, strict=True) if cosine >= LEAST_COSINE]
    return sorted(near, key=lambda one: -one[1])[:_LOOKED_AT]


def same_template(state: State) -> Q:
    """Made by the same template, looking at the same documents: another one gives the question another task."""
    if state.template is None:
        return Q(answer__template=None)
    return Q(
        answer__template__template=state.template.template_id,
        answer__template__filters=state.template.filters,
        answer__template__shape=state.template.shape,
    )


def _openable(asker: User, approved: ApprovedAnswer, similarity: float) -> Given | None:
    """What of `approved` can be given to `asker`: all of it, or nothing."""
    answer = approved.answer
    evidence = list(answer.evidence.order_by("rank"))
    if digest(answer.released_text) != answer.released_sha256 or not _approved_enough(answer, asker):
        return None
    sources = _authorised(asker, answer, evidence)
    if sources is None:
        return None
    quotes = _quotes(answer, {row.pk: source for row, source in zip(evidence, sources, strict=True)})
    if quotes is None:
        return None
    return Given(approved, similarity, tuple(sources), tuple(quotes), sentences_of(answer))


def _authorised(asker: User, answer: Answer, evidence: list[Evidence]) -> list[Source] | None:
    """Its passages in their order, if each is current, what it was, and open to `asker`; else None."""
    passages = (
        access.visible(asker, Passage)
        .filter(access.is_still_open(asker), pk__in=[row.passage_id for row in evidence], workspace=answer.workspace_id)
        .order_by()
        .annotate(
            title=F("version__document__title"),
            document=F("version__document"),
            stored=Substr("version__text", F("start") + 1, F("end") - F("start")),
        )
        .values("pk", "title", "document", "stored", "language")
    )
    found: dict[Any, dict[str, Any]] = {row["pk"]: row for row in passages}
    if not evidence or any(
        row.passage_id not in found or digest(found[row.passage_id]["stored"]) != row.sha256 for row in evidence
    ):
        return None
    return [
        Source(
            number=row.rank,
            passage_id=row.passage_id,
            document_id=row.document_id,
            title=found[row.passage_id]["title"],
            text=found[row.passage_id]["stored"],
            language=found[row.passage_id]["language"],
            sha256=row.sha256,
            scores=row.scores,
            **{name: getattr(row, name) for name in _COPIED},
        )
        for row in evidence
    ]


def _quotes(answer: Answer, sources: dict[UUID, Source]) -> list[Quote] | None:
    """Its citations over `sources`, if each quote still stands there byte for byte."""
    quotes = []
    for citation in answer.citations.all():
        source = sources[citation.evidence_id]
        quote = Quote(citation.number, source, citation.start - source.start, citation.end - source.start)
        if quote.text != citation.quote:
            return None
        quotes.append(quote)
    return quotes


def _approved_enough(answer: Answer, asker: User) -> bool:
    """Whether exactly this text was approved by as many people as it takes now, and not by who asks now."""
    approvals = Review.objects.filter(
        draft__answer=answer, decision=Decision.APPROVED, text_sha256=answer.released_sha256
    )
    people = set(approvals.values_list("decided_by", flat=True))
    if answer.released_by_id not in people or asker.pk in people:
        return False
    return len(people) >= (2 if separation.needs_second(answer) else 1)
