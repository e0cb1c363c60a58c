"""An approved answer is given again to who asks the same and may read all it rests on, and to nobody else."""

import io
import json
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from answers import endings, pipeline, questions, reading, review
from answers.exceptions import ReuseError
from answers.models import Answer, ApprovedAnswer, Declassification, Reuse, SourceChange, StepRun
from answers.provenance import receipts
from answers.provenance.record import record_of
from answers.reuse import following, giving, near, offering, rules
from answers.states import AnswerStatus
from audit import signing
from audit.chain import digest
from audit.events import EventType
from audit.models import Event
from audit.verifier import Verifier
from documents import library
from documents.access import bars, restriction
from documents.models import Document
from tests.answers import library as shelf
from workspaces import members
from workspaces.exceptions import Forbidden, Hidden
from workspaces.models import Notification, Workspace
from workspaces.roles import Role

QUESTION = "How many days of annual leave does an employee have?"
SAME = "Please tell me: how many days of anual leave does an employee have"
OTHER = "How many days of parental leave does an employee have?"


@pytest.fixture
def approved(legal: Any, member: Any, reviewer: Any, manager: Any, answered: Callable[..., Any]) -> Answer:
    """An answer that a reviewer approved, in a workspace that gives such answers again."""
    shelf.add_document(legal, "employee-handbook.md", shelf.HANDBOOK)
    rules.change(legal, enabled=True, days=90, remind_days=14, by=manager)
    return approve(answered(legal, QUESTION, member), reviewer)


def approve(answer: Answer, by: Any) -> Answer:
    assert answer.status == AnswerStatus.HELD_FOR_REVIEW
    review.approve(answer.draft, by=by, seen_sha256=digest(answer.draft.text))
    offering.take_up()
    answer.refresh_from_db()
    return answer


def entries(type: EventType) -> list[Any]:
    return list(Event.objects.filter(type=type))


# --- Given --------------------------------------------------------------------------------------------------


def test_the_same_question_of_somebody_else_gets_exactly_the_approved_text(
    approved: Answer, legal: Any, contributor: Any, reviewer: Any, answered: Callable[..., Any]
) -> None:
    again = answered(legal, SAME, contributor)

    assert again.status == AnswerStatus.ANSWERED_APPROVED
    assert (again.released_text, again.released_sha256) == (approved.released_text, approved.released_sha256)
    assert again.released_by == reviewer
    assert again.reuse.approved == approved
    assert again.reuse.verified_by == reviewer
    assert again.raw_output == ""
    assert not hasattr(again, "draft")
    (told,) = entries(EventType.ANSWER_REUSED)
    assert told.object_id == str(again.pk)
    assert str(approved.pk) in told.body
    assert [run.step for run in again.steps.all()] == ["scope", "understand", "reuse"]


def test_it_rests_on_the_same_passages_and_cites_the_same_places(
    approved: Answer, legal: Any, contributor: Any, answered: Callable[..., Any]
) -> None:
    again = answered(legal, SAME, contributor)

    kept = ("rank", "passage_id", "version_id", "sha256")
    assert list(again.evidence.values_list(*kept)) == list(approved.evidence.values_list(*kept))
    cited = ("number", "quote", "start", "end")
    assert list(again.citations.values_list(*cited)) == list(approved.citations.values_list(*cited))
    assert reading.read(again, by=contributor).text == approved.released_text


def test_asking_again_gets_a_fresh_answer(
    approved: Answer, legal: Any, contributor: Any, answered: Callable[..., Any]
) -> None:
    fresh = questions.ask_again(answered(legal, SAME, contributor), by=contributor)

    pipeline.run(fresh.pk)

    fresh.refresh_from_db()
    assert fresh.status == AnswerStatus.HELD_FOR_REVIEW
    assert StepRun.objects.get(answer=fresh, step="reuse").outcome == "asked_afresh"


def test_what_was_given_again_is_not_itself_given_again(
    approved: Answer, legal: Any, contributor: Any, manager: Any, answered: Callable[..., Any]
) -> None:
    answered(legal, SAME, contributor)
    offering.take_up()

    third = answered(legal, QUESTION, manager)

    assert third.reuse.approved == approved
    assert list(ApprovedAnswer.objects.values_list("answer", flat=True)) == [approved.pk]


