"""Ways around the rules of a review that look like something else: each is closed, and stays so."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from answers import grounding, review, separation
from answers.access import declassification
from answers.exceptions import DraftError, WrongState
from answers.models import Answer, Clarification, Declassification, Draft, Grounding
from answers.queue import order as queue
from answers.states import AnswerStatus, DraftState
from audit.chain import digest
from documents import library
from documents.deletion import erasing as deletion
from documents.models import Document, Version
from documents.states import VersionState
from tests.answers.review_scene import CLAUSES, TEXT, a_document, a_held_answer
from workspaces.exceptions import Forbidden
from workspaces.models import Notification, Workspace

WEAK = f"{CLAUSES[0]} [1] Invoices are due within 90 days of receipt. [2]"


@pytest.fixture
def draft(legal: Any, member: Any) -> Draft:
    return a_held_answer(legal, member)


def fresh(draft: Draft) -> Draft:
    return Draft.objects.select_related("answer__workspace", "workspace").get(pk=draft.pk)


def released(draft: Draft, by: Any) -> Answer:
    review.approve(fresh(draft), by=by, seen_sha256=digest(fresh(draft).text))
    return fresh(draft).answer


# --- Separation of duties -----------------------------------------------------------------------------------


def bring_newer(draft: Draft, by: Any) -> None:
    """`by` adds a version of the first source that says the clause too, among other things."""
    old = draft.answer.evidence.get(rank=1).version
    newer = a_document(draft.workspace, title="Newer", text=f"This is void from today on.\n{CLAUSES[0]}\n")
    Document.objects.filter(pk=newer.document_id).update(current_version=None)
    Version.objects.filter(pk=old.pk).update(state=VersionState.SUPERSEDED)
    Version.objects.filter(pk=newer.pk).update(document=old.document, number=2, created_by=by)
    Document.objects.filter(pk=old.document_id).update(current_version=newer)


def test_whoever_adds_the_version_that_quotes_are_carried_over_to_does_not_let_it_out(
    legal: Any, draft: Draft, reviewer: Any, second_reviewer: Any
) -> None:
    Workspace.objects.filter(pk=legal.pk).update(uploader_may_approve=False)
    bring_newer(draft, reviewer)

    with pytest.raises(WrongState, match="You added a document"):
        released(draft, reviewer)
    assert separation.who_may_decide(fresh(draft).answer) == [second_reviewer]

    assert released(draft, second_reviewer).status == AnswerStatus.ANSWERED_APPROVED


@pytest.mark.parametrize(
    "act",
    [
        pytest.param(lambda d, by: review.edit(d, text=WEAK, by=by), id="edit"),
        pytest.param(lambda d, by: review.assign(d, to=None, by=by), id="assign"),
        pytest.param(lambda d, by: review.submit(d, by=by), id="submit"),
    ],
)
def test_by_breaking_glass_one_reads_a_draft_and_changes_nothing_of_it(
    draft: Draft, legal: Any, reviewer: Any, superuser: Any, break_glass: Any, act: Any, request: Any
) -> None:
    break_glass(legal)
    if request.node.callspec.id == "submit":
        review.return_for_changes(draft, by=reviewer, reason="Weak.")

    with pytest.raises(Forbidden):
        act(fresh(draft), superuser)

    assert fresh(draft).text == TEXT


# --- Bulk ---------------------------------------------------------------------------------------------------


def test_drafts_approved_together_rest_on_what_the_one_that_was_read_rests_on(
    client_of: Any, legal: Any, member: Any, reviewer: Any, draft: Draft
) -> None:
    others = [a_document(legal, title=f"Other {n}", text=f"Void. {clause}") for n, clause in enumerate(CLAUSES)]
    unread = [a_held_answer(legal, member, versions=others) for _n in range(2)]

    client_of(reviewer).post(
        f"/admin/answers/draft/{draft.pk}/alike/",
        {"drafts": [str(one.pk) for one in unread], "seen_sha256": digest(TEXT)},
    )

    assert {fresh(one).state for one in unread} == {DraftState.WAITING}


# --- Reopening ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("act", [review.reopen, review.take_back])
def test_what_is_reopened_is_declassified_no_more(
    draft: Draft, contributor: Any, reviewer: Any, second_reviewer: Any, act: Any
) -> None:
    answer = released(draft, reviewer)
    declassification.declassify(answer, by=second_reviewer, reason="For all.")

    act(fresh(draft).answer, by=reviewer, reason="A reader doubts it.")

    made = Declassification.objects.get()
    assert (made.ended_by, made.ended_at is None) == (reviewer, False)


def test_a_draft_that_was_decided_long_ago_is_not_overdue_when_it_is_reopened(draft: Draft, reviewer: Any) -> None:
    Draft.objects.filter(pk=draft.pk).update(due_at=timezone.now() - timedelta(days=30))
    queue.claim(draft, by=reviewer)
    answer = released(draft, reviewer)

    reopened = review.reopen(answer, by=reviewer, reason="A reader doubts it.")

    assert not queue.is_overdue(fresh(reopened))
    assert queue.holder(fresh(reopened)) is None


def test_a_reopened_draft_is_due_from_then_on_and_tells_how_it_stands(
    policies: Any, handbook: Any, member: Any, reviewer: Any, answered: Any
) -> None:
    answer = answered(policies, "How many days of annual leave do employees have?", member)

    draft = fresh(review.reopen(answer, by=reviewer, reason="A reader doubts it."))

    assert draft.due_at is not None
    assert draft.due_at > draft.created_at
    assert draft.grounding in Grounding.values


# --- Questions to the asker ---------------------------------------------------------------------------------


def test_a_reply_to_what_was_asked_before_does_not_stand_for_what_is_asked_now(
    draft: Draft, member: Any, reviewer: Any, second_reviewer: Any
) -> None:
    old = review.return_for_changes(draft, by=reviewer, reason="Unclear.", questions=["Which one?"])
    review.edit(fresh(draft), text=WEAK, by=second_reviewer)
    review.submit(fresh(draft), by=second_reviewer)
    review.return_for_changes(fresh(draft), by=reviewer, reason="Still unclear.", questions=["Since when?"])

    with pytest.raises(WrongState, match="gone on"):
        review.reply(old.clarifications.get(), text="The carrier's.", by=member)

    assert fresh(draft).state == DraftState.RETURNED
    assert [one.text for one in review.questions_to(member, draft.answer) if one.awaits_reply] == ["Since when?"]
    review.reply(Clarification.objects.get(text="Since when?"), text="2024.", by=member)
    assert fresh(draft).state == DraftState.WAITING


# --- Edits --------------------------------------------------------------------------------------------------


def test_the_queue_knows_how_an_edited_text_stands(draft: Draft, reviewer: Any) -> None:
    review.edit(draft, text=WEAK, by=reviewer)

    assert fresh(draft).grounding == grounding.summarise(grounding.check(draft.answer, WEAK)).verdict
    assert fresh(draft).grounding != Grounding.SUPPORTED


def test_approving_in_other_words_needs_other_words(draft: Draft, reviewer: Any) -> None:
    with pytest.raises(DraftError, match="same text"):
        review.approve_with_edits(draft, text=f"{TEXT}\r\n", by=reviewer, seen_sha256=digest(TEXT))


# --- Two officers -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("near", ["desk", "claim"])
def test_whoever_was_at_it_is_told_that_another_decided(
    draft: Draft, reviewer: Any, second_reviewer: Any, near: str
) -> None:
    if near == "desk":
        review.assign(draft, to=reviewer, by=reviewer)
    else:
        queue.claim(draft, by=reviewer)

    review.reject(fresh(draft), by=second_reviewer, reason="No.")

    told = Notification.objects.filter(kind="decided_by_other")
    assert [one.person for one in told] == [reviewer]


# --- Erasure ------------------------------------------------------------------------------------------------


def test_why_a_draft_was_edited_goes_with_the_document_it_repeats(
    legal: Any, draft: Draft, manager: Any, reviewer: Any
) -> None:
    said = CLAUSES[0]
    review.edit(draft, text=f"{CLAUSES[0]} [1]", by=reviewer, reason=said)
    assert Draft.history.filter(history_change_reason=said).exists()

    document = draft.answer.evidence.get(rank=1).document
    library.delete(document, by=manager)
    deletion.erase(document.pk)

    assert not Draft.history.filter(history_change_reason__contains=said).exists()
