"""Questions without a good answer are gathered by meaning, seen by who manages documents, and closed by a document."""

import io
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone
from django.utils.formats import date_format

from answers.chat import feedback
from answers.exceptions import GapError
from answers.gaps import closing, gathering, grouping, steering
from answers.gaps.querysets import counted, first_words, questions_in
from answers.meaning import Meaning
from answers.models import (
    Answer,
    Conversation,
    Evidence,
    Gap,
    GapCause,
    GapMeaning,
    GapQuestion,
    GapState,
    Question,
    StepRun,
)
from answers.models.evidence import FIRST_INHERITED
from answers.states import AnswerStatus
from answers.tasks import sweep_gaps
from audit.events import EventType
from audit.models import Event
from documents import library
from documents.access import restriction
from documents.deletion import erasing as deletion
from documents.ingest import ingest_version
from documents.models import Document
from tests.answers import library as shelf
from workspaces import access, members
from workspaces.exceptions import Forbidden, Hidden
from workspaces.models import Notification
from workspaces.roles import Role

PARKING = "Where can visitors park their bicycles?"
ALSO_PARKING = "Where may a visitor park a bicycle?"
WHALES = "How long do whales sleep under water?"


@pytest.fixture
def refused(policies: Any, handbook: Any, answered: Callable[..., Any]) -> Callable[..., Answer]:
    """refused("question", user) → an answer that found no evidence."""

    def ask(text: str, by: Any) -> Answer:
        answer = answered(policies, text, by)
        assert answer.status == AnswerStatus.REFUSED_NO_EVIDENCE
        return answer

    return ask


@pytest.fixture
def gap(refused: Callable[..., Answer], member: Any) -> Gap:
    return gathering.send(refused(PARKING, member), by=member).gap


def types() -> list[str]:
    return list(Event.objects.filter(type__startswith="gap.").order_by("seq").values_list("type", flat=True))


def heard(person: Any, kind: str) -> int:
    return Notification.objects.filter(person=person, kind=kind).count()


def what_gaps_mean() -> dict[tuple[Any, str], tuple[int, Any]]:
    """What is kept, after comparing it with the questions it is made of."""
    made: dict[tuple[Any, str], list[Any]] = {}
    for row in GapQuestion.objects.exclude(vector=b""):
        made.setdefault((row.gap_id, row.space), []).append(np.frombuffer(bytes(row.vector), dtype="<f4"))
    kept = {
        (row.gap_id, row.space): (row.questions, np.frombuffer(bytes(row.vector), dtype="<f4"))
        for row in GapMeaning.objects.all()
    }
    assert {key: count for key, (count, _mean) in kept.items()} == {key: len(found) for key, found in made.items()}
    for key, (_count, mean) in kept.items():
        assert np.allclose(mean, np.mean(made[key], axis=0), atol=1e-6)
    return kept


# --- Gathered -----------------------------------------------------------------------------------------------


def test_what_was_refused_is_gathered_by_meaning_once(
    refused: Callable[..., Answer], member: Any, contributor: Any, manager: Any
) -> None:
    refused(PARKING, member)
    refused(ALSO_PARKING, contributor)
    refused(WHALES, member)

    sweep_gaps()
    sweep_gaps()

    rows = counted(Gap.objects.all()).order_by("-waiting")
    assert [(row.question_count, row.waiting) for row in rows] == [(2, 2), (1, 1)]
    assert first_words(rows, to=manager)[rows[1].pk] == WHALES
    assert set(GapQuestion.objects.values_list("cause", flat=True)) == {GapCause.NO_EVIDENCE}
    assert types() == [EventType.GAP_OPENED] * 2


def test_serbian_meets_in_both_scripts_where_the_model_reads_none_of_it(
    refused: Callable[..., Answer], member: Any, contributor: Any
) -> None:
    refused("Gde posetioci ostavljaju bicikle?", member)
    refused("Где посетиоци остављају бицикле?", contributor)

    assert gathering.gather() == 2

    assert Gap.objects.get().questions.count() == 2
    assert {bytes(row.vector) for row in GapQuestion.objects.all()} == {b""}


def test_sending_names_the_asker_and_happens_once(
    refused: Callable[..., Answer], member: Any, contributor: Any
) -> None:
    answer = refused(PARKING, member)
    gathering.gather()

    gathering.send(answer, by=member)
    gathering.send(answer, by=member)

    assert GapQuestion.objects.get().sent_at is not None
    assert types() == [EventType.GAP_OPENED, EventType.GAP_QUESTION_SENT]
    with pytest.raises(Hidden):
        gathering.send(answer, by=contributor)


