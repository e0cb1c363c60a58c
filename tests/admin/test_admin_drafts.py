"""The queue and the page of a draft, seen through a browser session."""

import threading
import time
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.test import Client
from django.utils.html import escape

from answers import review
from answers.admin import drafts, queue_lists
from answers.drafts import comments
from answers.models import Answer, Draft, Review
from answers.review import deciding
from answers.states import AnswerStatus, DraftState
from audit.chain import digest
from audit.events import EventType
from audit.models import Event
from audit.record import record_all
from documents import library as documents
from documents.models import Document
from documents.states import VersionState
from tests.answers.review_scene import CLAUSES, TEXT, a_document, a_held_answer

EDITED = f"{CLAUSES[0]} [1] Invoices are due in 30 days. [2]"


def sha(draft: Draft) -> str:
    return digest(Draft.objects.get(pk=draft.pk).text)


def state(draft: Draft) -> str:
    return Draft.objects.get(pk=draft.pk).state


# --- The queue ----------------------------------------------------------------------------------------------


def test_queue_shows_what_waits_where_the_person_reviews_and_nothing_else(
    client_of: Any, page: Any, draft: Draft, legal: Any, member: Any, reviewer: Any, make_workspace: Any, stranger: Any
) -> None:
    other = make_workspace("other", policy="review", manager=stranger)
    a_held_answer(other, stranger, question="What does the other workspace ask?")
    decided = a_held_answer(legal, member, question="What is decided already?")
    review.reject(decided, by=reviewer, reason="No.")

    content = client_of(reviewer).get(page("answers_draft_changelist")).content.decode()

    assert "How can we end the carrier agreement" in content
    assert "What is decided already?" not in content
    assert "What does the other workspace ask?" not in content
    assert "Other" not in content.split("changelist-filter")[-1]


def test_queue_says_which_drafts_are_not_for_the_reader_to_decide(
    client_of: Any, page: Any, draft: Draft, legal: Any, reviewer: Any
) -> None:
    review.edit(draft, text=EDITED, by=reviewer)

    content = client_of(reviewer).get(page("answers_draft_changelist")).content.decode()

    assert "You edited" in content


def test_queue_filters(client_of: Any, page: Any, draft: Draft, legal: Any, member: Any, reviewer: Any) -> None:
    review.reject(a_held_answer(legal, member), by=reviewer, reason="No.")
    client = client_of(reviewer)
    counts = {"": 1, "?state=all": 2, "?state=rejected": 1, "?desk=mine": 0, "?workspace=legal": 1}

    for query, count in counts.items():
        shown = client.get(page("answers_draft_changelist") + query)
        assert len(shown.context["cl"].result_list) == count, query


def test_queue_takes_the_same_queries_for_one_draft_and_for_twelve(
    client_of: Any, page: Any, draft: Draft, legal: Any, member: Any, reviewer: Any, django_assert_max_num_queries: Any
) -> None:
    client = client_of(reviewer)
    client.get(page("answers_draft_changelist"))
    with django_assert_max_num_queries(60) as few:
        client.get(page("answers_draft_changelist"))
    versions = [a_document(legal, title=f"Source {n}", text=clause) for n, clause in enumerate(CLAUSES)]
    for number in range(11):
        a_held_answer(legal, member, question=f"Question {number}?", versions=versions)

    with django_assert_max_num_queries(len(few)):
        client.get(page("answers_draft_changelist"))


def test_badge_beside_the_queue_counts_what_waits_and_stops_where_the_number_no_longer_matters(
    rf: Any, monkeypatch: pytest.MonkeyPatch, legal: Any, member: Any, reviewer: Any, stranger: Any, draft: Draft
) -> None:
    request, strange = rf.get("/admin/"), rf.get("/admin/")
    request.user, strange.user = reviewer, stranger

    assert drafts.waiting(strange) is None
    assert drafts.waiting(request) == "1"
    a_held_answer(legal, member)
    assert drafts.waiting(request) == "2"
    monkeypatch.setattr(queue_lists, "COUNTED", 1)
    assert drafts.waiting(request) == "1+"


def test_guessed_look_ups_read_nothing(client_of: Any, page: Any, draft: Draft, reviewer: Any) -> None:
    client = client_of(reviewer)

    for query in ("answer__raw_output__startswith=x", "assigned_to__password__startswith=p", "text__contains=a"):
        assert client.get(f"{page('answers_draft_changelist')}?{query}").status_code in (302, 400), query


# --- One draft ----------------------------------------------------------------------------------------------


