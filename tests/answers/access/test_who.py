"""Who can read an answer and why, what a person was given of answers, and the review of both."""

import html
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from answers import explain, reading, review
from answers.access import declassification, sharing
from answers.models import Answer, AnswerUserGrant, Declassification, Draft
from audit.chain import digest, workspace_chain
from audit.events import EventType
from audit.models import Event
from documents.models import Document, DocumentBar
from tests.answers.review_scene import CLAUSES, a_draft_on_a_closed_document, a_held_answer
from workspaces import access, members
from workspaces import explain as of_workspaces
from workspaces.access_review import reviewing as access_review
from workspaces.exceptions import Forbidden
from workspaces.glass import breaking as glass
from workspaces.models import AccessReview, Verdict

QUESTION = "Why is Osprey secret?"
SECRET = "Osprey salaries"


@pytest.fixture
def draft(legal: Any, member: Any, reviewer: Any, second_reviewer: Any) -> Draft:
    """Rests on a document that only the asker and both reviewers may open, and on one that is open to all."""
    readers = [member, reviewer, second_reviewer]
    return a_draft_on_a_closed_document(legal, member, title=SECRET, question=QUESTION, readers=readers)


@pytest.fixture
def answer(draft: Draft, reviewer: Any, member: Any, contributor: Any) -> Answer:
    """Released, and shared with the contributor, to whom one of its sources is closed."""
    review.approve(draft, by=reviewer, seen_sha256=digest(draft.text))
    answer = Answer.objects.get()
    sharing.share(answer, to=contributor, by=member)
    return answer


def page_of(answer: Answer, client: Any) -> str:
    response = client.get(f"/w/legal/answers/{answer.pk}/who/")
    assert response.status_code == 200
    return html.unescape(response.content.decode())


def lookups() -> list[str]:
    return list(Event.objects.filter(type=EventType.RIGHTS_READ).order_by("seq").values_list("actor_label", flat=True))


# --- Who can read one answer --------------------------------------------------------------------------------


def test_each_who_can_read_it_and_who_is_kept_from_it_stands_there_with_the_reasons(
    answer: Answer, manager: Any, second_reviewer: Any, client_of: Any
) -> None:
    DocumentBar.objects.create(
        document=Document.objects.get(title="Invoices"), user=second_reviewer, reason="A conflict"
    )

    page = page_of(answer, client_of(manager))

    can, kept = page.split("Closed to them all the same")
    assert "2 people can read it now" in can
    assert "Asked the question." in can
    assert "Reviews the answers of this workspace." in can
    assert "Shared with them by member on" in kept
    assert "Restricted, and not granted to them." in kept
    assert "Never, by name." in kept
    assert "A conflict" not in page
    assert "Rests on a document that is closed to them." in kept
    assert lookups() == ["manager"]


def test_a_declassification_and_a_desk_are_among_the_reasons(
    draft: Draft, reviewer: Any, second_reviewer: Any, contributor: Any, auditor: Any, client_of: Any
) -> None:
    review.assign(draft, to=second_reviewer, by=reviewer)
    held = page_of(draft.answer, client_of(auditor))
    review.approve(draft, by=reviewer, seen_sha256=digest(draft.text))
    answer = Answer.objects.get()
    declassification.declassify(answer, by=second_reviewer, reason="Needed.", readers=[contributor])

    released = page_of(answer, client_of(auditor))

    assert "It is not released" in held
    assert "3 people could read it" in held
    assert "Its draft is on their desk." in held
    assert "4 people can read it now" in released
    assert "A reviewer declassified this text for them." in released


def test_broken_glass_is_among_the_reasons(
    legal: Any, answer: Answer, superuser: Any, break_glass: Any, manager: Any, client_of: Any
) -> None:
    break_glass(legal)

    assert "Broken glass until" in page_of(answer, client_of(manager))


def test_a_reason_that_ends_with_a_full_stop_ends_its_sentence_once(
    legal: Any, answer: Answer, superuser: Any, manager: Any, client_of: Any
) -> None:
    glass.break_glass(legal, by=superuser, reason="Look into ticket 4711.")

    page = page_of(answer, client_of(manager))

    assert "Look into ticket 4711." in page
    assert "Look into ticket 4711.." not in page


