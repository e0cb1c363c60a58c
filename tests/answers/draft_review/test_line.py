"""Findings in somebody's draft wait in line like drafts of answers: urgency, due dates, claims, desks, one decision."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from answers.cockpit.figures import cockpit
from answers.draft_review import desk, releasing
from answers.exceptions import ByAsker, ExaminationError, WrongState
from answers.models import Examination, ExaminationState, Priority, SavedView
from answers.queue import due, saved_views
from answers.queue import order as queue
from answers.queue.filters import EXAMINATION_FACETS, narrowed
from answers.readiness.review import overdue
from audit.chain import digest
from audit.events import EventType
from audit.models import Event
from tests.answers.review_scene import a_held_answer
from workspaces import access, members
from workspaces.exceptions import Forbidden, Hidden
from workspaces.glass import breaking as glass
from workspaces.models import Notification, ReviewPolicy, User
from workspaces.notifications.registry import Kind
from workspaces.readiness.registry import Outcome
from workspaces.roles import Role

Make = Callable[..., Examination]


@pytest.fixture
def held(legal: Any, member: Any) -> Make:
    """held(title) → somebody's draft whose findings wait, the first made the oldest."""

    def make(title: str = "Notice", **fields: Any) -> Examination:
        given: dict[str, Any] = {
            "workspace": legal,
            "asked_by": member,
            "title": title,
            "text": "Notice is 30 days.",
            "text_sha256": digest("Notice is 30 days."),
            "state": ExaminationState.HELD,
            "examined_at": timezone.now(),
            "findings_sha256": digest("findings"),
        }
        return Examination.objects.create(**given | fields)

    return make


def stored(examination: Examination) -> Examination:
    return Examination.objects.get(pk=examination.pk)


def told(type: EventType) -> list[str]:
    return list(Event.objects.filter(type=type).values_list("actor_label", flat=True))


def notices(person: User) -> list[str]:
    return list(Notification.objects.filter(person=person).values_list("kind", flat=True))


# --- When it is due -----------------------------------------------------------------------------------------


def test_findings_that_are_held_are_due_after_the_workspaces_hours(
    examined: Any, policies: Any, manager: Any, member: Any
) -> None:
    policies.review_policy = ReviewPolicy.REVIEW
    policies.save()
    due.give_time(policies, hours=5, remind_hours=4, by=manager)

    made = examined(member)

    assert made.state == ExaminationState.HELD
    assert made.due_at is not None
    assert timedelta(hours=4, minutes=50) < made.due_at - timezone.now() <= timedelta(hours=5)


def test_findings_that_are_released_at_once_are_never_due(examined: Any, member: Any) -> None:
    assert examined(member).due_at is None


def test_what_is_late_is_told_on_the_lists_the_page_and_the_cockpit(
    held: Make, legal: Any, reviewer: Any, client_of: Any
) -> None:
    late = held("Late", due_at=timezone.now() - timedelta(hours=3), priority=Priority.URGENT)
    held("In time", due_at=due.due_after(8))
    client = client_of(reviewer)

    pages = [
        client.get(reverse("admin:answers_examination_changelist")),
        client.get(reverse("answers:examinations", args=[legal.slug])),
        client.get(reverse("answers:examination", args=[legal.slug, late.pk])),
    ]
    of_late = client.get(reverse("admin:answers_examination_changelist"), {"due": "over"}).content.decode()

    assert all("overdue by 3\xa0hours" in page.content.decode() for page in pages)
    assert "Late" in of_late
    assert "In time" not in of_late
    figures = {total.code: total.number for total in cockpit(legal).totals}
    assert (figures["examined_waiting"], figures["examined_overdue"]) == (2, 1)


# --- Claims and desks ---------------------------------------------------------------------------------------