def test_a_reviewer_does_not_send_what_somebody_else_asked(
    refused: Callable[..., Answer], member: Any, reviewer: Any
) -> None:
    with pytest.raises(Forbidden):
        gathering.send(refused(PARKING, member), by=reviewer)


# --- Who sees what ------------------------------------------------------------------------------------------


def test_gaps_are_for_who_manages_documents_and_whom_they_are_assigned_to(
    gap: Gap, manager: Any, contributor: Any, member: Any, reviewer: Any, auditor: Any, stranger: Any
) -> None:
    def known(person: Any) -> int:
        return access.visible(person, Gap).count()

    assert known(manager) == 1
    assert [known(person) for person in (contributor, member, reviewer, auditor, stranger)] == [0] * 5
    steering.assign(gap, to=contributor, by=manager)
    assert known(contributor) == 1
    with pytest.raises(Forbidden):
        steering.dismiss(gap, reason="No.", by=contributor)


def test_a_question_whose_answer_rests_on_what_is_closed_is_only_counted(
    policies: Any, member: Any, manager: Any, contributor: Any, answered: Callable[..., Any]
) -> None:
    shelf.add_document(policies, "employee-handbook.md", shelf.HANDBOOK, granted_to=[member])
    answer = answered(policies, "How many days of annual leave does an employee have?", member)
    gap = gathering.send(answer, by=member).gap
    steering.assign(gap, to=contributor, by=manager)

    assert questions_in(gap, to=contributor).count() == 0
    assert first_words([gap], to=contributor) == {}
    assert counted(Gap.objects.all()).get().question_count == 1


def test_what_a_model_put_into_a_follow_up_groups_it_with_nothing(
    gap: Gap, member: Any, refused: Callable[..., Answer], handbook: Any
) -> None:
    answer = refused(WHALES, member)
    Answer.objects.filter(pk=answer.pk).update(asked_as=PARKING)
    answer.refresh_from_db()
    assert grouping.nearest(answer, grouping.meaning(answer)) == gap

    passage = handbook.passages.first()
    Evidence.objects.create(
        answer=answer,
        rank=FIRST_INHERITED,
        passage_id=passage.pk,
        document=handbook.document,
        version=handbook,
        start=passage.start,
        end=passage.end,
        locator=passage.locator,
        sha256="0" * 64,
    )

    assert grouping.nearest(answer, grouping.meaning(answer)) is None


def test_a_follow_up_is_not_told_in_the_words_of_a_turn_that_is_closed(
    policies: Any, member: Any, manager: Any, contributor: Any, refused: Callable[..., Answer], answered: Any
) -> None:
    shelf.add_document(policies, "employee-handbook.md", shelf.HANDBOOK, granted_to=[member])
    earlier = answered(policies, "How many days of annual leave does an employee have?", member)
    answer = refused(WHALES, member)
    Answer.objects.filter(pk=answer.pk).update(asked_as=f"{WHALES} (annual leave)")
    talk = Conversation.objects.create(workspace=policies, started_by=member)
    Question.objects.filter(answers__in=[earlier.pk, answer.pk]).update(conversation=talk)
    gap = gathering.send(Answer.objects.get(pk=answer.pk), by=member).gap

    told = {person: questions_in(gap, to=person).get().understood_as for person in (manager, contributor)}

    # Whoever manages documents opens restricted ones; somebody it is assigned to reads the question as it was asked.
    assert told == {manager: f"{WHALES} (annual leave)", contributor: ""}


# --- What a gap means ---------------------------------------------------------------------------------------


def test_what_a_gap_means_is_what_its_questions_mean_whatever_becomes_of_them(
    gap: Gap, refused: Callable[..., Answer], answered: Callable[..., Answer], policies: Any, member: Any, manager: Any
) -> None:
    placed = [gathering.send(refused(text, member), by=member) for text in (ALSO_PARKING, ALSO_PARKING, WHALES)]
    assert sorted(count for count, _mean in what_gaps_mean().values()) == [1, 3]

    apart = steering.split(gap, questions=[placed[0].pk], by=manager)
    assert sorted(count for count, _mean in what_gaps_mean().values()) == [1, 1, 2]
    steering.merge(apart, into=gap, by=manager)
    assert sorted(count for count, _mean in what_gaps_mean().values()) == [1, 3]

    judged = answered(policies, "How many days of annual leave does an employee have?", member)
    feedback.give(judged, helped=False, by=member, reason="outdated")
    assert sorted(count for count, _mean in what_gaps_mean().values()) == [1, 1, 3]
    feedback.give(judged, helped=True, by=member)
    assert sorted(count for count, _mean in what_gaps_mean().values()) == [1, 3]


