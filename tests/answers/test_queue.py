"""What comes first in the review queue, and who is on which draft."""

from datetime import timedelta
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone

from answers import review
from answers.exceptions import ByAsker, DraftError, WrongState
from answers.models import Draft, Grounding, Priority, ReviewTime, SavedView
from answers.queue import due, saved_views
from answers.queue import filters as queue_filters
from answers.queue import order as queue
from answers.queue.filters import FACETS, narrowed
from answers.states import DraftState
from audit.chain import digest
from audit.events import EventType
from audit.models import Event
from tests.answers.review_scene import CLAUSES, a_document, a_held_answer
from workspaces import access, members
from workspaces.classification import Classification
from workspaces.exceptions import Forbidden, Hidden
from workspaces.glass import breaking as glass
from workspaces.models import Workspace
from workspaces.roles import Role


@pytest.fixture
def draft(legal: Any, member: Any) -> Draft:
    return a_held_answer(legal, member)


@pytest.fixture
def more(legal: Any, member: Any) -> Any:
    """more(n) → n drafts on the same two documents, the first of them the oldest."""

    def make(count: int) -> list[Draft]:
        versions = [a_document(legal, title=f"Shared {n}", text=clause) for n, clause in enumerate(CLAUSES)]
        return [a_held_answer(legal, member, question=f"Question {n}?", versions=versions) for n in range(count)]

    return make


def stored(draft: Draft) -> Draft:
    return Draft.objects.get(pk=draft.pk)


def told(type: EventType) -> list[str]:
    return list(Event.objects.filter(type=type).values_list("actor_label", flat=True))


# --- Claims -------------------------------------------------------------------------------------------------


def test_a_claim_tells_the_others_and_ends_by_itself(draft: Draft, reviewer: Any, second_reviewer: Any) -> None:
    queue.claim(draft, by=reviewer)

    assert queue.holder(stored(draft)) == reviewer
    with pytest.raises(WrongState, match=reviewer.name):
        queue.claim(draft, by=second_reviewer)
    Draft.objects.update(claimed_until=timezone.now() - timedelta(seconds=1))
    assert queue.holder(stored(draft)) is None
    queue.claim(draft, by=second_reviewer)
    assert queue.holder(stored(draft)) == second_reviewer


def test_a_claim_is_taken_over_only_when_that_is_said_and_the_trail_says_from_whom(
    draft: Draft, reviewer: Any, second_reviewer: Any
) -> None:
    queue.claim(draft, by=reviewer)

    queue.claim(draft, by=second_reviewer, take_over=True)

    assert queue.holder(stored(draft)) == second_reviewer
    assert '"taken_from_label":"reviewer"' in Event.objects.filter(type=EventType.DRAFT_CLAIMED).last().body
    with pytest.raises(WrongState, match="not you"):
        queue.let_go(draft, by=reviewer)


def test_a_claim_forbids_nobody_to_decide(draft: Draft, reviewer: Any, second_reviewer: Any) -> None:
    queue.claim(draft, by=reviewer)

    review.approve(draft, by=second_reviewer, seen_sha256=digest(draft.text))

    with pytest.raises(WrongState):
        queue.claim(draft, by=reviewer)


def test_a_claim_is_no_form_of_the_draft(draft: Draft, reviewer: Any) -> None:
    before = draft.history.count()

    queue.claim(draft, by=reviewer)
    queue.let_go(draft, by=reviewer)

    assert draft.history.count() == before
    assert (told(EventType.DRAFT_CLAIMED), told(EventType.DRAFT_CLAIM_ENDED)) == (["reviewer"], ["reviewer"])


@pytest.mark.parametrize(
    "act",
    [
        lambda draft, by: queue.claim(draft, by=by),
        lambda draft, by: queue.let_go(draft, by=by),
        lambda draft, by: queue.rank(draft, priority=Priority.URGENT, due_at=None, by=by),
    ],
    ids=["claim", "let_go", "rank"],
)
def test_the_line_is_moved_by_reviewers_alone(
    draft: Draft, act: Any, member: Any, manager: Any, auditor: Any, stranger: Any, superuser: Any, legal: Any
) -> None:
    glass.break_glass(legal, by=superuser, reason="Ticket 4711")

    for person in (stranger, auditor, manager, member, superuser):
        with pytest.raises((Hidden, Forbidden)):
            act(draft, person)
    assert stored(draft).priority == Priority.NORMAL
    assert stored(draft).claimed_by is None