def test_its_receipt_tells_which_answer_it_is_and_holds_elsewhere(
    approved: Answer, legal: Any, contributor: Any, reviewer: Any, answered: Callable[..., Any]
) -> None:
    again = answered(legal, SAME, contributor)

    document = receipts.issue(again, by=contributor)

    said = json.loads(document)["signed"]
    assert said["reused"]["answer"] == str(approved.pk)
    assert said["reused"]["verified_by"]["username"] == reviewer.username
    assert [review["text_sha256"] for review in said["reviews"]] == [again.released_sha256]
    told = {json.loads(event["body"])["type"] for event in said["events"]}
    assert {"answer.reused", "answer.released", "draft.approved"} <= told
    ours = frozenset({signing.current_key().public})
    assert Verifier(ours).run([("receipt", io.BytesIO(document.encode()))]).faults == []
    assert record_of(again)["reused"]["answer"] == str(approved.pk)


# --- Not given ----------------------------------------------------------------------------------------------


def _expired(approved: Answer, **_: Any) -> None:
    ApprovedAnswer.objects.update(expires_at=timezone.now() - timedelta(minutes=1))


def _stopped(approved: Answer, second_reviewer: Any, **_: Any) -> None:
    offering.stop(approved.approved, by=second_reviewer)


def _off(approved: Answer, legal: Any, manager: Any, **_: Any) -> None:
    rules.change(legal, enabled=False, days=90, remind_days=14, by=manager)


def _replaced(approved: Answer, legal: Any, **_: Any) -> None:
    shelf.add_document(legal, "employee-handbook.md", shelf.HANDBOOK.replace("25 working", "26 working"))


def _suspended(approved: Answer, **_: Any) -> None:
    Answer.objects.filter(pk=approved.pk).update(status=AnswerStatus.SUSPENDED)


def _restricted(approved: Answer, manager: Any, reviewer: Any, second_reviewer: Any, **_: Any) -> None:
    document = Document.objects.get()
    restriction.restrict(document, by=manager)
    for person in (reviewer, second_reviewer):
        restriction.grant(document, person, by=manager)


def _barred(approved: Answer, contributor: Any, manager: Any, **_: Any) -> None:
    bars.bar(Document.objects.get(), contributor, reason="Not for them.", by=manager)


def _deleted(approved: Answer, manager: Any, **_: Any) -> None:
    library.delete(Document.objects.get(), by=manager, reason="Out of date.")


def _two_needed(approved: Answer, legal: Any, **_: Any) -> None:
    Workspace.objects.filter(pk=legal.pk).update(second_approver_from="public")


def _tampered(approved: Answer, **_: Any) -> None:
    Answer.objects.filter(pk=approved.pk).update(released_text="Something else. [1]")


def _over_since_yesterday(approved: Answer, **_: Any) -> None:
    """Its source's last valid day has passed, and no sweep has closed it yet."""
    now = timezone.now()
    Answer.objects.filter(pk=approved.pk).update(released_at=now - timedelta(days=3))
    Document.objects.update(valid_until=timezone.localdate() - timedelta(days=1))


def _raised(approved: Answer, **_: Any) -> None:
    """Its source was classified higher, and the sweep has not come to this one of many."""
    SourceChange.objects.create(document=Document.objects.get(), reason="reclassified", classification="secret")


def _approved_anew(approved: Answer, second_reviewer: Any, **_: Any) -> None:
    """Somebody else approved it since, and the sweep has not written down who."""
    draft = review.reopen(approved, by=second_reviewer, reason="A reader doubts it.")
    review.approve(draft, by=second_reviewer, seen_sha256=digest(draft.text))


def _wording_erased(approved: Answer, **_: Any) -> None:
    """It was a follow-up, and what that was understood as was erased: the words left ask for anything."""
    understood = StepRun.objects.filter(answer=approved, step="understand")
    assert understood.update(detail={"asked_as_sha256": digest("Something.")}) == 1


TAKEN_AWAY = [
    _expired, _stopped, _off, _replaced, _suspended, _restricted, _barred, _deleted, _two_needed, _tampered,
    _over_since_yesterday, _raised, _approved_anew, _wording_erased,
]  # fmt: skip


def test_nothing_is_given_that_does_not_stand_or_is_closed(
    approved: Answer,
    legal: Any,
    contributor: Any,
    manager: Any,
    reviewer: Any,
    second_reviewer: Any,
    answered: Callable[..., Any],
) -> None:
    people = {"contributor": contributor, "manager": manager, "reviewer": reviewer, "second_reviewer": second_reviewer}
    for take_away in TAKEN_AWAY:
        # Each from the same beginning: to bring a document in takes longer than all of them.
        with transaction.atomic():
            take_away(approved, legal=legal, **people)

            again = answered(legal, SAME, contributor)

            assert not Reuse.objects.filter(answer=again).exists(), take_away.__name__
            assert again.released_text == "", take_away.__name__
            transaction.set_rollback(True)
    assert answered(legal, SAME, contributor).reuse


