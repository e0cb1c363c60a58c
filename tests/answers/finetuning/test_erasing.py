"""An erased document is in no training set any more, nor in words that people or providers wrote about one."""

import json
from typing import Any

import pytest
from django.utils import timezone

from answers.exceptions import TrainingError
from answers.finetuning import building, erasing, sealing, sets
from answers.models import Assessment, FineTuningJob, JobEvent, Split, TrainingExample
from answers.review import approve
from audit.chain import digest
from audit.events import EventType
from audit.models import Event
from documents import library
from documents.cards import licensing
from documents.deletion import dependants, proving
from documents.deletion import erasing as deletion
from tests.answers import library as shelf
from tests.answers.finetuning.scene import a_model_of, few
from tests.documents.proofs import MARK, assert_proven, found, marked

pytestmark = pytest.mark.django_db

QUESTION = "How many days of annual leave does an employee have?"
CANARY = f"{MARK} Every employee has 25 working days of annual leave a year."


@pytest.mark.usefixtures("engines_elsewhere")
def test_the_receipt_is_held_back_by_what_a_training_set_keeps_and_comes_when_it_is_erased(
    legal: Any, member: Any, reviewer: Any, manager: Any, answered: Any, monkeypatch: Any
):
    version = shelf.add_document(legal, "employee-handbook.md", marked(shelf.HANDBOOK))
    licensing.state_usage(version.document, "own", by=manager)
    for question in (QUESTION, f"Is it so? {CANARY}"):
        draft = answered(legal, question, member).draft
        approve(draft, by=reviewer, seen_sha256=digest(draft.text))
    wanted = {"name": "House", "ceiling": "internal", "usages": ["own"], "validation_percent": 0}
    made = sets.ask(legal, **wanted, instructions=f"Know that {CANARY}", by=manager)
    building.build(made.pk)
    assert TrainingExample.objects.filter(reply__contains=CANARY.split(".")[0]).exists()
    with few():
        sealed = sealing.seal(made, by=manager)
    a_model_of(sealed, manager, train_sent_at=timezone.now(), problem=f"Line 1: {CANARY}")
    job = FineTuningJob.objects.get()
    JobEvent.objects.create(job=job, remote_id="1", at=timezone.now(), level="warn", message=CANARY)
    Assessment.objects.create(
        workspace=legal, name="Leave", note=CANARY, choices={}, weights="1", verdict="retrieval", made_by=manager
    )

    gone = library.delete(version.document, by=manager).deletion
    ours = next(kind for kind in dependants.kinds if kind.erase is erasing.erase)
    with monkeypatch.context() as without:
        without.setattr(dependants, "kinds", [kind for kind in dependants.kinds if kind is not ours])
        deletion.erase(version.document_id)
        assert proving.prove(gone.pk) is False
    left = set(found(gone)["database"])
    assert left == {
        "answers_trainingexample.question",
        "answers_trainingexample.reply",
        "answers_trainingset.instructions",
        "answers_finetuningjob.problem",
        "answers_jobevent.message",
        "answers_assessment.note",
    }

    assert_proven(gone)

    assert set(TrainingExample.objects.values_list("question", "reply")) == {("", "")}
    entry = json.loads(Event.objects.get(type=EventType.TRAINING_ERASED).body)["details"]
    assert (entry["examples"], entry["sent_for"]) == (2, [str(job.pk)])
    sealed.refresh_from_db()
    assert MARK not in sealed.manifest
    with pytest.raises(TrainingError, match="erased"):
        sealing.content_of(sealed, Split.TRAIN)