@pytest.mark.parametrize("reader", ["manager", "auditor"])
def test_neither_question_nor_text_nor_titles_are_told(
    answer: Answer, reader: str, request: pytest.FixtureRequest, client_of: Any
) -> None:
    page = page_of(answer, client_of(request.getfixturevalue(reader)))

    assert "Answer to a question of member" in page
    for untold in ("Osprey", "Invoices", *CLAUSES):
        assert untold not in page


def test_who_is_told_and_who_is_not(
    answer: Answer, policies: Any, make_user: Any, stranger: Any, admin: Any, client_of: Any, request: Any
) -> None:
    expected = {
        "manager": 200,
        "auditor": 200,
        "reviewer": 200,
        "member": 403,
        "contributor": 403,
        "stranger": 404,
        "admin": 404,
    }

    got = {
        name: client_of(request.getfixturevalue(name)).get(f"/w/legal/answers/{answer.pk}/who/").status_code
        for name in expected
    }

    assert got == expected
    assert client_of(request.getfixturevalue("manager")).get(f"/w/policies/answers/{answer.pk}/who/").status_code == 404


def test_a_reviewer_to_whom_a_source_is_closed_is_told_nothing(
    answer: Answer, second_reviewer: Any, client_of: Any
) -> None:
    access.revoke("open_document", second_reviewer, Document.objects.get(title=SECRET))

    assert client_of(second_reviewer).get(f"/w/legal/answers/{answer.pk}/who/").status_code == 404


def test_the_pages_of_an_answer_lead_there_for_those_who_are_told(
    answer: Answer, reviewer: Any, member: Any, client_of: Any
) -> None:
    address = f"/w/legal/answers/{answer.pk}/who/"
    client = client_of(reviewer)

    for page in (
        f"/w/legal/answers/{answer.pk}/provenance/",
        f"/admin/answers/draft/{answer.draft.pk}/change/",
        f"/admin/answers/answer/{answer.pk}/change/",
    ):
        assert address in client.get(page).content.decode(), page
    assert address not in client_of(member).get(f"/w/legal/answers/{answer.pk}/provenance/").content.decode()


def test_a_damaged_entry_about_a_share_is_told(
    answer: Answer, legal: Any, manager: Any, auditor: Any, client_of: Any
) -> None:
    access.grant("read_answer", manager, answer)
    Event.objects.create(
        chain=workspace_chain(legal.pk),
        seq=10**6,
        at=timezone.now(),
        type=EventType.ANSWER_SHARED,
        object_id=str(answer.pk),
        body="{",
        prev_hash="damaged",
    )

    page = page_of(answer, client_of(auditor))

    assert "An entry in the trail about shares of this answer is damaged." in page
    assert "Shared with them by member on" in page


# --- What one person was given ------------------------------------------------------------------------------


def test_what_a_person_was_given_of_answers_stands_on_their_page(
    answer: Answer, contributor: Any, manager: Any, client_of: Any
) -> None:
    client = client_of(manager)
    address = f"/w/legal/people/{contributor.pk}/why/"

    closed = html.unescape(client.get(address).content.decode())
    access.grant("open_document", contributor, Document.objects.get(title=SECRET))
    opened = html.unescape(client.get(address).content.decode())

    given = [page.split("Answers given to them")[1] for page in (closed, opened)]
    assert ("Closed to them" in given[0], "Open to them" in given[1]) == (True, True)
    assert all("Shared with them by member on" in part for part in given)
    assert all(f"/w/legal/answers/{answer.pk}/who/" in part for part in given)
    assert "why is Osprey secret" not in closed.casefold() + opened.casefold()


def test_the_queries_do_not_grow_with_what_was_given(
    answer: Answer, legal: Any, member: Any, contributor: Any, django_assert_num_queries: Any
) -> None:
    with CaptureQueriesContext(connection) as few:
        of_workspaces.what_can_see(contributor)
    for number in range(4):
        access.grant("review_answer", contributor, a_held_answer(legal, member, question=f"Number {number}?").answer)

    with django_assert_num_queries(len(few)):
        places = of_workspaces.what_can_see(contributor)
    assert [len(place.things) for place in places if place.workspace == legal] == [5]


# --- Under access review ------------------------------------------------------------------------------------


