"""Training sets: only what may be learnt comes in, and a sealed set is exactly the bytes its manifest names."""

import json
from typing import Any

import pytest
from django.utils import timezone

from answers.exceptions import TrainingError
from answers.finetuning import exclusions, sealing, sets
from answers.models import Answer, Evidence, SetState, Split
from answers.states import AnswerStatus
from audit import signing
from audit.events import EventType
from audit.models import Event
from documents import library
from documents.access import restriction
from documents.cards import classifying, licensing
from documents.models import Document
from tests.answers.finetuning.scene import SUBJECTS, a_sealed_set, a_set, approved, few
from workspaces.exceptions import Forbidden, Hidden

pytestmark = pytest.mark.django_db


def texts_of(training_set: Any) -> set[str]:
    return {one.question for one in training_set.examples.all()}


def document_of(answer: Answer) -> Document:
    return Evidence.objects.get(answer=answer).document


def test_a_set_is_built_of_approved_answers_without_their_marks_and_says_what_it_left_out(
    legal, member, reviewer, manager
):
    approved(legal, member, reviewer, subjects=SUBJECTS[:3])
    Answer.objects.create(
        question=approved(legal, member, reviewer, subjects=SUBJECTS[3:4])[0].question,
        workspace=legal, asked_by=member, status=AnswerStatus.ANSWERED, text="Not approved.",
        released_text="Not approved.", released_sha256="0" * 64, released_at=timezone.now(),
    )  # fmt: skip

    training_set = a_set(legal, manager)

    assert training_set.state == SetState.BUILT
    assert {(one.question, one.reply) for one in training_set.examples.all()} == set(SUBJECTS[:4])
    assert training_set.left_out == {}
    assert Event.objects.filter(type=EventType.TRAINING_BUILT, object_id=str(training_set.pk)).count() == 1


def spoil_classification(answer: Answer, manager: Any) -> None:
    classifying.classify(document_of(answer), "confidential", by=manager)


def spoil_usage(answer: Answer, manager: Any) -> None:
    licensing.state_usage(document_of(answer), "reserved", by=manager)


def spoil_restriction(answer: Answer, manager: Any) -> None:
    restriction.restrict(document_of(answer), by=manager)


def spoil_deletion(answer: Answer, manager: Any) -> None:
    library.delete(document_of(answer), by=manager)


SPOILT = {
    "classification": spoil_classification,
    "usage": spoil_usage,
    "restricted": spoil_restriction,
    "": spoil_deletion,
}


@pytest.mark.parametrize("why", SPOILT)
def test_what_a_model_may_not_tell_is_left_out_and_stops_a_set_that_was_built_before(
    why, legal, member, reviewer, manager
):
    answers = approved(legal, member, reviewer, subjects=SUBJECTS[:2])
    before = a_set(legal, manager)

    SPOILT[why](answers[0], manager)
    after = a_set(legal, manager)

    assert texts_of(before) - texts_of(after) == {SUBJECTS[0][0]}
    # What is deleted or classified higher was suspended with its source, so is no approved answer any more.
    assert after.left_out == ({why: 1} if why in ("usage", "restricted") else {})
    with few(), pytest.raises(TrainingError, match="Build it anew"):
        sealing.seal(before, by=manager)


def test_without_the_rule_on_restricted_documents_such_an_answer_would_be_learnt(
    legal, member, reviewer, manager, monkeypatch
):
    answers = approved(legal, member, reviewer, subjects=SUBJECTS[:2])
    restriction.restrict(document_of(answers[0]), by=manager)
    monkeypatch.setattr(exclusions, "closed_to_some", lambda: exclusions.Q(pk__in=[]))

    assert SUBJECTS[0][0] in texts_of(a_set(legal, manager))


def test_the_same_question_in_other_words_is_learnt_once_from_the_newest_approval(legal, member, reviewer, manager):
    subjects = [SUBJECTS[0], ("How long is the parental leave?", "Parental leave lasts twenty-two weeks."), SUBJECTS[1]]
    approved(legal, member, reviewer, subjects=subjects)

    training_set = a_set(legal, manager)

    assert training_set.left_out == {"repeated": 1}
    assert subjects[1][1] in {one.reply for one in training_set.examples.all()}


def test_personal_data_has_to_be_decided_about_before_a_set_is_sealed(legal, member, reviewer, manager):
    subjects = [*SUBJECTS[:2], ("Whom do I call?", "Write to ana.petrovic@firma.example for help.")]
    approved(legal, member, reviewer, subjects=subjects)
    training_set = a_set(legal, manager)
    flagged = training_set.examples.exclude(personal=[]).get()

    with pytest.raises(TrainingError, match="data of a person"):
        sealing.seal(training_set, by=manager)
    assert flagged.personal == ["email"]
    assert sets.keep(training_set, [flagged.pk], by=manager) == 1
    assert sets.drop(training_set, [flagged.pk], by=manager) == 1
    with few():
        sealed = sealing.seal(training_set, by=manager)

    assert b"ana.petrovic" not in sealing.content_of(sealed, Split.TRAIN)
    kept = Event.objects.get(type=EventType.TRAINING_EXAMPLE_KEPT)
    assert json.loads(kept.body)["details"]["kinds"] == ["email"]
    with pytest.raises(TrainingError):
        sets.drop(sealed, [flagged.pk], by=manager)


def test_fewer_than_ten_examples_are_no_set(legal, member, reviewer, manager):
    approved(legal, member, reviewer, subjects=SUBJECTS[:9])

    with pytest.raises(TrainingError, match="9 examples"):
        sealing.seal(a_set(legal, manager), by=manager)


def test_the_manifest_leads_from_passages_to_the_files_hash_and_holds_no_text(legal, member, reviewer, manager):
    sealed = a_sealed_set(legal, member, reviewer, manager)

    said = json.loads(sealed.manifest)["signed"]
    taken = sealing.take(sealed, Split.TRAIN, by=manager)

    assert signing.current_key().public == said["key"]
    assert [file["sha256"] for file in said["files"]] == [sealed.files.get().sha256]
    assert taken.content.count(b"\n") == 2 == len(said["examples"])
    evidence = {str(row.passage_id): row.sha256 for row in Evidence.objects.filter(answer__workspace=legal)}
    assert {p["id"]: p["sha256"] for one in said["examples"] for p in one["passages"]} == evidence
    assert not any(text in sealed.manifest for subject in SUBJECTS for text in subject)
    exported = Event.objects.get(type=EventType.TRAINING_EXPORTED)
    assert json.loads(exported.body)["details"]["sha256"] == sealed.files.get().sha256


def test_who_does_not_manage_the_workspace_does_none_of_it(legal, member, reviewer, manager, stranger):
    sealed = a_sealed_set(legal, member, reviewer, manager)

    for person, refusal in ((reviewer, Forbidden), (member, Forbidden), (stranger, Hidden)):
        with pytest.raises((refusal, Hidden)):
            sealing.take(sealed, Split.TRAIN, by=person)
        with pytest.raises(refusal):
            sets.ask(legal, name="Mine", ceiling="internal", usages=["own"], validation_percent=0, by=person)


def test_a_file_that_cannot_be_made_again_byte_for_byte_is_not_given_out(legal, member, reviewer, manager):
    sealed = a_sealed_set(legal, member, reviewer, manager)
    sealed.examples.filter(position=1).update(reply="Something else.")

    with pytest.raises(TrainingError, match="erased"):
        sealing.take(sealed, Split.TRAIN, by=manager)