def test_page_takes_the_same_queries_for_two_sources_and_for_nine_with_comments_and_edits(
    client_of: Any,
    page: Any,
    draft: Draft,
    legal: Any,
    member: Any,
    reviewer: Any,
    second_reviewer: Any,
    django_assert_max_num_queries: Any,
) -> None:
    many = a_held_answer(legal, member, clauses=tuple(f"Clause {n} holds for {n} days." for n in range(1, 10)))
    for number in range(4):
        comments.write(draft if not number else many, text=f"Look at {number}.", by=second_reviewer)
    review.edit(draft, text=EDITED, by=second_reviewer)
    for number in range(1, 4):
        review.edit(Draft.objects.get(pk=many.pk), text=f"{many.text} Form {number}. [1]", by=second_reviewer)
    client = client_of(reviewer)
    for one in (draft, many):
        client.get(page("answers_draft_change", one.pk))

    with django_assert_max_num_queries(60) as few:
        client.get(page("answers_draft_change", draft.pk))
    with django_assert_max_num_queries(len(few)):
        shown = client.get(page("answers_draft_change", many.pk))

    assert len(shown.context["page"].sources) == 9
    assert len(shown.context["page"].comments) == 3


def test_page_shows_question_sentences_and_each_quote_in_its_source(
    client_of: Any, page: Any, draft: Draft, reviewer: Any, legal: Any
) -> None:
    content = client_of(reviewer).get(page("answers_draft_change", draft.pk)).content.decode()

    assert "How can we end the carrier agreement" in content
    assert str(draft) not in content, "an id says nothing to an officer"
    citation = draft.answer.citations.get(number=1)
    assert f"<mark>{escape(citation.quote)}</mark>" in content
    assert "Notices are sent by registered mail." in content
    assert f"/w/legal/documents/{citation.document_id}/?version={citation.version_id}" in content
    assert "100 % of its words stand in the cited text" in content


def test_opening_a_draft_is_in_the_trail_with_the_documents_it_rests_on(
    client_of: Any, page: Any, draft: Draft, reviewer: Any
) -> None:
    client_of(reviewer).get(page("answers_draft_change", draft.pk))

    event = Event.objects.get(type=EventType.DRAFT_OPENED)
    assert event.actor_id == str(reviewer.pk)
    for evidence in draft.answer.evidence.all():
        assert str(evidence.document_id) in event.body


def test_approve_button_releases_the_text(client_of: Any, page: Any, draft: Draft, reviewer: Any) -> None:
    response = client_of(reviewer).post(
        page("answers_draft_approve", draft.pk), {"seen_sha256": sha(draft)}, follow=True
    )

    assert "Approved. The asker can read exactly this text now." in response.content.decode()
    answer = Answer.objects.get(pk=draft.answer_id)
    assert (answer.status, answer.released_text) == (AnswerStatus.ANSWERED_APPROVED, TEXT)
    assert Event.objects.filter(type=EventType.ANSWER_RELEASED, actor_id=str(reviewer.pk)).exists()


def test_edit_return_submit_and_approval_by_another_through_the_buttons(
    client_of: Any, page: Any, draft: Draft, reviewer: Any, second_reviewer: Any
) -> None:
    first, second = client_of(reviewer), client_of(second_reviewer)

    first.post(page("answers_draft_return", draft.pk), {"reason": "Plainer words.", "seen_sha256": sha(draft)})
    assert state(draft) == DraftState.RETURNED
    second.post(page("answers_draft_edit", draft.pk), {"text": EDITED, "why": "Plainer.", "seen_sha256": sha(draft)})
    second.post(page("answers_draft_submit", draft.pk))
    assert state(draft) == DraftState.WAITING
    content = first.get(page("answers_draft_change", draft.pk)).content.decode()
    assert "<ins>in</ins>" in content
    assert "Plainer." in content
    first.post(page("answers_draft_approve", draft.pk), {"seen_sha256": sha(draft)})

    assert Answer.objects.get(pk=draft.answer_id).released_text == EDITED


@pytest.mark.parametrize("act", ["approve", "return", "reject"])
def test_text_changed_under_the_reader_is_not_decided_on_and_the_new_one_is_shown(
    client_of: Any, page: Any, draft: Draft, reviewer: Any, second_reviewer: Any, act: str
) -> None:
    opened = sha(draft)
    review.edit(draft, text=EDITED, by=second_reviewer)
    sent = {"seen_sha256": opened, "reason": "Not like this."}

    response = client_of(reviewer).post(page(f"answers_draft_{act}", draft.pk), sent)

    assert response.status_code == 409
    assert "Somebody was faster" in response.content.decode()
    assert "Invoices are due in 30 days." in response.content.decode()
    assert Review.objects.count() == 0


