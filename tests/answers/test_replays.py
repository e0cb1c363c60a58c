"""A reviewer has an answer made once more with what it stood on then, and sees what came out differently."""

from typing import Any
from uuid import uuid4

import pytest
from django.urls import reverse

from answers.exceptions import ReplayError, WrongState
from answers.models import Answer, Evidence, Replay, ReplayState
from answers.replays import forgetting
from answers.replays import run as running
from answers.replays.ask import compared, replay
from answers.states import AnswerStatus
from answers.tasks import replay_answer, sweep_answers
from audit.events import EventType
from audit.models import Event
from documents import library as shelf
from documents.deletion import dependants, traces
from documents.deletion import erasing as deletion
from documents.deletion.probes import Probes
from documents.models import Document, Version
from workspaces import access
from workspaces.exceptions import Forbidden, Hidden

QUESTION = "How many days of paid parental leave does the second parent take?"
SAID = "The second parent takes 20 working days of paid parental leave [1]."
SAID_LATER = "The second parent takes 20 days of paid parental leave [1]."


@pytest.fixture
def built_in(handbook: Any, policies: Any, member: Any, answered: Any) -> Answer:
    """Written by the built-in model, which always writes the same."""
    return answered(policies, QUESTION, member)


@pytest.fixture
def answer(handbook: Any, policies: Any, member: Any, answered: Any, endpoint_of: Any, chat_server: Any) -> Answer:
    """Written by a server that says something else when it is told to."""
    chat_server.says = SAID
    made = answered(policies, QUESTION, member, endpoint=endpoint_of("says"))
    assert made.status == AnswerStatus.ANSWERED
    return made


def done(answer: Answer, by: Any) -> Replay:
    made = replay(answer, by=by)
    replay_answer(str(made.pk))
    made.refresh_from_db()
    return made


def entries(kind: EventType) -> list[Event]:
    return list(Event.objects.filter(type=kind).order_by("seq"))


def test_the_built_in_model_writes_the_same_byte_for_byte(built_in, reviewer):
    made = done(built_in, reviewer)

    assert (made.state, made.problem, made.text) == (ReplayState.SAME, "", "")
    assert made.text_sha256 == made.compared_sha256
    assert made.prompt_sha256 == built_in.prompt_sha256
    assert made.checks["citations"] == built_in.citations.count()
    _found, pieces = compared(built_in, made.pk, by=reviewer)
    assert [(piece.kind, piece.text) for piece in pieces] == [("same", built_in.raw_output)]


def test_another_output_is_kept_and_shown_word_by_word_and_answers_nobody(
    answer, reviewer, member, chat_server, client_of
):
    chat_server.says = SAID_LATER
    before = Answer.objects.values().get(pk=answer.pk)

    made = done(answer, reviewer)

    assert (made.state, made.text) == (ReplayState.DIFFERENT, SAID_LATER)
    assert Answer.objects.values().get(pk=answer.pk) == before
    assert Answer.objects.count() == 1
    page = client_of(reviewer).get(reverse("answers:replay", args=["policies", answer.pk, made.pk])).content.decode()
    assert "working" in page.partition("<del>")[2].partition("</del>")[0]
    # What the asker reads is what was released.
    assert SAID_LATER[:40] not in client_of(member).get(f"/w/policies/answers/{answer.pk}/").content.decode()


def test_the_model_is_sent_the_same_request_and_the_trail_says_by_whose_will(answer, reviewer, chat_server):
    made = done(answer, reviewer)

    first, second = chat_server.requests
    assert first == second
    assert [entry.actor_label for entry in entries(EventType.ANSWER_REPLAY_ASKED)] == ["reviewer"]
    sent = entries(EventType.ANSWER_REPLAY_SENT)[0]
    assert all(row.sha256 in sent.body for row in answer.evidence.all())
    ended = entries(EventType.ANSWER_REPLAYED)[0]
    assert '"outcome":"same"' in ended.body
    assert SAID not in sent.body + ended.body
    assert made.state == ReplayState.SAME


