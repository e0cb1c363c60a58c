"""What of fine-tuning an address can name: an assessment, a set to look through, a sealed one, its training and flag.

The answers rest on nothing: what they may rest on is proved in tests/answers/finetuning.
"""

from dataclasses import dataclass
from typing import Any

from django.utils import timezone

from answers.finetuning import adviser, assessing, chat_format, sealing
from answers.finetuning.building import line_of
from answers.models import (
    Answer,
    Assessment,
    FineTuningJob,
    FlagReason,
    GateCandidate,
    Question,
    SetState,
    Split,
    TrainingExample,
    TrainingFlag,
    TrainingSet,
)
from answers.states import AnswerStatus
from audit.chain import digest

#: The first option of each question of the adviser.
CHOICES = {one.code: one.options[0].code for one in adviser.CRITERIA}


@dataclass
class Training:
    """One of everything in one workspace."""

    assessment: Assessment
    #: To be looked through, and sealed as it is.
    training_set: TrainingSet
    example: TrainingExample
    job: FineTuningJob
    flag: TrainingFlag


def make(workspace: Any, manager: Any, asker: Any, candidate: GateCandidate) -> Training:
    """All of it, in `workspace`; the training is at the model that was proposed there, and is in nobody's hands."""
    sealed = sealing.seal(_built(workspace, manager, asker), by=manager)
    built = _built(workspace, manager, asker)
    return Training(
        assessment=assessing.make(workspace, name="Tone", note="", choices=CHOICES, by=manager),
        training_set=built,
        example=built.examples.order_by("position").first(),
        job=FineTuningJob.objects.create(
            workspace=workspace,
            training_set=sealed,
            endpoint_id=candidate.target,
            base_model="small",
            asked_by=manager,
        ),
        flag=TrainingFlag.objects.create(training_set=sealed, reason=FlagReason.TAKEN_BACK, examples=1, suspends=False),
    )


def _built(workspace: Any, manager: Any, asker: Any) -> TrainingSet:
    made = TrainingSet.objects.create(
        workspace=workspace, name="House", usages=["own"], state=SetState.BUILT, asked_by=manager
    )
    examples = []
    for number in range(chat_format.FEWEST):
        question, reply = f"What is behind door {number}?", f"Room {number}."
        example = TrainingExample(
            training_set=made,
            answer=_approved(workspace, asker, manager, question, reply),
            position=number,
            split=Split.TRAIN,
            question=question,
            reply=reply,
            released_sha256=digest(reply),
        )
        example.sha256 = digest(line_of(made, example).decode())
        examples.append(example)
    TrainingExample.objects.bulk_create(examples)
    return made


def _approved(workspace: Any, asker: Any, by: Any, question: str, reply: str) -> Answer:
    asked = Question.objects.create(workspace=workspace, asked_by=asker, text=question, language="en")
    return Answer.objects.create(
        question=asked, workspace=workspace, asked_by=asker, policy="review", status=AnswerStatus.ANSWERED_APPROVED,
        text=reply, released_text=reply, released_sha256=digest(reply), released_at=timezone.now(), released_by=by,
    )  # fmt: skip