@pytest.mark.parametrize("act", ["claim", "let_go", "rank", "assign", "release"])
def test_a_reviewer_who_asked_moves_nothing_of_their_own_question_in_the_line(
    legal: Any, reviewer: Any, second_reviewer: Any, superuser: Any, break_glass: Any, client_of: Any, act: str
) -> None:
    members.add_member(legal, superuser, Role.REVIEWER, by=None)
    break_glass(legal)
    own = {person: a_held_answer(legal, person) for person in (reviewer, superuser)}
    for one in own.values():
        queue.claim(one, by=second_reviewer)
        review.assign(one, to=second_reviewer, by=second_reviewer)
    before = list(Draft.objects.order_by("pk").values())
    sent = {"priority": "4", "take_over": "1"}

    answered = [
        client_of(person).post(reverse(f"admin:answers_draft_{act}", args=[one.pk]), sent).status_code
        for person, one in own.items()
    ]

    assert answered == [404, 404]
    assert list(Draft.objects.order_by("pk").values()) == before
    assert sorted(told(EventType.ACCESS_DENIED)) == ["reviewer", "superuser"]


@pytest.mark.parametrize(
    "act",
    [
        lambda draft, by: queue.claim(draft, by=by),
        lambda draft, by: queue.let_go(draft, by=by),
        lambda draft, by: queue.rank(draft, priority=Priority.URGENT, due_at=None, by=by),
        lambda draft, by: review.assign(draft, to=None, by=by),
    ],
    ids=["claim", "let_go", "rank", "release"],
)
def test_who_asked_moves_nothing_although_a_role_and_broken_glass_would_let_them(
    legal: Any, superuser: Any, second_reviewer: Any, break_glass: Any, act: Any
) -> None:
    members.add_member(legal, superuser, Role.REVIEWER, by=None)
    break_glass(legal)
    own = a_held_answer(legal, superuser)
    review.assign(own, to=second_reviewer, by=second_reviewer)

    with pytest.raises(ByAsker, match="You asked this question"):
        act(own, superuser)

    now = stored(own)
    assert (now.priority, now.claimed_by, now.assigned_to) == (Priority.NORMAL, None, second_reviewer)


# --- The next one -------------------------------------------------------------------------------------------


def test_the_next_draft_is_the_most_urgent_the_person_may_decide_and_nobody_reads(
    more: Any, reviewer: Any, second_reviewer: Any, legal: Any
) -> None:
    plain, urgent, edited, taken, assigned = more(5)
    queue.rank(urgent, priority=Priority.URGENT, due_at=None, by=second_reviewer)
    for one in (edited, taken, assigned):
        queue.rank(one, priority=Priority.URGENT, due_at=timezone.now(), by=second_reviewer)
    review.edit(edited, text=f"{CLAUSES[0]} [1]", by=reviewer)
    queue.claim(taken, by=second_reviewer)
    review.assign(assigned, to=second_reviewer, by=second_reviewer)
    rows = access.visible(reviewer, Draft)

    first = queue.claim_next(rows, by=reviewer)
    again = queue.claim_next(rows, by=reviewer)
    second = queue.claim_next(rows, by=reviewer, but=urgent.pk)
    queue.let_go(urgent, by=reviewer)
    review.reject(urgent, by=reviewer, reason="No.")
    review.reject(plain, by=reviewer, reason="No.")

    assert (first, again, second) == (urgent, urgent, plain)
    assert queue.claim_next(rows, by=reviewer) is None


def test_who_leaves_one_after_the_other_sees_them_all_and_keeps_none_from_the_others(
    more: Any, reviewer: Any, second_reviewer: Any
) -> None:
    drafts = more(3)
    rows = access.visible(reviewer, Draft)
    seen = [queue.claim_next(rows, by=reviewer)]

    for _ in range(3):
        assert seen[-1] is not None
        seen.append(queue.claim_next(rows, by=reviewer, but=seen[-1].pk))

    assert seen == [*drafts, drafts[0]]
    assert list(rows.filter(queue.claimed()).values_list("pk", flat=True)) == [drafts[0].pk]
    assert queue.claim_next(access.visible(second_reviewer, Draft), by=second_reviewer) == drafts[1]
    assert told(EventType.DRAFT_CLAIM_ENDED) == [reviewer.username] * 3


