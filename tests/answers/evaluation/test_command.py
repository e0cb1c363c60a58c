"""`manage.py evaluate`: the figures for whoever manages the workspace, and nothing for anybody else."""

import json
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from answers.models import EvaluationRun, QuestionSet


def test_it_asks_a_file_and_prints_the_figures(
    policies: Any, handbook: Any, manager: Any, tmp_path: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    cases = [
        {"id": "leave", "question": "How many days of annual leave does an employee have?", "facts": ["25"]},
        {"id": "enzyme", "question": "Which enzyme splits lactose in the human gut?", "refuse": True},
    ]
    file = tmp_path / "cases.jsonl"
    file.write_text("\n".join(map(json.dumps, cases)))

    call_command("evaluate", "policies", str(file), "--json")

    told = json.loads(capsys.readouterr().out)
    assert (told["state"], told["as"], told["question_set"]) == ("done", "manager", "cases")
    assert told["figures"]["refusal"]["value"] == 1.0
    assert told["figures"]["facts"]["value"] == 1.0
    assert {case["id"] for case in told["cases"]} == {"leave", "enzyme"}


@pytest.mark.parametrize("who", ["contributor", "member", "stranger"])
def test_it_asks_nothing_for_who_does_not_manage(policies: Any, stranger: Any, tmp_path: Any, who: str) -> None:
    file = tmp_path / "cases.jsonl"
    file.write_text('{"question": "Why?", "refuse": true}')

    with pytest.raises(CommandError) as refused:
        call_command("evaluate", "policies", str(file), "--as", who)

    assert refused.value.returncode == 2
    assert not QuestionSet.objects.exists()
    assert not EvaluationRun.objects.exists()


def test_a_mistake_in_the_file_is_told_with_its_line(policies: Any, manager: Any, tmp_path: Any) -> None:
    file = tmp_path / "cases.csv"
    file.write_text("id,question\na,\n")

    with pytest.raises(CommandError, match="line 2") as refused:
        call_command("evaluate", "policies", str(file))

    assert refused.value.returncode == 2
