"""Separation of duties: who may decide on an answer although their role would let them, and how many it takes.

The rule stands here once for one person (`refusal`), and once as a set (`somebody_may_decide`), for answers that
nobody is left to decide on. A test holds the two together.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, reduce
from operator import or_
from typing import Any
from uuid import UUID

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import (
    BooleanField,
    Case,
    Exists,
    Func,
    IntegerField,
    JSONField,
    OuterRef,
    Q,
    QuerySet,
    Value,
    When,
)
from django.db.models.expressions import RawSQL
from django.db.models.lookups import GreaterThanOrEqual
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from answers.models import Answer, Decision, Draft, Evidence, Review
from answers.states import DraftState
from documents.models import Document
from documents.querysets import not_closed_to
from workspaces import access
from workspaces.classification import Classification
from workspaces.models import User
from workspaces.roles import Action

APPROVE = "approve"
DECISIONS = (APPROVE, "return", "reject")

ASKED = gettext_lazy("You asked this question, so somebody else decides on its answer.")


def refusal(person: User, draft: Draft, verb: str) -> str | None:
    """Why `person` may not take the decision `verb` on this draft although they review here, as a sentence.

    Whoever asked or ever edited takes no decision on it. Whoever added a version it rests on, or the one its quotes are
    carried over to, does not let it out, where the workspace says so, nor does whoever lowered a source's
    classification since the question was asked; and nobody gives both of two approvals.
    """
    return refusal_of(with_ties(Draft.objects.filter(pk=draft.pk), person).get(), verb)


def with_ties(drafts: QuerySet[Draft], person: User) -> QuerySet[Draft]:
    """The drafts with what ties `person` to each: asked, edited, added, lowered, approved, for `refusal_of`."""
    return drafts.annotate(**_ties(person, "answer"), has_approved=_holds(Q(first_approval__decided_by=person)))


def refusal_of(draft: Any, verb: str) -> str | None:
    """As `refusal`, for a draft that comes from `with_ties`."""
    tied = _always_tied(draft) or (_tied_to_sources(draft) if verb == APPROVE else None)
    if tied is None and verb == APPROVE and draft.has_approved:
        return _("You approved this text already. A second reviewer approves it before it is released.")
    return tied


def refusal_to_edit(person: User, answer: Answer) -> str | None:
    """Why `person` may not give the draft of this answer another text although they review here, as a sentence.

    Who edits no longer decides, so enough others must be left who may. An edit makes a first approval void: whoever
    gave it is free to approve the new text, and it takes as many people as before.
    """
    able = _counted(_able_people(approves_anew=True).exclude(pk=person.pk), at_most=2)
    needed = Case(When(two_are_needed(), then=Value(2)), default=Value(1))
    if Answer.objects.filter(GreaterThanOrEqual(able, needed), pk=answer.pk).exists():
        return None
    return _("Nobody would be left to decide on your text. Ask a manager for another reviewer, or reject the draft.")


def refusal_to_declassify(person: User, answer: Answer) -> str | None:
    """Why `person` may not declassify this released answer although they review here, as a sentence.

    What keeps somebody from approving keeps them from this, whether the answer was ever held or not. Where two let a
    text out, neither does one alone open it further: somebody else approved exactly this text, and whoever gave the
    first of its approvals leaves it to the second approver or to another reviewer.
    """
    approvals = Review.objects.filter(
        draft__answer=OuterRef("pk"), decision=Decision.APPROVED, text_sha256=OuterRef("released_sha256")
    )
    tied = Answer.objects.annotate(
        **_ties(person, "pk"),
        takes_two=_holds(two_are_needed()),
        has_approved_first=_holds(Exists(approvals.filter(decided_by=person)) & ~Q(released_by=person)),
        has_other_approval=Exists(approvals.exclude(decided_by=person)),
    ).get(pk=answer.pk)
    refused = _always_tied(tied) or _tied_to_sources(tied)
    if refused or not tied.takes_two:
        return refused
    if tied.has_approved_first:
        return _("You gave the first of two approvals, so the second approver or another reviewer declassifies this.")
    if not tied.has_other_approval:
        return _("A text that rests on such a source takes two people, and nobody else approved this one.")
    return None


def refusal_to_confirm(person: User, answer: Answer) -> str | None:
    """Why `person` may not say alone that this suspended answer still stands although they review here, as a sentence.

    What keeps somebody from approving keeps them from this. Where two let a text out, one alone does not let it out
    again: it goes back to review.
    """
    return refusals_to_confirm(person, [answer])[answer.pk]


def refusals_to_confirm(person: User, answers: Sequence[Answer]) -> dict[UUID, str | None]:
    """As `refusal_to_confirm` for each of the answers, by their ids. One query."""
    tied = Answer.objects.annotate(**_ties(person, "pk"), takes_two=_holds(two_are_needed()))
    return {one.pk: _refusal_to_confirm(one) for one in tied.filter(pk__in=[answer.pk for answer in answers])}


def _refusal_to_confirm(tied: Any) -> str | None:
    refused = _always_tied(tied) or _tied_to_sources(tied)
    if refused is None and tied.takes_two:
        return _("A text that rests on such a source takes two people. Send it back to review.")
    return refused


def _ties(person: User, answer: str) -> dict[str, Any]:
    """What ties `person` to the answer that a row's field `answer` names, as annotations."""
    path = "" if answer == "pk" else f"{answer}__"
    added = Evidence.objects.filter(_added_by(person), answer=OuterRef(answer))
    lowered = _lowered(OuterRef(answer), asked_at=OuterRef(f"{path}question__asked_at"), by=person)
    return {
        "has_asked": _holds(Q(**{f"{path}asked_by": person})),
        "has_edited": Exists(Draft.history.model.objects.filter(answer=OuterRef(answer), edited_by=person)),
        "has_added": Exists(added.filter(answer__workspace__uploader_may_approve=False)),
        "has_lowered": Exists(lowered),
    }


