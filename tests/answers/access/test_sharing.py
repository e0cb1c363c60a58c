"""A shared answer is read by whom it was shared with, while every source is open, or it was declassified."""

import html
import json
from typing import Any
from uuid import uuid4

import pytest
from django.urls import reverse

from answers import querysets, reading, review
from answers.access import declassification, sharing
from answers.exceptions import DraftError, SharingError, WrongState
from answers.models import Answer, AnswerUserGrant, Declassification, Draft, Evidence
from answers.querysets import answers_given_to
from answers.readiness import rights as readiness
from answers.states import AnswerStatus
from audit import context
from audit.chain import digest
from audit.events import EventType
from audit.models import Event
from documents.models import Document, DocumentBar, Reclassification, Version
from tests.answers.review_scene import CLAUSES, a_draft_on_a_closed_document
from workspaces import access, members
from workspaces.classification import Classification
from workspaces.exceptions import Forbidden, Hidden
from workspaces.models import Workspace
from workspaces.models.readiness import Outcome
from workspaces.readiness import registry
from workspaces.roles import Action, Role

QUESTION = "When may the carrier be given notice, and why is Osprey secret?"
SECRET = "Osprey salaries"


@pytest.fixture
def draft(legal: Any, member: Any, reviewer: Any, second_reviewer: Any) -> Draft:
    """Rests on one open document and one that only the asker and both reviewers may open."""
    readers = [member, reviewer, second_reviewer]
    return a_draft_on_a_closed_document(legal, member, title=SECRET, question=QUESTION, readers=readers)


@pytest.fixture
def answer(draft: Draft, reviewer: Any) -> Answer:
    review.approve(draft, by=reviewer, seen_sha256=digest(draft.text))
    return Answer.objects.get()


@pytest.fixture
def colleague(contributor: Any) -> Any:
    """Somebody of the workspace to whom the restricted source is closed."""
    return contributor


def open_to(person: Any) -> None:
    access.grant("open_document", person, Document.objects.get(title=SECRET))


def types() -> set[str]:
    return set(Event.objects.filter(type__startswith="answer.").values_list("type", flat=True))


PAGES = ["", "card/", "provenance/", "citations/1/"]


def surfaces(client: Any, answer: Answer) -> str:
    """Everything the portal shows that could tell of the answer, as one text."""
    pages = [client.get(f"/w/legal/answers/{answer.pk}/{page}") for page in PAGES]
    pages += [client.get(f"/w/legal/questions/{query}") for query in ("", "?list=shared", "?q=carrier")]
    pages += [client.get(f"/admin/answers/{page}") for page in ("answer/", f"answer/{answer.pk}/change/", "draft/")]
    pages.append(client.post(f"/w/legal/answers/{answer.pk}/receipt/"))
    return html.unescape("\n".join(page.content.decode() for page in pages))


# --- Sharing ------------------------------------------------------------------------------------------------


def test_shared_answer_is_found_and_read(answer: Answer, member: Any, colleague: Any, client_of: Any) -> None:
    open_to(colleague)
    assert client_of(colleague).get(f"/w/legal/answers/{answer.pk}/").status_code == 404

    sharing.share(answer, to=colleague, by=member)

    client = client_of(colleague)
    assert CLAUSES[1] in client.get(f"/w/legal/answers/{answer.pk}/").content.decode()
    assert "why is Osprey secret" in client.get("/w/legal/questions/?list=shared").content.decode()
    assert EventType.ANSWER_SHARED in types()


def test_shared_answer_shows_nothing_while_a_source_is_closed(
    answer: Answer, member: Any, colleague: Any, client_of: Any
) -> None:
    sharing.share(answer, to=colleague, by=member)

    seen = surfaces(client_of(colleague), answer)

    for canary in ("Osprey", SECRET, *CLAUSES):
        assert canary not in seen