def test_a_question_is_compared_with_gaps_and_not_with_all_questions(
    gap: Gap, refused: Callable[..., Answer], member: Any, monkeypatch: Any
) -> None:
    compared: list[int] = []
    cosines = Meaning.cosines
    monkeypatch.setattr(Meaning, "cosines", lambda self, rows: compared.append(len(rows)) or cosines(self, rows))

    for _each in range(3):
        assert gathering.send(refused(ALSO_PARKING, member), by=member).gap == gap

    assert compared == [1, 1, 1]


# --- Steered ------------------------------------------------------------------------------------------------


def test_it_is_assigned_to_who_may_add_documents_and_they_are_told(
    gap: Gap, manager: Any, contributor: Any, member: Any
) -> None:
    day = timezone.localdate() + timedelta(days=3)
    held = steering.assign(gap, to=contributor, due_on=day, by=manager)

    assert (held.state, held.assigned_to, held.due_on) == (GapState.ASSIGNED, contributor, day)
    assert heard(contributor, "gap_assigned") == 1
    with pytest.raises(GapError, match="may not add"):
        steering.assign(gap, to=member, by=manager)
    with pytest.raises(GapError, match="over already"):
        steering.assign(gap, to=contributor, due_on=day - timedelta(days=9), by=manager)
    assert steering.assign(gap, to=None, by=manager).state == GapState.OPEN


def test_who_leaves_the_workspace_leaves_their_gaps_to_nobody(
    gap: Gap, policies: Any, manager: Any, contributor: Any
) -> None:
    steering.assign(gap, to=contributor, by=manager)

    members.remove_member(policies, contributor, Role.CONTRIBUTOR, by=manager)

    gap.refresh_from_db()
    assert (gap.state, gap.assigned_to) == (GapState.OPEN, None)
    assert types()[-1] == EventType.GAP_ASSIGNED


def test_gaps_are_taken_apart_and_put_together(
    gap: Gap, refused: Callable[..., Answer], member: Any, manager: Any
) -> None:
    other = gathering.send(refused(ALSO_PARKING, member), by=member)
    assert other.gap == gap

    apart = steering.split(gap, questions=[other.pk], by=manager)
    assert (gap.questions.count(), apart.questions.count()) == (1, 1)
    with pytest.raises(GapError):
        steering.split(gap, questions=gap.questions.values_list("pk", flat=True), by=manager)
    assert steering.merge(apart, into=gap, by=manager).questions.count() == 2
    assert not Gap.objects.filter(pk=apart.pk).exists()
    with pytest.raises(GapError):
        steering.merge(gap, into=gap, by=manager)
    assert types()[-2:] == [EventType.GAP_SPLIT, EventType.GAP_MERGED]


def test_a_dismissal_tells_the_askers_why_and_the_trail_only_its_hash(gap: Gap, manager: Any, member: Any) -> None:
    with pytest.raises(GapError):
        steering.dismiss(gap, reason=" ", by=manager)

    steering.dismiss(gap, reason="Bicycles stay outside.", by=manager)

    assert heard(member, "answer_refused") == 1
    assert not Event.objects.filter(body__contains="Bicycles stay").exists()
    with pytest.raises(GapError, match="faster"):
        steering.assign(gap, to=manager, by=manager)


# --- Closed -------------------------------------------------------------------------------------------------


def test_a_written_answer_is_a_document_and_the_askers_are_told_when_it_answers(
    gap: Gap, member: Any, manager: Any, policies: Any, answered: Callable[..., Any]
) -> None:
    text = "Visitors park their bicycles in the yard behind the main entrance."
    held = closing.by_text(gap, title="Bicycles of visitors", text=text, by=manager)

    assert held.state == GapState.WAITING
    assert heard(member, "gap_answered") == 0
    ingest_version(held.document.versions.get().pk)
    sweep_gaps()
    sweep_gaps()

    held.refresh_from_db()
    assert (held.state, held.is_written) == (GapState.CLOSED, True)
    assert heard(member, "gap_answered") == 1
    day = date_format(timezone.localdate(), "DATE_FORMAT")
    assert f"Written by {manager.name} on {day}." in held.document.versions.get().text
    assert text.split(".")[0] in answered(policies, PARKING, member).released_text
    assert types()[-2:] == [EventType.GAP_DOCUMENT_NAMED, EventType.GAP_CLOSED]


