"""A released answer is looked at again or taken back; askers reply to reviewers; edits are checked and handed over."""

from typing import Any

import pytest

from answers import reading, review
from answers.exceptions import DraftError, WrongState
from answers.models import Answer, Clarification, Draft, Review
from answers.review import reasons
from answers.states import AnswerStatus, DraftState
from audit.chain import digest
from audit.events import EventType
from audit.models import Event
from documents.access import restriction
from tests.answers.review_scene import CLAUSES, TEXT, a_held_answer
from workspaces.exceptions import Forbidden, Hidden
from workspaces.models import Notification

QUESTION = "How many days of annual leave do employees have?"
EDITED = f"{CLAUSES[0]} [1] Invoices are due in 30 days. [2]"


@pytest.fixture
def draft(legal: Any, member: Any) -> Draft:
    return a_held_answer(legal, member)


@pytest.fixture
def released(draft: Draft, reviewer: Any) -> Answer:
    review.approve(draft, by=reviewer, seen_sha256=digest(draft.text))
    return fresh(draft).answer


def fresh(draft: Draft) -> Draft:
    return Draft.objects.select_related("answer__workspace").get(pk=draft.pk)


def told(person: Any) -> list[str]:
    return list(Notification.objects.filter(person=person).order_by("created_at").values_list("kind", flat=True))


# --- Again --------------------------------------------------------------------------------------------------


def test_nobody_reads_a_reopened_answer_until_somebody_lets_it_out_again(
    released: Answer, draft: Draft, member: Any, reviewer: Any, second_reviewer: Any
) -> None:
    review.reopen(released, by=second_reviewer, reason="A reader doubts it.")

    closed = fresh(draft).answer
    assert (closed.status, closed.released_text, closed.released_sha256) == (AnswerStatus.HELD_REOPENED, "", "")
    assert reading.read(closed, by=member).text == ""
    assert told(member)[-1] == "answer_reopened"

    review.approve(fresh(draft), by=reviewer, seen_sha256=digest(TEXT))
    assert reading.read(fresh(draft).answer, by=member).text == TEXT
    assert [one.decision for one in Review.objects.order_by("decided_at")] == ["approved", "reopened", "approved"]


def test_what_is_reopened_leaves_the_hash_that_was_readable_in_the_trail(
    released: Answer, second_reviewer: Any
) -> None:
    review.reopen(released, by=second_reviewer, reason="A reader doubts it.")

    entry = Event.objects.get(type=EventType.ANSWER_REOPENED)
    assert released.released_sha256 in entry.body
    assert Event.objects.filter(type=EventType.DRAFT_REOPENED).count() == 1


def test_an_answer_that_the_policy_released_gets_a_draft_when_it_is_reopened(
    policies: Any, handbook: Any, member: Any, reviewer: Any, answered: Any
) -> None:
    answer = answered(policies, QUESTION, member)
    text = answer.released_text

    draft = review.reopen(answer, by=reviewer, reason="A reader doubts it.")

    answer.refresh_from_db()
    assert (answer.status, answer.released_text) == (AnswerStatus.HELD_REOPENED, "")
    assert (draft.text, draft.state) == (text, DraftState.WAITING)
    review.edit(draft, text=text, by=reviewer)  # the same text: no edit
    review.approve(draft, by=reviewer, seen_sha256=digest(text))
    answer.refresh_from_db()
    assert (answer.status, answer.released_by) == (AnswerStatus.ANSWERED_APPROVED, reviewer)


def test_an_answer_that_is_taken_back_stays_closed(
    released: Answer, draft: Draft, member: Any, second_reviewer: Any, reviewer: Any
) -> None:
    review.take_back(released, by=second_reviewer, reason="It was wrong.")

    closed = fresh(draft).answer
    assert (closed.status, fresh(draft).state) == (AnswerStatus.REFUSED_TAKEN_BACK, DraftState.TAKEN_BACK)
    assert reading.read(closed, by=member).text == ""
    assert told(member)[-1] == "answer_taken_back"
    for act in (
        lambda: review.reopen(closed, by=reviewer, reason="Why not?"),
        lambda: review.approve(fresh(draft), by=reviewer, seen_sha256=digest(TEXT)),
        lambda: review.edit(fresh(draft), text=EDITED, by=reviewer),
    ):
        with pytest.raises(WrongState, match=r"(?i)taken back"):
            act()


