"""What becomes of a document or an answer puts the sets that learnt it in doubt, and their models out of use."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone

from answers.exceptions import TrainingError
from answers.finetuning import building, changes, flagging, sealing, sets, settling, watching
from answers.models import Evidence, ModelEndpoint, Split, TrainingFlag, TrainingRules
from answers.review import take_back
from answers.tasks import sweep_finetuning
from audit.events import EventType
from audit.models import Event
from documents import library
from documents.access import restriction
from documents.cards import classifying, licensing, metadata, reminders
from documents.deletion import dependants, tombstones
from documents.models import Document
from tests.answers.finetuning.scene import a_model_of
from tests.undone import undone
from workspaces.exceptions import Forbidden
from workspaces.models import Notification
from workspaces.notifications.registry import Kind

pytestmark = pytest.mark.django_db


@pytest.fixture
def model(sealed: Any, manager: Any) -> ModelEndpoint:
    """The approved model that was made of the set."""
    return a_model_of(sealed, manager)


def source(training_set: Any) -> Document:
    return Evidence.objects.get(answer=training_set.examples.first().answer).document


def state_of(model: ModelEndpoint) -> str:
    return ModelEndpoint.objects.get(pk=model.pk).state


def details(type: EventType) -> list[dict[str, Any]]:
    return [json.loads(event.body)["details"] for event in Event.objects.filter(type=type).order_by("seq")]


# --- What happens, by what is done --------------------------------------------------------------------------


def delete(document: Document, by: Any, reviewer: Any) -> None:
    library.delete(document, by=by)


def raise_above(document: Document, by: Any, reviewer: Any) -> None:
    classifying.classify(document, "confidential", by=by)


def raise_within(document: Document, by: Any, reviewer: Any) -> None:
    Document.objects.filter(pk=document.pk).update(classification="public")
    classifying.classify(document, "internal", by=by)


def reserve(document: Document, by: Any, reviewer: Any) -> None:
    licensing.state_usage(document, "reserved", by=by)


def restrict(document: Document, by: Any, reviewer: Any) -> None:
    restriction.restrict(document, by=by)
    watching.sweep()


def expire(document: Document, by: Any, reviewer: Any) -> None:
    Document.objects.filter(pk=document.pk).update(valid_until=timezone.localdate() - timedelta(days=1))
    reminders.tell_of_days()


def replace(document: Document, by: Any, reviewer: Any) -> None:
    for follow in dependants.when_replaced:
        follow(document.current_version)


def withdraw(document: Document, by: Any, reviewer: Any) -> None:
    take_back(Evidence.objects.get(document=document).answer, by=reviewer, reason="It was wrong.")
    watching.sweep()


#: What is done → the reason of its flag, and whether the models are taken out of use where nobody chose otherwise.
HAPPENS = {
    delete: ("deleted", True),
    raise_above: ("reclassified", True),
    raise_within: ("reclassified", False),
    reserve: ("usage", True),
    restrict: ("restricted", True),
    withdraw: ("taken_back", True),
    replace: ("replaced", False),
    expire: ("expired", False),
}


def test_whatever_unsettles_a_source_flags_the_set_once_and_takes_its_models_out_as_the_rules_say(
    sealed, model, manager, reviewer
):
    for happens, (reason, suspends) in HAPPENS.items():
        with undone():
            happens(source(sealed), manager, reviewer)

            flag = sealed.flags.get()
            assert (flag.reason, flag.suspends, flag.examples) == (reason, suspends, 1), happens.__name__
            assert state_of(model) == ("candidate" if suspends else "approved"), happens.__name__
            told = details(EventType.TRAINING_FLAGGED)[0]
            assert (told["because"], told["models_suspended"]) == (reason, int(suspends))
            assert told["jobs"] == [str(sealed.jobs.get().pk)]
            assert Event.objects.filter(type=EventType.MODEL_SUSPENDED).count() == int(suspends)
            notices = Notification.objects.filter(kind=Kind.TRAINING_FLAGGED)
            # Who did it knows of it.
            assert [one.person for one in notices] == ([] if flag.flagged_by else [manager]), happens.__name__
            assert flagging.objection(model)
            with pytest.raises(TrainingError, match="flags first"):
                sealing.take(sealed, Split.TRAIN, by=manager)
            assert watching.sweep() == 0


def test_without_its_hooks_an_act_leaves_the_model_answering_until_the_sweep(sealed, model, manager, monkeypatch):
    monkeypatch.setattr(dependants, "when_raised", [])
    monkeypatch.setattr(dependants, "when_usage_stated", [])
    raise_above(source(sealed), manager, None)
    reserve(source(sealed), manager, None)
    assert (state_of(model), sealed.flags.count()) == ("approved", 0)

    assert watching.sweep() == 2

    assert state_of(model) == "candidate"
    assert set(sealed.flags.values_list("reason", flat=True)) == {"reclassified", "usage"}


def test_a_file_is_kept_back_before_any_flag_and_after_a_decision_to_keep_the_models(sealed, manager, monkeypatch):
    restriction.restrict(source(sealed), by=manager)
    with pytest.raises(TrainingError, match="may not be learnt from any more"):
        sealing.take(sealed, Split.TRAIN, by=manager)
    watching.sweep()
    settling.settle(sealed.flags.get(), decision="keep", note="It was public for years.", by=manager)

    with pytest.raises(TrainingError, match="may not be learnt from any more"):
        sealing.take(sealed, Split.TRAIN, by=manager)

    assert watching.sweep() == 0
    monkeypatch.setattr(changes, "now", lambda training_set: [])
    assert sealing.take(sealed, Split.TRAIN, by=manager).content  # so it would leave without the look at the rows


def test_what_is_back_is_over_and_its_models_are_still_approved_by_a_person(sealed, model, manager):
    document = source(sealed)
    gone = library.delete(document, by=manager).deletion

    tombstones.restore(gone, by=manager)

    flag = sealed.flags.get()
    assert (flag.settled_at is None, flag.decision) == (False, "")
    assert (flagging.objection(model), state_of(model)) == ("", "candidate")
    assert len(details(EventType.TRAINING_CLEARED)) == 1
    expire(document, manager, None)
    metadata.set_validity(Document.objects.get(pk=document.pk), None, by=manager)
    assert not sealed.flags.filter(settled_at=None).exists()


def test_a_second_raise_above_the_ceiling_takes_models_out_although_a_milder_flag_stands_open(sealed, model, manager):
    raise_within(source(sealed), manager, None)
    assert (sealed.flags.get().suspends, state_of(model)) == (False, "approved")

    raise_above(source(sealed), manager, None)

    assert (sealed.flags.get().suspends, state_of(model)) == (True, "candidate")


def test_more_answers_taken_back_after_a_decision_are_news(sealed, manager, reviewer):
    for example in sealed.examples.order_by("position"):
        take_back(example.answer, by=reviewer, reason="It was wrong.")
        assert watching.sweep() == 1
        settling.settle(sealed.flags.get(settled_at=None), decision="keep", note="Harmless.", by=manager)

    assert watching.sweep() == 0
    assert list(sealed.flags.order_by("examples").values_list("examples", flat=True)) == [1, 2]


def test_what_fails_of_one_thing_keeps_no_flag_and_no_other_set_back(sealed, model, manager, legal, monkeypatch):
    restriction.restrict(source(sealed), by=manager)
    wanted = {"ceiling": "internal", "usages": ["own"], "validation_percent": 0, "by": manager}
    poisoned, other = (sets.ask(legal, name=name, **wanted) for name in ("poisoned", "other"))
    build = building._work

    def fail(training_set: Any) -> None:
        if training_set.pk == poisoned.pk:
            raise RuntimeError
        build(training_set)

    monkeypatch.setattr(building, "_work", fail)
    with pytest.raises(ExceptionGroup) as failed:
        sweep_finetuning()

    assert [type(fault) for fault in failed.value.exceptions] == [RuntimeError]
    other.refresh_from_db()
    assert (state_of(model), other.state) == ("candidate", "built")


# --- Rules and decisions ------------------------------------------------------------------------------------


def test_the_rules_of_a_workspace_say_what_takes_models_out_and_only_its_managers_change_them(
    sealed, model, manager, member, legal
):
    with pytest.raises(Forbidden):
        settling.change_rules(legal, suspends_on=[], by=member)
    with pytest.raises(TrainingError):
        settling.change_rules(legal, suspends_on=["weather"], by=manager)
    before = flagging.suspending(legal)
    settling.change_rules(legal, suspends_on=before, by=manager)
    assert details(EventType.TRAINING_RULES_CHANGED) == []
    settling.change_rules(legal, suspends_on=["expired"], by=manager)

    library.delete(source(sealed), by=manager)
    assert (sealed.flags.get().suspends, state_of(model)) == (False, "approved")
    expire(Evidence.objects.get(answer=sealed.examples.last().answer).document, manager, None)

    assert state_of(model) == "candidate"
    assert TrainingRules.objects.get().suspends_on == ["expired"]
    assert details(EventType.TRAINING_RULES_CHANGED) == [{"before": {"on": before}, "after": {"on": ["expired"]}}]


def test_a_decision_to_retire_stays_and_is_taken_once_with_its_reason(sealed, model, manager, member):
    library.delete(source(sealed), by=manager)
    flag = TrainingFlag.objects.get()
    with pytest.raises(TrainingError, match="say why"):
        settling.settle(flag, decision="retire", note=" ", by=manager)
    settling.settle(flag, decision="retire", note="It quotes it.", by=manager)

    assert state_of(model) == "retired"
    with pytest.raises(TrainingError, match="faster"):
        settling.settle(flag, decision="keep", note="No.", by=manager)
    assert "retired" in flagging.objection(model)


def test_a_flag_whose_entry_cannot_be_written_undoes_the_act(sealed, model, manager, monkeypatch):
    def refuse(*given: Any, **named: Any) -> None:
        raise RuntimeError

    monkeypatch.setattr(flagging, "record", refuse)
    with pytest.raises(RuntimeError), transaction.atomic():
        reserve(source(sealed), manager, None)

    assert Document.objects.get(pk=source(sealed).pk).usage == "own"
    assert (state_of(model), sealed.flags.count()) == ("approved", 0)