def test_approval_without_saying_which_text_was_seen_is_refused(
    client_of: Any, page: Any, draft: Draft, reviewer: Any
) -> None:
    assert client_of(reviewer).post(page("answers_draft_approve", draft.pk)).status_code == 409
    assert state(draft) == DraftState.WAITING


def test_refused_edit_keeps_what_the_person_typed(client_of: Any, page: Any, draft: Draft, reviewer: Any) -> None:
    response = client_of(reviewer).post(
        page("answers_draft_edit", draft.pk), {"text": "An hour of work [7]", "seen_sha256": sha(draft)}
    )

    assert response.status_code == 409
    assert "An hour of work [7]</textarea>" in response.content.decode()


def test_draft_of_their_own_question_does_not_exist_for_a_reviewer(
    client_of: Any, page: Any, legal: Any, reviewer: Any
) -> None:
    own = a_held_answer(legal, reviewer, question="My own question?")
    client = client_of(reviewer)

    assert "My own question?" not in client.get(page("answers_draft_changelist") + "?state=all").content.decode()
    for address in ("change", "history"):
        shown = client.get(page(f"answers_draft_{address}", own.pk))
        assert shown.status_code == 404
        assert CLAUSES[0] not in shown.content.decode()
    for act in ("approve", "return", "reject", "edit", "submit", "assign", "release"):
        sent = {"seen_sha256": sha(own), "reason": "because", "text": EDITED}
        assert client.post(page(f"answers_draft_{act}", own.pk), sent).status_code == 404
    assert state(own) == DraftState.WAITING
    assert Draft.objects.get(pk=own.pk).text == TEXT


def test_text_of_model_and_people_is_escaped(client_of: Any, page: Any, legal: Any, member: Any, reviewer: Any) -> None:
    hostile = "<img src=x onerror=alert(1)><script>alert(2)</script>"
    version = a_document(legal, title=hostile, text=f"Before {hostile} after.")
    draft = a_held_answer(legal, member, question=hostile, clauses=(hostile,), versions=[version])
    client = client_of(reviewer)
    client.post(page("answers_draft_return", draft.pk), {"reason": hostile, "seen_sha256": sha(draft)})

    for address in (page("answers_draft_change", draft.pk), page("answers_draft_changelist") + "?state=all"):
        content = client.get(address).content.decode()
        assert "<img src=x" not in content
        assert "<script>alert" not in content


def test_replaced_version_is_said_beside_its_source(
    client_of: Any, page: Any, legal: Any, member: Any, reviewer: Any
) -> None:
    version = a_document(legal, title="Agreement", text=CLAUSES[0])
    draft = a_held_answer(legal, member, clauses=CLAUSES[:1], versions=[version])
    version.state = VersionState.SUPERSEDED
    version.save()
    newer = a_document(legal, title="Agreement again", text="Nothing of it is left.")
    newer.number, newer.document = 2, version.document
    newer.save()
    version.document.current_version = newer
    version.document.save()

    content = client_of(reviewer).get(page("answers_draft_change", draft.pk)).content.decode()

    assert "Version 2 has replaced this one" in content


def test_hidden_text_of_a_source_is_said_beside_it(
    client_of: Any, page: Any, legal: Any, member: Any, reviewer: Any
) -> None:
    version = a_document(legal, title="Agreement", text=CLAUSES[0])
    draft = a_held_answer(legal, member, clauses=CLAUSES[:1], versions=[version])
    address = page("answers_draft_change", draft.pk)
    assert "readers do not see" not in client_of(reviewer).get(address).content.decode()

    version.findings = {"hidden": {"white": 40, "tags": 1}}
    version.save()

    content = client_of(reviewer).get(address).content.decode()
    assert "The file holds text that its readers do not see." in content
    assert "40 characters in the colour of what it stands on · 1 character in invisible characters." in content


# --- Who may ------------------------------------------------------------------------------------------------

ADDRESSES = ["change", "history", "delete", "approve", "return", "reject", "edit", "submit", "assign", "release"]