def _added_by(person: User | OuterRef) -> Q:
    """Of evidence: `person` added the version it lies in, or the one that answers in its place by now."""
    return Q(version__created_by=person) | Q(document__current_version__created_by=person)


def _always_tied(tied: Any) -> str | None:
    if tied.has_asked:
        return str(ASKED)
    return _("You edited this draft, so another reviewer decides on it.") if tied.has_edited else None


def _tied_to_sources(tied: Any) -> str | None:
    if tied.has_added:
        return _("You added a document this answer rests on, so another reviewer lets it out.")
    if tied.has_lowered:
        return _(
            "You lowered the classification of a document this answer rests on since it was asked for, so another "
            "reviewer lets it out."
        )
    return None


# --- How many it takes --------------------------------------------------------------------------------------


def needs_second(answer: Answer) -> bool:
    """Whether two people approve: a source is classified so high, by the workspace's policy as it is now, or was so
    when the answer was held. What is lowered in between lets nothing out with less care."""
    return Answer.objects.filter(two_are_needed(), pk=answer.pk).exists()


def two_are_needed() -> Q:
    """Correlated to an answer: the condition of `needs_second`."""
    kept = Draft.objects.filter(answer=OuterRef("pk"), needs_second=True)
    return Q(Exists(_guarded_evidence().filter(answer=OuterRef("pk")))) | Q(Exists(kept))


def classification_of(answer: Answer) -> Classification | None:
    """The highest classification among all the answer rests on; None when it rests on nothing."""
    levels = set(answer.evidence.order_by().values_list("document__classification", flat=True).distinct())
    return max((Classification(level) for level in levels), key=lambda level: level.rank, default=None)


def somebody_may_decide() -> Q:
    """Correlated to an answer: whether enough reviewers are left who may approve it.

    Two when two have to; one when one of them has approved already. Each may open every document it rests on, did not
    ask for it or edit it, did not add what it rests on where that counts, and lowered no classification of it since.
    """
    approved_once = Draft.objects.filter(answer=OuterRef("pk"), state=DraftState.APPROVED_ONCE)
    needed = Case(When(two_are_needed() & ~Exists(approved_once), then=Value(2)), default=Value(1))
    # Looked for once, whatever the number: the database takes longer to plan this than to do it.
    return Q(GreaterThanOrEqual(_counted(_able_people(), at_most=2), needed))


def _counted(people: QuerySet[User], *, at_most: int) -> Func:
    """Correlated to an answer: how many `people` there are, counted up to `at_most`."""
    found = ArraySubquery(people.order_by().values("pk")[:at_most])
    return Func(found, function="CARDINALITY", output_field=IntegerField())