def test_a_claim_tells_the_others_is_taken_over_only_when_that_is_said_and_forbids_nobody_to_decide(
    held: Make, reviewer: Any, second_reviewer: Any
) -> None:
    one = held()
    queue.claim(one, by=reviewer)

    with pytest.raises(WrongState, match=reviewer.name):
        queue.claim(one, by=second_reviewer)
    queue.claim(one, by=second_reviewer, take_over=True)
    with pytest.raises(WrongState, match="not you"):
        queue.let_go(one, by=reviewer)
    releasing.approve(one, by=reviewer)

    assert told(EventType.EXAMINATION_CLAIMED) == ["reviewer", second_reviewer.username]
    assert '"taken_from_label":"reviewer"' in Event.objects.filter(type=EventType.EXAMINATION_CLAIMED).last().body
    assert notices(second_reviewer).count(Kind.DECIDED_BY_OTHER) == 1
    with pytest.raises(WrongState):
        queue.claim(one, by=second_reviewer)


def test_a_desk_is_a_reviewers_who_may_decide_and_they_are_told(
    held: Make, member: Any, reviewer: Any, second_reviewer: Any, manager: Any
) -> None:
    one = held()

    desk.assign(one, to=second_reviewer, by=reviewer)

    assert stored(one).assigned_to == second_reviewer
    assert Kind.EXAMINATION_ASSIGNED in notices(second_reviewer)
    assert told(EventType.EXAMINATION_ASSIGNED) == ["reviewer"]
    for nobody in (manager, member):
        with pytest.raises(ExaminationError, match="may not review"):
            desk.assign(one, to=nobody, by=reviewer)
    desk.assign(one, to=None, by=reviewer)
    assert stored(one).assigned_to is None


def test_nobody_has_it_on_their_desk_whom_a_duty_keeps_from_deciding(
    held: Make, legal: Any, reviewer: Any, second_reviewer: Any
) -> None:
    one = held(takes_two=True)
    desk.assign(one, to=reviewer, by=reviewer)
    queue.claim(one, by=reviewer)

    releasing.approve(one, by=reviewer)

    # It waits for somebody else now.
    assert (stored(one).assigned_to, stored(one).claimed_by) == (None, None)
    with pytest.raises(ExaminationError, match="approved these findings already"):
        desk.assign(one, to=reviewer, by=reviewer)
    with pytest.raises(ExaminationError, match="approved or added"):
        desk.assign(one, to=reviewer, by=second_reviewer)
    rows = access.visible(reviewer, Examination)
    assert queue.claim_next(rows, by=reviewer) is None
    assert queue.claim_next(rows, by=second_reviewer) == one


def test_whoever_leaves_the_workspace_keeps_nothing_from_the_others(
    held: Make, legal: Any, reviewer: Any, admin: Any
) -> None:
    one, decided = held("One"), held("Decided")
    for each in (one, decided):
        desk.assign(each, to=reviewer, by=reviewer)
    queue.claim(one, by=reviewer)
    releasing.reject(decided, by=reviewer, reason="No.")

    members.remove_member(legal, reviewer, Role.REVIEWER, by=admin)

    assert (stored(one).assigned_to, stored(one).claimed_by) == (None, None)
    assert stored(decided).assigned_to == reviewer
    assert len(told(EventType.EXAMINATION_ASSIGNED)) == 3


@pytest.mark.parametrize(
    "act",
    [
        lambda one, by: queue.claim(one, by=by),
        lambda one, by: queue.let_go(one, by=by),
        lambda one, by: queue.rank(one, priority=Priority.URGENT, due_at=None, by=by),
        lambda one, by: desk.assign(one, to=by, by=by),
        lambda one, by: releasing.approve(one, by=by),
    ],
    ids=["claim", "let_go", "rank", "assign", "approve"],
)
def test_the_line_is_moved_by_reviewers_alone(
    held: Make, act: Any, legal: Any, member: Any, manager: Any, auditor: Any, stranger: Any, superuser: Any
) -> None:
    one = held()
    glass.break_glass(legal, by=superuser, reason="Ticket 4711")

    for person in (stranger, auditor, manager, member, superuser):
        with pytest.raises((Hidden, Forbidden)):
            act(one, person)
    now = stored(one)
    assert (now.priority, now.claimed_by, now.assigned_to) == (Priority.NORMAL, None, None)
    assert now.state == ExaminationState.HELD