def test_only_a_reviewer_who_did_not_ask_has_an_answer_made_once_more(
    answer, member, contributor, manager, auditor, stranger, reviewer, client_of
):
    address = reverse("answers:begin_replay", args=["policies", answer.pk])

    for person in (member, contributor, manager, auditor):
        assert client_of(person).post(address).status_code == 403
    assert client_of(stranger).post(address).status_code == 404
    Answer.objects.filter(pk=answer.pk).update(asked_by=reviewer)
    with pytest.raises(Forbidden):
        replay(Answer.objects.get(pk=answer.pk), by=reviewer)
    assert not Replay.objects.exists()


def test_the_output_of_a_replay_is_hidden_from_all_but_reviewers(answer, reviewer, member, stranger, client_of):
    made = done(answer, reviewer)
    address = reverse("answers:replay", args=["policies", answer.pk, made.pk])

    assert client_of(reviewer).get(address).status_code == 200
    assert client_of(member).get(address).status_code == 403
    assert client_of(stranger).get(address).status_code == 404
    assert client_of(reviewer).get(reverse("answers:replay", args=["policies", answer.pk, uuid4()])).status_code == 404
    assert len(entries(EventType.REPLAY_READ)) == 1


def _change_text(answer: Answer) -> None:
    version = Version.objects.get(pk=answer.evidence.first().version_id)
    Version.objects.filter(pk=version.pk).update(text=version.text.replace("20 working", "30 working"))


def _close_source(answer: Answer) -> None:
    Document.objects.filter(pk=answer.evidence.first().document_id).update(restricted=True)


def _change_model(answer: Answer) -> None:
    answer.endpoint.max_output_tokens += 1
    answer.endpoint.save()


def _withdraw_model(answer: Answer) -> None:
    answer.workspace.models.choices.clear()


def _lose_output(answer: Answer) -> None:
    Answer.objects.filter(pk=answer.pk).update(raw_output="")


def _archive(answer: Answer) -> None:
    answer.workspace.archived_at = answer.created_at
    answer.workspace.archived_by = answer.asked_by
    answer.workspace.save()


@pytest.mark.parametrize(
    "change", [_change_text, _close_source, _change_model, _withdraw_model, _lose_output, _archive]
)
@pytest.mark.parametrize("when", ["before", "meanwhile"])
def test_what_is_not_as_it_was_is_refused_with_a_sentence_and_no_model_is_asked(
    answer, reviewer, chat_server, change, when
):
    if when == "before":
        change(answer)
        with pytest.raises((ReplayError, Forbidden, Hidden)) as refused:
            replay(Answer.objects.get(pk=answer.pk), by=reviewer)
        assert str(refused.value)
        assert not Replay.objects.exists()
    else:
        made = replay(answer, by=reviewer)
        change(answer)
        replay_answer(str(made.pk))
        made.refresh_from_db()
        assert made.state == ReplayState.REFUSED
        assert made.problem
        assert made.text == ""
    assert len(chat_server.requests) == 1


def test_a_hash_that_nobody_compares_would_let_another_text_through(answer, reviewer, chat_server, monkeypatch):
    """The refusal of a changed passage rests on its hash: without the comparison, the model is asked."""
    _change_text(answer)
    stored = {row.sha256 for row in answer.evidence.all()}
    monkeypatch.setattr("answers.replays.sameness.digest", lambda text: next(iter(stored)))
    Evidence.objects.filter(answer=answer).update(sha256=next(iter(stored)))

    assert done(answer, reviewer).state in {ReplayState.SAME, ReplayState.DIFFERENT}
    assert len(chat_server.requests) == 2


