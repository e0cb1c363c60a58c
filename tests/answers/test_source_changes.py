"""An answer is closed when what it rests on changes, its people are told, and a reviewer may find that it stands."""

import re
import uuid
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from answers import review, source_changes
from answers.exceptions import WrongState
from answers.models import Answer, Confirmation, Draft, SourceChange, StandingQuote, Suspension
from answers.states import AnswerStatus
from answers.suspension import confirming, standing
from audit.chain import digest
from audit.events import EventType
from audit.models import Event
from documents import library
from documents.access import restriction
from documents.cards import classifying, metadata, reminders
from documents.deletion import erasing as deletion
from documents.deletion import tombstones
from documents.models import Deletion, Document, Passage, Version
from tests.answers import library as shelf
from tests.answers.review_scene import a_document, a_held_answer, answers_anew
from workspaces import members
from workspaces.exceptions import Forbidden, Hidden
from workspaces.models import Notification, Workspace
from workspaces.notifications.registry import Kind

pytestmark = pytest.mark.django_db

QUESTION = "How many days of annual leave does an employee have?"
CHANGED = shelf.HANDBOOK.replace("25 working days", "27 working days")
#: The quote stands, later in the text.
ADDED = shelf.HANDBOOK.replace("## Annual leave", "## Sick leave\n\nCall before ten.\n\n## Annual leave")
PATH = "employee-handbook.md"


OTHER_TEXT = "The canteen opens at noon."
CLAUSE = "Every employee has 25 working days of annual leave a year."


@pytest.fixture
def draft(legal, member) -> Draft:
    """A held answer that cites the handbook, made without a model: what is tried here begins with its release."""
    version = a_document(legal, title="Employee handbook", text=shelf.HANDBOOK)
    return a_held_answer(legal, member, question=QUESTION, clauses=(CLAUSE,), versions=[version])


@pytest.fixture
def released(draft, reviewer) -> Answer:
    return release(draft, reviewer)


@pytest.fixture
def ingested(legal, member, reviewer, answered) -> Answer:
    """An approved answer of the whole pipeline that cites the ingested handbook."""
    shelf.add_document(legal, PATH, shelf.HANDBOOK)
    return release(answered(legal, QUESTION, member).draft, reviewer)


def release(draft, by) -> Answer:
    review.approve(draft, by=by, seen_sha256=digest(draft.text))
    answer = Answer.objects.get(pk=draft.answer_id)
    assert "25 working days" in answer.released_text
    return answer


def status_of(answer):
    return Answer.objects.get(pk=answer.pk).status


def handbook_of(answer):
    return answer.citations.get(number=1).document


def told(person):
    return set(Notification.objects.filter(person=person).values_list("kind", flat=True))


def run_out(answer):
    Document.objects.filter(pk=handbook_of(answer).pk).update(valid_until=timezone.localdate() - timedelta(days=1))
    Answer.objects.filter(pk=answer.pk, released_at__isnull=False).update(
        released_at=timezone.now() - timedelta(days=3)
    )
    reminders.tell_of_days()


def replace(answer, manager=None, text=CHANGED) -> Version:
    """A newer version of the handbook begins to answer."""
    return answers_anew(handbook_of(answer), text)


def with_passage(version) -> None:
    """The passage of it that speaks of leave, as splitting would make it."""
    start = version.text.index("Every employee")
    text = version.text[start : start + 80]
    place = {"position": 0, "start": start, "end": start + 80}
    Passage.objects.create(id=uuid.uuid4(), workspace=version.document.workspace, version=version, text=text, **place)


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
    monkeypatch.setattr("documents.deletion.dependants.when_replaced", [])

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


def test_more_answers_than_fit_one_transaction_are_closed_by_the_sweep(released, manager, monkeypatch, member):
    versions = [handbook_of(released).current_version]
    for _ in range(2):
        other = a_held_answer(released.workspace, member, clauses=(CLAUSE,), versions=versions)
        release(other, released.released_by)
    monkeypatch.setattr(source_changes, "_AT_ONCE", 1)

    replace(released, manager)
    assert Answer.objects.filter(status=AnswerStatus.SUSPENDED).count() == 1
    source_changes.sweep()

    assert Answer.objects.filter(status=AnswerStatus.SUSPENDED).count() == 3


def test_the_old_text_that_comes_back_opens_the_answer_again(ingested, manager, member):
    shelf.add_document(ingested.workspace, PATH, CHANGED)
    assert status_of(ingested) == AnswerStatus.SUSPENDED

    shelf.add_document(ingested.workspace, PATH, shelf.HANDBOOK)

    assert status_of(ingested) == AnswerStatus.ANSWERED_APPROVED
    assert standing.is_standing(ingested)
    assert Kind.ANSWER_RESUMED in told(member)
    assert Suspension.objects.get().ended_by is None


