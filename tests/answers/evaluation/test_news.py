"""What waits at a gate for a second person is told to those who may be that person, and its end to who asked."""

from typing import Any

import pytest

from answers.evaluation import gate, terms
from answers.evaluation.figures import Metric
from answers.evaluation.thresholds import Threshold
from answers.models import GateCandidate
from workspaces.bars import rules as bars
from workspaces.models import Mail, Notification
from workspaces.notifications import mail, telling
from workspaces.notifications.registry import Kind


@pytest.fixture
def mailed(settings: Any, second: Any, manager: Any) -> None:
    settings.MAIL_IS_ON, settings.PORTAL_URL = True, "https://portal.example"
    for person in (second, manager):
        person.email = f"{person.username}@people.example"
        person.save(update_fields=["email"])


def told(kind: Kind) -> dict[str, Any]:
    return {row.person.username: row for row in Notification.objects.filter(kind=kind).select_related("person")}


def test_an_override_is_told_to_who_may_agree_and_its_end_to_who_proposed_it(
    policies: Any, gated: Any, twin: Any, manager: Any, second: Any, auditor: Any, reviewer: Any, mailed: None
) -> None:
    candidate = gate.propose(policies, kind="model", target=str(twin.pk), by=manager)
    gate.ask_override(candidate, reason="The old model is switched off today.", by=manager)

    assert set(told(Kind.GATE_OVERRIDE_ASKED)) == {second.username}
    (line,) = telling.tell(told(Kind.GATE_OVERRIDE_ASKED).values(), to=second)
    assert (line.name, line.address, line.is_over) == (
        "Chat model: twin",
        f"/w/{policies.slug}/evaluation/gate/",
        False,
    )
    message = mail.compose(Mail.objects.get(person=second))
    assert message is not None
    assert "without passing the change gate" in message.subject
    everything = str(message.body) + str(message.alternatives[0][0])
    assert "twin" not in everything
    assert "switched off" not in everything

    candidate.refresh_from_db()
    gate.agree(candidate, seen=gate.mark_of(candidate), by=second)

    assert set(told(Kind.GATE_SETTLED)) == {manager.username}
    assert mail.compose(Mail.objects.get(person=second)) is None, "there is nothing left to agree to"


def test_a_wish_for_an_easier_gate_is_told_to_who_may_agree_and_its_end_to_who_wished_it(
    policies: Any, gated: Any, asked: Any, manager: Any, second: Any, mailed: None
) -> None:
    stricter = [Threshold(Metric.REFUSAL, 0.9, worse_by=0.1), Threshold(Metric.FACTS, 0.5)]
    for end in ("agreed", "withdrawn", "made stricter"):
        terms.choose(policies, enabled=True, question_set=asked, thresholds=stricter, by=manager)
        Notification.objects.all().delete()
        Mail.objects.all().delete()
        terms.choose(policies, enabled=False, question_set=asked, thresholds=stricter, reason="May.", by=manager)
        assert set(told(Kind.GATE_LOOSENING_ASKED)) == {second.username}, end
        message = mail.compose(Mail.objects.get(person=second))
        assert message is not None
        assert "May." not in str(message.body)

        if end == "agreed":
            terms.agree(policies, seen=terms.mark_of(gate.of(policies)), by=second)
        elif end == "withdrawn":
            terms.withdraw(policies, by=second)
        else:
            terms.choose(policies, enabled=True, question_set=asked, thresholds=stricter[:1], reason="?", by=second)
            assert set(told(Kind.GATE_LOOSENING_ASKED)) == {second.username, manager.username}, "another wish"
            stricter[0] = Threshold(Metric.REFUSAL, 0.95, worse_by=0.1)
            terms.choose(policies, enabled=True, question_set=asked, thresholds=stricter, by=manager)

        ended = {second.username} if end == "made stricter" else {manager.username}
        assert set(told(Kind.GATE_LOOSENING_SETTLED)) == ended, end


def test_who_lost_the_workspace_since_is_told_no_name(
    policies: Any, gated: Any, twin: Any, manager: Any, second: Any, mailed: None
) -> None:
    candidate = gate.propose(policies, kind="model", target=str(twin.pk), by=manager)
    gate.ask_override(candidate, reason="Today.", by=manager)
    bars.bar(policies, second, reason="Conflict.", by=manager)

    (line,) = telling.tell(told(Kind.GATE_OVERRIDE_ASKED).values(), to=second)

    assert (line.name, line.address, line.is_open) == ("", "", False)
    assert mail.compose(Mail.objects.get(person=second)) is None
    again = GateCandidate.objects.get(pk=candidate.pk)
    gate.ask_override(again, reason="Now.", by=manager)
    assert len(told(Kind.GATE_OVERRIDE_ASKED)) == 1, "who is barred from the workspace is asked for nothing"
