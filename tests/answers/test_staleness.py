"""A released answer is closed with the document it rests on, says why, and comes back with it."""

from datetime import timedelta

import pytest
from django.utils import timezone

from answers.models import Answer, Suspension
from answers.states import AnswerStatus
from answers.suspension import suspended
from audit.events import EventType
from audit.models import Event
from documents import library
from documents.access import bars, restriction
from documents.deletion import dependants, retention, tombstones
from documents.deletion import erasing as deletion
from documents.models import Document, Version
from tests.answers import library as shelf

pytestmark = pytest.mark.django_db

QUESTION = "How many days of annual leave does an employee have?"


@pytest.fixture
def released(policies, manager, member, handbook, answered) -> Answer:
    retention.change(policies, by=manager, bin_days=7)
    return answered(policies, QUESTION, member)


def test_the_asker_is_told_which_document_went_when_and_by_whom_and_reads_no_text(
    released, handbook, manager, member, client_of
):
    text = released.released_text
    page = client_of(member).get(f"/w/policies/answers/{released.pk}/").content.decode()
    assert "25 working days" in page

    library.delete(handbook.document, by=manager)

    page = client_of(member).get(f"/w/policies/answers/{released.pk}/").content.decode()
    released.refresh_from_db()
    assert (released.status, released.released_text) == (AnswerStatus.SUSPENDED, text)
    assert "25 working days" not in page
    assert f"“{handbook.document.title}” was deleted on" in page
    assert f"by {manager.name}." in page
    entry = Event.objects.get(type=EventType.ANSWER_SUSPENDED)
    assert (entry.object_id, entry.actor_id) == (str(released.pk), str(manager.pk))
    assert "25 working days" not in entry.body
    record = client_of(member).get(f"/w/policies/answers/{released.pk}/provenance/").content.decode()
    assert "Deleted on" in record
    assert handbook.document.title not in record


def test_a_restricted_document_is_not_named_to_who_asked(policies, manager, member, answered):
    closed = shelf.add_document(policies, "employee-handbook.md", shelf.HANDBOOK, granted_to=[member, manager])
    answer = answered(policies, QUESTION, member)
    restriction.revoke_grant(closed.document, member, by=manager)

    library.delete(closed.document, by=manager)

    suspension = Suspension.objects.get(answer=answer)
    assert suspended.in_words(suspension, to=member).startswith("A document was deleted on")
    assert closed.document.title in suspended.in_words(suspension, to=manager)


def test_a_document_a_never_rule_closes_is_not_named_to_who_asked(released, handbook, manager, member, client_of):
    bars.bar(handbook.document, member, by=manager, reason="Conflict of interest.")

    library.delete(handbook.document, by=manager)

    page = client_of(member).get(f"/w/policies/answers/{released.pk}/").content.decode()
    assert "A document was deleted on" in page
    assert handbook.document.title not in page


def test_the_answer_opens_again_with_its_document_unless_another_is_gone(
    policies, released, handbook, manager, member, answered
):
    other = shelf.add_document(policies, "leave.md", "# Leave\n\nAn employee has annual leave of 25 working days.")
    both = answered(policies, QUESTION, member)
    assert both.evidence.values("document").distinct().count() == 2
    first = library.delete(handbook.document, by=manager).deletion
    second = library.delete(other.document, by=manager).deletion

    tombstones.restore(first, by=manager)
    released.refresh_from_db()
    both.refresh_from_db()
    assert (released.status, both.status) == (AnswerStatus.ANSWERED, AnswerStatus.SUSPENDED)
    tombstones.restore(second, by=manager)

    both.refresh_from_db()
    assert both.status == AnswerStatus.ANSWERED
    assert Event.objects.filter(type=EventType.ANSWER_RESUMED).count() == 2


def test_what_rests_on_a_document_is_told_before_and_others_questions_only_counted(
    released, handbook, manager, member, client_of
):
    to_manager = list(dependants.told(handbook.document, manager))
    to_member = list(dependants.told(handbook.document, member))

    assert [(one.count, list(one.shown), one.more) for one in to_manager] == [(1, [], 1)]
    assert [one.shown[0][0] for one in to_member] == [QUESTION]
    page = client_of(manager).get(f"/w/policies/documents/{handbook.document_id}/delete/").content.decode()
    assert "Released answers: 1" in page
    assert QUESTION not in page


def test_without_the_suspension_the_answer_would_stay_released(released, handbook, manager, monkeypatch):
    """The counter-proof: it is the registered kind that closes it, in the transaction of the deletion."""
    monkeypatch.setattr(dependants, "kinds", [])

    library.delete(handbook.document, by=manager)

    released.refresh_from_db()
    assert released.status == AnswerStatus.ANSWERED
    assert Document.objects.get(pk=handbook.document_id).deleted_at is not None


@pytest.mark.parametrize("keeps", [False, True], ids=["erased", "kept closed"])
def test_what_the_rules_closed_with_a_former_version_stays_closed_when_the_document_comes_back(
    released, policies, handbook, manager, member, contributor, client_of, keeps
):
    new = shelf.add_document(policies, handbook.document.path, "# Handbook\n\nThe canteen opens at noon for everybody.")
    retention.change(policies, by=manager, after_replaced_days=1, keeps_answers=keeps)
    Version.objects.filter(pk=new.pk).update(ready_at=timezone.now() - timedelta(days=5))
    retention.run(policies)
    deletion.erase(handbook.document_id)
    gone = library.delete(Document.objects.get(pk=handbook.document_id), by=manager).deletion

    tombstones.restore(gone, by=manager)

    released.refresh_from_db()
    assert (released.status, bool(released.released_text)) == (AnswerStatus.SUSPENDED, keeps)
    assert "25 working days" not in client_of(member).get(f"/w/policies/answers/{released.pk}/").content.decode()
    standing = Suspension.objects.get(answer=released, ended_at=None, deletion__isnull=False)
    assert standing.deletion.version_id == handbook.pk