def test_without_the_check_of_rights_a_closed_source_would_be_read(
    approved: Answer, legal: Any, contributor: Any, manager: Any, answered: Callable[..., Any], monkeypatch: Any
) -> None:
    restriction.restrict(Document.objects.get(), by=manager)
    monkeypatch.setattr(giving.access, "visible", lambda _user, model: model.objects.all())
    monkeypatch.setattr(endings, "_is_open_to_asker", lambda *_of: True)

    again = answered(legal, SAME, contributor)

    assert again.released_text == approved.released_text


def test_who_loses_a_source_between_the_finding_and_the_ending_gets_nothing(
    approved: Answer, legal: Any, contributor: Any, manager: Any, answered: Callable[..., Any], monkeypatch: Any
) -> None:
    conclude = endings.conclude

    def lose_it_first(*given: Any) -> Answer:
        if given[0].reused is not None:
            restriction.restrict(Document.objects.get(), by=manager)
        return conclude(*given)

    monkeypatch.setattr(endings, "conclude", lose_it_first)

    again = answered(legal, SAME, contributor)

    assert (again.status, again.released_text) == (AnswerStatus.REFUSED_NO_RIGHT, "")
    assert not Reuse.objects.exists()


def test_an_approval_that_ends_meanwhile_has_the_question_answered_anew(
    approved: Answer,
    legal: Any,
    contributor: Any,
    second_reviewer: Any,
    answered: Callable[..., Any],
    monkeypatch: Any,
) -> None:
    conclude = endings.conclude

    def stop_it_first(*given: Any) -> Answer:
        if given[0].reused is not None:
            offering.stop(approved.approved, by=second_reviewer)
        return conclude(*given)

    monkeypatch.setattr(endings, "conclude", stop_it_first)

    again = answered(legal, SAME, contributor)

    assert again.status == AnswerStatus.HELD_FOR_REVIEW
    assert not Reuse.objects.exists()


def test_who_approved_it_gets_an_answer_of_their_own(
    approved: Answer, legal: Any, reviewer: Any, answered: Callable[..., Any]
) -> None:
    assert answered(legal, SAME, reviewer).status == AnswerStatus.HELD_FOR_REVIEW


def test_another_workspace_gives_nothing(
    approved: Answer, policies: Any, contributor: Any, manager: Any, answered: Callable[..., Any]
) -> None:
    shelf.add_document(policies, "employee-handbook.md", shelf.HANDBOOK)
    rules.change(policies, enabled=True, days=90, remind_days=14, by=manager)

    assert answered(policies, SAME, contributor).status == AnswerStatus.ANSWERED


def test_another_question_about_the_same_page_is_answered_anew(
    approved: Answer, legal: Any, contributor: Any, answered: Callable[..., Any]
) -> None:
    assert not hasattr(answered(legal, OTHER, contributor), "reuse")


def test_an_answer_that_a_policy_released_is_never_taken_up(
    policies: Any, member: Any, manager: Any, answered: Callable[..., Any]
) -> None:
    shelf.add_document(policies, "employee-handbook.md", shelf.HANDBOOK)
    rules.change(policies, enabled=True, days=90, remind_days=14, by=manager)
    assert answered(policies, QUESTION, member).status == AnswerStatus.ANSWERED

    assert offering.take_up() == 0


@pytest.mark.parametrize("verb", ["reopen", "take_back"])
def test_what_was_given_falls_with_its_approval(
    verb: str,
    approved: Answer,
    legal: Any,
    contributor: Any,
    second_reviewer: Any,
    answered: Callable[..., Any],
) -> None:
    again = answered(legal, SAME, contributor)

    getattr(review, verb)(approved, by=second_reviewer, reason="A reader doubts it.")

    again.refresh_from_db()
    assert (again.status, again.released_text) == (AnswerStatus.REFUSED_TAKEN_BACK, "")
    assert reading.read(again, by=contributor).text == ""
    assert Notification.objects.filter(person=contributor, kind="answer_taken_back").count() == 1
    assert not hasattr(answered(legal, QUESTION, contributor), "reuse")


