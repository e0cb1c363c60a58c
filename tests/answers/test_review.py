"""A named person decides, once, on exactly the text they saw; nobody decides on their own."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.db import connection

from answers import review
from answers.exceptions import ByAsker, DraftError, WrongState
from answers.models import Answer, Draft, Review
from answers.states import ANSWER_STATUS_OF, AnswerStatus, DraftState
from audit import timeline
from audit.chain import digest
from audit.events import EventType
from audit.models import Event
from documents.models import DocumentUserGrant
from tests.answers.review_scene import CLAUSES, TEXT, a_document, a_held_answer
from workspaces import members
from workspaces.exceptions import Forbidden, Hidden, ReasonNeeded
from workspaces.roles import Role

EDITED = f"{CLAUSES[0]} [1] Invoices are due in 30 days. [2]"


@pytest.fixture
def draft(legal: Any, member: Any) -> Draft:
    return a_held_answer(legal, member)


def seen(draft: Draft) -> str:
    return digest(draft.text)


def answer_of(draft: Draft) -> Answer:
    return Answer.objects.get(pk=draft.answer_id)


def types() -> list[str]:
    return list(Event.objects.filter(type__regex=r"^(draft|answer)\.").order_by("seq").values_list("type", flat=True))


# --- approve ------------------------------------------------------------------------------------------------


def test_approval_releases_exactly_the_text_that_was_seen(draft: Draft, reviewer: Any) -> None:
    decision = review.approve(draft, by=reviewer, seen_sha256=seen(draft), reason="Matches the contract.")

    answer = answer_of(draft)
    assert answer.status == AnswerStatus.ANSWERED_APPROVED
    assert answer.released_text == TEXT
    assert answer.released_sha256 == decision.text_sha256 == seen(draft)
    assert answer.released_by == reviewer
    assert types() == [EventType.DRAFT_APPROVED, EventType.ANSWER_RELEASED]


def test_approval_is_bound_to_the_hash_of_every_cited_version(draft: Draft, reviewer: Any) -> None:
    decision = review.approve(draft, by=reviewer, seen_sha256=seen(draft))

    cited = {str(c.version_id): c.version.sha256 for c in draft.answer.citations.all()}
    assert decision.sources == cited
    assert len(cited) == 2


def test_text_edited_after_it_was_opened_is_not_approved(draft: Draft, reviewer: Any, second_reviewer: Any) -> None:
    opened = seen(draft)
    review.edit(draft, text=EDITED, by=second_reviewer)

    with pytest.raises(WrongState, match="faster"):
        review.approve(draft, by=reviewer, seen_sha256=opened)

    assert answer_of(draft).status == AnswerStatus.HELD_FOR_REVIEW
    assert EventType.ANSWER_RELEASED not in types()


def test_second_decision_is_told_who_was_faster(draft: Draft, reviewer: Any, second_reviewer: Any) -> None:
    review.reject(draft, by=reviewer, reason="Not our contract.")

    with pytest.raises(WrongState, match=r"faster.*reviewer"):
        review.approve(draft, by=second_reviewer, seen_sha256=seen(draft))

    assert Review.objects.count() == 1


# --- who decides --------------------------------------------------------------------------------------------


def decisions() -> list[Any]:
    return [
        pytest.param(lambda d, by: review.approve(d, by=by, seen_sha256=seen(d)), id="approve"),
        pytest.param(lambda d, by: review.return_for_changes(d, by=by, reason="because"), id="return"),
        pytest.param(lambda d, by: review.reject(d, by=by, reason="because"), id="reject"),
    ]


def all_acts() -> list[Any]:
    return [
        *decisions(),
        pytest.param(lambda d, by: review.edit(d, text=EDITED, by=by), id="edit"),
        pytest.param(lambda d, by: review.assign(d, to=by, by=by), id="assign"),
        pytest.param(lambda d, by: review.opened(d, by=by), id="open"),
        pytest.param(lambda d, by: review.submit(d, by=by), id="submit"),
    ]


@pytest.mark.parametrize("act", all_acts())
def test_draft_of_their_own_question_does_not_exist_for_a_reviewer(
    legal: Any, reviewer: Any, act: Callable[[Draft, Any], Any]
) -> None:
    own = a_held_answer(legal, reviewer)

    with pytest.raises(Hidden):
        act(own, reviewer)

    assert types() == []
    assert Draft.objects.get(pk=own.pk).state == DraftState.WAITING


@pytest.mark.parametrize("act", [act for act in all_acts() if act.id != "open"])
def test_superuser_does_nothing_with_the_draft_of_their_own_question(
    legal: Any, superuser: Any, break_glass: Any, act: Callable[[Draft, Any], Any]
) -> None:
    own = a_held_answer(legal, superuser)
    break_glass(legal)

    with pytest.raises(ByAsker, match="You asked"):
        act(own, superuser)

    stored = Draft.objects.get(pk=own.pk)
    assert (stored.state, stored.text, stored.assigned_to) == (DraftState.WAITING, own.text, None)


@pytest.mark.parametrize("decide", decisions())
def test_nobody_decides_on_a_draft_they_edited_even_if_others_edited_it_since(
    draft: Draft, legal: Any, reviewer: Any, second_reviewer: Any, admin: Any, decide: Callable[[Draft, Any], Any]
) -> None:
    members.add_member(legal, admin, Role.REVIEWER, by=None)
    draft = review.edit(draft, text=EDITED, by=reviewer)
    draft = review.edit(draft, text=EDITED + " Mail it. [1]", by=second_reviewer)

    with pytest.raises(WrongState, match="You edited"):
        decide(draft, reviewer)

    assert Review.objects.count() == 0


@pytest.mark.parametrize("act", all_acts())
@pytest.mark.parametrize("role", ["manager", "contributor", "member", "auditor"])
def test_no_role_but_reviewer_touches_a_draft(
    draft: Draft, people: dict[str, Any], role: str, act: Callable[[Draft, Any], Any]
) -> None:
    with pytest.raises((Forbidden, Hidden)):
        act(draft, people[role])

    assert types() == []


@pytest.mark.parametrize("act", all_acts())
def test_for_a_stranger_and_a_reviewer_of_another_workspace_the_draft_does_not_exist(
    draft: Draft, make_user: Any, make_workspace: Any, stranger: Any, act: Callable[[Draft, Any], Any]
) -> None:
    elsewhere = make_user("elsewhere")
    make_workspace("other", reviewer=elsewhere)

    for person in (stranger, elsewhere):
        with pytest.raises(Hidden):
            act(draft, person)


@pytest.mark.parametrize("act", all_acts())
def test_reviewer_who_may_not_open_one_source_does_not_reach_the_draft(
    legal: Any, member: Any, reviewer: Any, act: Callable[[Draft, Any], Any]
) -> None:
    secret = a_document(legal, title="Salaries", text=CLAUSES[0], restricted=True)
    plain = a_document(legal, title="Invoices", text=CLAUSES[1])
    draft = a_held_answer(legal, member, versions=[secret, plain])

    with pytest.raises(Hidden):
        act(draft, reviewer)


def test_right_to_a_source_counts_at_the_moment_of_the_decision(legal: Any, member: Any, reviewer: Any) -> None:
    secret = a_document(legal, title="Salaries", text=CLAUSES[0], restricted=True)
    draft = a_held_answer(legal, member, clauses=CLAUSES[:1], versions=[secret])
    grant = DocumentUserGrant.objects.create(
        content_object=secret.document, user=reviewer, permission=Permission.objects.get(codename="open_document")
    )
    review.opened(draft, by=reviewer)
    grant.delete()

    with pytest.raises(Hidden):
        review.approve(draft, by=reviewer, seen_sha256=seen(draft))


def test_superuser_without_the_role_reads_by_breaking_glass_but_does_not_decide(
    draft: Draft, legal: Any, superuser: Any, break_glass: Any
) -> None:
    with pytest.raises(ReasonNeeded):
        review.opened(draft, by=superuser)

    break_glass(legal)
    review.opened(draft, by=superuser)
    with pytest.raises(Forbidden):
        review.approve(draft, by=superuser, seen_sha256=seen(draft))

    assert Event.objects.filter(type=EventType.BREAK_GLASS, actor_id=superuser.pk).exists()
    assert answer_of(draft).status == AnswerStatus.HELD_FOR_REVIEW


def test_reviewer_whose_role_was_taken_away_decides_nothing_more(legal: Any, draft: Draft, reviewer: Any) -> None:
    members.remove_member(legal, reviewer, Role.REVIEWER, by=None)

    with pytest.raises(Hidden):
        review.approve(draft, by=reviewer, seen_sha256=seen(draft))


# --- edit ---------------------------------------------------------------------------------------------------


def test_edit_keeps_the_form_before_with_who_and_why(draft: Draft, reviewer: Any) -> None:
    review.edit(draft, text=EDITED, by=reviewer, reason="Shorter.")

    now, before = draft.history.all()
    assert (before.text, now.text) == (TEXT, EDITED)
    assert now.history_user == reviewer
    assert now.history_change_reason == "Shorter."
    event = Event.objects.get(type=EventType.DRAFT_EDITED)
    assert digest(EDITED) in event.body
    assert "30 days" not in event.body


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("Invoices are due. [3]", r"\[3\] cites nothing"),
        ("Invoices are due.", "At least one citation"),
        ("   ", "empty"),
        ("Due. [1]\0", "cannot be stored"),
    ],
)
def test_edit_that_breaks_the_citations_is_refused(draft: Draft, reviewer: Any, text: str, sentence: str) -> None:
    with pytest.raises(DraftError, match=sentence):
        review.edit(draft, text=text, by=reviewer)

    assert Draft.objects.get(pk=draft.pk).text == TEXT
    assert types() == []


def test_edit_that_changes_nothing_leaves_the_editor_free_to_decide(draft: Draft, reviewer: Any) -> None:
    review.edit(draft, text=TEXT.replace("\n", "\r\n") + "  ", by=reviewer)

    review.approve(draft, by=reviewer, seen_sha256=seen(draft))

    assert types() == [EventType.DRAFT_APPROVED, EventType.ANSWER_RELEASED]


def test_two_edits_of_the_same_form_do_not_overwrite_each_other(
    draft: Draft, reviewer: Any, second_reviewer: Any
) -> None:
    opened = seen(draft)
    review.edit(draft, text=EDITED, by=reviewer, seen_sha256=opened)

    with pytest.raises(WrongState, match="faster"):
        review.edit(draft, text="Something else. [1]", by=second_reviewer, seen_sha256=opened)

    assert Draft.objects.get(pk=draft.pk).text == EDITED


def test_another_reviewer_releases_the_edited_text(draft: Draft, reviewer: Any, second_reviewer: Any) -> None:
    draft = review.edit(draft, text=EDITED, by=reviewer)

    review.approve(draft, by=second_reviewer, seen_sha256=seen(draft))

    assert answer_of(draft).released_text == EDITED


def test_version_no_longer_cited_by_the_edited_text_is_not_among_the_approved_sources(
    draft: Draft, reviewer: Any, second_reviewer: Any
) -> None:
    draft = review.edit(draft, text=f"{CLAUSES[0]} [1]", by=reviewer)

    decision = review.approve(draft, by=second_reviewer, seen_sha256=seen(draft))

    assert set(decision.sources) == {str(draft.answer.citations.get(number=1).version_id)}


# --- return, submit, reject ---------------------------------------------------------------------------------


def test_returned_draft_goes_round_again(draft: Draft, reviewer: Any, second_reviewer: Any) -> None:
    review.return_for_changes(draft, by=reviewer, reason="Name the days.")
    assert answer_of(draft).status == AnswerStatus.HELD_RETURNED

    draft = review.edit(draft, text=EDITED, by=second_reviewer)
    review.submit(draft, by=second_reviewer)
    assert answer_of(draft).status == AnswerStatus.HELD_FOR_REVIEW

    review.approve(draft, by=reviewer, seen_sha256=seen(draft))
    assert answer_of(draft).released_text == EDITED
    assert types() == [
        EventType.DRAFT_RETURNED,
        EventType.DRAFT_EDITED,
        EventType.DRAFT_SUBMITTED,
        EventType.DRAFT_APPROVED,
        EventType.ANSWER_RELEASED,
    ]


def test_returned_draft_is_not_submitted_unchanged(draft: Draft, reviewer: Any, second_reviewer: Any) -> None:
    review.return_for_changes(draft, by=reviewer, reason="Name the days.")

    with pytest.raises(DraftError, match="Nothing changed"):
        review.submit(draft, by=second_reviewer)


def test_returned_draft_is_not_approved_before_it_was_submitted(draft: Draft, reviewer: Any) -> None:
    review.return_for_changes(draft, by=reviewer, reason="Name the days.")

    with pytest.raises(WrongState, match="Returned for changes"):
        review.approve(draft, by=reviewer, seen_sha256=seen(draft))


def test_draft_that_waits_again_names_nobody_as_faster(draft: Draft, reviewer: Any, second_reviewer: Any) -> None:
    review.return_for_changes(draft, by=reviewer, reason="Name the days.")
    draft = review.edit(draft, text=EDITED, by=second_reviewer)
    review.submit(draft, by=second_reviewer)

    with pytest.raises(WrongState, match="Awaiting review") as told:
        review.submit(draft, by=second_reviewer)

    assert "faster" not in str(told.value)


def test_rejected_answer_is_never_released(draft: Draft, reviewer: Any, second_reviewer: Any) -> None:
    review.reject(draft, by=reviewer, reason="Wrong contract.")

    answer = answer_of(draft)
    assert answer.status == AnswerStatus.REFUSED_BY_REVIEWER
    assert answer.released_text == ""
    for act in (
        lambda: review.edit(draft, text=EDITED, by=second_reviewer),
        lambda: review.submit(draft, by=second_reviewer),
        lambda: review.assign(draft, to=second_reviewer, by=second_reviewer),
    ):
        with pytest.raises(WrongState):
            act()


def test_reason_of_an_edit_or_an_approval_has_a_readable_length_too(draft: Draft, reviewer: Any) -> None:
    with pytest.raises(DraftError, match="at most 2000"):
        review.edit(draft, text=EDITED, by=reviewer, reason="x" * 2001)
    with pytest.raises(DraftError, match="at most 2000"):
        review.approve(draft, by=reviewer, seen_sha256=seen(draft), reason="x" * 2001)

    assert (Draft.objects.get(pk=draft.pk).text, types()) == (TEXT, [])


@pytest.mark.parametrize("reason", ["", "   ", "x" * 2001])
def test_return_and_reject_need_a_reason_of_readable_length(draft: Draft, reviewer: Any, reason: str) -> None:
    for decide in (review.return_for_changes, review.reject):
        with pytest.raises(DraftError, match="reason"):
            decide(draft, by=reviewer, reason=reason)

    assert Draft.objects.get(pk=draft.pk).state == DraftState.WAITING


def test_draft_and_answer_are_never_in_states_that_disagree(draft: Draft, reviewer: Any) -> None:
    review.return_for_changes(draft, by=reviewer, reason="Name the days.")

    stored = Draft.objects.select_related("answer").get(pk=draft.pk)
    assert stored.answer.status == ANSWER_STATUS_OF[stored.state]


# --- assign -------------------------------------------------------------------------------------------------


def test_assigned_draft_says_so_and_may_still_be_decided_by_others(
    draft: Draft, reviewer: Any, second_reviewer: Any
) -> None:
    review.assign(draft, to=reviewer, by=second_reviewer)

    assert Draft.objects.get(pk=draft.pk).assigned_to == reviewer
    review.approve(draft, by=second_reviewer, seen_sha256=seen(draft))
    assert types()[0] == EventType.DRAFT_ASSIGNED


def test_assigning_does_not_make_somebody_an_editor(draft: Draft, reviewer: Any) -> None:
    review.assign(draft, to=reviewer, by=reviewer)

    review.approve(draft, by=reviewer, seen_sha256=seen(draft))

    assert answer_of(draft).released_by == reviewer


@pytest.mark.parametrize("act", ["edit", "approve", "reject"])
def test_reason_is_stored_without_what_cannot_be_stored_or_read(draft: Draft, reviewer: Any, act: str) -> None:
    match act:
        case "edit":
            review.edit(draft, text=EDITED, by=reviewer, reason=" Shor\0ter.\n")
        case "approve":
            review.approve(draft, by=reviewer, seen_sha256=seen(draft), reason=" Shor\0ter.\n")
        case "reject":
            review.reject(draft, by=reviewer, reason=" Shor\0ter.\n")

    assert draft.history.first().history_change_reason == "Shorter."
    entries = Event.objects.filter(type__in=types())
    assert entries
    assert [timeline.reason(entry) for entry in entries] == ["Shorter."] * len(entries)
    assert list(Review.objects.values_list("reason", flat=True)) == ([] if act == "edit" else ["Shorter."])


def test_draft_is_not_assigned_to_somebody_who_could_not_decide(
    legal: Any, draft: Draft, reviewer: Any, second_reviewer: Any, manager: Any
) -> None:
    own = a_held_answer(legal, second_reviewer)

    with pytest.raises(DraftError, match="may not review"):
        review.assign(draft, to=manager, by=reviewer)
    with pytest.raises(DraftError, match="may not review"):
        review.assign(own, to=second_reviewer, by=reviewer)


def test_edit_takes_the_draft_off_the_editors_own_desk(draft: Draft, reviewer: Any) -> None:
    draft = review.assign(draft, to=reviewer, by=reviewer)

    draft = review.edit(draft, text=EDITED, by=reviewer)

    assert draft.assigned_to is None


# --- one transaction, one winner ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "act",
    [
        *decisions(),
        pytest.param(lambda d, by: review.edit(d, text=EDITED, by=by), id="edit"),
        pytest.param(lambda d, by: review.assign(d, to=by, by=by), id="assign"),
    ],
)
def test_act_whose_entry_cannot_be_written_did_not_happen(
    draft: Draft, reviewer: Any, act: Callable[[Draft, Any], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Sabotaged(Exception):
        pass

    def refuse(*args: Any, **kwargs: Any) -> None:
        raise Sabotaged

    monkeypatch.setattr("audit.chain._write", refuse)
    with pytest.raises(Sabotaged):
        act(draft, reviewer)

    stored = Draft.objects.get(pk=draft.pk)
    assert (stored.state, stored.text, stored.assigned_to) == (DraftState.WAITING, TEXT, None)
    assert answer_of(draft).status == AnswerStatus.HELD_FOR_REVIEW
    assert Review.objects.count() == 0
    assert draft.history.count() == 1


@pytest.mark.django_db(transaction=True)
def test_of_two_reviewers_deciding_together_one_wins_and_the_other_is_told(
    draft: Draft, reviewer: Any, second_reviewer: Any
) -> None:
    start = threading.Barrier(2)
    outcomes: dict[str, Any] = {}

    def decide(name: str, act: Callable[[], Any]) -> None:
        start.wait(timeout=10)
        try:
            outcomes[name] = act()
        except WrongState as error:
            outcomes[name] = error
        finally:
            connection.close()

    threads = [
        threading.Thread(
            target=decide, args=("a", lambda: review.approve(draft, by=reviewer, seen_sha256=seen(draft)))
        ),
        threading.Thread(target=decide, args=("b", lambda: review.reject(draft, by=second_reviewer, reason="No."))),
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)

    losers = [outcome for outcome in outcomes.values() if isinstance(outcome, WrongState)]
    assert len(losers) == 1
    assert "faster" in str(losers[0])
    assert Review.objects.count() == 1
    assert Event.objects.filter(type__in=[EventType.DRAFT_APPROVED, EventType.DRAFT_REJECTED]).count() == 1


def test_askers_page_hears_of_a_decision_only_once_it_is_committed(
    draft: Draft, reviewer: Any, django_capture_on_commit_callbacks: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard: list[str] = []
    monkeypatch.setattr(
        "answers.streaming._append",
        lambda answer_id, events, kept: heard.extend(data["status"] for _kind, data in events),
    )

    with django_capture_on_commit_callbacks() as callbacks:
        review.approve(draft, by=reviewer, seen_sha256=seen(draft))
    assert heard == []
    for callback in callbacks:
        callback()

    assert set(heard) == {AnswerStatus.ANSWERED_APPROVED}