#: What a reviewer sends to move the findings in somebody's draft, and the address it goes to.
SENT: dict[str, tuple[str, dict[str, str]]] = {
    "claim": ("answers:examination_line", {"act": "claim"}),
    "take over": ("answers:examination_line", {"act": "claim", "take_over": "1"}),
    "let go": ("answers:examination_line", {"act": "let_go"}),
    "rank": ("answers:examination_line", {"act": "rank", "priority": "4"}),
    "assign": ("answers:examination_line", {"act": "assign"}),
    "release": ("answers:examination_line", {"act": "release"}),
    "approve": ("answers:review_findings", {"decision": "approve"}),
    "reject": ("answers:review_findings", {"decision": "reject", "reason": "No."}),
}


@pytest.mark.parametrize(("name", "sent"), SENT.values(), ids=SENT)
def test_a_reviewer_moves_nothing_in_the_line_that_they_brought_themselves(
    held: Make, legal: Any, reviewer: Any, second_reviewer: Any, client_of: Any, name: str, sent: dict[str, str]
) -> None:
    own = held(asked_by=reviewer, assigned_to=second_reviewer)
    queue.claim(own, by=second_reviewer)
    before = Examination.objects.values().get()

    refused = client_of(reviewer).post(reverse(name, args=[legal.slug, own.pk]), sent)

    assert refused.status_code == 403
    assert "This is your own draft, so somebody else decides." in refused.content.decode()
    assert Examination.objects.values().get() == before
    denied = Event.objects.get(type=EventType.ACCESS_DENIED)
    assert (denied.actor_label, denied.object_id) == ("reviewer", str(own.pk))


def test_whoever_brought_a_draft_puts_it_on_nobodys_desk(held: Make, reviewer: Any, second_reviewer: Any) -> None:
    own = held(asked_by=reviewer)

    with pytest.raises(ByAsker):
        desk.assign(own, to=second_reviewer, by=reviewer)

    assert stored(own).assigned_to is None


# --- The next one -------------------------------------------------------------------------------------------


def test_the_next_is_the_most_urgent_that_the_person_may_decide_and_nobody_reads_or_has(
    held: Make, legal: Any, reviewer: Any, second_reviewer: Any, client_of: Any
) -> None:
    plain, urgent, taken, assigned, own = (held(title) for title in "abcde")
    Examination.objects.filter(pk=own.pk).update(asked_by=reviewer, priority=Priority.URGENT)
    for one in (urgent, taken, assigned):
        queue.rank(one, priority=Priority.URGENT, due_at=None, by=second_reviewer)
    queue.claim(taken, by=second_reviewer)
    desk.assign(assigned, to=second_reviewer, by=second_reviewer)
    client = client_of(reviewer)
    onward = reverse("answers:next_examination", args=[legal.slug])

    first = client.post(onward)
    after = client.post(onward, {"but": urgent.pk})
    decided = client.post(
        reverse("answers:review_findings", args=[legal.slug, plain.pk]), {"decision": "approve", "then": "next"}
    )
    from_the_admin = client.post(reverse("admin:answers_examination_next"), {"but": urgent.pk}, follow=True)

    pages = [reverse("answers:examination", args=[legal.slug, one.pk]) for one in (urgent, plain, urgent)]
    assert [one["Location"] for one in (first, after, decided)] == pages
    assert "Nothing is left here that waits for you." in from_the_admin.content.decode()


def test_the_next_is_none_that_only_broken_glass_opens(
    held: Make, legal: Any, policies: Any, member: Any, superuser: Any
) -> None:
    held("Behind glass", priority=Priority.URGENT)
    theirs = held("Theirs", workspace=policies)
    members.add_member(policies, superuser, Role.REVIEWER, by=None)
    glass.break_glass(legal, by=superuser, reason="Ticket 4711")

    claimed = queue.claim_next(access.visible(superuser, Examination), by=superuser)

    assert claimed == theirs


