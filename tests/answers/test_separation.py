"""Who may not decide although they review, and what takes two people: every combination, from one table."""

import threading
from itertools import product
from typing import Any

import pytest
from django.db import connection
from django.urls import reverse

from answers import review, separation
from answers.exceptions import DraftError, WrongState
from answers.models import Answer, AnswerUserGrant, Draft, Evidence, Review
from answers.states import AnswerStatus, DraftState
from answers.withdrawal import withdraw_leftovers
from audit.chain import digest
from audit.events import EventType
from audit.models import Event
from documents.cards.classifying import classify
from documents.models import Document, Version
from tests.answers.review_scene import CLAUSES, a_document, a_held_answer
from workspaces import members
from workspaces.classification import Classification
from workspaces.models import Workspace
from workspaces.roles import Role

EDITED = f"{CLAUSES[0]} [1] Invoices are due in 30 days. [2]"


def rules(workspace: Any, **policy: Any) -> None:
    Workspace.objects.filter(pk=workspace.pk).update(**policy)
    workspace.refresh_from_db()


def approve(draft: Draft, by: Any) -> Review:
    draft = Draft.objects.get(pk=draft.pk)
    return review.approve(draft, by=by, seen_sha256=digest(draft.text))


def status(draft: Draft) -> str:
    return Answer.objects.get(pk=draft.answer_id).status


def able(draft: Draft) -> bool:
    return Answer.objects.filter(separation.somebody_may_decide(), pk=draft.answer_id).exists()


@pytest.fixture
def draft(legal: Any, member: Any) -> Draft:
    return a_held_answer(legal, member)


@pytest.fixture
def two_needed(legal: Any, draft: Draft) -> Draft:
    rules(legal, second_approver_from=Classification.CONFIDENTIAL)
    Document.objects.filter(title="Source 1").update(classification=Classification.RESTRICTED)
    return draft


TABLE = list(product([False, True], repeat=5))


@pytest.mark.parametrize(("asked", "edited", "added", "uploader_may", "approved"), TABLE)
def test_every_combination_of_ties_and_policy(
    legal: Any,
    member: Any,
    reviewer: Any,
    second_reviewer: Any,
    asked: bool,
    edited: bool,
    added: bool,
    uploader_may: bool,
    approved: bool,
) -> None:
    draft = a_held_answer(legal, reviewer if asked else member)
    rules(legal, uploader_may_approve=uploader_may)
    if edited:
        draft.edited_by, draft.edited_at = reviewer, draft.created_at
        draft.save()
    if added:
        Version.objects.filter(document__title="Source 2").update(created_by=reviewer)
    if approved:
        draft.first_approval = Review.objects.create(
            draft=draft, decision="approved", decided_by=reviewer, text_sha256=digest(draft.text)
        )
        draft.state = DraftState.APPROVED_ONCE
        draft.save()

    told = {verb: separation.refusal(reviewer, draft, verb) for verb in separation.DECISIONS}

    always = asked or edited
    lets_out = always or (added and not uploader_may)
    assert {verb: told[verb] is not None for verb in told} == {
        "approve": lets_out or approved,
        "return": always,
        "reject": always,
    }
    assert (separation.refusal_to_declassify(reviewer, draft.answer) is not None) is lets_out
    assert all(separation.refusal(second_reviewer, draft, verb) is None for verb in separation.DECISIONS)
    assert separation.refusal_to_declassify(second_reviewer, draft.answer) is None


@pytest.mark.parametrize("level", Classification)
@pytest.mark.parametrize("threshold", ["", *Classification])
def test_two_are_needed_from_the_level_of_the_policy_on(
    legal: Any, draft: Draft, level: Classification, threshold: str
) -> None:
    rules(legal, second_approver_from=threshold)
    Document.objects.update(classification=Classification.PUBLIC)
    Document.objects.filter(title="Source 2").update(classification=level)

    expected = bool(threshold) and level.rank >= Classification(threshold).rank
    assert separation.needs_second(draft.answer) is expected
    assert separation.classification_of(draft.answer) == level


