"""An answer is closed when what it rests on changes, its people are told, and a reviewer may find that it stands."""

from datetime import timedelta

import pytest
from django.utils import timezone

from answers import confirming, review, source_changes, standing
from answers.exceptions import WrongState
from answers.models import Answer, Confirmation, SourceChange, StandingQuote, Suspension
from answers.states import AnswerStatus
from audit.chain import digest
from audit.events import EventType
from audit.models import Event
from documents import classifying, library, metadata, reminders, restriction
from documents.models import Document
from tests.answers import library as shelf
from workspaces.exceptions import Forbidden, Hidden
from workspaces.models import Notification, Workspace
from workspaces.notifications.registry import Kind

pytestmark = pytest.mark.django_db

QUESTION = "How many days of annual leave does an employee have?"
CHANGED = shelf.HANDBOOK.replace("25 working days", "27 working days")
#: The quote stands, later in the text.
ADDED = shelf.HANDBOOK.replace("## Annual leave", "## Sick leave\n\nCall before ten.\n\n## Annual leave")
PATH = "employee-handbook.md"


@pytest.fixture
def released(legal, member, reviewer, answered) -> Answer:
    """An approved answer that cites the handbook."""
    shelf.add_document(legal, PATH, shelf.HANDBOOK)
    answer = answered(legal, QUESTION, member)
    review.approve(answer.draft, by=reviewer, seen_sha256=digest(answer.draft.text))
    answer.refresh_from_db()
    assert "25 working days" in answer.released_text
    return answer


def status_of(answer):
    return Answer.objects.get(pk=answer.pk).status


def handbook_of(answer):
    return Document.objects.get(workspace=answer.workspace, path=PATH)


def told(person):
    return set(Notification.objects.filter(person=person).values_list("kind", flat=True))


def run_out(answer):
    Document.objects.filter(pk=handbook_of(answer).pk).update(valid_until=timezone.localdate() - timedelta(days=1))
    Answer.objects.filter(pk=answer.pk).update(released_at=timezone.now() - timedelta(days=3))
    reminders.tell_of_days()


def replace(answer, manager):
    shelf.add_document(answer.workspace, PATH, CHANGED)


def raise_level(answer, manager):
    classifying.classify(handbook_of(answer), "restricted", by=manager)


@pytest.mark.parametrize(
    ("change", "reason"),
    [(replace, "replaced"), (lambda answer, manager: run_out(answer), "expired"), (raise_level, "reclassified")],
    ids=["replaced", "expired", "reclassified"],
)
def test_what_happens_to_a_source_closes_the_answer_and_its_people_are_told(
    released, member, reviewer, manager, client_of, change, reason
):
    text = released.released_text
    assert standing.is_standing(released)

    change(released, manager)

    answer = Answer.objects.get(pk=released.pk)
    assert (answer.status, answer.released_text) == (AnswerStatus.SUSPENDED, text)
    assert not standing.is_standing(answer)
    suspension = Suspension.objects.get(answer=answer)
    assert (suspension.reason, suspension.document) == (reason, handbook_of(answer))
    entry = Event.objects.get(type=EventType.ANSWER_SUSPENDED)
    assert f'"because":"{reason}"' in entry.body
    page = client_of(member).get(f"/w/legal/answers/{answer.pk}/").content.decode()
    assert "25 working days" not in page
    assert suspension.document.title in page
    assert Kind.ANSWER_SUSPENDED in told(member)
    assert Kind.ANSWER_TO_CONFIRM in told(reviewer)


def test_without_the_hook_a_replaced_source_would_leave_the_answer_open_but_it_would_not_count_as_standing(
    released, manager, monkeypatch
):
    monkeypatch.setattr("documents.dependants.when_replaced", [])

    replace(released, manager)

    assert status_of(released) == AnswerStatus.ANSWERED_APPROVED
    assert not standing.is_standing(released)


def test_the_sweep_closes_what_was_released_while_its_source_was_being_replaced(released, manager):
    replace(released, manager)
    Suspension.objects.all().delete()
    Answer.objects.filter(pk=released.pk).update(status=AnswerStatus.ANSWERED_APPROVED)

    assert source_changes.sweep() == 1

    assert status_of(released) == AnswerStatus.SUSPENDED
    assert source_changes.sweep() == 0
    SourceChange.objects.update(changed_at=timezone.now() - timedelta(hours=1))
    source_changes.sweep()
    assert not SourceChange.objects.filter(done_at=None).exists()