@pytest.mark.django_db(transaction=True)
def test_of_two_officers_who_decide_at_once_one_is_told_who_was_faster(
    held: Make, reviewer: Any, second_reviewer: Any
) -> None:
    one, start = held(), Barrier(2)

    def decide(person: Any) -> str:
        start.wait(timeout=30)
        try:
            releasing.reject(Examination.objects.get(pk=one.pk), by=person, reason="No.")
        except WrongState as slower:
            return str(slower)
        finally:
            connection.close()
        return ""

    with ThreadPoolExecutor(2) as both:
        said = sorted(both.map(decide, [reviewer, second_reviewer]))

    faster = stored(one).reviewed_by
    assert faster is not None
    assert said == ["", f"Somebody was faster: these findings are “Not released”, decided by {faster.name}."]
    assert told(EventType.EXAMINATION_REJECTED) == [faster.username]


# --- The list -----------------------------------------------------------------------------------------------


def test_each_filter_leaves_what_it_says(held: Make, legal: Any, reviewer: Any, second_reviewer: Any) -> None:
    plain, urgent, mine = held("Plain"), held("Urgent", priority=4), held("Mine", takes_two=True)
    old = held("Old", examined_at=timezone.now() - timedelta(days=3))
    releasing.reject(old, by=second_reviewer, reason="No.")
    secret = held("Secret", classification="confidential")
    desk.assign(mine, to=reviewer, by=reviewer)
    queue.claim(urgent, by=second_reviewer)
    rows = access.visible(reviewer, Examination)

    def left(**filters: str) -> set[str]:
        return set(narrowed(rows, filters, reviewer).values_list("title", flat=True))

    assert left() == {"Plain", "Urgent", "Mine", "Secret"}
    assert left(state="all", age="2") == {"Old"}
    assert left(state="rejected") == {"Old"}
    assert left(desk="mine") == {"Mine"}
    assert left(desk="free") == {"Plain", "Mine", "Secret"}
    assert left(priority="4") == {"Urgent"}
    assert left(classification="confidential") == {"Secret"}
    assert left(approvals="two") == {"Mine"}
    assert left(workspace="elsewhere") == set()
    assert all(facet.choices(reviewer) for facet in EXAMINATION_FACETS)
    assert (plain.workspace, secret.workspace) == (legal, legal)


def test_a_view_of_this_list_is_none_of_the_other(held: Make, reviewer: Any, client_of: Any) -> None:
    held("Urgent", priority=4)
    held("Plain")
    client, place = client_of(reviewer), reverse("admin:answers_examination_changelist")

    saved = client.post(
        reverse("admin:answers_examination_save_view"),
        {"name": "First", "filters": "priority=4&grounding=partly", "is_default": "on"},
    )
    opened = client.get(place, follow=True)
    drafts = client.get(reverse("admin:answers_draft_changelist"))

    view = SavedView.objects.get()
    assert (view.queue, view.filters) == ("examinations", {"priority": "4"})
    assert saved["Location"] == f"{place}?priority=4"
    shown = opened.content.decode()
    assert "Urgent" in shown
    assert "Plain" not in shown
    assert drafts.status_code == 200
    assert "First" not in drafts.content.decode()
    assert saved_views.of(reviewer) == []


def test_the_list_says_who_has_it_and_asks_a_fixed_number_of_questions(
    held: Make, reviewer: Any, second_reviewer: Any, client_of: Any, django_assert_num_queries: Any
) -> None:
    client, place = client_of(reviewer), reverse("admin:answers_examination_changelist")
    first = held("First")
    desk.assign(first, to=reviewer, by=reviewer)
    queue.claim(first, by=second_reviewer)
    client.get(place)
    with CaptureQueriesContext(connection) as asked:
        client.get(place)
    for number in range(4):
        held(f"More {number}")

    with django_assert_num_queries(len(asked)):
        shown = client.get(place).content.decode()

    assert f"{second_reviewer.name} is reading it" in shown


def test_drafts_of_answers_and_examined_drafts_are_both_late_to_readiness(held: Make, legal: Any, member: Any) -> None:
    held(due_at=timezone.now() - timedelta(hours=1))
    a_held_answer(legal, member)

    class Scene:
        workspace = legal

    found = overdue(Scene())  # type: ignore[arg-type]

    assert (found.outcome, found.facts) == (Outcome.WARN, {"all": 2, "late": 1})