@pytest.mark.parametrize("act", [review.reopen, review.take_back])
def test_only_a_reviewer_who_may_open_all_and_did_not_ask_reopens(
    act: Any, released: Answer, member: Any, manager: Any, stranger: Any, reviewer: Any, second_reviewer: Any
) -> None:
    for person, refusal in ((member, Forbidden), (manager, (Forbidden, Hidden)), (stranger, Hidden)):
        with pytest.raises(refusal):
            act(released, by=person, reason="Because.")
    with pytest.raises(DraftError, match="Say why"):
        act(released, by=reviewer, reason=" ")

    document = released.evidence.first().document
    restriction.restrict(document, by=manager)
    with pytest.raises((Forbidden, Hidden, WrongState)):
        act(released, by=second_reviewer, reason="Because.")

    released.refresh_from_db()
    assert released.status == AnswerStatus.ANSWERED_APPROVED


def test_without_a_reviewer_beside_who_edited_it_is_taken_back_rather_than_reopened(
    draft: Draft, reviewer: Any, second_reviewer: Any
) -> None:
    review.edit(draft, text=EDITED, by=reviewer)
    review.approve(fresh(draft), by=second_reviewer, seen_sha256=digest(EDITED))
    second_reviewer.is_active = False
    second_reviewer.save()

    with pytest.raises(DraftError, match="Nobody would be left"):
        review.reopen(fresh(draft).answer, by=reviewer, reason="A reader doubts it.")
    review.take_back(fresh(draft).answer, by=reviewer, reason="It was wrong.")


def test_of_two_who_reopen_one_is_told(released: Answer, reviewer: Any, second_reviewer: Any) -> None:
    stale = Answer.objects.get(pk=released.pk)
    review.reopen(released, by=reviewer, reason="A reader doubts it.")

    with pytest.raises(WrongState, match="Under review again"):
        review.reopen(stale, by=second_reviewer, reason="Me too.")


# --- Questions to the asker ---------------------------------------------------------------------------------


@pytest.fixture
def asked(draft: Draft, reviewer: Any) -> list[Clarification]:
    questions = ["Which agreement?", "  ", "Since when?"]
    return list(
        review.return_for_changes(draft, by=reviewer, reason="Unclear.", questions=questions).clarifications.all()
    )


def test_the_askers_last_reply_puts_the_draft_back_in_line(
    draft: Draft, asked: list[Clarification], member: Any, reviewer: Any
) -> None:
    assert [one.text for one in review.questions_to(member, draft.answer)] == ["Which agreement?", "Since when?"]
    assert "answer_asked" in told(member)

    review.reply(asked[0], text="The carrier's.", by=member)
    assert fresh(draft).state == DraftState.RETURNED
    review.reply(asked[1], text="2024.", by=member)

    assert (fresh(draft).state, fresh(draft).answer.status) == (DraftState.WAITING, AnswerStatus.HELD_FOR_REVIEW)
    assert "draft_replied" in told(reviewer)
    bodies = Event.objects.filter(type=EventType.DRAFT_REPLIED).values_list("body", flat=True)
    assert digest("2024.") in bodies[1]
    assert "2024." not in bodies[1]


def test_only_the_asker_replies_once_and_while_the_sources_are_open_to_them(
    draft: Draft, asked: list[Clarification], member: Any, contributor: Any, stranger: Any, manager: Any
) -> None:
    for person in (contributor, stranger):
        with pytest.raises((Hidden, Forbidden)):
            review.reply(asked[0], text="Me.", by=person)
        assert review.questions_to(person, draft.answer) == []
    with pytest.raises(DraftError):
        review.reply(asked[0], text="  ", by=member)
    review.reply(asked[0], text="The carrier's.", by=member)
    with pytest.raises(WrongState):
        review.reply(asked[0], text="No, another one.", by=member)

    restriction.restrict(draft.answer.evidence.first().document, by=manager)
    assert review.questions_to(member, draft.answer) == []
    with pytest.raises(Hidden):
        review.reply(asked[1], text="2024.", by=member)


