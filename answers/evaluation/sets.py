"""The verbs of question sets: make one, bring cases in, take cases out, keep a question that was asked.

Each change of cases is another version of the set. A case is closed and followed by another, never changed, so that
a run can always name exactly what was asked.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import Count, Max
from django.utils.translation import gettext as _

from answers.evaluation.querysets import cases_in
from answers.exceptions import EvaluationError
from answers.models import Answer, QuestionCase, QuestionSet
from answers.querysets import sources_open
from answers.states import HELD, RELEASED, AnswerStatus
from audit.chain import canonical, digest
from audit.events import EventType
from audit.record import record
from workspaces import access
from workspaces.models import User, Workspace
from workspaces.roles import Action

#: Cases in one set, and of what one case may hold.
MOST_CASES = 2000
MOST_EXPECTED, MOST_FACTS, LONGEST_FACT = 20, 20, 300


@dataclass(frozen=True, slots=True)
class Case:
    """A case as it is brought in: what is asked, and what is expected of the answer."""

    question: str
    code: str = ""
    must_refuse: bool = False
    #: `{"document": id as text, "page": number or None, "quote": text}` each.
    expected: Sequence[dict[str, Any]] = ()
    facts: Sequence[str] = ()
    #: Documents beside the expected ones that the words rest on.
    documents: Iterable[UUID] = field(default=())

    @property
    def rests_on(self) -> list[UUID]:
        named = (UUID(item["document"]) for item in self.expected)
        return sorted({*named, *self.documents})


@transaction.atomic
def create(workspace: Workspace, *, name: str, by: User) -> QuestionSet:
    """A new set without questions. Raises EvaluationError for a name that is empty or taken."""
    access.require(by, Action.MANAGE, workspace)
    name = " ".join(name.replace("\0", "").split())[:100]
    if not name:
        raise EvaluationError(_("Give the question set a name."))
    try:
        with transaction.atomic():
            made = QuestionSet.objects.create(workspace=workspace, name=name, created_by=by)
    except IntegrityError as error:
        raise EvaluationError(_("There is a question set called “%(name)s” already.") % {"name": name}) from error
    _note(made, by, added=0, replaced=0, removed=0)
    return made


@transaction.atomic
def put(question_set: QuestionSet, cases: Sequence[Case], *, by: User) -> QuestionSet:
    """Bring `cases` in; one whose code is there already replaces it. Nothing happens when nothing would differ.

    Raises EvaluationError when a case cannot stand or the set would hold too many.
    """
    question_set = _locked(question_set, by)
    present = {case.code: case for case in question_set.cases.filter(until=None)}
    taken, version, added, replaced = set(present), question_set.version + 1, 0, 0
    position = question_set.cases.aggregate(last=Max("position"))["last"] or 0
    rows: list[QuestionCase] = []
    closed: list[UUID] = []
    for case in cases:
        _require_sound(case)
        code = case.code or _free_code(taken)
        before = present.get(code)
        taken.add(code)
        if before is not None and _content(before) == _content(_row(question_set, case, code, 0, version, by)):
            continue
        if before is not None:
            closed.append(before.pk)
            replaced += 1
            place = before.position
        else:
            added += 1
            position += 1
            place = position
        rows.append(_row(question_set, case, code, place, version, by))
    if len(present) + added > MOST_CASES:
        raise EvaluationError(_("A question set holds at most %(limit)d questions.") % {"limit": MOST_CASES})
    if not rows:
        return question_set
    QuestionCase.objects.filter(pk__in=closed).update(until=version)
    QuestionCase.objects.bulk_create(rows)
    return _advance(question_set, version, by, added=added, replaced=replaced, removed=0)


@transaction.atomic
def remove(question_set: QuestionSet, codes: Iterable[str], *, by: User) -> QuestionSet:
    """Take cases out of the next version; earlier ones keep them. Raises EvaluationError when none of them is there."""
    question_set = _locked(question_set, by)
    version = question_set.version + 1
    removed = question_set.cases.filter(until=None, code__in=list(codes)).update(until=version)
    if not removed:
        raise EvaluationError(_("This question is not in the set any more."))
    return _advance(question_set, version, by, added=0, replaced=0, removed=removed)


@transaction.atomic
def keep(answer: Answer, *, question_set: QuestionSet, by: User) -> QuestionSet:
    """Take the question of `answer` into the set: its cited passages are expected, or a refusal where it found none.

    Raises Hidden or Forbidden for what `by` may not read, EvaluationError for an answer that says neither.
    """
    access.require(by, Action.ASK, answer)
    if question_set.workspace_id != answer.workspace_id or not sources_open(by, answer):
        raise EvaluationError(_("This question rests on a document that is closed to you."))
    refused = answer.status == AnswerStatus.REFUSED_NO_EVIDENCE
    may_read = answer.status in RELEASED or (answer.status in HELD and access.allows(by, Action.REVIEW, answer))
    if not refused and not may_read:
        raise EvaluationError(_("Only questions with an answer, or refused for want of evidence, can be kept."))
    cited = answer.citations.order_by("number").values_list("document", "page").distinct()
    # Each place once, in the order of the citations.
    places = {} if refused else dict.fromkeys((document, page) for document, page in cited)
    case = Case(
        question=answer.asked_as or answer.question.text,
        code=f"q-{str(answer.question_id)[:8]}",
        must_refuse=refused,
        expected=[{"document": str(document), "page": page, "quote": ""} for document, page in places][:MOST_EXPECTED],
        documents=set(answer.evidence.values_list("document", flat=True)),
    )
    return put(question_set, [case], by=by)


def sha256_of(cases: Iterable[QuestionCase]) -> str:
    """The hash that names exactly these cases in this order."""
    return digest(canonical({"cases": [[case.code, *_content(case)] for case in cases]}))


def counts(workspace: Workspace) -> dict[UUID, int]:
    """How many questions the present version of each set of the workspace holds; one statement."""
    rows = QuestionCase.objects.filter(question_set__workspace=workspace, until=None, erased_at=None)
    found = rows.order_by().values_list("question_set").annotate(number=Count("pk"))
    return dict(found.values_list("question_set", "number"))


def _locked(question_set: QuestionSet, by: User) -> QuestionSet:
    access.require(by, Action.MANAGE, question_set)
    return QuestionSet.objects.select_for_update(no_key=True).get(pk=question_set.pk)


def _require_sound(case: Case) -> None:
    if not case.question.strip():
        raise EvaluationError(_("A question has no words."))
    if case.must_refuse and (case.expected or case.facts):
        raise EvaluationError(_("A question that must be refused expects no documents and no facts."))
    if not case.must_refuse and not case.expected and not case.facts:
        raise EvaluationError(_("Say what is expected: documents, facts, or that it must be refused."))
    if len(case.expected) > MOST_EXPECTED or len(case.facts) > MOST_FACTS:
        raise EvaluationError(_("A question expects at most %(limit)d places and facts.") % {"limit": MOST_FACTS})
    if any(len(fact) > LONGEST_FACT for fact in case.facts):
        raise EvaluationError(_("A fact is at most %(limit)d characters long.") % {"limit": LONGEST_FACT})


def _row(question_set: QuestionSet, case: Case, code: str, position: int, version: int, by: User) -> QuestionCase:
    return QuestionCase(
        question_set=question_set,
        code=code,
        since=version,
        position=position,
        question=case.question.strip(),
        must_refuse=case.must_refuse,
        expected=list(case.expected),
        documents=case.rests_on,
        facts=list(case.facts),
        added_by=by,
    )


def _content(case: QuestionCase) -> list[Any]:
    return [case.question, case.must_refuse, case.expected, case.facts]


def _free_code(taken: set[str]) -> str:
    number = len(taken) + 1
    while str(number) in taken:
        number += 1
    return str(number)


def _advance(question_set: QuestionSet, version: int, by: User, **counts: Any) -> QuestionSet:
    question_set.version = version
    question_set.save(update_fields=["version"])
    _note(question_set, by, **counts)
    return question_set


def _note(question_set: QuestionSet, by: User, **counts: Any) -> None:
    record(
        EventType.QUESTION_SET_CHANGED,
        on=question_set,
        workspace=question_set.workspace_id,
        by=by,
        version=question_set.version,
        cases_sha256=sha256_of(cases_in(question_set, question_set.version)),
        **counts,
    )
