"""Findings on their way to a draft's owner: returned with questions, changed, reopened, as an answer would be."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from answers.draft_review import deciding, reading, releasing, returning, rewording
from answers.draft_review.erasing import erase
from answers.draft_review.export.take import take
from answers.draft_review.separation import refusal
from answers.exceptions import ByAsker, DraftError, ExaminationError, WrongState
from answers.models import Examination, ExaminationState, Finding, FindingCategory, FindingForm, FindingsQuestion
from audit.chain import digest
from audit.events import EventType
from audit.models import Event
from documents.access.restriction import restrict
from workspaces import members
from workspaces.exceptions import Forbidden, Hidden, PortalError
from workspaces.models import Notification, ReviewPolicy
from workspaces.notifications.registry import Kind

pytestmark = pytest.mark.django_db

QUESTIONS = ["Is this for the office in Graz?", "Who signs it?"]


@pytest.fixture
def held(examined: Any, policies: Any, member: Any) -> Examination:
    policies.review_policy = ReviewPolicy.REVIEW
    policies.save()
    return examined(member)


def stored(examination: Examination) -> Examination:
    return Examination.objects.get(pk=examination.pk)


def conflict(of: Examination) -> Finding:
    return of.findings.get(category=FindingCategory.CONFLICT)


def change(held: Examination, by: Any, **wanted: Any) -> Finding:
    found = conflict(held)
    form = {name: getattr(found, name) for name in ("severity", "explanation", "suggestion")}
    return rewording.reword(held, found.pk, by=by, **(form | {"reason": "It said too much."} | wanted))


def told(kind: Kind) -> set[str]:
    return set(Notification.objects.filter(kind=kind).values_list("person__username", flat=True))


def shown_to(person: Any, of: Examination) -> list[str]:
    return [one.finding.explanation for one in reading.findings_of(stored(of), person)]


# --- Returned with questions --------------------------------------------------------------------------------


def test_the_owner_is_asked_replies_and_the_findings_wait_again(held, member, reviewer, second_reviewer):
    returning.return_with(held, [*QUESTIONS, "  "], by=reviewer)

    assert stored(held).state == ExaminationState.RETURNED
    assert told(Kind.EXAMINATION_RETURNED) == {"member"}
    first, second = returning.questions_to(member, stored(held))
    assert [first.text, second.text] == QUESTIONS
    assert shown_to(member, held) == []
    returning.reply(held, first.pk, text="Yes, Graz alone.", by=member)
    assert stored(held).state == ExaminationState.RETURNED
    returning.reply(held, second.pk, text="The manager.", by=member)

    assert stored(held).state == ExaminationState.HELD
    assert told(Kind.EXAMINATION_REPLIED) == {"reviewer"}
    assert [one.reply for one in returning.questions_to(second_reviewer, stored(held))] == [
        "Yes, Graz alone.",
        "The manager.",
    ]
    (asked,) = Event.objects.filter(type=EventType.EXAMINATION_RETURNED)
    assert digest(QUESTIONS[0]) in asked.body
    assert QUESTIONS[0] not in asked.body
    replies = Event.objects.filter(type=EventType.EXAMINATION_REPLIED).order_by("seq")
    assert ['"waits":true' in one.body for one in replies] == [False, True]
    releasing.approve(held, by=second_reviewer)
    assert shown_to(member, held)


def test_a_reviewer_decides_without_waiting_and_a_late_reply_changes_nothing(held, member, reviewer):
    returning.return_with(held, QUESTIONS[:1], by=reviewer)
    (question,) = returning.awaited(stored(held))

    releasing.approve(held, by=reviewer)

    assert stored(held).state == ExaminationState.RELEASED
    with pytest.raises(WrongState, match="gone on"):
        returning.reply(held, question.pk, text="Yes.", by=member)


def test_questions_of_an_earlier_return_wait_for_nothing_any_more(held, member, reviewer):
    returning.return_with(held, QUESTIONS, by=reviewer)
    (old, _other) = returning.awaited(stored(held))
    returning.return_with(held, ["From when on?"], by=reviewer)

    assert [one.text for one in returning.awaited(stored(held))] == ["From when on?"]
    with pytest.raises(WrongState):
        returning.reply(held, old.pk, text="Yes.", by=member)


@pytest.mark.parametrize("asked", [[], ["  ", ""], ["Why?"] * 6, ["x" * 501]])
def test_what_cannot_be_asked_is_refused_and_nothing_is_kept(held, reviewer, asked):
    with pytest.raises((ExaminationError, DraftError)):
        returning.return_with(held, asked, by=reviewer)

    assert stored(held).state == ExaminationState.HELD
    assert not FindingsQuestion.objects.exists()


@pytest.mark.parametrize("text", ["", " \n", "x" * 2_001])
def test_a_reply_says_something_and_not_too_much(held, member, reviewer, text):
    returning.return_with(held, QUESTIONS[:1], by=reviewer)
    (question,) = returning.awaited(stored(held))

    with pytest.raises(DraftError):
        returning.reply(held, question.pk, text=text, by=member)


def test_a_question_is_closed_with_what_the_findings_rest_on(held, handbook, member, manager, reviewer, stranger):
    returning.return_with(held, QUESTIONS[:1], by=reviewer)
    (question,) = returning.awaited(stored(held))
    for person in (reviewer, manager, stranger):
        with pytest.raises((Hidden, Forbidden)):
            returning.reply(held, question.pk, text="Yes.", by=person)

    restrict(handbook.document, by=manager)

    assert returning.questions_to(member, stored(held)) == []
    with pytest.raises(Hidden):
        returning.reply(held, question.pk, text="Yes.", by=member)


# --- Changed ------------------------------------------------------------------------------------------------


def test_a_changed_finding_is_let_out_by_somebody_else_and_every_form_is_kept(held, member, reviewer, second_reviewer):
    before = stored(held).findings_sha256
    was = conflict(held).explanation
    change(held, reviewer, severity="minor", explanation="The handbook says 20 days.")

    assert "changed these findings" in refusal(reviewer, stored(held))
    with pytest.raises(ExaminationError):
        releasing.approve(held, by=reviewer)
    with pytest.raises(WrongState, match="since you read them"):
        releasing.approve(held, by=second_reviewer, seen=before)
    releasing.approve(held, by=second_reviewer, seen=stored(held).findings_sha256)

    assert "The handbook says 20 days." in shown_to(member, held)
    assert was not in shown_to(member, held)
    forms = FindingForm.objects.filter(finding=conflict(held))
    assert list(forms.values_list("number", "explanation", "made_by__username", "severity")) == [
        (1, was, None, "blocker"),
        (2, "The handbook says 20 days.", "reviewer", "minor"),
    ]
    (edited,) = Event.objects.filter(type=EventType.EXAMINATION_EDITED)
    assert before in edited.body
    assert "20 days" not in edited.body


def test_what_is_left_out_reaches_neither_owner_nor_file_and_reviewers_see_it(held, member, reviewer, second_reviewer):
    gone = conflict(held).explanation
    change(held, reviewer, left_out=True)
    releasing.approve(held, by=second_reviewer)

    assert gone not in shown_to(member, held)
    assert gone in shown_to(reviewer, held)
    assert gone.encode() not in take(stored(held), format="md", by=member).content
    view = reading.view(stored(held), member)
    assert (view.closed, view.hidden) == (0, 0)
    with pytest.raises(WrongState, match="not open to you"):
        deciding.accept(stored(held), conflict(held).pk, by=member)


def test_a_first_approval_is_void_once_the_findings_are_others(held, reviewer, second_reviewer, policies):
    third = members.create_user(username="third", by=None)
    members.change_roles(policies, third, {"reviewer"}, by=None)
    Examination.objects.filter(pk=held.pk).update(takes_two=True)
    releasing.approve(held, by=reviewer)
    assert stored(held).first_approved_by == reviewer

    change(held, second_reviewer, explanation="Shorter.")

    assert stored(held).first_approved_by is None


@pytest.mark.parametrize(
    "wanted",
    [
        {"severity": "terrible"},
        {"explanation": " \n"},
        {"explanation": "x" * 8_001},
        {"suggestion": "x" * 8_001},
        {"reason": " "},
        {"reason": "x" * 501},
        {},
    ],
)
def test_a_form_that_cannot_be_is_refused_and_nothing_is_kept(held, reviewer, wanted):
    before = stored(held).findings_sha256

    with pytest.raises(ExaminationError):
        change(held, reviewer, **wanted)

    assert stored(held).findings_sha256 == before
    assert not FindingForm.objects.exists()


def test_nobody_changes_findings_so_that_nobody_is_left_to_let_them_out(
    held, reviewer, second_reviewer, policies, manager
):
    members.change_roles(policies, second_reviewer, set(), by=manager)

    with pytest.raises(ExaminationError, match="Nobody would be left"):
        change(held, reviewer, explanation="Shorter.")

    assert not FindingForm.objects.exists()
    assert conflict(held).explanation != "Shorter."


# --- Reopened -----------------------------------------------------------------------------------------------


def test_released_findings_are_reopened_and_what_their_owner_made_of_them_is_kept(
    held, member, reviewer, second_reviewer
):
    releasing.approve(held, by=reviewer)
    deciding.reject(stored(held), conflict(held).pk, by=member)

    releasing.reopen(stored(held), by=second_reviewer, reason="The handbook has an exception.")

    assert (stored(held).state, stored(held).reviewed_by) == (ExaminationState.HELD, None)
    assert shown_to(member, held) == []
    with pytest.raises(WrongState):
        deciding.undo(stored(held), by=member)
    with pytest.raises(PortalError):
        take(stored(held), format="md", by=member)
    assert told(Kind.EXAMINATION_REOPENED) == {"member"}
    (event,) = Event.objects.filter(type=EventType.EXAMINATION_REOPENED)
    assert "exception" in event.body
    releasing.approve(stored(held), by=reviewer)
    assert conflict(held).decision == "rejected"
    assert shown_to(member, held)


def test_a_rejection_is_reopened_too_and_nothing_that_no_reviewer_decided(examined, held, member, reviewer, policies):
    releasing.reject(held, by=reviewer, reason="Too weak.")
    releasing.reopen(stored(held), by=reviewer, reason="I misread it.")
    assert (stored(held).state, stored(held).reason) == (ExaminationState.HELD, "")
    with pytest.raises(WrongState, match="a reviewer decided on"):
        releasing.reopen(stored(held), by=reviewer, reason="Again.")
    policies.review_policy = ReviewPolicy.OPEN
    policies.save()
    at_once = examined(member, title="At once")
    with pytest.raises((Hidden, Forbidden, WrongState)):
        releasing.reopen(at_once, by=reviewer, reason="Why not.")


# --- Who ----------------------------------------------------------------------------------------------------

VERBS = {
    "return": lambda held, by: returning.return_with(held, ["Why?"], by=by),
    "change": lambda held, by: change(held, by, explanation="Shorter."),
    "reopen": lambda held, by: releasing.reopen(held, by=by, reason="Again."),
}


@pytest.mark.parametrize("verb", VERBS)
def test_reviewers_alone_have_these_verbs_and_nobody_for_their_own_draft(
    verb, held, member, contributor, manager, stranger, auditor, policies
):
    if verb == "reopen":
        Examination.objects.filter(pk=held.pk).update(state=ExaminationState.RELEASED)
    for person in (contributor, manager, auditor):
        with pytest.raises((Hidden, Forbidden)):
            VERBS[verb](held, person)
    with pytest.raises(Hidden):
        VERBS[verb](held, stranger)
    members.change_roles(policies, member, {"member", "reviewer"}, by=manager)
    with pytest.raises(ByAsker):
        VERBS[verb](held, member)
    assert not Event.objects.filter(
        type__in=(EventType.EXAMINATION_RETURNED, EventType.EXAMINATION_EDITED, EventType.EXAMINATION_REOPENED)
    ).exists()


def test_nothing_that_was_asked_replied_or_changed_outlives_the_draft(held, member, reviewer):
    change(held, reviewer, explanation="Shorter words.")
    returning.return_with(held, QUESTIONS[:1], by=reviewer)
    (question,) = returning.awaited(stored(held))
    returning.reply(held, question.pk, text="Yes, Graz alone.", by=member)

    erase(stored(held), by=member)

    assert set(FindingForm.objects.values_list("explanation", "suggestion", "reason")) == {("", "", "")}
    assert set(FindingsQuestion.objects.values_list("text", "reply")) == {("", "")}


# --- In any order -------------------------------------------------------------------------------------------

_ACTS = ("approve", "reject", "return", "reply", "change", "leave_out", "reopen")


# One draft for all examples: each begins by setting it as it was.
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(steps=st.lists(st.tuples(st.sampled_from(_ACTS), st.integers(0, 2)), min_size=3, max_size=10))
def test_in_any_order_the_owner_reads_only_what_somebody_who_did_not_change_it_let_out(
    held, member, reviewer, second_reviewer, policies, steps
):
    third = members.create_user(username=f"third-{Event.objects.count()}", by=None)
    members.change_roles(policies, third, {"reviewer"}, by=None)
    officers = [reviewer, second_reviewer, third]
    Examination.objects.filter(pk=held.pk).update(
        state=ExaminationState.HELD, reviewed_by=None, reviewed_at=None, reason="", first_approved_by=None
    )
    FindingForm.objects.all().delete()
    FindingsQuestion.objects.all().delete()
    Finding.objects.filter(examination=held).update(left_out=False)
    state, changed = "held", set()
    for number, (act, who) in enumerate(steps):
        by = officers[who]
        try:
            _do(act, held, by, member, number)
        except PortalError:
            done = False
        else:
            done = True
        undecided = state in ("held", "returned")
        if act in ("approve", "reject", "return"):
            able = undecided and (act != "approve" or who not in changed)
            after = {"approve": "released", "reject": "rejected", "return": "returned"}[act]
        elif act in ("change", "leave_out"):
            able, after = undecided and len(changed | {who}) < len(officers), state
        elif act == "reply":
            able, after = state == "returned", "held"
        else:
            able, after = not undecided and len(changed) < len(officers), "held"
        assert done == able, (act, who, state, changed)
        if done:
            state = after
            changed |= {who} if act in ("change", "leave_out") else set()
        assert stored(held).state == state
        assert bool(shown_to(member, held)) == (state == "released")
        assert (
            stored(held).reviewed_by_id is None
            or stored(held).reviewed_by not in [officers[one] for one in changed]
            or state == "rejected"
        )


def _do(act: str, held: Examination, by: Any, owner: Any, number: int) -> None:
    match act:
        case "approve":
            releasing.approve(stored(held), by=by)
        case "reject":
            releasing.reject(stored(held), by=by, reason="No.")
        case "return":
            returning.return_with(stored(held), ["Why?"], by=by)
        case "reply":
            waiting = returning.awaited(stored(held))
            returning.reply(stored(held), waiting[0].pk if waiting else held.pk, text="Because.", by=owner)
        case "change":
            change(stored(held), by, explanation=f"Words {number}.")
        case "leave_out":
            change(stored(held), by, left_out=not conflict(held).left_out)
        case "reopen":
            releasing.reopen(stored(held), by=by, reason="Again.")


# --- On the pages -------------------------------------------------------------------------------------------


def test_on_the_pages_it_is_returned_replied_to_changed_released_and_reopened(
    held, member, reviewer, second_reviewer, client_of
):
    at = f"/w/policies/draft-review/{held.pk}/"
    first, second, owner = client_of(reviewer), client_of(second_reviewer), client_of(member)
    said = first.post(f"{at}review/", {"decision": "return", "questions": "\n".join(QUESTIONS)}, follow=True)
    assert "Returned. Whoever brought the draft was told" in said.content.decode()
    page = owner.get(at).content.decode()
    assert QUESTIONS[0] in page
    assert "A reviewer wants to know something" in page
    for question in returning.awaited(stored(held)):
        owner.post(f"{at}reply/", {"question": question.pk, "text": f"Reply to {question.position}"})
    found, seen = conflict(held), stored(held).findings_sha256
    form = {"finding": found.pk, "seen": seen, "severity": "minor", "explanation": "Shorter.", "suggestion": ""}
    said = first.post(f"{at}reword/", form | {"reason": "Too long."}, follow=True).content.decode()
    assert "Changed. Another reviewer lets these findings out." in said
    assert "Reply to 2" in said
    assert "Every form of it" in said
    stale = second.post(f"{at}review/", {"decision": "approve", "seen": seen}, follow=True).content.decode()
    assert "since you read them" in stale
    second.post(f"{at}review/", {"decision": "approve", "seen": stored(held).findings_sha256})
    assert "Shorter." in owner.get(at).content.decode()
    assert "Every form of it" not in owner.get(at).content.decode()
    said = second.post(f"{at}reopen/", {"reason": "An exception."}, follow=True).content.decode()
    assert "Under review again." in said
    assert "Shorter." not in owner.get(at).content.decode()


@pytest.mark.parametrize("act", ["reword", "reply"])
def test_an_id_that_is_none_is_not_found(act, held, reviewer, member, client_of):
    client = client_of(reviewer if act == "reword" else member)

    assert (
        client.post(f"/w/policies/draft-review/{held.pk}/{act}/", {"finding": "x", "question": "x"}).status_code == 404
    )