def test_without_following_it_would_still_be_read(
    approved: Answer,
    legal: Any,
    contributor: Any,
    second_reviewer: Any,
    answered: Callable[..., Any],
    monkeypatch: Any,
) -> None:
    again = answered(legal, SAME, contributor)
    monkeypatch.setattr(following, "close_what_was_given", lambda _approved, *, by: 0)

    review.take_back(approved, by=second_reviewer, reason="A reader doubts it.")

    assert reading.read(again, by=contributor).text


def test_a_second_approval_counts_from_its_own_day_on(
    approved: Answer, legal: Any, contributor: Any, second_reviewer: Any, answered: Callable[..., Any]
) -> None:
    draft = review.reopen(approved, by=second_reviewer, reason="A reader doubts it.")
    review.approve(draft, by=second_reviewer, seen_sha256=digest(draft.text))
    offering.take_up()

    approved.approved.refresh_from_db()
    assert approved.approved.verified_by == second_reviewer
    assert answered(legal, SAME, contributor).reuse.verified_by == second_reviewer


# --- Interval and expiry ------------------------------------------------------------------------------------


def test_the_approver_is_reminded_once_and_may_stand_by_it_again(approved: Answer, legal: Any, reviewer: Any) -> None:
    ApprovedAnswer.objects.update(expires_at=timezone.now() + timedelta(days=3))

    assert (offering.remind(), offering.remind()) == (1, 0)
    assert Notification.objects.filter(person=reviewer, kind="approved_due").count() == 1
    offering.verify(approved.approved, by=reviewer, seen_sha256=approved.released_sha256)

    approved.approved.refresh_from_db()
    assert approved.approved.expires_at > timezone.now() + timedelta(days=89)
    assert len(entries(EventType.REUSE_VERIFIED)) == 1


def test_who_stands_by_it_saw_this_text_and_is_not_alone_where_two_are_needed(
    approved: Answer, legal: Any, second_reviewer: Any, client_of: Callable[..., Any]
) -> None:
    kept = approved.approved
    with pytest.raises(ReuseError, match="Read it again"):
        offering.verify(kept, by=second_reviewer, seen_sha256=digest("What was seen before."))
    client, page = client_of(second_reviewer), f"/w/{legal.slug}/approved/"
    assert approved.released_sha256 in client.get(page).content.decode()
    Workspace.objects.filter(pk=legal.pk).update(second_approver_from="public")
    with pytest.raises(ReuseError, match="takes two people"):
        offering.verify(kept, by=second_reviewer, seen_sha256=approved.released_sha256)

    assert ApprovedAnswer.objects.get().verified_by != second_reviewer
    shown = client.get(page).content.decode()
    assert "takes two people" in shown
    assert "It still holds" not in shown


def test_who_reads_it_declassified_cannot_stand_by_it(
    approved: Answer, legal: Any, reviewer: Any, second_reviewer: Any, manager: Any
) -> None:
    document = Document.objects.get()
    restriction.restrict(document, by=manager)
    restriction.grant(document, reviewer, by=manager)
    Declassification.objects.create(
        answer=approved,
        reason="Everybody may know it.",
        declassified_by=reviewer,
        declassified_at=timezone.now(),
        text_sha256=approved.released_sha256,
        for_workspace=True,
    )
    assert reading.read(approved, by=second_reviewer).text

    for verb in (offering.stop, partial(offering.verify, seen_sha256=approved.released_sha256)):
        with pytest.raises(Hidden):
            verb(approved.approved, by=second_reviewer)


def test_vectors_are_read_of_those_alone_that_say_the_same(
    approved: Answer, legal: Any, contributor: Any, answered: Callable[..., Any]
) -> None:
    with CaptureQueriesContext(connection) as asked:
        answered(legal, OTHER, contributor)

    assert any("answers_approvedanswer" in one["sql"] for one in asked)
    assert not any('"answers_approvedanswer"."vector"' in one["sql"] for one in asked)


def test_when_the_approver_is_gone_the_other_reviewers_are_reminded(
    approved: Answer, legal: Any, reviewer: Any, second_reviewer: Any, manager: Any
) -> None:
    members.remove_member(legal, reviewer, Role.REVIEWER, by=manager)
    ApprovedAnswer.objects.update(expires_at=timezone.now() + timedelta(days=3))

    offering.remind()

    assert list(Notification.objects.filter(kind="approved_due").values_list("person", flat=True)) == [
        second_reviewer.pk
    ]