def test_reviewer_of_another_workspace_gets_404_everywhere(
    client_of: Any, page: Any, draft: Draft, make_user: Any, make_workspace: Any
) -> None:
    elsewhere = make_user("elsewhere")
    make_workspace("other", policy="review", reviewer=elsewhere)
    client = client_of(elsewhere)

    for address in ADDRESSES:
        for call in (client.get, client.post):
            response = call(page(f"answers_draft_{address}", draft.pk), {"reason": "x", "text": "x [1]"})
            assert response.status_code in (404, 405), address
    assert state(draft) == DraftState.WAITING
    assert Draft.objects.get(pk=draft.pk).text == TEXT


def test_unknown_id_answers_like_one_of_another_workspace(client_of: Any, page: Any, legal: Any, reviewer: Any) -> None:
    client = client_of(reviewer)

    for address in ADDRESSES:
        nowhere = page(f"answers_draft_{address}", "00000000-0000-4000-8000-000000000000")
        assert client.post(nowhere).status_code == 404, address


def test_others_who_may_enter_the_admin_do_not_reach_drafts(
    client_of: Any, page: Any, draft: Draft, manager: Any, auditor: Any, admin: Any
) -> None:
    for person in (manager, auditor, admin):
        client = client_of(person)

        assert client.get(page("answers_draft_changelist")).status_code == 403
        for address in ADDRESSES:
            assert client.post(page(f"answers_draft_{address}", draft.pk)).status_code == 404, (person, address)


def test_reviewer_who_may_not_open_a_source_does_not_see_the_draft(
    client_of: Any, page: Any, legal: Any, member: Any, reviewer: Any
) -> None:
    secret = a_document(legal, title="Salaries", text=CLAUSES[0], restricted=True)
    hidden = a_held_answer(legal, member, clauses=CLAUSES[:1], versions=[secret], question="What are the salaries?")
    client = client_of(reviewer)

    assert client.get(page("answers_draft_change", hidden.pk)).status_code == 404
    assert "What are the salaries?" not in client.get(page("answers_draft_changelist")).content.decode()


def test_draft_cannot_be_changed_through_djangos_own_form_history_or_delete(
    client_of: Any, page: Any, draft: Draft, reviewer: Any
) -> None:
    client = client_of(reviewer)
    fields = {"text": "Anything. [1]", "state": DraftState.APPROVED, "_save": "Save", "post": "yes"}
    old_form = f"{page('answers_draft_history', draft.pk)}{draft.history.get().history_id}/"

    assert client.post(page("answers_draft_change", draft.pk), fields).status_code == 405
    assert client.post(page("answers_draft_delete", draft.pk), fields).status_code == 403
    assert client.post(old_form, fields).status_code == 403
    assert client.get(page("answers_draft_add")).status_code in (403, 404)
    client.post(page("answers_draft_changelist"), {"action": "delete_selected", "_selected_action": str(draft.pk)})

    stored = Draft.objects.get(pk=draft.pk)
    assert (stored.text, stored.state) == (TEXT, DraftState.WAITING)


def test_history_of_a_draft_shows_its_forms_to_its_reviewers(
    client_of: Any, page: Any, draft: Draft, reviewer: Any
) -> None:
    review.edit(draft, text=EDITED, by=reviewer, reason="Shorter.")

    content = client_of(reviewer).get(page("answers_draft_history", draft.pk), follow=True).content.decode()

    assert "Shorter." in content
    assert Event.objects.filter(type=EventType.DRAFT_OPENED, actor_id=str(reviewer.pk)).exists()


@pytest.mark.parametrize("which", ["first form", "no number"])
def test_old_form_of_a_draft_names_nothing_outside_it_and_shows_no_text_unrecorded(
    client_of: Any, page: Any, draft: Draft, reviewer: Any, make_user: Any, make_workspace: Any, which: str
) -> None:
    outsider = make_user("nobody.here")
    make_workspace("undisclosed", policy="review", manager=outsider)
    form = draft.history.get().history_id if which == "first form" else "abc"

    client = client_of(reviewer)

    old_form = client.get(f"{page('answers_draft_history', draft.pk)}{form}/")
    recorded_before_the_page = Event.objects.filter(type=EventType.DRAFT_OPENED).exists()
    shown = client.get(page("answers_draft_change", draft.pk)).content.decode()

    assert CLAUSES[0] not in old_form.content.decode()
    assert not recorded_before_the_page
    for outside in ("nobody.here", "ndisclosed"):
        assert outside not in old_form.content.decode()
        assert outside not in shown
    assert (old_form.status_code, old_form.url) == (302, page("answers_draft_change", draft.pk))
    assert Event.objects.filter(type=EventType.DRAFT_OPENED, actor_id=str(reviewer.pk)).exists()


