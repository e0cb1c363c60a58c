"""A gate becomes stricter by one person's hand, and easier to pass only by two."""

from typing import Any

import pytest

from answers.evaluation import gate, sets, terms
from answers.evaluation.figures import Metric
from answers.evaluation.sets import Case
from answers.evaluation.thresholds import Threshold, from_data
from answers.exceptions import EvaluationError
from audit.events import EventType
from audit.models import Event
from tests.undone import undone
from workspaces.exceptions import Forbidden

LIMITS = [Threshold(Metric.REFUSAL, 0.7, worse_by=0.1), Threshold(Metric.FACTS, 0.5, by_bound=True)]


@pytest.fixture
def gated(policies: Any, asked: Any, manager: Any) -> Any:
    return terms.choose(policies, enabled=True, question_set=asked, thresholds=LIMITS, by=manager)


def chosen(policies: Any, gated: Any, by: Any, **wanted: Any) -> Any:
    """The gate after `by` chose what it asks already, but for `wanted`."""
    asks = {"enabled": True, "question_set": gated.question_set, "thresholds": LIMITS}
    return terms.choose(policies, **(asks | wanted), by=by)


REFUSAL, FACTS = LIMITS
EASIER: dict[str, dict[str, Any]] = {
    "off": {"enabled": False},
    "a lower limit": {"thresholds": [Threshold(Metric.REFUSAL, 0.6, worse_by=0.1), FACTS]},
    "no limit": {"thresholds": [Threshold(Metric.REFUSAL, None, worse_by=0.1), FACTS]},
    "one measure less": {"thresholds": [REFUSAL]},
    "more worse": {"thresholds": [Threshold(Metric.REFUSAL, 0.7, worse_by=0.2), FACTS]},
    "not compared": {"thresholds": [Threshold(Metric.REFUSAL, 0.7), FACTS]},
    "the figure itself": {"thresholds": [REFUSAL, Threshold(Metric.FACTS, 0.5)]},
    "stricter and easier": {"thresholds": [Threshold(Metric.REFUSAL, 0.9, worse_by=0.1)]},
    "newer questions": {"newest": True},
}


def test_what_makes_it_easier_waits_for_another_person(
    policies: Any, gated: Any, asked: Any, manager: Any, second: Any, subtests: Any
) -> None:
    sets.put(asked, [Case("Is it raining?", "easy", must_refuse=True)], by=manager)
    before = gate.of(policies)
    for way, wanted in EASIER.items():
        with subtests.test(way), undone():
            with pytest.raises(EvaluationError, match="reason"):
                chosen(policies, gated, manager, **wanted)
            chosen(policies, gated, manager, reason="Too strict for May.", **wanted)

            now = gate.of(policies)
            assert terms.asked(now) == terms.asked(before)
            with pytest.raises(Forbidden):
                terms.agree(policies, seen=terms.mark_of(now), by=manager)
            terms.agree(policies, seen=terms.mark_of(now), by=second)

            after = gate.of(policies)
            assert terms.asked(after) == now.wanted != terms.asked(before)
            assert (after.wanted, after.changed_by) == (None, second)
            told = Event.objects.filter(type=EventType.GATE_CHANGED).latest("at")
            assert (told.actor_id, str(manager.pk) in told.body, "for May" in told.body) == (str(second.pk), True, True)


def test_another_set_is_other_questions(policies: Any, gated: Any, manager: Any) -> None:
    other = sets.put(
        sets.create(policies, name="Easy", by=manager), [Case("Why?", "why", must_refuse=True)], by=manager
    )

    chosen(policies, gated, manager, question_set=other, reason="Shorter.")

    assert gate.of(policies).question_set == gated.question_set


def test_without_the_second_person_it_would_be_easier_at_once(
    policies: Any, gated: Any, manager: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The protection is that one question: taken away, a gate is off by one hand."""
    monkeypatch.setattr(terms, "loosened", lambda gate, wanted: [])

    chosen(policies, gated, manager, enabled=False)

    assert not gate.is_on(policies)


def test_what_makes_it_stricter_holds_at_once_and_ends_what_was_wanted_before(
    policies: Any, gated: Any, manager: Any, second: Any
) -> None:
    chosen(policies, gated, manager, enabled=False, reason="Too strict for May.")
    wish = gate.of(policies)

    chosen(policies, gated, second, thresholds=[Threshold(Metric.REFUSAL, 0.9, worse_by=0.1), FACTS])

    stored = gate.of(policies)
    assert (stored.wanted, from_data(stored.thresholds)[0].limit) == (None, 0.9)
    with pytest.raises(EvaluationError):
        terms.agree(policies, seen=terms.mark_of(wish), by=second)


def test_nobody_agrees_to_another_wish_than_they_read(policies: Any, gated: Any, manager: Any, second: Any) -> None:
    chosen(policies, gated, manager, thresholds=[REFUSAL], reason="Facts are measured elsewhere.")
    seen = terms.mark_of(gate.of(policies))
    chosen(policies, gated, manager, enabled=False, reason="Facts are measured elsewhere.")

    with pytest.raises(EvaluationError, match="since you read it"):
        terms.agree(policies, seen=seen, by=second)

    assert gate.is_on(policies)


def test_a_wish_can_be_withdrawn_and_leaves_the_gate_as_it_is(
    policies: Any, gated: Any, manager: Any, second: Any
) -> None:
    chosen(policies, gated, manager, enabled=False, reason="Too strict for May.")

    terms.withdraw(policies, by=second)

    assert (gate.of(policies).wanted, gate.is_on(policies)) == (None, True)
    assert Event.objects.filter(type=EventType.GATE_LOOSENING_WITHDRAWN).exists()
    with pytest.raises(EvaluationError):
        terms.agree(policies, seen="", by=second)


def test_a_gate_cannot_ask_a_set_that_holds_nothing(policies: Any, manager: Any) -> None:
    empty = sets.create(policies, name="Empty", by=manager)

    with pytest.raises(EvaluationError, match="no question"):
        terms.choose(policies, enabled=True, question_set=empty, thresholds=LIMITS, by=manager)


def test_a_gate_that_is_off_is_changed_by_one_person(policies: Any, asked: Any, manager: Any) -> None:
    off = terms.choose(policies, enabled=False, question_set=asked, thresholds=LIMITS, by=manager)

    sets.put(asked, [Case("Is it raining?", "new", must_refuse=True)], by=manager)

    chosen(policies, off, manager, enabled=False, thresholds=[REFUSAL])

    stored = gate.of(policies)
    assert [one.metric for one in from_data(stored.thresholds)] == [Metric.REFUSAL]
    # Switched on later it asks what the set holds then.
    assert stored.set_version == stored.question_set.version == 3