def who_may_decide(answer: Answer) -> list[User]:
    """The reviewers who may approve `answer` as it is now, in the order of their names. Two queries."""
    able = ArraySubquery(_able_people().order_by().values("pk"))
    found = Answer.objects.filter(pk=answer.pk).annotate(able=able).values_list("able", flat=True).first()
    return list(User.objects.filter(pk__in=found or []).order_by("username"))


@dataclass(frozen=True, slots=True)
class Deciding:
    """Who may approve an answer as it is now, and whether the workspace's policy has two people approve it."""

    people: tuple[UUID, ...]
    takes_two: bool

    def are_enough(self, *, two: bool) -> bool:
        """Whether as many are left as it takes."""
        return len(self.people) >= (2 if two else 1)


def deciding(answer: Answer) -> RawSQL:
    """For a row that is read of `answer` anyway: its `Deciding`, for `read_deciding`."""
    sql, given = _deciding()
    one = f"SELECT jsonb_build_array(to_jsonb(found.able), found.two) FROM ({sql}) AS found(able, two)"  # noqa: S608
    params = [answer.pk if each == _ASKED_FOR else each for each in given]
    return RawSQL(one, params, output_field=JSONField())  # noqa: S611 (ours, and every value a parameter)


def read_deciding(found: list[Any]) -> Deciding:
    """What a row that was annotated with `deciding` says."""
    people, takes_two = found
    return Deciding(tuple(UUID(person) for person in people), takes_two)


#: Stands for the answer in the statement, which names nobody and is compiled once: that took longer than running it.
_ASKED_FOR = UUID(int=0)


@cache
def _deciding() -> tuple[str, tuple[Any, ...]]:
    able = ArraySubquery(_able_people().order_by().values("pk"))
    asked = Answer.objects.filter(pk=_ASKED_FOR).annotate(able=able, two=two_are_needed())
    return asked.order_by().values_list("able", "two").query.sql_with_params()


def _able_people(*, approves_anew: bool = False) -> QuerySet[User]:
    """Correlated to an answer: who may approve it; with `approves_anew`, whoever approved the text before as well."""
    # Counted outwards: document → evidence → person, and evidence → person → answer.
    opened = Document.objects.filter(not_closed_to(OuterRef(OuterRef("pk"))), deleted_at=None)
    evidence = Evidence.objects.filter(answer=OuterRef(OuterRef("pk")))
    closed = evidence.exclude(document__in=opened.order_by().values("pk"))
    added = evidence.filter(_added_by(OuterRef("pk")), answer__workspace__uploader_may_approve=False)
    asked_at = OuterRef(OuterRef("question__asked_at"))
    lowered = _lowered(OuterRef(OuterRef("pk")), asked_at=asked_at, by=OuterRef("pk"))
    of_answer = {"answer": OuterRef(OuterRef("pk"))}
    edited = Draft.history.model.objects.filter(**of_answer, edited_by=OuterRef("pk"))
    approved = Draft.objects.filter(**of_answer, first_approval__decided_by=OuterRef("pk"))
    able = (
        access.people_allowed(OuterRef("workspace"), Action.REVIEW, Action.OPEN)
        .exclude(pk=OuterRef("asked_by"))
        .filter(~Exists(closed), ~Exists(added), ~Exists(lowered), ~Exists(edited))
    )
    return able if approves_anew else able.filter(~Exists(approved))


def _lowered(answer: OuterRef, *, asked_at: OuterRef, by: User | OuterRef) -> QuerySet[Evidence]:
    """Evidence of `answer` in documents whose classification `by` lowered after the question was asked."""
    return Evidence.objects.filter(
        answer=answer,
        document__reclassifications__lowers=True,
        document__reclassifications__changed_by=by,
        document__reclassifications__changed_at__gt=asked_at,
    )


def _guarded_evidence() -> QuerySet[Evidence]:
    """Evidence in documents at or above the level from which its workspace wants two approvers."""
    rules = [
        Q(answer__workspace__second_approver_from=level, document__classification__in=_at_or_above(level))
        for level in Classification
    ]
    return Evidence.objects.filter(reduce(or_, rules))


def _at_or_above(level: Classification) -> list[str]:
    return [other.value for other in Classification if other.rank >= level.rank]


def _holds(condition: Q) -> Case:
    # A comparison with NULL is neither; here it is no.
    return Case(When(condition, then=Value(True)), default=Value(False), output_field=BooleanField())