def test_whoever_decides_on_one_goes_on_behind_it_and_not_with_those_they_passed_over(more: Any, reviewer: Any) -> None:
    drafts = more(4)
    rows = access.visible(reviewer, Draft)
    waiting = rows.filter(state=DraftState.WAITING)
    passed = queue.claim_next(rows, by=reviewer)
    assert passed is not None
    decided = queue.claim_next(rows, by=reviewer, but=passed.pk)
    assert decided is not None
    review.reject(decided, by=reviewer, reason="No.")

    following = queue.claim_next(waiting, by=reviewer, but=decided.pk)

    assert [passed, decided, following] == drafts[:3]


def test_of_drafts_that_came_in_one_moment_none_is_left_out(more: Any, reviewer: Any) -> None:
    drafts = more(4)
    rows = access.visible(reviewer, Draft)
    Draft.objects.filter(workspace=drafts[0].workspace).update(created_at=drafts[0].created_at)
    seen = [queue.claim_next(rows, by=reviewer)]

    for _ in drafts:
        assert seen[-1] is not None
        seen.append(queue.claim_next(rows, by=reviewer, but=seen[-1].pk))

    assert {one.pk for one in seen[:4] if one} == {one.pk for one in drafts}
    assert seen[4] == seen[0]


@pytest.mark.parametrize("act", ["return", "approve once", "edit"])
def test_what_now_waits_for_somebody_else_is_no_longer_being_read(
    draft: Draft, reviewer: Any, second_reviewer: Any, legal: Any, act: str
) -> None:
    # For half an hour the other reviewer would not be given it.
    queue.claim(draft, by=reviewer)

    match act:
        case "return":
            review.return_for_changes(draft, by=reviewer, reason="Say it more plainly.")
        case "approve once":
            Workspace.objects.filter(pk=legal.pk).update(second_approver_from=Classification.INTERNAL)
            review.approve(draft, by=reviewer, seen_sha256=digest(draft.text))
        case "edit":
            review.edit(draft, text=f"{CLAUSES[0]} [1]", by=reviewer)

    assert queue.holder(stored(draft)) is None


