"""A held answer ends when a document it rests on is deleted: nobody may read it any more, and its asker is told."""

import json

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from answers import review, withdrawal
from answers.exceptions import WrongState
from answers.models import Answer
from answers.states import AnswerStatus, DraftState
from answers.tasks import sweep_answers
from audit.chain import digest
from audit.events import EventType
from audit.models import Event
from documents import library as documents
from documents.access import restriction
from documents.deletion import dependants
from documents.models import Document
from workspaces.exceptions import Forbidden, Refused
from workspaces.members import add_member, remove_member

QUESTION = "How many days of annual leave does an employee have?"


@pytest.fixture
def held(legal, member, answered) -> Answer:
    from tests.answers import library

    library.add_document(legal, "employee-handbook.md", library.HANDBOOK)
    return answered(legal, QUESTION, member)


def entries_of(answer: Answer) -> dict[str, tuple[str, str]]:
    """Type → (object, actor) of what the trail says about the end of the answer and its draft."""
    types = (EventType.DRAFT_WITHDRAWN, EventType.DRAFT_STRANDED, EventType.ANSWER_REFUSED)
    entries = Event.objects.filter(type__in=types, object_id__in=[str(answer.pk), str(answer.draft.pk)])
    return {entry.type: (entry.object_id, entry.actor_id) for entry in entries}


def test_deleting_a_source_ends_the_answer_with_a_sentence_and_an_entry(held, manager, member, client_of):
    documents.delete(Document.objects.get(), by=manager)

    held.refresh_from_db()
    assert held.status == AnswerStatus.REFUSED_SOURCE_DELETED
    assert held.draft.state == DraftState.WITHDRAWN
    assert entries_of(held) == {
        EventType.DRAFT_WITHDRAWN: (str(held.draft.pk), str(manager.pk)),
        EventType.ANSWER_REFUSED: (str(held.pk), str(manager.pk)),
    }
    page = client_of(member).get(f"/w/legal/answers/{held.pk}/").content.decode()
    assert "was deleted before it was released" in page


def test_a_withdrawn_draft_cannot_be_approved(held, manager, reviewer):
    documents.delete(Document.objects.get(), by=manager)

    with pytest.raises((Refused, WrongState)):
        review.approve(held.draft, by=reviewer, seen_sha256=digest(held.draft.text))

    held.refresh_from_db()
    assert held.released_text == ""


def test_a_draft_that_was_returned_once_names_nobody_as_the_one_who_ended_it(
    legal, held, manager, reviewer, second_reviewer
):
    review.return_for_changes(held.draft, by=reviewer, reason="Say which parent.")
    for person in (reviewer, second_reviewer):
        remove_member(legal, person, "reviewer", by=None)
    withdrawal.withdraw_leftovers()
    add_member(legal, second_reviewer, "reviewer", by=None)

    with pytest.raises(WrongState, match="no reviewer was left") as told:
        review.reject(held.draft, by=second_reviewer, reason="No.")

    assert "decided by" not in str(told.value)


def test_a_superuser_changes_nothing_of_a_draft_whose_source_was_deleted(
    held, manager, reviewer, superuser, break_glass
):
    review.return_for_changes(held.draft, by=reviewer, reason="Say which parent.")
    documents.delete(Document.objects.get(), by=manager)
    break_glass(held.workspace)

    with pytest.raises(Forbidden):
        review.edit(held.draft, text="Anything. [1]", by=superuser)


def test_an_answer_held_while_its_source_was_being_deleted_is_found_by_the_sweep(held, manager, monkeypatch):
    monkeypatch.setattr(dependants, "kinds", [])
    documents.delete(Document.objects.get(), by=manager)
    held.refresh_from_db()
    assert held.status == AnswerStatus.HELD_FOR_REVIEW

    sweep_answers()

    held.refresh_from_db()
    assert held.status == AnswerStatus.REFUSED_SOURCE_DELETED
    assert withdrawal.withdraw_leftovers() == 0


def test_answers_from_other_documents_stay_held(held, legal, manager):
    from tests.answers import library

    other = library.add_document(legal, "purchasing.md", library.PURCHASING)
    held.evidence.exclude(document__path="employee-handbook.md").delete()
    documents.delete(other.document, by=manager)

    held.refresh_from_db()
    assert held.status == AnswerStatus.HELD_FOR_REVIEW


def test_a_deletion_whose_withdrawal_cannot_be_recorded_does_not_happen(held, manager, monkeypatch):
    def fail(*args, **kwargs):
        raise RuntimeError("no trail")

    monkeypatch.setattr(withdrawal, "record_all", fail)

    with pytest.raises(RuntimeError):
        documents.delete(Document.objects.get(), by=manager)

    assert Document.objects.get().deleted_at is None


def test_an_answer_whose_last_able_reviewer_leaves_is_ended_by_the_sweep(
    legal, manager, member, reviewer, second_reviewer, answered
):
    from tests.answers import library

    library.add_document(legal, "handbook.md", library.HANDBOOK, granted_to=[member, reviewer])
    answer = answered(legal, QUESTION, member)
    sweep_answers()
    answer.refresh_from_db()
    assert answer.status == AnswerStatus.HELD_FOR_REVIEW
    restriction.revoke_grant(Document.objects.get(), reviewer, by=manager)

    sweep_answers()

    answer.refresh_from_db()
    assert answer.status == AnswerStatus.REFUSED_NO_REVIEWER
    assert answer.draft.state == DraftState.STRANDED
    assert entries_of(answer) == {
        EventType.DRAFT_STRANDED: (str(answer.draft.pk), ""),
        EventType.ANSWER_REFUSED: (str(answer.pk), ""),
    }
    refused = Event.objects.get(type=EventType.ANSWER_REFUSED)
    assert json.loads(refused.body)["details"] == {"status": "refused_no_reviewer", "draft": str(answer.draft.pk)}
    assert withdrawal.withdraw_leftovers() == 0


def test_a_returned_answer_ends_too_when_nobody_is_left_to_decide(held, legal, reviewer, second_reviewer):
    review.return_for_changes(held.draft, by=reviewer, reason="Say which parent.")
    for person in (reviewer, second_reviewer):
        remove_member(legal, person, "reviewer", by=None)

    assert withdrawal.withdraw_leftovers() == 1

    held.refresh_from_db()
    assert held.status == AnswerStatus.REFUSED_NO_REVIEWER


def test_a_withdrawal_locks_drafts_with_their_answers_and_leaves_their_keys_free(held, manager):
    with CaptureQueriesContext(connection) as captured:
        documents.delete(Document.objects.get(), by=manager)

    locks = [query["sql"] for query in captured if "FOR NO KEY UPDATE OF" in query["sql"]]
    assert [sql for sql in locks if sql.endswith('FOR NO KEY UPDATE OF "answers_draft", "answers_answer"')]
    assert not [query["sql"] for query in captured if "FOR UPDATE" in query["sql"] and "answers_" in query["sql"]]