def test_more_answers_than_fit_one_transaction_are_closed_by_the_sweep(
    released, manager, monkeypatch, member, answered
):
    others = [answered(released.workspace, QUESTION, member) for _ in range(2)]
    for other in others:
        review.approve(other.draft, by=released.released_by, seen_sha256=digest(other.draft.text))
    monkeypatch.setattr(source_changes, "_AT_ONCE", 1)

    replace(released, manager)
    assert Answer.objects.filter(status=AnswerStatus.SUSPENDED).count() == 1
    source_changes.sweep()

    assert Answer.objects.filter(status=AnswerStatus.SUSPENDED).count() == 3


def test_the_old_text_that_comes_back_opens_the_answer_again(released, manager, member):
    replace(released, manager)

    shelf.add_document(released.workspace, PATH, shelf.HANDBOOK)

    assert status_of(released) == AnswerStatus.ANSWERED_APPROVED
    assert standing.is_standing(released)
    assert Kind.ANSWER_RESUMED in told(member)
    assert Suspension.objects.get().ended_by is None


def test_a_document_that_holds_longer_opens_the_answer_again_unless_something_else_closed_it(released, manager):
    run_out(released)
    document = handbook_of(released)

    metadata.confirm(document, timezone.localdate() + timedelta(days=90), by=manager)

    assert status_of(released) == AnswerStatus.ANSWERED_APPROVED
    run_out(released)
    replace(released, manager)
    metadata.confirm(document, timezone.localdate() + timedelta(days=90), by=manager)
    assert status_of(released) == AnswerStatus.SUSPENDED


def test_a_level_below_what_the_answer_was_released_under_closes_nothing(released, manager):
    document = handbook_of(released)
    classifying.classify(document, "restricted", by=manager)
    answer = Answer.objects.get(pk=released.pk)
    confirming.confirm(answer, by=released.released_by, seen_sha256=answer.released_sha256)
    classifying.classify(document, "internal", by=manager)

    classifying.classify(document, "confidential", by=manager)

    assert status_of(released) == AnswerStatus.ANSWERED_APPROVED


def test_what_the_calendar_closes_goes_within_half_a_minute(settings):
    schedule = settings.CELERY_BEAT_SCHEDULE

    assert schedule["sweep-documents"]["schedule"] <= 30
    assert schedule["sweep-standing"]["schedule"] <= 30


# --- A reviewer looks again ---------------------------------------------------------------------------------


def test_one_click_lets_it_stand_where_each_quote_stands_byte_for_byte_in_the_new_version(
    released, reviewer, member, client_of
):
    before = list(released.citations.values())
    version = shelf.add_document(released.workspace, PATH, ADDED)
    answer = Answer.objects.get(pk=released.pk)

    confirmation = confirming.confirm(answer, by=reviewer, seen_sha256=answer.released_sha256, reason="Same words.")

    assert status_of(released) == AnswerStatus.ANSWERED_APPROVED
    assert standing.is_standing(released)
    assert list(released.citations.values()) == before, "what was released stays what it was"
    (quote,) = StandingQuote.objects.filter(confirmation=confirmation)
    assert version.text[quote.start : quote.end] == quote.citation.quote
    assert confirmation.sources == {str(version.pk): version.sha256}
    entry = Event.objects.get(type=EventType.ANSWER_CONFIRMED)
    assert entry.actor_id == str(reviewer.pk)
    assert "Same words." not in entry.body
    assert Kind.ANSWER_RESUMED in told(member)
    assert "25 working days" in client_of(member).get(f"/w/legal/answers/{answer.pk}/").content.decode()


def test_a_quote_that_changed_by_one_word_is_confirmed_by_nobody(released, reviewer, manager):
    replace(released, manager)
    answer = Answer.objects.get(pk=released.pk)

    with pytest.raises(WrongState, match="word for word"):
        confirming.confirm(answer, by=reviewer, seen_sha256=answer.released_sha256)

    assert status_of(released) == AnswerStatus.SUSPENDED
    assert not Confirmation.objects.exists()


@pytest.mark.parametrize(
    ("who", "refused"), [("member", Forbidden), ("manager", Forbidden), ("stranger", Hidden), ("auditor", Hidden)]
)
def test_only_a_reviewer_confirms_or_sends_back(released, request, who, refused):
    shelf.add_document(released.workspace, PATH, ADDED)
    answer, person = Answer.objects.get(pk=released.pk), request.getfixturevalue(who)

    for act in (
        lambda: confirming.confirm(answer, by=person, seen_sha256=answer.released_sha256),
        lambda: confirming.send_back(answer, by=person, reason="Look again."),
    ):
        with pytest.raises((refused, Hidden)):
            act()

    assert status_of(released) == AnswerStatus.SUSPENDED