def test_who_may_not_open_the_document_is_told_nothing_until_they_may(
    gap: Gap, member: Any, manager: Any, policies: Any
) -> None:
    version = shelf.add_document(policies, "bicycles.md", "# Bicycles\n\nThey stand in the yard.", granted_to=[manager])

    closing.by_document(gap, document=version.document, by=manager)

    assert Gap.objects.get().state == GapState.CLOSED
    assert heard(member, "gap_answered") == 0
    restriction.grant(version.document, member, by=manager)
    assert (closing.tell_late(), closing.tell_late()) == (1, 0)
    assert heard(member, "gap_answered") == 1


def test_without_the_check_of_the_document_they_would_be_told(
    gap: Gap, member: Any, manager: Any, policies: Any, monkeypatch: Any
) -> None:
    version = shelf.add_document(policies, "bicycles.md", "# Bicycles\n\nThey stand in the yard.", granted_to=[manager])
    monkeypatch.setattr("answers.gaps.telling.may_be_told", lambda _row, _gap: True)

    closing.by_document(gap, document=version.document, by=manager)

    assert heard(member, "gap_answered") == 1


def test_a_document_that_cannot_be_read_opens_the_gap_again(gap: Gap, manager: Any, contributor: Any) -> None:
    steering.assign(gap, to=contributor, by=manager)
    held = closing.by_upload(gap, file=SimpleUploadedFile("broken.pdf", b"%PDF-1.7 nothing"), by=contributor)
    ingest_version(held.document.versions.get().pk)

    closing.finish()

    held.refresh_from_db()
    assert (held.state, held.document) == (GapState.ASSIGNED, None)
    assert types()[-1] == EventType.GAP_REOPENED


def test_nothing_is_taken_in_for_a_gap_that_is_settled(gap: Gap, manager: Any) -> None:
    steering.dismiss(gap, reason="Bicycles stay outside.", by=manager)
    before = Document.objects.count()

    with pytest.raises(GapError, match="faster"):
        closing.by_text(gap, title="Bicycles of visitors", text="They stand in the yard.", by=manager)
    with pytest.raises(GapError, match="faster"):
        closing.by_upload(gap, file=SimpleUploadedFile("bicycles.md", b"# Bicycles"), by=manager)
    assert Document.objects.count() == before


def test_a_gap_that_nobody_waits_for_any_more_is_not_listed(
    gap: Gap, manager: Any, client_of: Callable[..., Any]
) -> None:
    address = f"/w/policies/gaps/{gap.pk}/"
    assert address in client_of(manager).get("/w/policies/gaps/").content.decode()
    GapQuestion.objects.all().delete()

    assert address not in client_of(manager).get("/w/policies/gaps/").content.decode()


def test_only_a_document_of_the_same_workspace_closes_it(gap: Gap, legal: Any, manager: Any) -> None:
    elsewhere = shelf.add_document(legal, "bicycles.md", "# Bicycles\n\nThey stand in the yard.")

    with pytest.raises(GapError):
        closing.by_document(gap, document=elsewhere.document, by=manager)


def test_what_is_sent_again_after_it_was_settled_opens_another_gap(
    gap: Gap, member: Any, manager: Any, refused: Callable[..., Answer]
) -> None:
    steering.dismiss(gap, reason="Not now.", by=manager)

    assert gathering.send(refused(PARKING, member), by=member).gap != gap


def test_a_gap_that_is_settled_while_a_question_joins_does_not_take_it(
    gap: Gap, member: Any, manager: Any, refused: Callable[..., Answer], monkeypatch: Any
) -> None:
    looked = grouping.best_of

    def settled_meanwhile(*given: Any) -> Any:
        found = looked(*given)
        steering.dismiss(gap, reason="Not now.", by=manager)
        return found

    answer = refused(PARKING, member)
    monkeypatch.setattr(grouping, "best_of", settled_meanwhile)

    assert gathering.send(answer, by=member).gap != gap


# --- Erased -------------------------------------------------------------------------------------------------


def test_an_erased_question_takes_its_vector_along_and_reasons_that_repeat_the_document_go(
    policies: Any, member: Any, manager: Any, answered: Callable[..., Any], django_capture_on_commit_callbacks: Any
) -> None:
    mark = "Every Zanzibarian employee keeps exactly seventeen purple umbrellas in the northern cupboard."
    version = shelf.add_document(policies, "umbrellas.md", f"# Umbrellas\n\n{mark}\n")
    sent = gathering.send(answered(policies, f"Is it so? {mark}", member), by=member)
    assert sent.vector
    steering.dismiss(sent.gap, reason=mark, by=manager)
    library.delete(version.document, by=manager, reason="Out of date.")

    with django_capture_on_commit_callbacks(execute=True):
        deletion.erase(version.document_id)

    sent.refresh_from_db()
    assert bytes(sent.vector) == b""
    assert what_gaps_mean() == {}
    assert mark not in Gap.objects.get().reason


