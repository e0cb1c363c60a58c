"""People are reminded of what waits for them: once when it is due soon, once when it is overdue, and nobody else."""

import os
import signal
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from threading import Barrier
from typing import Any

import pytest
from django.conf import settings
from django.db import connection, connections
from django.urls import reverse
from django.utils import timezone

from answers import review
from answers.draft_review import desk
from answers.gaps import steering
from answers.models import Draft, Examination, ExaminationState, Gap, GapState
from answers.queue import due, reminders
from answers.queue import order as queue
from answers.tasks import sweep_due
from audit import timeline
from audit.chain import digest
from audit.events import EventType
from audit.models import Event
from documents.access import restriction
from documents.models import Document
from tests.answers.review_scene import a_held_answer
from tests.workspaces.notifications import conftest as mails
from workspaces import members
from workspaces.models import Correspondence, Mail, Notification
from workspaces.notifications import mail
from workspaces.roles import Role

mailbox_process, mailbox, with_address = mails.mailbox_process, mails.mailbox, mails.with_address

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)
#: What waits → the sentence of the trail and the kinds of notices that say when it is due.
SAID = {
    Draft: (EventType.DRAFT_REMINDED, "draft_due", "draft_overdue"),
    Examination: (EventType.EXAMINATION_REMINDED, "examination_due", "examination_overdue"),
}


@pytest.fixture
def draft(legal: Any, member: Any) -> Draft:
    return a_held_answer(legal, member)


@pytest.fixture
def examination(legal: Any, member: Any) -> Examination:
    return Examination.objects.create(
        workspace=legal,
        asked_by=member,
        title="Notice",
        text="Notice is 30 days.",
        text_sha256=digest("Notice is 30 days."),
        state=ExaminationState.HELD,
        examined_at=timezone.now(),
        findings_sha256=digest("findings"),
    )


@pytest.fixture(params=["draft", "examination"])
def waiting(request: Any, legal: Any) -> Any:
    """One that waits in either line."""
    return request.getfixturevalue(request.param)


@pytest.fixture
def gap(policies: Any, manager: Any, contributor: Any) -> Gap:
    return steering.assign(Gap.objects.create(workspace=policies), to=contributor, by=manager)


def due_in(thing: Any, time: timedelta) -> None:
    type(thing)._default_manager.filter(pk=thing.pk).update(due_at=timezone.now() + time)


def due_on(gap: Gap, day: date) -> None:
    Gap.objects.filter(pk=gap.pk).update(due_on=day)


def heard(kind: str) -> list[str]:
    rows = Notification.objects.filter(kind=kind).order_by("person__username")
    return list(rows.values_list("person__username", flat=True))


def sentences(type: EventType) -> list[str]:
    return [timeline.sentence(event) for event in Event.objects.filter(type=type).order_by("at")]


def put_on_desk(thing: Any, person: Any) -> None:
    (review.assign if isinstance(thing, Draft) else desk.assign)(thing, to=person, by=person)


# --- When ---------------------------------------------------------------------------------------------------


def test_those_who_may_decide_are_told_once_when_it_is_due_soon_and_once_when_it_is_overdue(
    waiting: Any, reviewer: Any, second_reviewer: Any
) -> None:
    event, soon, late = SAID[type(waiting)]
    due_in(waiting, 5 * HOUR)
    sweep_due()
    assert (heard(soon), heard(late)) == ([], [])

    due_in(waiting, 3 * HOUR)
    sweep_due()
    sweep_due()
    assert (heard(soon), heard(late)) == (sorted([reviewer.username, second_reviewer.username]), [])

    due_in(waiting, -HOUR)
    sweep_due()
    sweep_due()
    assert heard(soon) == heard(late) == sorted([reviewer.username, second_reviewer.username])
    assert [said.rpartition(": ")[2] for said in sentences(event)] == ["due soon.", "overdue."]


def test_of_what_is_overdue_already_nobody_is_told_that_it_is_due_soon(waiting: Any) -> None:
    _event, soon, late = SAID[type(waiting)]
    due_in(waiting, -HOUR)

    assert [reminders.remind(), reminders.remind()] == [1, 0]

    assert heard(soon) == []
    assert len(heard(late)) == 2


def test_a_due_date_that_was_put_off_is_told_anew(waiting: Any, reviewer: Any) -> None:
    _event, soon, late = SAID[type(waiting)]
    due_in(waiting, -HOUR)
    reminders.remind()

    queue.rank(waiting, priority=2, due_at=timezone.now() + HOUR, by=reviewer)
    reminders.remind()

    assert (len(heard(soon)), len(heard(late))) == (2, 2)