# --- Two approvers ------------------------------------------------------------------------------------------


def test_two_different_people_approve_the_same_text_before_it_is_released(
    two_needed: Draft, reviewer: Any, second_reviewer: Any
) -> None:
    first = approve(two_needed, reviewer)

    assert Draft.objects.get().state == DraftState.APPROVED_ONCE
    assert (status(two_needed), Answer.objects.get().released_text) == (AnswerStatus.HELD_FOR_REVIEW, "")
    with pytest.raises(WrongState, match="approved this text already"):
        approve(two_needed, reviewer)

    second = approve(two_needed, second_reviewer)

    assert status(two_needed) == AnswerStatus.ANSWERED_APPROVED
    assert (first.text_sha256, first.sources) == (second.text_sha256, second.sources)
    released = Event.objects.get(type=EventType.ANSWER_RELEASED)
    assert str(first.pk) in released.body
    assert str(second.pk) in released.body
    assert Event.objects.filter(type=EventType.DRAFT_APPROVED_ONCE).count() == 1


def test_a_first_approval_ends_with_the_right_to_give_it(
    legal: Any, two_needed: Draft, reviewer: Any, second_reviewer: Any, manager: Any
) -> None:
    approve(two_needed, reviewer)
    members.remove_member(legal, reviewer, Role.REVIEWER, by=manager)

    approve(two_needed, second_reviewer)

    assert status(two_needed) == AnswerStatus.HELD_FOR_REVIEW
    assert Draft.objects.get().state == DraftState.APPROVED_ONCE


def test_without_the_rule_one_approval_releases(draft: Draft, reviewer: Any) -> None:
    approve(draft, reviewer)

    assert status(draft) == AnswerStatus.ANSWERED_APPROVED