def test_a_review_covers_shares_desks_and_named_declassifications_and_ends_them(
    legal: Any, answer: Answer, member: Any, manager: Any, reviewer: Any, second_reviewer: Any, contributor: Any
) -> None:
    declassification.declassify(answer, by=second_reviewer, reason="Needed.", readers=[contributor])
    waiting = a_held_answer(legal, member)
    review.assign(waiting, to=reviewer, by=second_reviewer)
    under_way = access_review.start(legal, by=manager)
    lines = {line.kind: line for line in under_way.lines.exclude(kind__in=["role", "document"]).select_related("user")}
    assert {kind: (line.user, line.reason.partition(",")[0]) for kind, line in lines.items()} == {
        "answer": (contributor, "By hand by member"),
        "opened": (contributor, "By hand by second-reviewer"),
        "desk": (reviewer, "By hand by second-reviewer"),
    }
    assert all("Answer to a question of member" in line.label for line in lines.values())

    access_review.decide(under_way, {line.pk: (Verdict.REMOVE, "") for line in lines.values()}, by=manager)
    access_review.keep_the_rest(under_way, by=manager)
    access_review.sign(under_way, statement="I looked at everybody.", by=manager)

    assert not AnswerUserGrant.objects.exists()
    assert not Declassification.objects.get().readers.exists()
    assert Draft.objects.get(pk=waiting.pk).assigned_to is None
    assert not access.visible(contributor, Answer).exists()
    told = Event.objects.filter(actor_id=str(manager.pk)).values_list("type", flat=True)
    assert list(told).count(EventType.ANSWER_UNSHARED) == 2
    assert EventType.DRAFT_ASSIGNED in told


def test_what_was_given_since_is_missing_and_what_is_gone_is_let_be(
    legal: Any, answer: Answer, member: Any, manager: Any, contributor: Any, auditor: Any
) -> None:
    under_way = access_review.start(legal, by=manager)
    sharing.unshare(answer, person=contributor, by=member)
    sharing.share(answer, to=manager, by=member)

    stands = access_review.standing(under_way)

    assert stands.missing == 1
    access_review.catch_up(under_way, by=manager)
    line = under_way.lines.get(kind="answer", user=contributor)
    access_review.decide(under_way, {line.pk: (Verdict.REMOVE, "")}, by=manager)
    access_review.keep_the_rest(under_way, by=manager)
    access_review.sign(under_way, statement="Looked.", by=manager)
    assert AccessReview.objects.get().signed_by == manager
    assert list(AnswerUserGrant.objects.values_list("user", flat=True)) == [manager.pk]


def test_explained_to_names_everybody_the_door_lets_in(answer: Answer, people: Any) -> None:
    everybody = [people["manager"], people["contributor"], people["member"], people["auditor"], *people["reviewer"]]

    told = {standing.person for standing in explain.who_can_read(answer)}

    assert told == {one for one in everybody if access.visible(one, Answer).exists() and sharing.reads(one, answer)}


# --- Everywhere ---------------------------------------------------------------------------------------------


def test_an_administrator_sees_what_a_person_can_see_everywhere_and_no_name_of_a_document(
    answer: Answer, policies: Any, member: Any, contributor: Any, admin: Any, client_of: Any
) -> None:
    address = reverse("admin:workspaces_user_sees", args=[contributor.pk])
    client = client_of(admin)

    assert address in client.get(reverse("admin:workspaces_user_change", args=[contributor.pk])).content.decode()
    page = html.unescape(client.get(address).content.decode())
    of_member = html.unescape(client.get(reverse("admin:workspaces_user_sees", args=[member.pk])).content.decode())

    for told in (
        "Policies",
        "Legal",
        "Contributor, since",
        "An answer",
        "Shared with them by member on",
        "Closed to them",
    ):
        assert told in page
    assert "A document" in of_member
    assert "Granted by name." in of_member
    assert "Osprey" not in page + of_member
    entry = Event.objects.filter(type=EventType.RIGHTS_READ).order_by("seq").first()
    assert (entry.chain, entry.actor_label, entry.object_label) == ("platform", "admin", "contributor")


def test_what_a_person_can_see_everywhere_is_for_administrators(
    policies: Any, manager: Any, auditor: Any, member: Any, stranger: Any, admin: Any, client_of: Any
) -> None:
    address = reverse("admin:workspaces_user_sees", args=[member.pk])

    got = {str(one): client_of(one).get(address).status_code for one in (manager, auditor, member, stranger)}

    assert set(got.values()) <= {403, 404}
    assert client_of(admin).post(address).status_code == 405
    assert lookups() == []