def test_a_document_that_holds_longer_opens_the_answer_again(released, manager):
    run_out(released)
    assert status_of(released) == AnswerStatus.SUSPENDED

    metadata.confirm(handbook_of(released), timezone.localdate() + timedelta(days=90), by=manager)

    assert status_of(released) == AnswerStatus.ANSWERED_APPROVED


def end_first_of(closed_first, answer, manager):
    if closed_first == "expired":
        metadata.confirm(handbook_of(answer), timezone.localdate() + timedelta(days=90), by=manager)
    else:
        tombstones.restore(Deletion.objects.get(), by=manager)


@pytest.mark.parametrize("closed_first", ["expired", "deleted"])
def test_what_was_closed_already_when_a_source_was_replaced_does_not_open_while_that_stands(
    legal, member, reviewer, manager, closed_first
):
    sources = [a_document(legal, title=f"Book {n}", text=text) for n, text in enumerate((shelf.HANDBOOK, OTHER_TEXT))]
    answer = release(a_held_answer(legal, member, clauses=(CLAUSE, OTHER_TEXT), versions=sources), reviewer)
    run_out(answer) if closed_first == "expired" else library.delete(sources[1].document, by=manager)
    told_before = Notification.objects.count()
    replace(answer)
    assert Notification.objects.count() == told_before, "nobody is told twice of what is closed"

    end_first_of(closed_first, answer, manager)

    assert status_of(answer) == AnswerStatus.SUSPENDED
    (left,) = Suspension.objects.filter(answer=answer, ended_at=None)
    assert (left.reason, left.status_before) == ("replaced", AnswerStatus.ANSWERED_APPROVED)
    assert source_changes.sweep() == 0
    assert Suspension.objects.filter(answer=answer).count() == 2


def test_a_level_below_what_the_answer_was_released_under_closes_nothing(released, manager):
    document = handbook_of(released)
    classifying.classify(document, "restricted", by=manager)
    answer = Answer.objects.get(pk=released.pk)
    confirming.confirm(answer, by=released.released_by, seen_sha256=answer.released_sha256)
    classifying.classify(document, "internal", by=manager)

    classifying.classify(document, "confidential", by=manager)

    assert status_of(released) == AnswerStatus.ANSWERED_APPROVED


def test_a_higher_level_is_compared_with_as_many_queries_for_three_answers_as_for_one(
    legal, member, reviewer, manager, django_assert_num_queries
):
    sources = [a_document(legal, title=f"Book {n}", text=text) for n, text in enumerate((shelf.HANDBOOK, OTHER_TEXT))]
    classifying.classify(sources[1].document, "restricted", by=manager)

    def one_more():
        return release(a_held_answer(legal, member, clauses=(CLAUSE, OTHER_TEXT), versions=sources), reviewer)

    answers = [one_more()]
    with CaptureQueriesContext(connection) as one:
        classifying.classify(sources[0].document, "confidential", by=manager)
    answers += [one_more(), one_more()]
    classifying.classify(sources[0].document, "internal", by=manager)

    with django_assert_num_queries(len(one)):
        classifying.classify(sources[0].document, "confidential", by=manager)

    assert {status_of(answer) for answer in answers} == {AnswerStatus.ANSWERED_APPROVED}


def test_what_the_calendar_closes_goes_within_half_a_minute(settings):
    schedule = settings.CELERY_BEAT_SCHEDULE

    assert schedule["sweep-documents"]["schedule"] <= 30
    assert schedule["sweep-standing"]["schedule"] <= 30


# --- A reviewer looks again ---------------------------------------------------------------------------------


def test_one_click_lets_it_stand_where_each_quote_stands_byte_for_byte_in_the_new_version(
    released, reviewer, member, client_of
):
    before = list(released.citations.values())
    version = replace(released, text=ADDED)
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
    replace(released, text=ADDED)
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
    version = replace(released, text=ADDED)
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
    legal, member, reviewer, second_reviewer, draft
):
    stands, versions = draft, [draft.answer.citations.get().version]
    lost = a_held_answer(legal, member, clauses=(CLAUSE,), versions=versions)
    review.assign(stands, to=second_reviewer, by=reviewer)
    replace(stands.answer, text=ADDED)
    assert Kind.DRAFT_STALE in told(second_reviewer)

    answer = release(stands, second_reviewer)

    assert standing.is_standing(answer)
    assert source_changes.sweep() == 0
    replace(answer)
    with pytest.raises(WrongState, match="no longer says"):
        review.approve(lost, by=reviewer, seen_sha256=digest(lost.text))
    assert status_of(answer) == AnswerStatus.SUSPENDED


@pytest.mark.parametrize("change", [lambda answer, _by: run_out(answer), raise_level], ids=["expired", "reclassified"])
def test_who_has_a_draft_on_their_desk_hears_that_a_source_of_it_changed_and_who_changed_it_does_not(
    draft, reviewer, second_reviewer, manager, change
):
    review.assign(draft, to=second_reviewer, by=reviewer)

    change(draft.answer, manager)

    assert Kind.DRAFT_STALE in told(second_reviewer)
    assert Kind.DRAFT_STALE not in told(reviewer) | told(manager)


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
    with_passage(replace(released))
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