def test_the_workspace_says_how_long_before(waiting: Any, legal: Any, manager: Any) -> None:
    _event, soon, _late = SAID[type(waiting)]
    due_in(waiting, 10 * HOUR)
    due.give_time(legal, hours=48, remind_hours=9, by=manager)
    reminders.remind()
    assert heard(soon) == []

    due.give_time(legal, hours=48, remind_hours=11, by=manager)
    reminders.remind()
    assert len(heard(soon)) == 2

    due.give_time(legal, hours=48, remind_hours=0, by=manager)
    due_in(waiting, HOUR / 60)
    assert reminders.remind() == 0


def test_what_is_decided_or_never_due_is_told_of_nobody(draft: Draft, examination: Examination, reviewer: Any) -> None:
    due_in(draft, -HOUR)
    review.reject(draft, by=reviewer, reason="No.")

    assert examination.due_at is None
    assert reminders.remind() == 0


def test_a_gap_is_told_of_on_its_day_and_when_it_is_over_to_who_has_it(gap: Gap, contributor: Any) -> None:
    today = timezone.localdate()
    due_on(gap, today + timedelta(days=1))
    sweep_due()
    assert heard("gap_due") == []

    due_on(gap, today)
    sweep_due()
    sweep_due()
    assert heard("gap_due") == ["contributor"]

    due_on(gap, today - timedelta(days=1))
    sweep_due()
    sweep_due()
    assert (heard("gap_due"), heard("gap_overdue")) == (["contributor"], ["contributor"])
    assert sentences(EventType.GAP_REMINDED) == [
        "People were reminded of a gap: due on this day.",
        "People were reminded of a gap: overdue.",
    ]


def test_a_gap_whose_document_is_named_waits_for_nobody(gap: Gap, policies: Any, manager: Any) -> None:
    document = Document.objects.create(workspace=policies, path="parking.md", title="Parking")
    Gap.objects.filter(pk=gap.pk).update(
        state=GapState.WAITING, document=document, settled_by=manager, due_on=timezone.localdate()
    )

    assert reminders.remind() == 0


# --- To whom ------------------------------------------------------------------------------------------------


def test_who_has_it_on_their_desk_is_told_and_nobody_else(waiting: Any, reviewer: Any) -> None:
    _event, soon, late = SAID[type(waiting)]
    put_on_desk(waiting, reviewer)
    due_in(waiting, HOUR)
    reminders.remind()
    due_in(waiting, -HOUR)
    reminders.remind()

    assert (heard(soon), heard(late)) == (["reviewer"], ["reviewer"])


def test_who_reads_it_is_told_as_long_as_the_claim_stands(waiting: Any, second_reviewer: Any) -> None:
    _event, soon, late = SAID[type(waiting)]
    queue.claim(waiting, by=second_reviewer)
    due_in(waiting, HOUR)
    reminders.remind()
    type(waiting)._default_manager.update(claimed_until=timezone.now() - HOUR)
    due_in(waiting, -HOUR)
    reminders.remind()

    assert heard(soon) == [second_reviewer.username]
    assert len(heard(late)) == 2


def test_where_who_has_it_may_review_it_no_longer_the_others_are_told(
    draft: Draft, manager: Any, reviewer: Any, second_reviewer: Any
) -> None:
    put_on_desk(draft, reviewer)
    for evidence in draft.answer.evidence.select_related("document"):
        restriction.restrict(evidence.document, by=manager)
        restriction.grant(evidence.document, second_reviewer, by=manager)
    due_in(draft, -HOUR)

    reminders.remind()

    assert heard("draft_overdue") == [second_reviewer.username]


def test_who_manages_documents_is_told_where_who_has_the_gap_may_add_none(
    gap: Gap, policies: Any, manager: Any, contributor: Any
) -> None:
    due_on(gap, timezone.localdate())
    # As a rule of a provider does, which takes a role without the person leaving.
    members.remove_member(policies, contributor, Role.CONTRIBUTOR, by=manager)
    Gap.objects.filter(pk=gap.pk).update(state=GapState.ASSIGNED, assigned_to=contributor, due_on=timezone.localdate())

    reminders.remind()

    assert heard("gap_due") == ["manager"]


