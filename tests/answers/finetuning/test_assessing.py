"""Assessments: stored as they were answered, versioned, and taken away with their entry."""

import json
from typing import Any

import pytest

from answers.exceptions import TrainingError
from answers.finetuning import adviser, assessing
from answers.models import Assessment, Verdict
from audit.chain import digest
from audit.events import EventType
from audit.models import Event
from workspaces.exceptions import Forbidden, Hidden

pytestmark = pytest.mark.django_db

#: The last option of each question, which all pull to fine-tuning.
ALL_FOR_TUNING = {one.code: one.options[-1].code for one in adviser.CRITERIA}


@pytest.fixture
def assessment(legal: Any, manager: Any) -> Assessment:
    return assessing.make(legal, name="Tone of *letters*", note="A | B", choices=ALL_FOR_TUNING, by=manager)


def details(type: EventType) -> list[dict[str, Any]]:
    return [json.loads(event.body)["details"] for event in Event.objects.filter(type=type).order_by("seq")]


def test_a_use_case_is_stored_with_its_answers_and_looked_at_anew_as_the_next_version(assessment, legal, manager):
    again = assessing.make(
        legal, name="Tone", note="", choices={**ALL_FOR_TUNING, "sensitivity": "high"}, follows=assessment, by=manager
    )

    assert (assessment.verdict, again.verdict) == (Verdict.FINE_TUNING, Verdict.RETRIEVAL)
    assert (again.series, again.version) == (assessment.series, 2)
    assert list(assessing.versions_of(assessment)) == [again, assessment]
    assert list(assessing.newest_in(legal)) == [again]
    told = details(EventType.ASSESSMENT_MADE)
    assert [one["verdict"] for one in told] == ["fine_tuning", "retrieval"]
    assert told[0]["choices"] == ALL_FOR_TUNING


def test_it_is_taken_away_as_it_stands_and_people_s_words_are_no_markup(assessment, manager):
    as_json = assessing.take(assessment, "json", by=manager)
    as_text = assessing.take(assessment, "md", by=manager).content.decode()

    said = json.loads(as_json.content)
    assert (said["verdict"], said["answers"]) == ("fine_tuning", ALL_FOR_TUNING)
    assert {turn["criterion"] for turn in said["would_change"]} >= {"audit", "sensitivity", "examples"}
    assert said["sums"]["fine_tuning"] == sum(one["fine_tuning"] for one in said["weighed"].values())
    assert "# Tone of \\*letters\\*" in as_text
    assert "> A \\| B" in as_text
    assert [one["sha256"] for one in details(EventType.ASSESSMENT_EXPORTED)] == [
        digest(as_json.content.decode()),
        digest(as_text),
    ]
    with pytest.raises(TrainingError):
        assessing.take(assessment, "exe", by=manager)


def test_one_of_older_weights_keeps_its_verdict_and_is_not_weighed_anew(assessment, manager):
    Assessment.objects.filter(pk=assessment.pk).update(weights="adviser-0")
    assessment.refresh_from_db()

    said = json.loads(assessing.take(assessment, "json", by=manager).content)

    assert (said["verdict"], said["weights"], "weighed" in said) == ("fine_tuning", "adviser-0", False)
    assert "| --- |" not in assessing.take(assessment, "md", by=manager).content.decode()


@pytest.mark.parametrize(
    "given",
    [
        {"name": " "},
        {"name": "x" * 121},
        {"note": "x" * 2001},
        {"choices": {**ALL_FOR_TUNING, "audit": "maybe"}},
        {"choices": {}},
    ],
    ids=str,
)
def test_what_is_missing_or_unknown_is_refused_and_nothing_is_stored(given, legal, manager):
    with pytest.raises(TrainingError):
        assessing.make(legal, **({"name": "Tone", "note": "", "choices": ALL_FOR_TUNING} | given), by=manager)

    assert not Assessment.objects.exists()


def test_who_does_not_manage_the_workspace_makes_and_takes_none(assessment, legal, member, reviewer, stranger):
    for person, refusal in ((member, Forbidden), (reviewer, Forbidden), (stranger, Hidden)):
        with pytest.raises(refusal):
            assessing.make(legal, name="Mine", note="", choices=ALL_FOR_TUNING, by=person)
        with pytest.raises(Hidden):
            assessing.take(assessment, "json", by=person)


def test_a_look_at_a_case_of_another_workspace_is_refused(assessment, policies, manager, member):
    from workspaces import members

    members.add_member(policies, member, "manager", by=None)

    with pytest.raises(Hidden):
        assessing.make(policies, name="Theirs", note="", choices=ALL_FOR_TUNING, follows=assessment, by=member)