def test_what_stands_above_the_workspaces_is_told_too(
    admin: Any, superuser: Any, stranger: Any, client_of: Any
) -> None:
    client = client_of(admin)
    pages = {
        one: html.unescape(client.get(reverse("admin:workspaces_user_sees", args=[one.pk])).content.decode())
        for one in (admin, superuser, stranger)
    }

    assert "Platform administrator, since" in pages[admin]
    assert "Superuser: may open anything anywhere after stating a reason." in pages[superuser]
    assert "has no role in any workspace" in pages[stranger]


def test_what_is_written_in_a_never_rule_is_not_told_beside_a_document_that_is_not_named(
    answer: Answer, contributor: Any, manager: Any, admin: Any, client_of: Any
) -> None:
    rule = {"document": Document.objects.get(title=SECRET), "reason": "Named in the takeover file"}
    DocumentBar.objects.create(user=contributor, **rule)

    everywhere = html.unescape(
        client_of(admin).get(reverse("admin:workspaces_user_sees", args=[contributor.pk])).content.decode()
    )
    who = page_of(answer, client_of(manager))
    of_keeper = html.unescape(client_of(manager).get(f"/w/legal/people/{contributor.pk}/why/").content.decode())

    assert ("takeover" in everywhere, "takeover" in who, "takeover" in of_keeper) == (False, False, True)
    assert ("Never, by name." in everywhere, "Never, by name." in who) == (True, True)


def test_a_look_is_told_who_can_read_it_only_where_who_looks_is_told(
    legal: Any, answer: Answer, auditor: Any, admin: Any, client_of: Any
) -> None:
    client = client_of(admin)
    client.post(reverse("admin:workspaces_user_view_as", args=[auditor.pk]), {"reason": "They asked me to"})
    address = f"/w/legal/answers/{answer.pk}/who/"

    closed = client.get(address).status_code
    members.add_member(legal, admin, "auditor", by=None)

    assert (closed, client.get(address).status_code) == (403, 200)


# --- Taking back ---------------------------------------------------------------------------------------------


def test_what_nobody_left_can_open_is_taken_back_by_a_manager_on_the_page(
    answer: Answer, contributor: Any, manager: Any, auditor: Any, second_reviewer: Any, people: Any, client_of: Any
) -> None:
    declassification.declassify(answer, by=second_reviewer, reason="Needed.", readers=[contributor])
    for person in people["reviewer"]:
        access.revoke("open_document", person, Document.objects.get(title=SECRET))
    assert reading.read(answer, by=contributor).text
    assert "Take it back" not in page_of(answer, client_of(auditor))
    assert "Take it back" in page_of(answer, client_of(manager))

    refused = client_of(auditor).post(f"/w/legal/answers/{answer.pk}/who/take-back/").status_code
    client_of(manager).post(f"/w/legal/answers/{answer.pk}/who/take-back/")

    assert refused == 403
    assert not access.visible(contributor, Answer).exists()
    assert Declassification.objects.get().ended_by == manager
    assert "Take it back" not in page_of(answer, client_of(manager))


def test_a_reviewer_to_whom_a_source_is_closed_takes_it_back_too(
    answer: Answer, reviewer: Any, second_reviewer: Any, contributor: Any, client_of: Any
) -> None:
    declassification.declassify(answer, by=second_reviewer, reason="Needed.")
    access.revoke("open_document", reviewer, Document.objects.get(title=SECRET))

    done = client_of(reviewer).post(f"/w/legal/answers/{answer.pk}/who/take-back/", follow=True)

    assert done.status_code == 200
    assert Declassification.objects.get().ended_by == reviewer
    with pytest.raises(Forbidden):
        declassification.take_back(answer, by=contributor)


def test_a_review_covers_what_was_declassified_for_everybody(
    legal: Any, answer: Answer, manager: Any, second_reviewer: Any, contributor: Any
) -> None:
    declassification.declassify(answer, by=second_reviewer, reason="Needed.")
    under_way = access_review.start(legal, by=manager)
    line = under_way.lines.get(kind="everybody")
    assert (line.user, line.code) == (second_reviewer, str(answer.pk))

    access_review.decide(under_way, {line.pk: (Verdict.REMOVE, "")}, by=manager)
    access_review.keep_the_rest(under_way, by=manager)
    access_review.sign(under_way, statement="I looked at everybody.", by=manager)

    assert Declassification.objects.get().ended_by == manager
    assert EventType.DECLASSIFICATION_ENDED in Event.objects.values_list("type", flat=True)