def test_a_mail_says_it_in_the_readers_language_and_names_nothing_of_the_question(
    mailbox: Any, with_address: Any, draft: Draft, reviewer: Any
) -> None:
    with_address(reviewer, "reader@people.example")
    Correspondence.objects.create(person=reviewer, language="sr")
    put_on_desk(draft, reviewer)
    due_in(draft, HOUR)
    reminders.remind()

    assert [mail.send_due(), mail.send_due()] == [1, 0]

    (message,) = mailbox.to("reader@people.example")
    text = message.get_body(("plain",)).get_content()
    # A long header is folded.
    assert message["Subject"].strip() == "Inlock: Нацрт чека на одлуку и рок му ускоро истиче."
    assert f"/admin/answers/draft/{draft.pk}/change/" in text
    assert draft.answer.question.text not in text
    assert draft.text not in text


def test_several_in_one_workspace_are_one_mail(
    settings: Any, with_address: Any, legal: Any, member: Any, reviewer: Any
) -> None:
    settings.MAIL_IS_ON = True
    with_address(reviewer, "reader@people.example")
    for number in range(3):
        due_in(a_held_answer(legal, member, question=f"Question {number}?"), HOUR)

    assert reminders.remind() == 3

    assert Mail.objects.filter(person=reviewer).count() == 1
    assert heard("draft_due").count("reviewer") == 3


def test_what_was_closed_since_is_told_without_a_name_and_never_mailed(
    mailbox: Any, with_address: Any, draft: Draft, manager: Any, reviewer: Any, client_of: Any
) -> None:
    with_address(reviewer, "reader@people.example")
    put_on_desk(draft, reviewer)
    due_in(draft, HOUR)
    reminders.remind()
    for evidence in draft.answer.evidence.select_related("document"):
        restriction.restrict(evidence.document, by=manager)

    assert mail.send_due() == 0

    page = client_of(reviewer).get(reverse("workspaces:notifications")).content.decode()
    assert "A draft waits for a decision and is due soon." in page
    assert draft.answer.question.text not in page


def test_a_notice_is_over_once_it_is_decided_or_put_off(
    mailbox: Any, with_address: Any, draft: Draft, reviewer: Any
) -> None:
    with_address(reviewer, "reader@people.example")
    put_on_desk(draft, reviewer)
    due_in(draft, -HOUR)
    reminders.remind()
    Mail.objects.update(due_at=timezone.now() - HOUR)

    queue.rank(draft, priority=2, due_at=timezone.now() + 24 * HOUR, by=reviewer)

    assert mail.send_due() == 0


# --- Exactly once -------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_of_two_workers_that_look_at_once_one_tells(waiting: Any) -> None:
    event, _soon, late = SAID[type(waiting)]
    due_in(waiting, -HOUR)
    start = Barrier(2)

    def look(_worker: int) -> int:
        start.wait(timeout=30)
        try:
            return reminders.remind()
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as both:
        told = sorted(both.map(look, range(2)))

    assert told == [0, 1]
    assert len(heard(late)) == 2
    assert Event.objects.filter(type=event).count() == 1


def killed_at(point: str, act: Callable[[], Any]) -> None:
    """Do it in a child of its own that is killed at `point`."""
    connections.close_all()
    child = os.fork()
    if child == 0:
        settings.CRASH_AT = point
        try:
            act()
        finally:
            os._exit(0)
    _pid, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status)
    assert os.WTERMSIG(status) == signal.SIGKILL


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("point", ["reminding", "reminded"])
def test_a_worker_that_is_killed_while_it_tells_has_told_nobody_and_the_next_tells_once(
    waiting: Any, point: str
) -> None:
    event, _soon, late = SAID[type(waiting)]
    due_in(waiting, -HOUR)

    killed_at(point, reminders.remind)
    assert heard(late) == []

    assert [reminders.remind(), reminders.remind()] == [1, 0]
    assert len(heard(late)) == 2
    assert Event.objects.filter(type=event).count() == 1


def test_a_look_at_what_was_told_already_is_one_statement_for_each_kind(
    draft: Draft, examination: Examination, django_assert_num_queries: Any
) -> None:
    due_in(draft, -HOUR)
    due_in(examination, HOUR)
    assert reminders.remind() == 2

    with django_assert_num_queries(len(reminders.DUE) * 2):
        assert reminders.remind() == 0


# --- The page -----------------------------------------------------------------------------------------------


def test_a_manager_sets_both_and_is_told_what_is_no_number(legal: Any, manager: Any, client_of: Any) -> None:
    client, page = client_of(manager), reverse("answers:review_time", args=[legal.slug])

    saved = client.post(page, {"hours": "24", "remind_hours": "6"})
    refused = client.post(page, {"hours": "24", "remind_hours": "soon"})

    assert (saved.status_code, refused.status_code) == (302, 400)
    assert "A number of hours from 0 to 168." in refused.content.decode()
    assert 'value="soon"' in refused.content.decode()
    assert due.times_of(legal.pk) == (24, 6)