def test_a_reply_after_the_decision_changes_nothing(
    draft: Draft, asked: list[Clarification], member: Any, reviewer: Any, second_reviewer: Any
) -> None:
    review.edit(fresh(draft), text=EDITED, by=reviewer)
    review.submit(fresh(draft), by=reviewer)
    review.approve(fresh(draft), by=second_reviewer, seen_sha256=digest(EDITED))

    with pytest.raises(WrongState, match="gone on"):
        review.reply(asked[0], text="Too late.", by=member)

    assert fresh(draft).answer.status == AnswerStatus.ANSWERED_APPROVED


def test_an_asker_replies_on_the_answers_page(
    client_of: Any, draft: Draft, asked: list[Clarification], member: Any, contributor: Any, reviewer: Any
) -> None:
    address = f"/w/legal/answers/{draft.answer_id}/"

    page = client_of(member).get(address).content.decode()
    refused = client_of(contributor).post(f"{address}reply/{asked[0].pk}/", {"text": "Me."})
    client_of(member).post(f"{address}reply/{asked[0].pk}/", {"text": "The carrier's."})

    assert f"{reviewer.name} asks:" in page
    assert "Which agreement?" in page
    assert "Either party" not in page
    assert refused.status_code == 404
    assert Clarification.objects.get(pk=asked[0].pk).reply == "The carrier's."


def test_a_reviewer_reopens_on_the_answers_page_and_the_asker_cannot(
    client_of: Any, released: Answer, member: Any, second_reviewer: Any
) -> None:
    address = f"/w/legal/answers/{released.pk}/"

    assert "Put under review again" in client_of(second_reviewer).get(address).content.decode()
    assert "Put under review again" not in client_of(member).get(address).content.decode()
    assert client_of(member).post(f"{address}reopen/", {"reason": "No."}).status_code == 403
    client_of(second_reviewer).post(f"{address}reopen/", {"reason": "A reader doubts it."})

    released.refresh_from_db()
    assert released.status == AnswerStatus.HELD_REOPENED
    assert "looks at this answer again" in client_of(member).get(address).content.decode()


# --- Edits --------------------------------------------------------------------------------------------------


def test_an_edit_is_checked_sentence_by_sentence(draft: Draft, reviewer: Any) -> None:
    review.edit(draft, text=f"{CLAUSES[0]} [1] Invoices are due within 90 days of receipt. [2]", by=reviewer)

    verdicts = [one["verdict"] for one in fresh(draft).sentences]
    assert verdicts[0] == "supported"
    assert verdicts[1] != "supported"


def test_approving_with_edits_hands_exactly_that_text_to_somebody_else(
    draft: Draft, reviewer: Any, second_reviewer: Any
) -> None:
    review.approve_with_edits(draft, text=EDITED, by=reviewer, seen_sha256=digest(TEXT), to=second_reviewer)

    assert (fresh(draft).state, fresh(draft).assigned_to) == (DraftState.WAITING, second_reviewer)
    with pytest.raises(WrongState, match="edited"):
        review.approve(fresh(draft), by=reviewer, seen_sha256=digest(EDITED))
    review.approve(fresh(draft), by=second_reviewer, seen_sha256=digest(EDITED))
    assert fresh(draft).answer.released_text == EDITED


# --- Reasons ------------------------------------------------------------------------------------------------


def test_a_manager_words_the_reasons_that_reviewers_choose_from(
    client_of: Any, legal: Any, manager: Any, reviewer: Any, stranger: Any
) -> None:
    address = "/w/legal/settings/reasons/"
    assert reasons.offered(legal)["reject"]

    client_of(manager).post(address, {"reject": "Not our field.\n\nNot our field.\nAsk legal."})

    assert reasons.offered(legal) == {act: [] for act in reasons.ACTS} | {"reject": ["Not our field.", "Ask legal."]}
    assert "Not our field." in Event.objects.get(type=EventType.REVIEW_REASONS_CHANGED).body
    assert client_of(reviewer).post(address, {"reject": "Mine."}).status_code == 403
    assert client_of(stranger).post(address, {"reject": "Mine."}).status_code == 404
