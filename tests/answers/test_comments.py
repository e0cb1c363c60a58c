"""What reviewers say to each other about a draft, and who hears of it."""

from datetime import timedelta
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone

from answers.drafts import comments
from answers.exceptions import DraftError
from answers.models import Comment, Draft, SavedView
from audit.events import EventType
from audit.models import Event
from documents.access.restriction import restrict
from documents.deletion import dependants
from documents.deletion import erasing as deletion
from documents.library import delete
from documents.models import Deletion
from tests.answers.review_scene import CLAUSES, a_held_answer
from workspaces import access
from workspaces.exceptions import Forbidden, Hidden
from workspaces.glass import breaking as glass
from workspaces.models import Notification


@pytest.fixture
def draft(legal: Any, member: Any) -> Draft:
    return a_held_answer(legal, member)


def test_a_comment_reaches_whom_it_mentions_and_the_trail_keeps_its_hash_alone(
    draft: Draft, reviewer: Any, second_reviewer: Any
) -> None:
    text = "Look at the notice period, @second-reviewer. Mail me at reviewer@example.org."

    comment = comments.write(draft, text=text, by=reviewer)

    assert list(comment.mentioned.all()) == [second_reviewer]
    assert Notification.objects.get(kind="comment_mention").person == second_reviewer
    entry = Event.objects.get(type=EventType.DRAFT_COMMENTED)
    assert "notice period" not in entry.body
    assert str(second_reviewer.pk) in entry.body


@pytest.mark.parametrize("name", ["member", "manager", "stranger", "nobody-at-all"])
def test_only_who_may_review_this_draft_is_mentioned_and_the_others_are_refused_alike(
    draft: Draft, reviewer: Any, name: str, stranger: Any, manager: Any
) -> None:
    with pytest.raises(DraftError, match=f"Nobody called “{name}” may review this draft."):
        comments.write(draft, text=f"What do you say, @{name}?", by=reviewer)

    assert not Comment.objects.exists()


def test_a_reviewer_to_whom_a_source_is_closed_is_not_mentioned(
    draft: Draft, reviewer: Any, second_reviewer: Any, manager: Any
) -> None:
    document = draft.answer.evidence.first().document
    restrict(document, by=manager)
    access.grant("open_document", reviewer, document)

    with pytest.raises(DraftError):
        comments.write(draft, text="See this, @second-reviewer.", by=reviewer)
    with pytest.raises(Hidden):
        comments.write(draft, text="Let me in.", by=second_reviewer)


def test_nobody_but_reviewers_writes_or_reads_comments(
    draft: Draft,
    reviewer: Any,
    member: Any,
    manager: Any,
    auditor: Any,
    stranger: Any,
    superuser: Any,
    legal: Any,
    client_of: Any,
) -> None:
    comments.write(draft, text="Between us: clause two is odd.", by=reviewer)
    glass.break_glass(legal, by=superuser, reason="Ticket 4711")

    for person in (stranger, auditor, manager, member, superuser):
        with pytest.raises((Hidden, Forbidden)):
            comments.write(draft, text="Me too.", by=person)
        if person != superuser:
            assert not comments.comments_open_to(person).exists()
    page = client_of(member).get(reverse("answers:answer", kwargs={"slug": "legal", "pk": draft.answer_id}))
    assert "Between us" not in page.content.decode()


@pytest.mark.parametrize("text", ["", " \n ", "x" * (comments.MAX_CHARACTERS + 1)])
def test_a_comment_says_something_and_ends(draft: Draft, reviewer: Any, text: str) -> None:
    with pytest.raises(DraftError):
        comments.write(draft, text=text, by=reviewer)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("@a, @b. @a!", ["a", "b"]),
        ("a@b.example is no mention", []),
        ("(@first.last) and @x@y.example.", ["first.last", "x@y.example"]),
        ("@ alone, and @@", []),
    ],
)
def test_names_are_found_where_people_are_called(text: str, names: list[str]) -> None:
    assert comments.names_in(text) == names


# --- What repeats an erased document ------------------------------------------------------------------------


def _erase(draft: Draft, manager: Any) -> None:
    document = draft.answer.evidence.first().document
    delete(document, by=manager)
    Deletion.objects.filter(document=document).update(erase_after=timezone.now() - timedelta(seconds=1))
    deletion.erase(document.pk)


def _quoting(draft: Draft, reviewer: Any) -> tuple[Comment, Comment, SavedView]:
    quoting = comments.write(draft, text=f"It says: {CLAUSES[0]}", by=reviewer)
    plain = comments.write(draft, text="I would shorten this.", by=reviewer)
    view = SavedView.objects.create(owner=reviewer, name=CLAUSES[0][:60])
    return quoting, plain, view


def test_what_repeats_an_erased_document_is_erased_and_the_rest_stays(
    draft: Draft, reviewer: Any, manager: Any, settings: Any
) -> None:
    quoting, plain, view = _quoting(draft, reviewer)

    _erase(draft, manager)

    for row in (quoting, plain, view):
        row.refresh_from_db()
    assert (quoting.text, plain.text) == ("(erased)", "I would shorten this.")
    assert CLAUSES[0][:24] not in view.name


def test_a_comment_that_nobody_registered_would_be_left(
    draft: Draft, reviewer: Any, manager: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    quoting, _plain, _view = _quoting(draft, reviewer)
    others = [kind for kind in dependants.kinds if kind.erase is not comments.erase]
    monkeypatch.setattr(dependants, "kinds", others)

    _erase(draft, manager)

    quoting.refresh_from_db()
    assert CLAUSES[0] in quoting.text
