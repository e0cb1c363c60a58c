"""The queue from a terminal keeps the same rules as the one in the admin."""

import json
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from answers import review
from answers.models import Draft
from answers.states import DraftState
from audit.chain import digest
from audit.events import EventType
from audit.models import Event
from tests.answers.review_scene import CLAUSES, TEXT, a_held_answer


@pytest.fixture
def draft(legal: Any, member: Any) -> Draft:
    return a_held_answer(legal, member)


def run(*arguments: Any) -> dict[str, Any]:
    out = StringIO()
    call_command("review", *(str(argument) for argument in arguments), "--json", stdout=out)
    return json.loads(out.getvalue())


def test_list_names_what_waits_where_the_person_reviews(draft: Draft, reviewer: Any) -> None:
    (row,) = run("list", "--as", "reviewer")["drafts"]

    assert (row["id"], row["workspace"], row["asked_by"]) == (str(draft.pk), "legal", "member")


def test_list_of_somebody_who_reviews_nowhere_is_empty(draft: Draft) -> None:
    assert run("list", "--as", "member") == {"drafts": []}


def test_show_prints_text_and_citations_and_is_in_the_trail(draft: Draft, reviewer: Any) -> None:
    shown = run("show", draft.pk, "--as", "reviewer")

    assert shown["text"] == TEXT
    assert [citation["n"] for citation in shown["citations"]] == [1, 2]
    assert Event.objects.filter(type=EventType.DRAFT_OPENED, actor_id=str(reviewer.pk)).count() == 1


def test_draft_is_found_by_its_answer_too(draft: Draft, reviewer: Any) -> None:
    decided = run("approve", draft.answer_id, "--as", "reviewer", "--seen", digest(TEXT))

    assert decided["status"] == "answered_approved"


@pytest.mark.parametrize(("act", "state"), [("return", DraftState.RETURNED), ("reject", DraftState.REJECTED)])
def test_refusals_need_a_reason(draft: Draft, reviewer: Any, act: str, state: str) -> None:
    with pytest.raises(CommandError, match="Say why") as refused:
        run(act, draft.pk, "--as", "reviewer")
    assert refused.value.returncode == 2

    assert run(act, draft.pk, "--as", "reviewer", "--reason", "Not yet.")["state"] == state


def test_approval_says_which_text_it_is_about(draft: Draft, reviewer: Any) -> None:
    with pytest.raises(CommandError, match="--seen") as refused:
        run("approve", draft.pk, "--as", "reviewer")

    assert refused.value.returncode == 2
    assert Draft.objects.get(pk=draft.pk).state == DraftState.WAITING


@pytest.mark.parametrize("act", ["approve", "return", "reject"])
def test_decision_on_a_text_that_changed_since_it_was_shown_is_refused(
    draft: Draft, reviewer: Any, second_reviewer: Any, act: str
) -> None:
    shown = run("show", draft.pk, "--as", "reviewer")["text_sha256"]
    review.edit(draft, text=f"{CLAUSES[0]} [1]", by=second_reviewer)

    with pytest.raises(CommandError, match="faster"):
        run(act, draft.pk, "--as", "reviewer", "--reason", "Not yet.", "--seen", shown)

    assert Draft.objects.get(pk=draft.pk).state == DraftState.WAITING


def test_hash_to_give_is_on_the_page_that_a_person_reads(draft: Draft, reviewer: Any) -> None:
    out = StringIO()

    call_command("review", "show", str(draft.pk), "--as", "reviewer", stdout=out)

    assert f"SHA-256 of the text: {digest(TEXT)}" in out.getvalue()


@pytest.mark.parametrize("who", ["stranger", "member"])
def test_nobody_else_reads_or_decides(draft: Draft, stranger: Any, who: str) -> None:
    for act in ("show", "approve"):
        with pytest.raises(CommandError) as refused:
            run(act, draft.pk, "--as", who, "--seen", digest(TEXT))
        assert refused.value.returncode == 2

    assert Draft.objects.get(pk=draft.pk).state == DraftState.WAITING
    assert Event.objects.filter(type=EventType.ACCESS_DENIED).count() == 2


def test_id_that_is_none_is_a_readable_error(reviewer: Any, legal: Any) -> None:
    with pytest.raises(CommandError, match="nothing here"):
        run("show", "nonsense", "--as", "reviewer")


@pytest.mark.parametrize(("act", "status"), [("reopen", "held_reopened"), ("take-back", "refused_taken_back")])
def test_a_released_answer_is_looked_at_again_from_a_terminal(
    draft: Draft, reviewer: Any, act: str, status: str
) -> None:
    run("approve", draft.pk, "--as", "reviewer", "--seen", digest(TEXT))

    for id, reason in ((draft.pk, ""), (draft.answer_id, "A reader doubts it.")):
        if not reason:
            with pytest.raises(CommandError, match="Say why"):
                run(act, id, "--as", "reviewer")
        else:
            assert run(act, id, "--as", "reviewer", "--reason", reason)["status"] == status


def test_a_return_may_ask_the_asker(draft: Draft, reviewer: Any) -> None:
    run("return", draft.pk, "--as", "reviewer", "--reason", "Unclear.", "--question", "Which?", "--question", "When?")

    assert [one.text for one in draft.reviews.get().clarifications.all()] == ["Which?", "When?"]