def test_fewer_days_count_for_what_is_approved_already(approved: Answer, legal: Any, manager: Any) -> None:
    rules.change(legal, enabled=True, days=30, remind_days=7, by=manager)

    kept = ApprovedAnswer.objects.get()
    assert kept.expires_at == kept.verified_at + timedelta(days=30)
    told = entries(EventType.REUSE_CHANGED)[-1].body
    assert '"after":{"days":30,"enabled":true,"remind_days":7}' in told


def test_only_managers_choose_and_only_other_reviewers_stand_by_it(
    approved: Answer, legal: Any, member: Any, reviewer: Any, stranger: Any, manager: Any
) -> None:
    with pytest.raises(Forbidden):
        rules.change(legal, enabled=False, days=90, remind_days=14, by=reviewer)
    with pytest.raises(Hidden):
        rules.change(legal, enabled=False, days=90, remind_days=14, by=stranger)
    with pytest.raises(ReuseError):
        rules.change(legal, enabled=True, days=10, remind_days=10, by=manager)
    for person in (member, manager):
        with pytest.raises(Hidden):
            offering.stop(approved.approved, by=person)


# --- What counts as the same question -----------------------------------------------------------------------

SAYS_THE_SAME = [
    (QUESTION, QUESTION.lower().rstrip("?")),
    (QUESTION, SAME),
    (QUESTION, f"Could you please tell me: {QUESTION}"),
    ("What's the limit for team leads?", "What is the limit for a team lead?"),
    ("Koliko dana godišnjeg odmora ima zaposleni?", "Колико дана годишњег одмора има запослени"),
    ("Koliko dana godišnjeg odmora ima zaposleni?", "koliko dana godisnjeg odmora ima zaposleni"),
]
SAYS_ANOTHER_THING = [
    (QUESTION, OTHER, "words"),
    ("What is the limit of 2,000 euros for?", "What is the limit of 3,000 euros for?", "number_or_name"),
    ("May I work from home in Serbia?", "May I work from home in Austria?", "number_or_name"),
    ("Who approves it with a receipt?", "Who approves it without a receipt?", "negation"),
    ("Who approves purchases?", "When are purchases approved?", "question_word"),
    ("Does a manager approve the officer?", "Does an officer approve the manager?", "words"),
    ("What is due before the audit?", "What is due after the audit?", "number_or_name"),
    ("Kada ističe ugovor?", "When does the contract expire?", "language"),
    ("Da li sme da se unese hrana?", "Da li ne sme da se unese hrana?", "negation"),
    ("?", "!", "words"),
    # One stem, or one letter, and another person, thing or duty.
    ("What must the insurer pay?", "What must the insured pay?", "words"),
    ("What notice does the employer give?", "What notice does the employee give?", "words"),
    ("Where is the supplier's contract?", "Where is the supplier's contact?", "words"),
    ("Who approves the manager?", "Who approves the management?", "words"),
    ("When is marital leave granted?", "When is martial leave granted?", "words"),
    ("Koja su prava osiguranika?", "Koja su prava osiguranja?", "words"),
    ("Da li zaposleni tuži direktora?", "Da li zaposlenog tuži direktor?", "words"),
    ("Que paie l'employeur ?", "Que paie l'assureur ?", "words"),
    # Words that a search leaves out.
    ("May I work on a Sunday?", "Must I work on a Sunday?", "number_or_name"),
    ("Can I report him?", "Can he report me?", "number_or_name"),
    ("Is leave paid by the employee?", "Is leave paid to the employee?", "number_or_name"),
    ("Is travel reimbursed?", "Was travel reimbursed?", "words"),
    ("Won't I pay it?", "Can't I pay it?", "number_or_name"),
    ("Must X not pay if Y does?", "Must X pay if Y does not?", "negation"),
    ("Please can I leave?", "Please can you leave?", "number_or_name"),
    ("What costs 10 %?", "What costs 10 €?", "number_or_name"),
]


@pytest.mark.parametrize(("one", "other"), SAYS_THE_SAME)
def test_two_that_say_the_same_are_one_question(one: str, other: str) -> None:
    assert near.differs_in(one, other) == near.differs_in(other, one) == ""


@pytest.mark.parametrize(("one", "other", "what"), SAYS_ANOTHER_THING)
def test_two_that_differ_in_one_thing_that_matters_are_two(one: str, other: str, what: str) -> None:
    assert near.differs_in(one, other) == near.differs_in(other, one) == what


def test_days_are_held_to_their_bounds() -> None:
    from answers.models import ReuseRules

    with pytest.raises(ValidationError):
        ReuseRules(days=0).clean_fields(exclude=["workspace"])
