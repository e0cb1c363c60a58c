"""Several drafts in one act: each is checked on its own, and only what is word for word the same goes with it."""

from typing import Any

import pytest

from answers import review
from answers.exceptions import DraftError
from answers.models import Answer, Draft
from answers.review import bulk
from answers.states import AnswerStatus
from audit.chain import digest
from audit.events import EventType
from audit.models import Event
from documents.models import Document
from tests.answers.review_scene import CLAUSES, TEXT, a_document, a_held_answer

SEEN = digest(TEXT)


@pytest.fixture
def versions(legal: Any) -> list[Any]:
    return [a_document(legal, title=f"Source {n}", text=f"Before. {clause} After.") for n, clause in enumerate(CLAUSES)]


@pytest.fixture
def drafts(legal: Any, member: Any, versions: list[Any]) -> list[Draft]:
    """Three people's worth of the same question, answered alike."""
    return [a_held_answer(legal, member, versions=versions) for _n in range(3)]


def done(items: list[bulk.Item]) -> list[bool]:
    return [item.is_done for item in items]


def test_drafts_that_are_the_same_are_approved_together_each_with_its_own_entries(
    drafts: list[Draft], reviewer: Any
) -> None:
    assert [item.objection for item in bulk.checked(drafts, by=reviewer)] == ["", "", ""]

    items = bulk.approve(drafts, by=reviewer, seen_sha256=SEEN, reason="Read once.")

    assert done(items) == [True, True, True]
    assert set(Answer.objects.values_list("status", "released_sha256")) == {(AnswerStatus.ANSWERED_APPROVED, SEEN)}
    assert Event.objects.filter(type=EventType.DRAFT_APPROVED).count() == 3
    assert Event.objects.filter(type=EventType.DRAFTS_BULK_APPROVED).count() == 1


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        ("edited", "Somebody was faster"),
        ("another version", "not those of the first"),
        ("unsupported", "not of low risk"),
        ("confidential", "not of low risk"),
        ("two needed", "two approvals"),
        ("rejected", "Somebody was faster"),
    ],
)
def test_a_draft_that_does_not_pass_stays_where_it_is_and_says_why(
    spoil: str, why: str, legal: Any, member: Any, versions: list[Any], drafts: list[Draft], reviewer: Any,
    second_reviewer: Any,
) -> None:  # fmt: skip
    other = drafts[1]
    match spoil:
        case "edited":
            review.edit(other, text=f"{CLAUSES[0]} [1]", by=second_reviewer)
        case "another version":
            other = drafts[1] = a_held_answer(legal, member)
        case "unsupported":
            sentences = [one | {"verdict": "unsupported"} for one in other.answer.sentences]
            Answer.objects.filter(pk=other.answer_id).update(sentences=sentences)
        case "confidential":
            Document.objects.filter(pk=versions[0].document_id).update(classification="confidential")
        case "two needed":
            Draft.objects.filter(pk=other.pk).update(needs_second=True)
        case "rejected":
            review.reject(other, by=second_reviewer, reason="No.")
    given = [Draft.objects.select_related("answer", "workspace").get(pk=draft.pk) for draft in drafts]

    items = bulk.approve(given, by=reviewer, seen_sha256=SEEN)

    assert not items[1].is_done
    assert why in items[1].objection
    assert not Answer.objects.get(pk=other.answer_id).released_text
    # All three rest on the document that was classified.
    assert done(items) == ([False] * 3 if spoil == "confidential" else [True, False, True])


def test_nobody_approves_in_bulk_what_they_could_not_approve_alone(
    drafts: list[Draft], reviewer: Any, member: Any, manager: Any, stranger: Any
) -> None:
    review.edit(drafts[1], text=f"{CLAUSES[0]} [1]", by=reviewer)
    review.edit(Draft.objects.get(pk=drafts[1].pk), text=TEXT, by=reviewer)

    items = bulk.approve(drafts, by=reviewer, seen_sha256=SEEN)

    assert done(items) == [True, False, True]
    assert "edited" in items[1].objection
    for person in (member, manager, stranger):
        refused = bulk.approve([drafts[1]], by=person, seen_sha256=SEEN)
        assert done(refused) == [False]
        assert bulk.checked([drafts[1]], by=person)[0].objection


def test_the_text_approved_is_the_one_that_was_read(drafts: list[Draft], reviewer: Any) -> None:
    items = bulk.approve(drafts, by=reviewer, seen_sha256=digest("Another text."))

    assert done(items) == [False] * 3
    assert not Answer.objects.exclude(released_text="").exists()


def test_an_objection_that_is_not_heard_would_be_seen(drafts: list[Draft], reviewer: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr(bulk, "_risk", lambda draft: "")
    sentences = [one | {"verdict": "unsupported"} for one in drafts[1].answer.sentences]
    Answer.objects.filter(pk=drafts[1].answer_id).update(sentences=sentences)

    assert done(bulk.approve(drafts, by=reviewer, seen_sha256=SEEN)) == [True, True, True]


def test_a_bulk_has_an_end(drafts: list[Draft], reviewer: Any) -> None:
    with pytest.raises(DraftError, match="at most"):
        bulk.approve(drafts * 40, by=reviewer, seen_sha256=SEEN)