def test_the_vector_of_a_follow_up_goes_with_what_it_was_understood_as(
    gap: Gap, policies: Any, member: Any, manager: Any, django_capture_on_commit_callbacks: Any
) -> None:
    mark = "Every Zanzibarian employee keeps exactly seventeen purple umbrellas in the northern cupboard."
    version = shelf.add_document(policies, "umbrellas.md", f"# Umbrellas\n\n{mark}\n")
    Answer.objects.update(asked_as=f"Is it so? {mark}")
    StepRun.objects.filter(step="understand").update(detail={"asked_as_sha256": "0" * 64})
    library.delete(version.document, by=manager, reason="Out of date.")

    with django_capture_on_commit_callbacks(execute=True):
        deletion.erase(version.document_id)

    answer = Answer.objects.get()
    assert (answer.asked_as, answer.question.text) == ("", PARKING)
    assert bytes(answer.gap_question.vector) == b""


# --- Pages --------------------------------------------------------------------------------------------------


def test_an_asker_sends_the_question_from_the_refusal_and_reads_what_became_of_it(
    refused: Callable[..., Answer], member: Any, manager: Any, client_of: Callable[..., Any]
) -> None:
    answer, client = refused(PARKING, member), client_of(member)
    page = f"/w/policies/answers/{answer.pk}/"
    assert "Send to the knowledge manager" in client.get(page).content.decode()

    client.post(f"{page}send-gap/")

    assert "Sent on" in client.get(page).content.decode()
    steering.dismiss(Gap.objects.get(), reason="Bicycles stay outside.", by=manager)
    assert "Bicycles stay outside." in client.get(page).content.decode()
    part = client.post(f"{page}send-gap/", headers={"HX-Request": "true"}).content.decode()
    assert 'class="gap-out"' in part


def test_questions_beyond_a_page_are_on_the_next_and_not_called_closed(
    refused: Callable[..., Answer],
    member: Any,
    contributor: Any,
    manager: Any,
    client_of: Callable[..., Any],
    monkeypatch: Any,
) -> None:
    monkeypatch.setattr("answers.gaps.views._MOST_QUESTIONS", 1)
    refused("Gde posetioci ostavljaju bicikle?", member)
    refused("Где посетиоци остављају бицикле?", contributor)
    gathering.gather()
    client, page = client_of(manager), f"/w/policies/gaps/{Gap.objects.get().pk}/"

    shown = [client.get(f"{page}?page={number}").content.decode().partition("<tbody>")[2] for number in (1, 2)]

    assert sorted("Gde posetioci" in one for one in shown) == [False, True]
    assert sorted("Где посетиоци" in one for one in shown) == [False, True]
    assert not any("closed to you" in one for one in shown)


def test_the_knowledge_manager_works_through_a_gap_from_its_page(
    gap: Gap, manager: Any, contributor: Any, member: Any, client_of: Callable[..., Any]
) -> None:
    client, page = client_of(manager), f"/w/policies/gaps/{gap.pk}/"

    listed = client.get("/w/policies/gaps/").content.decode()
    assert PARKING in listed
    shown = client.get(page).content.decode()
    assert PARKING in shown
    assert member.name in shown
    client.post(f"{page}assign/", {"to": contributor.pk, "due_on": ""})
    sent = {"way": "file", "file": io.BytesIO(b"# Bicycles\n\nIn the yard.")}
    sent["file"].name = "bicycles.md"
    client_of(contributor).post(f"{page}close/", sent)
    ingest_version(Document.objects.get(path="bicycles.md").versions.get().pk)
    closing.finish()

    assert PARKING in client.get("/w/policies/gaps/?show=settled").content.decode()
    assert "named the document" in client.get(page).content.decode()
    assert client.post(f"{page}close/", {"way": "text", "title": ""}).status_code == 400
    assert client_of(member).get(page).status_code == 403


def test_a_gap_of_another_workspace_is_not_there(gap: Gap, manager: Any, client_of: Callable[..., Any]) -> None:
    assert client_of(manager).get(f"/w/legal/gaps/{gap.pk}/").status_code == 404
