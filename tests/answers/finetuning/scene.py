"""Approved answers that a model may learn from, each resting on a document of its own."""

from typing import Any
from unittest.mock import patch

from django.utils import timezone

from answers.models import Answer, FineTuningJob, ModelEndpoint, Split, TrainingSet
from answers.review import approve
from audit.chain import digest
from tests.answers.review_scene import a_document, a_held_answer

#: Far enough apart that none is another one in other words.
SUBJECTS = (
    ("How long is parental leave?", "Parental leave lasts twenty weeks."),
    ("Who signs purchase orders?", "Purchase orders are signed by the head of finance."),
    ("Where are visitor badges kept?", "Visitor badges are kept at the front desk."),
    ("When does the canteen open?", "The canteen opens at half past eleven."),
    ("What is the mileage rate?", "The mileage rate is forty cents a kilometre."),
    ("Which insurer covers laptops?", "Laptops are covered by the general insurer."),
    ("How often are fire drills held?", "Fire drills are held every spring and autumn."),
    ("Who keeps the archive keys?", "The archive keys are kept by the registrar."),
    ("What happens to unused holidays?", "Unused holidays lapse at the end of March."),
    ("How are passwords reset?", "Passwords are reset at the service desk."),
    ("Which invoices need two signatures?", "Invoices above the threshold need two signatures."),
    ("When is the annual report published?", "The annual report is published in May."),
)


def approved(
    workspace: Any, asker: Any, reviewer: Any, *, subjects: Any = SUBJECTS, **of_document: Any
) -> list[Answer]:
    """One approved answer for each subject, each on its own document, whose fields are set as given."""
    fields = {"usage": "own", **of_document}
    answers = []
    for number, (question, clause) in enumerate(subjects):
        version = a_document(workspace, title=f"Source {number} of {question[:12]}", text=f"Before. {clause} After.")
        type(version.document).objects.filter(pk=version.document_id).update(**fields)
        draft = a_held_answer(workspace, asker, question=question, clauses=(clause,), versions=[version])
        approve(draft, by=reviewer, seen_sha256=digest(draft.text))
        answers.append(Answer.objects.get(pk=draft.answer_id))
    return answers


def a_set(workspace: Any, by: Any, **fields: Any) -> TrainingSet:
    """A set that was built in this process."""
    from answers.finetuning import building, sets

    chosen = {"name": "House answers", "ceiling": "internal", "usages": ["own", "open"], "validation_percent": 0}
    training_set = sets.ask(workspace, by=by, **{**chosen, **fields})
    building.build(training_set.pk)
    training_set.refresh_from_db()
    return training_set


def a_sealed_set(workspace: Any, asker: Any, reviewer: Any, manager: Any) -> TrainingSet:
    """A sealed set of two examples, which no provider would take: what becomes of it is the same."""
    from answers.finetuning import sealing

    approved(workspace, asker, reviewer, subjects=SUBJECTS[:2])
    with few():
        return sealing.seal(a_set(workspace, manager), by=manager)


def few() -> Any:
    """Two examples are enough to seal a set, as long as this lasts."""
    from answers.finetuning import sealing

    return patch.dict(sealing._FEWEST, {Split.TRAIN: 2})


def a_model_of(
    training_set: TrainingSet, by: Any, *, url: str = "http://127.0.0.1:9/v1", model: str = "ft:small:1", **fields: Any
) -> ModelEndpoint:
    """The approved model that a training on the set came to; at a server that nobody asks, unless `url` is given."""
    from answers.finetuning import registering

    at = ModelEndpoint.objects.create(
        name=f"at-{training_set.pk.hex[:8]}", kind="openai", base_url=url, model="small",
        state="approved", approved_at=timezone.now(),
    )  # fmt: skip
    job = FineTuningJob.objects.create(
        workspace=training_set.workspace, training_set=training_set, endpoint=at, endpoint_label=at.label,
        base_model="small", asked_by=by, state="succeeded", tuned_model=model, ended_at=timezone.now(), **fields,
    )  # fmt: skip
    made = registering.register(job)
    ModelEndpoint.objects.filter(pk=made.pk).update(state="approved", approved_at=timezone.now())
    return made
