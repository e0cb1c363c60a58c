"""An officer with forty drafts: the queue, the next draft, and what the page of one says while it is worked on."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from django.utils.html import escape

from answers import review
from answers.drafts import comments
from answers.models import Comment, Draft, Priority, Review
from answers.queue import order as queue
from answers.queue import saved_views
from answers.review import reasons
from answers.states import DraftState
from audit.chain import digest
from audit.events import EventType
from audit.models import Event
from tests.answers.review_scene import CLAUSES, TEXT, a_document, a_held_answer

EDITED = f"{CLAUSES[0]} [1] Invoices are due in 30 days. [2]"


@pytest.fixture
def pair(legal: Any, member: Any) -> tuple[Draft, Draft]:
    """Two drafts with the same text on the same versions."""
    versions = [a_document(legal, title=f"Shared {n}", text=clause) for n, clause in enumerate(CLAUSES)]
    first, second = (a_held_answer(legal, member, question=f"Question {n}?", versions=versions) for n in (1, 2))
    return first, second


def state(draft: Draft) -> str:
    return Draft.objects.get(pk=draft.pk).state


# --- The queue ----------------------------------------------------------------------------------------------


def test_queue_opens_with_the_view_that_the_person_chose(
    client_of: Any, page: Any, draft: Draft, reviewer: Any, second_reviewer: Any
) -> None:
    mine, other = client_of(reviewer), client_of(second_reviewer)
    sent = {"name": "On fire", "filters": "state=open&priority=4&q=secret", "is_default": "on"}

    saved = mine.post(page("answers_draft_save_view"), sent, follow=True)
    opened = mine.get(page("answers_draft_changelist"), follow=True)

    assert "Saved as “On fire”. Only you see it." in saved.content.decode()
    assert opened.redirect_chain[0][0] == "?state=open&priority=4"
    assert len(opened.context["cl"].result_list) == 0
    assert len(mine.get(page("answers_draft_changelist") + "?state=waiting").context["cl"].result_list) == 1
    assert "On fire" not in other.get(page("answers_draft_changelist")).content.decode()


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ("", "Nothing waits for a decision"),
        ("?state=waiting&o=1", "Nothing waits for a decision"),
        ("?state=waiting&priority=4", "Nothing matches"),
        ("?state=rejected", "Nothing matches"),
        ("?q=nothing", "Nothing matches"),
    ],
)
def test_an_empty_queue_says_whether_all_is_done_or_only_nothing_is_found(
    asked: str, says: str, client_of: Any, page: Any, legal: Any, reviewer: Any
) -> None:
    shown = client_of(reviewer).get(page("answers_draft_changelist") + asked).content.decode()

    assert says in shown


def test_tabs_count_what_lies_behind_them(client_of: Any, page: Any, pair: Any, reviewer: Any) -> None:
    late, _other = pair
    queue.rank(late, priority=Priority.HIGH, due_at=timezone.now() - timedelta(hours=1), by=reviewer)
    queue.claim(late, by=reviewer)

    response = client_of(reviewer).get(page("answers_draft_changelist"))

    counts = {str(tab["label"]): tab["count"] for tab in response.context["tabs"]}
    assert counts["Awaiting review"] == "2"
    assert (counts["Overdue"], counts["I am reading it"], counts["On my desk"]) == ("1", "1", "")
    assert "overdue by" in response.content.decode()
    assert [row.pk for row in response.context["cl"].result_list] == [late.pk, pair[1].pk]


def test_next_stays_in_the_list_the_person_came_from(
    client_of: Any, page: Any, pair: Any, draft: Draft, reviewer: Any
) -> None:
    queue.rank(pair[1], priority=Priority.URGENT, due_at=None, by=reviewer)
    client, filters = client_of(reviewer), "?_changelist_filters=state%3Dwaiting%26priority%3D4"

    first = client.post(page("answers_draft_next") + filters)
    onward = client.post(
        page("answers_draft_approve", pair[1].pk) + filters, {"seen_sha256": digest(TEXT), "then": "next"}, follow=True
    )

    assert first["Location"] == page("answers_draft_change", pair[1].pk) + filters
    assert state(pair[1]) == DraftState.APPROVED
    assert onward.redirect_chain[-1][0] == page("answers_draft_changelist") + "?state=waiting&priority=4"
    assert "Nothing is left here that waits for you." in onward.content.decode()


def test_approve_and_next_claims_the_next_one(client_of: Any, page: Any, pair: Any, reviewer: Any) -> None:
    first, second = pair

    response = client_of(reviewer).post(
        page("answers_draft_approve", first.pk), {"seen_sha256": digest(TEXT), "then": "next"}
    )

    assert response["Location"] == page("answers_draft_change", second.pk)
    assert queue.holder(Draft.objects.get(pk=second.pk)) == reviewer


# --- Reading one --------------------------------------------------------------------------------------------


def test_page_says_who_reads_the_draft_and_lets_it_be_taken_over(
    client_of: Any, page: Any, draft: Draft, reviewer: Any, second_reviewer: Any
) -> None:
    queue.claim(draft, by=second_reviewer)
    client = client_of(reviewer)

    shown = client.get(page("answers_draft_change", draft.pk)).content.decode()
    refused = client.post(page("answers_draft_claim", draft.pk))
    client.post(page("answers_draft_claim", draft.pk), {"take_over": "yes"})

    assert f"{second_reviewer.name} is reading this draft" in shown
    assert refused.status_code == 409
    assert queue.holder(Draft.objects.get(pk=draft.pk)) == reviewer


def test_sentences_that_do_not_stand_are_named_with_the_reason(
    client_of: Any, page: Any, draft: Draft, reviewer: Any, second_reviewer: Any
) -> None:
    review.edit(draft, text=f"{CLAUSES[0]} [1] Invoices are due within 90 days of receipt. [2]", by=second_reviewer)

    content = client_of(reviewer).get(page("answers_draft_change", draft.pk)).content.decode()

    assert "1 sentence does not stand well" in content
    assert 'data-tone="bad"' in content
    assert "90" in content.split('class="rv-why"')[1].split("</ul>")[0]


def test_a_text_being_typed_is_checked_and_compared_and_nothing_is_kept(
    client_of: Any, page: Any, draft: Draft, reviewer: Any
) -> None:
    sent = {"text": f"{CLAUSES[0]} [1] Invoices are due within 90 days of receipt. [2]", "was": TEXT}

    told = json.loads(client_of(reviewer).post(page("answers_draft_check", draft.pk), sent).content)

    assert [sentence["tone"] for sentence in told["sentences"]] == ["good", "bad"]
    assert {"kind": "removed", "text": "30"} in told["difference"]
    assert {"kind": "added", "text": "90"} in told["difference"]
    assert told["objection"] == ""
    assert Draft.objects.get(pk=draft.pk).text == TEXT


def test_a_check_is_no_way_to_read_a_draft_unseen(client_of: Any, page: Any, draft: Draft, reviewer: Any) -> None:
    answer = client_of(reviewer).post(page("answers_draft_check", draft.pk), {"text": "Nothing. [7]", "was": ""})

    assert "60 days" not in answer.content.decode()
    assert "[7] cites nothing" in json.loads(answer.content)["objection"]
    assert not Event.objects.filter(type=EventType.DRAFT_OPENED).exists()


def test_nobody_else_has_texts_checked(
    client_of: Any, page: Any, draft: Draft, stranger: Any, member: Any, manager: Any, auditor: Any
) -> None:
    for person in (stranger, member, manager, auditor):
        answer = client_of(person).post(page("answers_draft_check", draft.pk), {"text": TEXT})

        assert answer.status_code in (403, 404)
        assert b"sentences" not in answer.content


def test_whoever_comes_second_is_told_by_whom_and_keeps_what_they_typed(
    client_of: Any, page: Any, draft: Draft, reviewer: Any, second_reviewer: Any
) -> None:
    review.reject(draft, by=second_reviewer, reason="No.")
    sent = {"text": EDITED, "why": "Plainer.", "seen_sha256": digest(TEXT)}

    response = client_of(reviewer).post(page("answers_draft_edit", draft.pk), sent)

    content = response.content.decode()
    assert response.status_code == 409
    assert f"decided by {second_reviewer.name}" in content
    assert escape(EDITED) in content


def test_an_edit_over_another_edit_shows_what_it_would_undo(
    client_of: Any, page: Any, draft: Draft, reviewer: Any, second_reviewer: Any
) -> None:
    review.edit(draft, text=EDITED, by=second_reviewer)
    sent = {"text": f"{CLAUSES[1]} [2]", "seen_sha256": digest(TEXT)}

    content = client_of(reviewer).post(page("answers_draft_edit", draft.pk), sent).content.decode()

    assert "against the text as it stands now" in content
    assert "<del>" in content.split("against the text as it stands now")[1]


def test_any_two_texts_of_the_history_are_compared(
    client_of: Any, page: Any, draft: Draft, reviewer: Any, second_reviewer: Any
) -> None:
    review.edit(draft, text=EDITED, by=second_reviewer)
    review.edit(draft, text=f"{CLAUSES[1]} [2]", by=second_reviewer)
    client = client_of(reviewer)

    response = client.get(page("answers_draft_change", draft.pk) + "?from=1&to=3")
    unknown = client.get(page("answers_draft_change", draft.pk) + "?from=1&to=9")

    comparison = response.context["comparison"]
    assert (comparison.before.text, comparison.after.text) == (TEXT, f"{CLAUSES[1]} [2]")
    assert any(piece.kind == "removed" and "60" in piece.text for piece in comparison.pieces)
    assert unknown.context["comparison"] is None


def test_comments_stand_on_the_page_as_text(client_of: Any, page: Any, draft: Draft, reviewer: Any) -> None:
    said = "<b>Odd</b>, @second-reviewer"

    response = client_of(reviewer).post(page("answers_draft_comment", draft.pk), {"comment": said}, follow=True)

    assert escape(said) in response.content.decode()
    assert said not in response.content.decode()


def test_a_refused_comment_is_kept_in_its_field(client_of: Any, page: Any, draft: Draft, reviewer: Any) -> None:
    response = client_of(reviewer).post(page("answers_draft_comment", draft.pk), {"comment": "See this, @member."})

    assert response.status_code == 409
    assert "See this, @member.</textarea>" in response.content.decode()
    assert not Comment.objects.exists()


def test_a_reason_may_be_one_of_the_workspaces(client_of: Any, page: Any, draft: Draft, reviewer: Any) -> None:
    client = client_of(reviewer)
    offered = client.get(page("answers_draft_change", draft.pk)).context["page"].reasons
    chosen = offered[-1][1][0]

    client.post(page("answers_draft_reject", draft.pk), {"template": chosen, "seen_sha256": digest(TEXT)})

    assert Review.objects.get().reason == chosen


def test_an_edit_may_have_one_of_the_workspaces_reasons(
    client_of: Any, page: Any, draft: Draft, legal: Any, manager: Any, reviewer: Any, second_reviewer: Any
) -> None:
    reasons.change(legal, {"edit": ["Said as the contract says it."], "reject": ["No."]}, by=manager)
    client = client_of(reviewer)
    shown = client.get(page("answers_draft_change", draft.pk))
    listed = shown.content.decode().partition('<datalist id="edit-reasons">')[2].partition("</datalist>")[0]
    assert listed == '<option value="Said as the contract says it."></option>'

    [why] = shown.context["page"].edit_reasons
    client.post(page("answers_draft_edit", draft.pk), {"text": EDITED, "why": why, "seen_sha256": digest(TEXT)})

    assert Draft.history.filter(id=draft.pk).latest().history_change_reason == why
    # Who edits no longer decides; a draft that is decided on is not edited.
    review.reject(Draft.objects.get(pk=draft.pk), by=second_reviewer, reason="No.")
    assert client.get(page("answers_draft_change", draft.pk)).context["page"].edit_reasons == []


# --- Several at once ----------------------------------------------------------------------------------------


def test_drafts_that_say_the_same_are_approved_together_each_on_its_own(
    client_of: Any, page: Any, pair: Any, draft: Draft, reviewer: Any, second_reviewer: Any
) -> None:
    first, second = pair
    client = client_of(reviewer)

    before = client.get(page("answers_draft_alike", first.pk))
    review.reject(second, by=second_reviewer, reason="Not this one.")
    sent = {"drafts": [str(second.pk), str(first.pk)], "seen_sha256": digest(TEXT)}
    after = client.post(page("answers_draft_alike", first.pk), sent)

    # The third says the same too, and rests on other documents.
    objections = {item.draft.pk: item.objection for item in before.context["items"]}
    assert set(objections) == {first.pk, second.pk, draft.pk}
    assert objections[first.pk] == objections[second.pk] == ""
    assert "not those of the first" in objections[draft.pk]
    assert [(item.draft.pk, item.is_done) for item in after.context["items"]] == [(first.pk, True), (second.pk, False)]
    assert "decided by" in after.content.decode()
    assert (state(first), state(second), state(draft)) == (
        DraftState.APPROVED,
        DraftState.REJECTED,
        DraftState.WAITING,
    )


def test_queue_says_how_many_others_say_the_same(client_of: Any, page: Any, pair: Any, reviewer: Any) -> None:
    content = client_of(reviewer).get(page("answers_draft_changelist")).content.decode()

    assert "and 1 that says the same" in content


# --- In Serbian ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("language", "told"),
    [("sr", ("Одобри, па следећи", "Међу рецензентима")), ("sr-latn", ("Odobri, pa sledeći", "Među recenzentima"))],
)
def test_the_page_speaks_serbian(
    client_of: Any, page: Any, draft: Draft, reviewer: Any, language: str, told: tuple[str, ...]
) -> None:
    client = client_of(reviewer)
    client.cookies["django_language"] = language

    content = client.get(page("answers_draft_change", draft.pk)).content.decode()

    assert all(words in content for words in told)


def test_helpers_of_addresses_keep_nothing_foreign(reviewer: Any, draft: Draft) -> None:
    assert saved_views.kept({"state": "waiting", "next": "https://elsewhere.example", "o": "1;drop"}) == {
        "state": "waiting"
    }
    assert comments.mentionable(draft).count() == 2