def test_without_the_rule_every_word_would_be_seen(
    answer: Answer, member: Any, colleague: Any, client_of: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The counter-proof of the test above."""
    sharing.share(answer, to=colleague, by=member)
    nothing = Evidence.objects.filter(rank__lt=0)
    monkeypatch.setattr(querysets, "closed_evidence", lambda user, answer: nothing)

    seen = surfaces(client_of(colleague), answer)

    for canary in ("Osprey", *CLAUSES):
        assert canary in seen


def test_shared_answer_is_gone_with_the_right_to_a_source(answer: Answer, member: Any, colleague: Any) -> None:
    open_to(colleague)
    sharing.share(answer, to=colleague, by=member)
    assert access.visible(colleague, Answer).exists()

    access.revoke("open_document", colleague, Document.objects.get(title=SECRET))

    with pytest.raises(Hidden):
        reading.read(answer, by=colleague)


def test_taking_back_ends_it_and_leaves_an_entry(answer: Answer, member: Any, colleague: Any) -> None:
    open_to(colleague)
    sharing.share(answer, to=colleague, by=member)

    sharing.unshare(answer, person=colleague, by=member)

    assert not access.visible(colleague, Answer).exists()
    assert EventType.ANSWER_UNSHARED in types()


def test_who_it_was_shared_with_shares_it_no_further(answer: Answer, member: Any, colleague: Any, manager: Any) -> None:
    open_to(colleague)
    sharing.share(answer, to=colleague, by=member)

    with pytest.raises(Forbidden):
        sharing.share(answer, to=manager, by=colleague)


def test_held_answer_is_not_shared_and_a_stranger_gets_none(
    draft: Draft, member: Any, stranger: Any, reviewer: Any
) -> None:
    with pytest.raises(SharingError, match="released"):
        sharing.share(draft.answer, to=reviewer, by=member)

    review.approve(draft, by=reviewer, seen_sha256=digest(draft.text))
    with pytest.raises(SharingError, match="may not ask"):
        sharing.share(Answer.objects.get(), to=stranger, by=member)
    with pytest.raises(Hidden):
        sharing.share(Answer.objects.get(), to=member, by=stranger)


def test_grants_end_with_the_last_role(legal: Any, answer: Answer, member: Any, colleague: Any) -> None:
    open_to(colleague)
    sharing.share(answer, to=colleague, by=member)

    members.remove_member(legal, colleague, Role.CONTRIBUTOR, by=None)
    members.add_member(legal, colleague, Role.CONTRIBUTOR, by=None)

    assert not AnswerUserGrant.objects.exists()
    assert not access.visible(colleague, Answer).exists()
    assert EventType.ANSWER_UNSHARED in types()


def test_share_form_shares_and_takes_back(answer: Answer, member: Any, colleague: Any, client_of: Any) -> None:
    client = client_of(member)
    address = f"/w/legal/answers/{answer.pk}/share/"

    page = client.post(address, {"person": str(colleague.pk), "act": "share"}, follow=True).content.decode()
    assert "Shared with contributor." in page
    assert "a document is not open to them" in page

    client.post(address, {"person": str(colleague.pk), "act": "unshare"})
    assert not AnswerUserGrant.objects.exists()
    assert client.post(address, {"person": "x"}).status_code == 404


# --- Declassification ---------------------------------------------------------------------------------------


def declassify(answer: Answer, by: Any, **options: Any) -> Any:
    return declassification.declassify(answer, by=by, reason="Needed by the desk.", **options)


def test_declassified_text_is_read_and_its_closed_source_stays_closed(
    answer: Answer, second_reviewer: Any, colleague: Any, client_of: Any
) -> None:
    made = declassify(answer, second_reviewer)

    seen = surfaces(client_of(colleague), answer)
    assert CLAUSES[0] in seen
    assert "source not open to you" in seen
    assert SECRET not in seen
    read = reading.read(answer, by=colleague)
    assert ([one.number for one in read.citations], read.closed) == ([2], (1,))
    entry = Event.objects.get(type=EventType.ANSWER_DECLASSIFIED)
    assert (made.text_sha256 in entry.body, len(made.sources)) == (True, 2)
    assert all(sha256 in entry.body for sha256 in made.sources.values())


def test_declassification_for_named_people_is_for_nobody_else(
    answer: Answer, second_reviewer: Any, colleague: Any, manager: Any
) -> None:
    declassify(answer, second_reviewer, readers=[colleague])

    assert access.visible(colleague, Answer).exists()
    assert not access.visible(manager, Answer).exists()


@pytest.mark.parametrize("named", [True, False], ids=["named", "all"])
def test_the_check_of_readiness_takes_a_declassified_answer_for_no_leak(
    legal: Any, answer: Answer, second_reviewer: Any, colleague: Any, named: bool
) -> None:
    declassify(answer, second_reviewer, **({"readers": [colleague]} if named else {}))
    assert access.visible(colleague, Answer).exists()

    assert readiness.roles(registry.Scene(legal)).outcome == Outcome.PASS


@pytest.mark.parametrize("end", ["text", "taken back", "deleted", "barred"])
def test_declassification_ends(answer: Answer, reviewer: Any, second_reviewer: Any, colleague: Any, end: str) -> None:
    declassify(answer, second_reviewer)
    assert access.visible(colleague, Answer).exists()

    if end == "text":
        Answer.objects.update(released_text="Another. [2]", released_sha256=digest("Another. [2]"))
    elif end == "taken back":
        declassification.take_back(answer, by=reviewer)
    elif end == "deleted":
        Document.objects.filter(title=SECRET).update(deleted_at=answer.created_at)
    else:
        DocumentBar.objects.create(document=Document.objects.get(title=SECRET), user=colleague, reason="Conflict")

    assert not access.visible(colleague, Answer).exists()


def test_asker_editor_and_who_may_not_open_a_source_do_not_declassify(
    legal: Any, draft: Draft, member: Any, reviewer: Any, second_reviewer: Any, make_user: Any
) -> None:
    review.edit(draft, text=f"{CLAUSES[0]} [1]", by=reviewer)
    review.approve(draft, by=second_reviewer, seen_sha256=digest(f"{CLAUSES[0]} [1]"))
    answer = Answer.objects.get()
    members.add_member(legal, member, Role.REVIEWER, by=None)
    outside = make_user("outside")
    members.add_member(legal, outside, Role.REVIEWER, by=None)

    with pytest.raises(WrongState, match="You asked"):
        declassify(answer, member)
    with pytest.raises(WrongState, match="You edited"):
        declassify(answer, reviewer)
    with pytest.raises(Hidden):
        declassify(answer, outside)
    assert EventType.ANSWER_DECLASSIFIED not in types()


def test_declassifying_needs_a_reason_a_release_and_a_role(
    draft: Draft, reviewer: Any, second_reviewer: Any, stranger: Any
) -> None:
    with pytest.raises(WrongState, match="released"):
        declassify(draft.answer, second_reviewer)
    review.approve(draft, by=reviewer, seen_sha256=digest(draft.text))
    answer = Answer.objects.get()

    with pytest.raises(DraftError, match="Say why"):
        declassification.declassify(answer, by=second_reviewer, reason=" ")
    with pytest.raises(DraftError, match="may not ask"):
        declassify(answer, second_reviewer, readers=[stranger])


def test_officer_declassifies_and_takes_back_in_the_admin(
    answer: Answer, second_reviewer: Any, colleague: Any, client_of: Any
) -> None:
    client = client_of(second_reviewer)

    page = client.post(f"/admin/answers/answer/{answer.pk}/declassify/", {"reason": "Needed."}, follow=True)
    assert "its closed sources stay closed" in page.content.decode()
    assert Action.ASK in access.actions(colleague, answer.workspace)
    assert access.visible(colleague, Answer).exists()

    client.post(f"/admin/answers/answer/{answer.pk}/classify/")
    assert not access.visible(colleague, Answer).exists()
    assert client_of(colleague).post(f"/admin/answers/answer/{answer.pk}/declassify/").status_code == 404


# --- In one step with the approval --------------------------------------------------------------------------


def approve_in_the_admin(client: Any, draft: Draft, **sent: Any) -> Any:
    sent = {"seen_sha256": digest(draft.text), "declassify": "yes", **sent}
    return client.post(f"/admin/answers/draft/{draft.pk}/approve/", sent, follow=True)


def test_officer_declassifies_exactly_what_they_approve(
    draft: Draft, reviewer: Any, colleague: Any, client_of: Any
) -> None:
    page = approve_in_the_admin(client_of(reviewer), draft, declassify_why="Needed by the desk.")

    assert "Approved and declassified." in page.content.decode()
    assert CLAUSES[0] in reading.read(Answer.objects.get(), by=colleague).text
    told = {event.type: json.loads(event.body) for event in Event.objects.filter(actor_id=str(reviewer.pk))}
    assert told[EventType.ANSWER_DECLASSIFIED]["reason"] == "Needed by the desk."
    of_text = {
        told[type]["details"]["text_sha256"]
        for type in (EventType.DRAFT_APPROVED, EventType.ANSWER_RELEASED, EventType.ANSWER_DECLASSIFIED)
    }
    assert of_text == {digest(draft.text)}


@pytest.mark.parametrize(
    ("sent", "told"),
    [
        ({}, "Say why"),
        ({"declassify_why": "Needed.", "seen_sha256": "another"}, "the text changed"),
        ({"declassify_why": "Needed.", "readers": [str(uuid4())]}, "Choose people from the list"),
        ({"declassify_why": "Needed.", "readers": ["x"]}, "Choose people from the list"),
    ],
)
def test_what_cannot_be_declassified_is_not_approved_either(
    draft: Draft, reviewer: Any, client_of: Any, sent: dict[str, Any], told: str
) -> None:
    page = approve_in_the_admin(client_of(reviewer), draft, **sent)

    assert page.status_code == 409
    assert told in html.unescape(page.content.decode())
    assert (Answer.objects.get().released_text, Declassification.objects.count()) == ("", 0)


def test_somebody_unknown_is_not_named_alone_so_that_all_may_read(
    answer: Answer, second_reviewer: Any, stranger: Any, colleague: Any, client_of: Any
) -> None:
    sent = {"reason": "Needed.", "readers": [str(stranger.pk)]}
    client_of(second_reviewer).post(f"/admin/answers/answer/{answer.pk}/declassify/", sent)

    assert not Declassification.objects.exists()
    assert not access.visible(colleague, Answer).exists()


def test_of_two_approvals_the_one_that_releases_may_declassify(
    legal: Any, draft: Draft, reviewer: Any, second_reviewer: Any, client_of: Any
) -> None:
    Workspace.objects.filter(pk=legal.pk).update(second_approver_from=Classification.INTERNAL)
    first, second = client_of(reviewer), client_of(second_reviewer)

    refused = approve_in_the_admin(first, draft, declassify_why="Needed.")
    assert "A second reviewer releases this text." in refused.content.decode()
    assert "Declassify it with the approval" not in refused.content.decode()

    review.approve(draft, by=reviewer, seen_sha256=digest(draft.text))
    approve_in_the_admin(second, draft, declassify_why="Needed.")

    assert Declassification.objects.get().declassified_by == second_reviewer


# --- Separation of duties in declassifying ------------------------------------------------------------------


def in_two_steps(draft: Draft, first: Any, second: Any) -> Answer:
    Workspace.objects.update(second_approver_from=Classification.INTERNAL)
    review.approve(draft, by=first, seen_sha256=digest(draft.text))
    review.approve(Draft.objects.get(), by=second, seen_sha256=digest(draft.text))
    return Answer.objects.get()


def released_without_a_draft(draft: Draft) -> Answer:
    """The same answer, let out by the open policy."""
    Answer.objects.update(
        status=AnswerStatus.ANSWERED,
        released_text=draft.text,
        released_sha256=digest(draft.text),
        released_at=draft.created_at,
    )
    Draft.objects.all()._raw_delete(using="default")
    return Answer.objects.get()


def test_the_first_of_two_approvers_does_not_open_the_text_further(
    legal: Any, draft: Draft, reviewer: Any, second_reviewer: Any, colleague: Any, make_user: Any
) -> None:
    answer = in_two_steps(draft, reviewer, second_reviewer)
    third = make_user("third-reviewer")
    members.add_member(legal, third, Role.REVIEWER, by=None)
    open_to(third)

    with pytest.raises(WrongState, match="first of two approvals"):
        declassify(answer, reviewer)

    assert not access.visible(colleague, Answer).exists()
    assert (declassification.objection(answer, second_reviewer), declassification.objection(answer, third)) == ("", "")


def test_what_takes_two_people_is_not_declassified_by_one_who_alone_approved_it_or_where_nobody_did(
    draft: Draft, reviewer: Any, second_reviewer: Any
) -> None:
    review.approve(draft, by=reviewer, seen_sha256=digest(draft.text))
    Workspace.objects.update(second_approver_from=Classification.INTERNAL)
    answer = Answer.objects.get()

    assert "nobody else approved" in declassification.objection(answer, reviewer)
    assert declassification.objection(answer, second_reviewer) == ""

    Answer.objects.update(released_sha256=digest("Another."))
    assert "nobody else approved" in declassification.objection(Answer.objects.get(), second_reviewer)


@pytest.mark.parametrize("tie", ["added", "lowered", "takes two"])
def test_an_answer_that_was_never_held_is_declassified_by_the_same_rules(
    legal: Any, draft: Draft, reviewer: Any, second_reviewer: Any, manager: Any, tie: str
) -> None:
    answer = released_without_a_draft(draft)
    assert declassification.objection(answer, reviewer) == ""

    if tie == "added":
        Workspace.objects.update(uploader_may_approve=False)
        Version.objects.update(created_by=reviewer)
    elif tie == "lowered":
        Document.objects.update(classification=Classification.RESTRICTED)
        Reclassification.objects.create(
            document=Document.objects.get(title=SECRET),
            before=Classification.RESTRICTED,
            after=Classification.INTERNAL,
            lowers=True,
            changed_by=reviewer,
        )
    else:
        Workspace.objects.update(second_approver_from=Classification.INTERNAL)

    with pytest.raises(WrongState):
        declassify(answer, reviewer)
    assert (declassification.objection(answer, second_reviewer) == "") is (tie != "takes two")


# --- Narrowed ------------------------------------------------------------------------------------------------


def look_of(viewer: Any, person: Any, client_of: Any) -> Any:
    members.set_platform_administrator(viewer, by=None)
    client = client_of(viewer)
    address = reverse("admin:workspaces_user_view_as", args=[person.pk])
    assert client.post(address, {"reason": "They find no text"}).status_code == 302
    return client


def seen_in_the_look(answer: Answer, viewer: Any, person: Any, client_of: Any) -> str:
    client = look_of(viewer, person, client_of)
    pages = [client.get(f"/w/legal/answers/{answer.pk}/{page}") for page in PAGES]
    return html.unescape("".join(page.content.decode() for page in pages))


@pytest.mark.parametrize("opened", [False, True])
def test_a_look_shows_no_declassified_text_that_is_closed_to_who_looks(
    answer: Answer, member: Any, second_reviewer: Any, colleague: Any, client_of: Any, opened: bool
) -> None:
    """Whoever asked lost a source, and looks as somebody for whom the text was declassified."""
    access.revoke("open_document", member, Document.objects.get(title=SECRET))
    declassify(answer, second_reviewer, readers=[colleague, *([member] if opened else [])])

    shown = seen_in_the_look(answer, member, colleague, client_of)

    assert (CLAUSES[0] in shown) is opened
    assert SECRET not in shown


def test_without_asking_who_looks_the_text_would_be_shown(
    answer: Answer, member: Any, second_reviewer: Any, colleague: Any, client_of: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The counter-proof of the test above."""
    access.revoke("open_document", member, Document.objects.get(title=SECRET))
    declassify(answer, second_reviewer, readers=[colleague])
    monkeypatch.setattr(
        querysets, "_declassified_for", lambda user: querysets._declassifications_for(user).values("answer")
    )

    assert CLAUSES[0] in seen_in_the_look(answer, member, colleague, client_of)


def test_a_token_that_opens_no_documents_is_told_of_no_declassified_answer(
    legal: Any, answer: Answer, second_reviewer: Any, colleague: Any
) -> None:
    declassify(answer, second_reviewer)

    found = {}
    for actions in ({Action.ASK}, {Action.ASK, Action.OPEN}):
        with context.acting(colleague, scope=context.Scope(frozenset({legal.pk}), frozenset(actions))):
            found[Action.OPEN in actions] = answers_given_to(colleague).count()

    assert found == {False: 0, True: 1}


# --- What reviewers told each other --------------------------------------------------------------------------


def test_a_reviewers_reason_is_for_who_asked_and_who_reviews_while_every_source_is_open_to_them(
    legal: Any, draft: Draft, member: Any, reviewer: Any, second_reviewer: Any, colleague: Any, client_of: Any
) -> None:
    review.return_for_changes(draft, by=reviewer, reason="Strike the bonus of 4.2 million")
    review.edit(Draft.objects.get(), text=f"{CLAUSES[1]} [2]", by=reviewer)
    review.submit(Draft.objects.get(), by=reviewer)
    review.approve(Draft.objects.get(), by=second_reviewer, seen_sha256=digest(f"{CLAUSES[1]} [2]"))
    answer = Answer.objects.get()
    declassify(answer, second_reviewer)

    def is_told(person: Any) -> bool:
        return "4.2 million" in client_of(person).get(f"/w/legal/answers/{answer.pk}/provenance/").content.decode()

    assert [is_told(person) for person in (member, reviewer, colleague)] == [True, True, False]
    open_to(colleague)
    access.revoke("open_document", member, Document.objects.get(title=SECRET))
    access.revoke("open_document", reviewer, Document.objects.get(title=SECRET))
    assert [is_told(person) for person in (member, reviewer, colleague)] == [False, False, False]