# --- What an officer is shown, and what is left -------------------------------------------------------------


def test_the_page_of_a_draft_shows_the_changed_passage_beside_the_old_one(draft, reviewer, client_of):
    address = f"/admin/answers/draft/{draft.pk}/change/"
    assert "changed-sources" not in client_of(reviewer).get(address).content.decode()
    with_passage(replace(draft.answer))

    page = client_of(reviewer).get(address).content.decode()

    assert 'id="changed-sources"' in page
    assert "<del>25" in page
    assert "<ins>27" in page
    assert CLAUSE in page
    assert "/w/legal/suspended/" in page


def test_whoever_confirms_saw_everything_that_closed_the_answer(released, reviewer, manager, client_of):
    replace(released, text=ADDED)
    address = f"/w/legal/answers/{released.pk}/standing/"
    page = client_of(reviewer).get(address).content.decode()
    form = re.findall(r'name="(seen_sha256|closing)" value="([^"]+)"', page)
    assert {name for name, _value in form} == {"seen_sha256", "closing"}
    raise_level(released, manager)

    client_of(reviewer).post(f"{address}confirm/", dict(form))
    assert status_of(released) == AnswerStatus.SUSPENDED

    ids = [str(pk) for pk in Suspension.objects.values_list("pk", flat=True)]
    client_of(reviewer).post(f"{address}confirm/", dict(form) | {"closing": ids})
    assert status_of(released) == AnswerStatus.ANSWERED_APPROVED


def test_a_reason_to_confirm_is_shown_to_whom_the_sources_are_open(released, reviewer, manager, client_of):
    replace(released, text=ADDED)
    answer = Answer.objects.get(pk=released.pk)
    confirming.confirm(answer, by=reviewer, seen_sha256=answer.released_sha256, reason=f"It says: {CLAUSE}")
    address = f"/w/legal/answers/{answer.pk}/standing/"
    assert f"It says: {CLAUSE}" in client_of(reviewer).get(address).content.decode()
    members.add_member(answer.workspace, answer.asked_by, "reviewer", by=manager)

    assert "It says" not in client_of(answer.asked_by).get(address).content.decode()


def test_a_reason_to_confirm_goes_with_the_document_it_repeats(released, reviewer, manager):
    replace(released, text=ADDED)
    answer = Answer.objects.get(pk=released.pk)
    confirming.confirm(answer, by=reviewer, seen_sha256=answer.released_sha256, reason=f"It says: {CLAUSE}")

    library.delete(handbook_of(released), by=manager)
    deletion.erase(handbook_of(released).pk)

    assert Confirmation.objects.get().reason == "(erased)"


def test_the_list_of_suspended_answers_takes_as_many_queries_for_two_as_for_one(
    released, member, reviewer, client_of, django_assert_num_queries
):
    replace(released)
    client, address = client_of(reviewer), "/w/legal/suspended/"
    client.get(address)
    with CaptureQueriesContext(connection) as one:
        assert client.get(address).content.decode().count("standing-list") == 1
    for n in range(2):
        version = a_document(released.workspace, title=f"Book {n}", text=shelf.HANDBOOK)
        replace(release(a_held_answer(released.workspace, member, clauses=(CLAUSE,), versions=[version]), reviewer))

    with django_assert_num_queries(len(one)):
        page = client.get(address).content.decode()

    assert page.count("has had a newer version since") == 3


def test_a_change_that_fails_keeps_nothing_else_open_and_is_tried_again(released, monkeypatch):
    document = handbook_of(released)
    old = timezone.now() - timedelta(hours=1)
    broken, sound = (SourceChange.objects.create(document=document, reason="replaced") for _ in range(2))
    SourceChange.objects.filter(pk__in=[broken.pk, sound.pk]).update(changed_at=old)
    SourceChange.objects.filter(pk=broken.pk).update(changed_at=old - timedelta(minutes=1))
    close, seen = source_changes._close_all, []

    def failing(change):
        seen.append(change.pk)
        if change.pk == broken.pk:
            raise RuntimeError("a row nobody expected")
        return close(change)

    monkeypatch.setattr(source_changes, "_close_all", failing)

    with pytest.raises(ExceptionGroup, match="1 source changes"):
        source_changes.sweep()

    assert seen == [broken.pk, sound.pk]
    assert list(SourceChange.objects.filter(done_at=None).values_list("pk", flat=True)) == [broken.pk]


def test_where_whoever_released_it_reviews_no_longer_the_other_reviewers_are_told(
    released, legal, reviewer, manager, admin
):
    other = members.create_user(username="another-officer", by=admin)
    members.add_member(legal, other, "reviewer", by=manager)
    members.remove_member(legal, reviewer, "reviewer", by=manager)

    replace(released)

    assert Kind.ANSWER_TO_CONFIRM in told(other)
    assert Kind.ANSWER_TO_CONFIRM not in told(reviewer)