def test_superuser_without_a_role_leaves_a_break_glass_entry_and_cannot_decide(
    client_of: Any, page: Any, draft: Draft, legal: Any, superuser: Any, break_glass: Any
) -> None:
    client = client_of(superuser)
    asked_why = client.get(page("answers_draft_change", draft.pk))
    break_glass(legal)

    assert asked_why.status_code == 302
    assert asked_why.url.startswith("/glass/legal/")
    assert client.get(page("answers_draft_changelist")).status_code == 200
    assert client.get(page("answers_draft_change", draft.pk)).status_code == 200
    assert client.post(page("answers_draft_approve", draft.pk), {"seen_sha256": sha(draft)}).status_code == 403

    assert Event.objects.filter(type=EventType.BREAK_GLASS, actor_id=str(superuser.pk)).count() >= 2
    assert state(draft) == DraftState.WAITING


def test_acts_need_the_forms_token(draft: Draft, page: Any, reviewer: Any) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(reviewer, backend="django.contrib.auth.backends.ModelBackend")

    assert client.post(page("answers_draft_approve", draft.pk), {"seen_sha256": sha(draft)}).status_code == 403
    assert state(draft) == DraftState.WAITING


# --- One transaction, one winner ----------------------------------------------------------------------------


def test_decision_whose_entry_cannot_be_written_did_not_happen(
    client_of: Any, page: Any, draft: Draft, reviewer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*args: Any, **kwargs: Any) -> None:
        raise RuntimeError("the trail is gone")

    client = client_of(reviewer)
    monkeypatch.setattr("audit.chain._write", refuse)
    with pytest.raises(RuntimeError, match="the trail is gone"):
        client.post(page("answers_draft_approve", draft.pk), {"seen_sha256": sha(draft)})

    assert state(draft) == DraftState.WAITING
    assert Answer.objects.get(pk=draft.answer_id).released_text == ""


@pytest.mark.django_db(transaction=True)
def test_of_two_buttons_pressed_together_one_decides(
    client_of: Any, page: Any, draft: Draft, reviewer: Any, second_reviewer: Any
) -> None:
    start = threading.Barrier(2)
    outcomes: list[int] = []
    seen = sha(draft)

    def press(client: Client, act: str) -> None:
        start.wait(timeout=20)
        try:
            sent = {"seen_sha256": seen, "reason": "because"}
            outcomes.append(client.post(page(f"answers_draft_{act}", draft.pk), sent).status_code)
        finally:
            connection.close()

    pressing = [
        threading.Thread(target=press, args=(client_of(reviewer), "approve")),
        threading.Thread(target=press, args=(client_of(second_reviewer), "reject")),
    ]
    for thread in pressing:
        thread.start()
    for thread in pressing:
        thread.join(timeout=60)

    assert sorted(outcomes) == [302, 409]
    assert Review.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_source_deleted_while_its_answer_is_being_approved_waits_for_the_decision(
    client_of: Any, page: Any, draft: Draft, reviewer: Any, manager: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    document = draft.answer.evidence.first().document
    refused: list[Exception] = []

    def delete() -> None:
        try:
            documents.delete(document, by=manager)
        except OperationalError as error:
            refused.append(error)
        finally:
            connection.close()

    deleting = threading.Thread(target=delete)

    def record_once_the_deletion_waits(*args: Any, **details: Any) -> Any:
        deleting.start()
        wait_until_somebody_waits_for_a_lock()
        return record_all(*args, **details)

    monkeypatch.setattr(deciding, "record_all", record_once_the_deletion_waits)

    response = client_of(reviewer).post(page("answers_draft_approve", draft.pk), {"seen_sha256": sha(draft)})
    deleting.join(timeout=60)

    assert (response.status_code, refused) == (302, [])
    # First it was approved and released; then the deletion, which had to wait, closed it with its source.
    answer = Answer.objects.get(pk=draft.answer_id)
    assert answer.status == AnswerStatus.SUSPENDED
    assert answer.released_text
    assert Document.objects.get(pk=document.pk).deleted_by == manager


def wait_until_somebody_waits_for_a_lock() -> None:
    deadline = time.monotonic() + 30
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    with connection.cursor() as cursor:
        while True:
            # Within a transaction the view keeps what it showed first.
            cursor.execute("SELECT pg_stat_clear_snapshot()")
            cursor.execute(waiting)
            if cursor.fetchone()[0]:
                return
            assert time.monotonic() < deadline, "nobody waits for a lock"
            time.sleep(0.02)