def test_with_the_rule_taken_away_one_person_would_release(
    two_needed: Draft, reviewer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The counter-proof of the test above."""
    monkeypatch.setattr(separation, "needs_second", lambda answer: False)

    approve(two_needed, reviewer)

    assert status(two_needed) == AnswerStatus.ANSWERED_APPROVED


def test_an_edit_takes_the_first_approval_away(
    legal: Any, two_needed: Draft, reviewer: Any, second_reviewer: Any, make_user: Any
) -> None:
    for name in ("third", "fourth"):
        members.add_member(legal, make_user(name), Role.REVIEWER, by=None)
    approve(two_needed, reviewer)

    edited = review.edit(Draft.objects.get(), text=EDITED, by=second_reviewer)

    assert (edited.state, edited.first_approval) == (DraftState.WAITING, None)
    approve(two_needed, reviewer)
    assert Draft.objects.get().state == DraftState.APPROVED_ONCE


def test_a_first_approval_of_another_text_counts_for_nothing(
    two_needed: Draft, reviewer: Any, second_reviewer: Any
) -> None:
    first = approve(two_needed, reviewer)
    Review.objects.filter(pk=first.pk).update(text_sha256=digest("another"))

    approve(two_needed, second_reviewer)

    assert Draft.objects.get().first_approval.decided_by == second_reviewer
    assert status(two_needed) == AnswerStatus.HELD_FOR_REVIEW


@pytest.mark.parametrize("decide", [review.return_for_changes, review.reject])
def test_the_second_reviewer_may_decide_otherwise(
    two_needed: Draft, reviewer: Any, second_reviewer: Any, decide: Any
) -> None:
    approve(two_needed, reviewer)

    decide(Draft.objects.get(), by=second_reviewer, reason="It is wrong.")

    assert Draft.objects.get().first_approval is None
    assert status(two_needed) in {AnswerStatus.HELD_RETURNED, AnswerStatus.REFUSED_BY_REVIEWER}


@pytest.mark.django_db(transaction=True)
def test_of_two_clicks_together_each_counts_once(two_needed: Draft, reviewer: Any, second_reviewer: Any) -> None:
    start = threading.Barrier(2)

    def click(by: Any) -> None:
        start.wait(timeout=10)
        try:
            approve(two_needed, by)
        finally:
            connection.close()

    threads = [threading.Thread(target=click, args=(by,)) for by in (reviewer, second_reviewer)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)

    assert status(two_needed) == AnswerStatus.ANSWERED_APPROVED
    assert Event.objects.filter(type=EventType.DRAFT_APPROVED_ONCE).count() == 1
    assert Event.objects.filter(type=EventType.ANSWER_RELEASED).count() == 1
    assert set(Review.objects.values_list("decided_by__username", flat=True)) == {"reviewer", "second-reviewer"}


# --- A classification that is lowered meanwhile -------------------------------------------------------------


@pytest.fixture
def keeper(legal: Any, reviewer: Any) -> Any:
    """Reviews, and manages the documents too."""
    members.add_member(legal, reviewer, Role.MANAGER, by=None)
    return reviewer


@pytest.fixture
def held_for_two(two_needed: Draft) -> Draft:
    """Held, as the pipeline holds it, while its source was classified so high."""
    Draft.objects.update(needs_second=separation.needs_second(two_needed.answer))
    return Draft.objects.get()


def lower(by: Any, title: str = "Source 1") -> None:
    document = Document.objects.get(title=title)
    classify(document, Classification.PUBLIC, by=by)


def test_an_answer_is_held_with_how_many_it_takes(handbook: Any, policies: Any, member: Any, answered: Any) -> None:
    rules(policies, review_policy="review", second_approver_from=Classification.INTERNAL)

    answered(policies, "How many days of annual leave are there?", member)

    assert Draft.objects.get().needs_second


def test_lowering_a_source_does_not_make_one_approval_enough(
    legal: Any, held_for_two: Draft, keeper: Any, second_reviewer: Any, make_user: Any
) -> None:
    lower(keeper)
    rules(legal, second_approver_from="")

    approve(held_for_two, second_reviewer)

    assert Draft.objects.get().state == DraftState.APPROVED_ONCE
    assert not able(held_for_two)
    members.add_member(legal, make_user("third"), Role.REVIEWER, by=None)
    assert able(held_for_two)


def test_whoever_lowered_a_source_since_it_was_asked_lets_nothing_out(held_for_two: Draft, keeper: Any) -> None:
    lower(keeper)
    classify(Document.objects.get(title="Source 1"), Classification.RESTRICTED, by=keeper)

    told = {verb: separation.refusal(keeper, held_for_two, verb) for verb in separation.DECISIONS}

    assert [verb for verb, reason in told.items() if reason] == ["approve"]
    assert "lowered the classification" in str(separation.refusal_to_declassify(keeper, held_for_two.answer))
    with pytest.raises(WrongState, match="lowered the classification"):
        approve(held_for_two, keeper)
    assert status(held_for_two) == AnswerStatus.HELD_FOR_REVIEW


def test_what_was_lowered_before_the_question_or_raised_ties_nobody(
    legal: Any, member: Any, keeper: Any, second_reviewer: Any
) -> None:
    earlier = a_document(legal, title="Earlier", text=CLAUSES[0])
    lower(keeper, "Earlier")
    draft = a_held_answer(legal, member, clauses=CLAUSES[:1], versions=[earlier])
    classify(Document.objects.get(title="Earlier"), Classification.CONFIDENTIAL, by=keeper)

    assert separation.refusal(keeper, draft, "approve") is None


def test_without_both_rules_who_lowered_it_would_release_it_alone(
    held_for_two: Draft, keeper: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The counter-proof of the tests above."""
    monkeypatch.setattr(separation, "_lowered", lambda *args, **ties: Evidence.objects.none())
    Draft.objects.update(needs_second=False)
    lower(keeper)

    approve(held_for_two, keeper)

    assert status(held_for_two) == AnswerStatus.ANSWERED_APPROVED


# --- Nobody left --------------------------------------------------------------------------------------------


def test_where_two_are_needed_one_able_reviewer_is_not_enough(
    legal: Any, two_needed: Draft, second_reviewer: Any
) -> None:
    assert able(two_needed)

    members.remove_member(legal, second_reviewer, Role.REVIEWER, by=None)

    assert not able(two_needed)
    assert withdraw_leftovers() == 1
    assert status(two_needed) == AnswerStatus.REFUSED_NO_REVIEWER


def test_after_the_first_approval_one_other_is_enough_and_the_same_one_is_not(
    legal: Any, two_needed: Draft, reviewer: Any, second_reviewer: Any
) -> None:
    approve(two_needed, reviewer)
    assert able(two_needed)

    members.remove_member(legal, second_reviewer, Role.REVIEWER, by=None)

    assert withdraw_leftovers() == 1
    assert Draft.objects.get().state == DraftState.STRANDED


def test_reviewers_who_brought_the_source_are_not_counted_where_they_may_not_approve(
    legal: Any, draft: Draft, reviewer: Any, second_reviewer: Any
) -> None:
    Version.objects.filter(document__title="Source 1").update(created_by=reviewer)
    Version.objects.filter(document__title="Source 2").update(created_by=second_reviewer)
    assert able(draft)

    rules(legal, uploader_may_approve=False)

    assert not able(draft)


def test_an_edit_that_would_leave_nobody_to_decide_is_refused(
    draft: Draft, reviewer: Any, second_reviewer: Any
) -> None:
    review.edit(draft, text=EDITED, by=reviewer)

    with pytest.raises(DraftError, match="Nobody would be left"):
        review.edit(Draft.objects.get(), text=f"{EDITED} Again. [1]", by=second_reviewer)

    assert Draft.objects.get().text == EDITED


def test_a_reviewer_hears_that_nobody_would_be_left_before_they_write(
    client_of: Any, draft: Draft, reviewer: Any, second_reviewer: Any
) -> None:
    # They wrote a whole text first, and were refused when they saved it.
    address = reverse("admin:answers_draft_change", args=[draft.pk])
    told = "Nobody would be left to decide on your text."
    assert told not in client_of(second_reviewer).get(address).content.decode()

    review.edit(draft, text=EDITED, by=reviewer)

    page = client_of(second_reviewer).get(address).content.decode()
    assert told in page
    assert 'name="text"' not in page


def test_whoever_approved_the_text_before_may_decide_on_an_edited_one(
    two_needed: Draft, legal: Any, reviewer: Any, second_reviewer: Any, make_user: Any
) -> None:
    third = make_user("third-reviewer")
    members.change_roles(legal, third, {Role.REVIEWER}, by=None)
    approve(two_needed, reviewer)

    review.edit(Draft.objects.get(), text=EDITED, by=third)

    approve(two_needed, reviewer)
    approve(two_needed, second_reviewer)
    assert status(two_needed) == AnswerStatus.ANSWERED_APPROVED


# --- The desk -----------------------------------------------------------------------------------------------


def desks_held() -> set[str]:
    grants = AnswerUserGrant.objects.filter(permission__codename="review_answer")
    return set(grants.values_list("user__username", flat=True))


def test_the_desk_and_the_grant_go_together(draft: Draft, reviewer: Any, second_reviewer: Any) -> None:
    draft = review.assign(draft, to=reviewer, by=reviewer)
    assert desks_held() == {"reviewer"}

    draft = review.assign(draft, to=second_reviewer, by=reviewer)
    assert desks_held() == {"second-reviewer"}

    approve(draft, reviewer)
    assert desks_held() == set()
    assert Draft.objects.get().assigned_to == second_reviewer


def test_the_first_approver_is_not_given_the_draft_again(
    two_needed: Draft, reviewer: Any, second_reviewer: Any
) -> None:
    review.assign(two_needed, to=reviewer, by=reviewer)
    approve(two_needed, reviewer)

    assert (Draft.objects.get().assigned_to, desks_held()) == (None, set())
    with pytest.raises(DraftError, match="approved"):
        review.assign(Draft.objects.get(), to=reviewer, by=second_reviewer)