def test_whoever_is_a_moment_slower_gets_the_draft_after(
    more: Any, reviewer: Any, second_reviewer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = more(2)
    looked = queue.waiting_for

    def too_slow(*args: Any, **given: Any) -> Any:
        found = list(looked(*args, **given))
        queue.claim(first, by=second_reviewer)
        return iter(found)

    monkeypatch.setattr(queue, "waiting_for", too_slow)

    assert queue.claim_next(access.visible(reviewer, Draft), by=reviewer) == second


# --- Due ----------------------------------------------------------------------------------------------------


def test_a_held_answer_is_due_when_its_workspace_says(legal: Any, manager: Any) -> None:
    by_default = due.due_after(due.hours_of(legal.pk))
    due.give_time(legal, hours=4, remind_hours=4, by=manager)
    shorter = due.due_after(due.hours_of(legal.pk))
    due.give_time(legal, hours=0, remind_hours=2, by=manager)

    assert by_default is not None
    assert shorter is not None
    assert timedelta(hours=43) < by_default - shorter < timedelta(hours=45)
    assert due.due_after(due.hours_of(legal.pk)) is None
    told = Event.objects.filter(type=EventType.WORKSPACE_CHANGED).order_by("seq").values_list("body", flat=True)
    assert ['"after":0,"before":4' in told[1], '"after":2,"before":4' in told[2]] == [True, True]
    assert due.times_of(legal.pk) == (0, 2)


def test_only_a_manager_says_how_long_reviewers_have(legal: Any, reviewer: Any, member: Any, stranger: Any) -> None:
    for person in (reviewer, member, stranger):
        with pytest.raises((Hidden, Forbidden)):
            due.give_time(legal, hours=1, remind_hours=1, by=person)
    assert not ReviewTime.objects.exists()


@pytest.mark.parametrize(
    ("hours", "remind_hours"),
    [(-1, 4), (ReviewTime.LONGEST + 1, 4), (48, -1), (48, ReviewTime.EARLIEST_REMINDER + 1)],
)
def test_hours_out_of_range_are_refused(legal: Any, manager: Any, hours: int, remind_hours: int) -> None:
    with pytest.raises(DraftError):
        due.give_time(legal, hours=hours, remind_hours=remind_hours, by=manager)
    assert due.times_of(legal.pk) == (48, 4)


def test_a_new_due_date_and_priority_stand_in_the_history_and_the_trail(draft: Draft, reviewer: Any) -> None:
    due = timezone.now() + timedelta(hours=2)

    queue.rank(draft, priority=Priority.HIGH, due_at=due, by=reviewer)

    assert (stored(draft).priority, stored(draft).due_at) == (Priority.HIGH, due)
    assert draft.history.first().history_user == reviewer
    assert told(EventType.DRAFT_RANKED) == ["reviewer"]
    with pytest.raises(DraftError):
        queue.rank(draft, priority=9, due_at=None, by=reviewer)


# --- Filters ------------------------------------------------------------------------------------------------


def test_every_choice_of_every_filter_leaves_what_it_says(
    more: Any, legal: Any, member: Any, reviewer: Any, second_reviewer: Any
) -> None:
    now, past = timezone.now(), timezone.now() - timedelta(days=3)
    plain, late, mine, weak, returned = more(5)
    Draft.objects.filter(pk=late.pk).update(due_at=past, created_at=past, priority=Priority.URGENT)
    Draft.objects.filter(pk=plain.pk).update(due_at=now + timedelta(days=30), needs_second=True)
    Draft.objects.filter(pk=weak.pk).update(grounding=Grounding.UNSUPPORTED)
    review.assign(mine, to=reviewer, by=reviewer)
    queue.claim(mine, by=reviewer)
    review.return_for_changes(returned, by=second_reviewer, reason="Shorter.", seen_sha256=digest(returned.text))
    rows = access.visible(reviewer, Draft)

    def left(**filters: str) -> set[Draft]:
        return set(narrowed(rows, filters, reviewer))

    assert left() == {plain, late, mine, weak}
    assert left(state="returned") == {returned}
    assert left(state="open") == left(state="all") == {plain, late, mine, weak, returned}
    assert left(desk="mine") == left(desk="claimed") == {mine}
    assert left(desk="nobody") == left(desk="free") == {plain, late, weak}
    assert left(priority="4") == left(due="over") == left(due="today") == left(due="week") == left(age="2") == {late}
    assert left(due="never") == {mine, weak}
    assert left(age="7") == set()
    assert left(grounding="unsupported") == {weak}
    assert left(grounding="unmeasured") == {plain, late, mine}
    assert left(approvals="two") == {plain}
    assert left(approvals="one") == {late, mine, weak}
    assert left(approvals="given") == set()
    assert left(language="en") == left()
    assert left(language="sr") == left(language="other") == set()
    assert left(workspace="legal") == left()
    assert left(workspace="elsewhere") == set()
    assert left(model="nothing") == set()
    assert left(due="nonsense", priority="nonsense", age="x") == left()


@pytest.mark.parametrize("few", [0, 1000])
def test_filter_by_classification_goes_by_the_highest_source(
    more: Any, reviewer: Any, few: int, monkeypatch: Any
) -> None:
    monkeypatch.setattr(queue_filters, "_FEW", few)
    [draft] = more(1)
    document = draft.answer.evidence.first().document
    document.classification = "confidential"
    document.save()
    rows = access.visible(reviewer, Draft)

    found = {
        level: narrowed(rows, {"classification": level}, reviewer).count()
        for level in ("public", "internal", "confidential")
    }

    assert found == {"public": 0, "internal": 0, "confidential": 1}


def test_the_least_urgent_come_first_in_exactly_the_other_order(more: Any, reviewer: Any, client_of: Any) -> None:
    first, second, third, fourth = more(4)
    now = timezone.now()
    Draft.objects.filter(pk=first.pk).update(priority=Priority.LOW, due_at=now)
    Draft.objects.filter(pk=second.pk).update(priority=Priority.LOW, due_at=now + timedelta(hours=1))
    Draft.objects.filter(pk=third.pk).update(priority=Priority.HIGH, due_at=now)
    client = client_of(reviewer)

    def shown(order: str) -> list[Any]:
        page = client.get("/admin/answers/draft/", {"state": "waiting", "o": order})
        return [draft.pk for draft in page.context["cl"].result_list]

    most = shown("-1")
    assert most.index(third.pk) < most.index(fourth.pk) < most.index(first.pk) < most.index(second.pk)
    assert shown("1") == most[::-1]


def test_the_queue_is_not_sorted_by_desk_and_a_view_that_was_opens_in_the_order_of_the_line(
    more: Any, reviewer: Any, client_of: Any
) -> None:
    first, second = more(2)
    Draft.objects.filter(pk=second.pk).update(priority=Priority.URGENT)
    client = client_of(reviewer)

    def shown(**order: str) -> Any:
        return client.get("/admin/answers/draft/", {"state": "waiting", **order}).context["cl"]

    offered = shown()
    number = offered.list_display.index("desk")
    sorted_by_desk = shown(o=str(number))
    assert "assigned_to__username" not in sorted_by_desk.queryset.query.order_by
    found = [draft.pk for draft in sorted_by_desk.result_list]
    assert found.index(second.pk) < found.index(first.pk)


# --- Saved views --------------------------------------------------------------------------------------------


def test_a_saved_view_keeps_filters_and_order_and_no_search(reviewer: Any, legal: Any) -> None:
    asked_for = {"desk": "mine", "o": "-4.5", "q": "the secret clause", "p": "3", "due": "x' or 1=1", "state": "all"}

    view = saved_views.save(name=" My  desk ", filters=asked_for, is_default=True, by=reviewer)

    assert (view.name, view.filters) == ("My desk", {"desk": "mine", "o": "-4.5", "state": "all"})
    assert saved_views.query_of(view) == "desk=mine&state=all&o=-4.5"
    assert "secret" not in Event.objects.get(type=EventType.VIEW_SAVED).body


def test_one_view_opens_first_and_a_name_stands_for_one(reviewer: Any, legal: Any) -> None:
    saved_views.save(name="One", filters={"desk": "mine"}, is_default=True, by=reviewer)
    saved_views.save(name="Two", filters={"due": "over"}, is_default=True, by=reviewer)
    saved_views.save(name="One", filters={"due": "today"}, is_default=False, by=reviewer)

    found = [(view.name, view.filters, view.is_default) for view in saved_views.of(reviewer)]
    assert found == [("One", {"due": "today"}, False), ("Two", {"due": "over"}, True)]


def test_nobody_reaches_the_views_of_another(reviewer: Any, second_reviewer: Any, legal: Any) -> None:
    view = saved_views.save(name="Mine", filters={}, is_default=False, by=reviewer)

    with pytest.raises(Hidden):
        saved_views.delete(view.pk, by=second_reviewer)
    assert saved_views.of(second_reviewer) == []
    saved_views.delete(view.pk, by=reviewer)
    assert not SavedView.objects.exists()


def test_who_reviews_nowhere_saves_no_view(member: Any, stranger: Any, auditor: Any, legal: Any) -> None:
    for person in (member, stranger, auditor):
        with pytest.raises(Forbidden):
            saved_views.save(name="Mine", filters={}, is_default=False, by=person)


def test_views_are_few_and_have_names(reviewer: Any, legal: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(saved_views, "MOST", 1)
    saved_views.save(name="One", filters={}, is_default=False, by=reviewer)

    for name in ("", "x" * 61, "Two"):
        with pytest.raises(DraftError):
            saved_views.save(name=name, filters={}, is_default=False, by=reviewer)


def test_every_facet_has_choices_for_a_reviewer_and_tells_a_stranger_of_no_workspace(
    reviewer: Any, stranger: Any, legal: Any
) -> None:
    by_name = {facet.name: facet for facet in FACETS}

    assert all(facet.choices(reviewer) for facet in FACETS)
    assert by_name["workspace"].choices(stranger) == []


def test_a_reviewer_who_left_is_no_longer_called_the_reader(draft: Draft, reviewer: Any, legal: Any) -> None:
    queue.claim(draft, by=reviewer)

    members.remove_member(legal, reviewer, Role.REVIEWER, by=None)

    assert queue.holder(stored(draft)) is None