def test_whoever_brought_the_new_version_does_not_vouch_for_it_where_the_workspace_says_so(
    released, reviewer, second_reviewer
):
    Workspace.objects.filter(pk=released.workspace_id).update(uploader_may_approve=False)
    version = shelf.add_document(released.workspace, PATH, ADDED)
    type(version).objects.filter(pk=version.pk).update(created_by=reviewer)
    answer = Answer.objects.get(pk=released.pk)

    with pytest.raises(WrongState, match="another reviewer"):
        confirming.confirm(answer, by=reviewer, seen_sha256=answer.released_sha256)
    confirming.confirm(answer, by=second_reviewer, seen_sha256=answer.released_sha256)

    assert status_of(released) == AnswerStatus.ANSWERED_APPROVED


def test_where_two_let_a_text_out_one_click_does_not_do_it_again(released, reviewer, manager):
    Workspace.objects.filter(pk=released.workspace_id).update(second_approver_from="restricted")
    raise_level(released, manager)
    answer = Answer.objects.get(pk=released.pk)

    with pytest.raises(WrongState, match="two people"):
        confirming.confirm(answer, by=reviewer, seen_sha256=answer.released_sha256)


def test_sent_back_it_is_a_draft_again_that_nobody_reads_and_lets_out_only_without_the_lost_quote(
    released, reviewer, second_reviewer, manager
):
    replace(released, manager)
    answer = Answer.objects.get(pk=released.pk)

    draft = confirming.send_back(answer, by=reviewer, reason="The number changed.")

    answer.refresh_from_db()
    assert (answer.status, answer.released_text) == (AnswerStatus.HELD_REOPENED, "")
    assert not Suspension.objects.filter(ended_at=None).exists()
    with pytest.raises(WrongState, match="no longer says"):
        review.approve(draft, by=second_reviewer, seen_sha256=digest(draft.text))


def test_a_draft_whose_source_was_replaced_meanwhile_goes_out_only_if_its_quotes_stand(
    legal, member, reviewer, second_reviewer, answered
):
    shelf.add_document(legal, PATH, shelf.HANDBOOK)
    stands, lost = (answered(legal, QUESTION, member) for _ in range(2))
    review.assign(stands.draft, to=second_reviewer, by=reviewer)
    shelf.add_document(legal, PATH, ADDED)
    assert Kind.DRAFT_STALE in told(second_reviewer)

    review.approve(stands.draft, by=second_reviewer, seen_sha256=digest(stands.draft.text))

    assert standing.is_standing(stands)
    assert source_changes.sweep() == 0
    shelf.add_document(legal, PATH, CHANGED)
    with pytest.raises(WrongState, match="no longer says"):
        review.approve(lost.draft, by=reviewer, seen_sha256=digest(lost.draft.text))
    assert status_of(stands) == AnswerStatus.SUSPENDED


def test_a_deletion_is_confirmed_away_by_nobody(released, reviewer, manager):
    library.delete(handbook_of(released), by=manager)
    answer = Answer.objects.get(pk=released.pk)

    for act in (confirming.confirm, confirming.send_back):
        more = {"seen_sha256": answer.released_sha256} if act is confirming.confirm else {"reason": "Again."}
        with pytest.raises((WrongState, Hidden)):
            act(answer, by=reviewer, **more)

    assert status_of(released) == AnswerStatus.SUSPENDED


def test_programs_and_officers_are_told_why_and_the_document_only_where_it_is_open(
    released, member, reviewer, manager, client_of
):
    replace(released, manager)
    document = handbook_of(released)

    told_to_asker = client_of(member).get(f"/api/v1/answers/{released.pk}").json()
    officers_page = client_of(reviewer).get(f"/admin/answers/answer/{released.pk}/change/").content.decode()

    (why,) = told_to_asker["suspended"]
    assert (why["reason"], why["document"], told_to_asker["text"]) == ("replaced", str(document.pk), "")
    assert document.title in why["sentence"]
    assert "has had a newer version since" in officers_page
    page = client_of(reviewer).get(f"/w/legal/answers/{released.pk}/standing/").content.decode()
    assert "<del>" in page
    assert "27" in page
    restriction.restrict(document, by=manager)
    told_to_asker = client_of(member).get(f"/api/v1/answers/{released.pk}").json()
    assert told_to_asker["suspended"][0]["document"] is None
    assert document.title not in told_to_asker["suspended"][0]["sentence"]