def test_a_right_that_is_lost_while_the_model_writes_leaves_no_text(answer, reviewer, chat_server, monkeypatch):
    made = replay(answer, by=reviewer)
    chat_server.says = SAID_LATER
    monkeypatch.setattr(running, "_checked", lambda state, raw: _close_source(answer) or {})

    replay_answer(str(made.pk))

    made.refresh_from_db()
    assert (made.state, made.text) == (ReplayState.REFUSED, "")


def test_a_model_that_fails_is_told_and_a_second_replay_waits_for_the_first(answer, reviewer, chat_server):
    made = replay(answer, by=reviewer)
    with pytest.raises(WrongState):
        replay(answer, by=reviewer)
    chat_server.says = ""

    replay_answer(str(made.pk))

    made.refresh_from_db()
    assert made.state == ReplayState.FAILED
    assert made.problem
    assert done(answer, reviewer).is_open is False


def test_a_replay_whose_worker_died_is_taken_up_by_the_sweep_and_given_up_in_the_end(
    built_in, reviewer, monkeypatch, django_capture_on_commit_callbacks
):
    made = replay(built_in, by=reviewer)
    Replay.objects.filter(pk=made.pk).update(state=ReplayState.WORKING, attempt=1, lease_until=built_in.created_at)
    rung: list[Any] = []
    monkeypatch.setattr("answers.tasks.dispatch", lambda task, id: rung.append((task.name, id)))
    sweep_answers()
    assert ("answers.tasks.replay_answer", made.pk) in rung

    Replay.objects.filter(pk=made.pk).update(attempt=running.MOST_ATTEMPTS)
    replay_answer(str(made.pk))

    made.refresh_from_db()
    assert made.state == ReplayState.FAILED


def test_an_attempt_that_was_taken_over_writes_nothing(built_in, reviewer, monkeypatch):
    made = replay(built_in, by=reviewer)

    def taken_over(state: Any, raw: str) -> dict[str, Any]:
        Replay.objects.filter(pk=made.pk).update(attempt=7)
        return {}

    monkeypatch.setattr(running, "_checked", taken_over)

    replay_answer(str(made.pk))

    made.refresh_from_db()
    assert (made.state, made.attempt, made.text_sha256) == (ReplayState.WORKING, 7, "")
    assert not entries(EventType.ANSWER_REPLAYED)


def test_what_replays_wrote_goes_with_the_document_and_those_under_way_end(
    answer, reviewer, manager, chat_server, django_capture_on_commit_callbacks
):
    chat_server.says = SAID_LATER
    made = done(answer, reviewer)
    under_way = replay(answer, by=reviewer)
    document = answer.evidence.first().document

    shelf.delete(document, by=manager, reason="Old.")
    under_way.refresh_from_db()
    with django_capture_on_commit_callbacks(execute=True):
        deletion.erase(document.pk)

    made.refresh_from_db()
    assert under_way.state == ReplayState.REFUSED
    assert (made.text, made.is_erased) == ("", True)
    assert made.text_sha256
    assert not access.visible(reviewer, Version).filter(document=document).exists()


@pytest.mark.parametrize("forgets", [True, False])
def test_a_replay_that_kept_its_text_would_be_found_by_the_proof_of_the_erasure(
    answer, reviewer, manager, chat_server, monkeypatch, forgets
):
    copied = "The second parent takes 20 working days of paid parental"
    chat_server.says = f"{copied} leave, the first 16 weeks [1]."
    assert done(answer, reviewer).state == ReplayState.DIFFERENT
    if not forgets:
        kept = [kind for kind in dependants.kinds if kind.erase is not forgetting.erase]
        monkeypatch.setattr(dependants, "kinds", kept)
    document = answer.evidence.first().document
    shelf.delete(document, by=manager, reason="Old.")
    deletion.erase(document.pk)

    found = traces.search(Probes(phrases=(copied,)))

    tables = {name for place in found.places if place.place == "database" for name in place.found}
    assert tables == (set() if forgets else {"answers_replay.text"})
