"""The pages, as a manager meets them, and as everybody else does not."""

import json
from typing import Any

import pytest

from answers import review
from answers.finetuning import adviser, building, jobs, sets, watching
from answers.models import (
    Assessment,
    Evidence,
    FineTuningJob,
    ModelEndpoint,
    SetState,
    TrainingFlag,
    TrainingRules,
    TrainingSet,
)
from audit.events import EventType
from audit.models import Event
from documents import library
from documents.access import restriction
from documents.cards import classifying
from documents.models import Document
from tests.answers.finetuning.scene import SUBJECTS, a_set, approved, few

pytestmark = pytest.mark.django_db

HERE = "/w/legal/fine-tuning"
#: The last option of each question, which all pull to fine-tuning.
ALL_FOR_TUNING = {one.code: one.options[-1].code for one in adviser.CRITERIA}


def count(type: EventType) -> int:
    return Event.objects.filter(type=type).count()


def test_an_empty_page_says_how_it_goes_and_the_adviser_keeps_every_version(client_of: Any, legal: Any, manager: Any):
    client = client_of(manager)
    empty = client.get(f"{HERE}/")
    assert "Look it through and seal it." in empty.text
    assert f'href="{HERE}/" aria-current="page"' in empty.text

    unanswered = client.post(f"{HERE}/assess/", {"name": "Tone", **ALL_FOR_TUNING, "audit": ""})
    client.post(f"{HERE}/assess/", {"name": "Tone", **ALL_FOR_TUNING})
    made = Assessment.objects.get()
    verdict = client.get(f"{HERE}/assessments/{made.pk}/")
    shown_again = client.get(f"{HERE}/assessments/{made.pk}/again/")
    again = client.post(
        f"{HERE}/assessments/{made.pk}/again/", {"name": "Tone", **ALL_FOR_TUNING, "sensitivity": "high"}, follow=True
    )

    assert (unanswered.status_code, Assessment.objects.count()) == (400, 2)
    assert "Fewer than 50" in verdict.text  # among what would change it
    assert 'value="never" required id="id_audit_2" checked' in " ".join(shown_again.text.split())
    assert "rules training out by itself" in again.text
    taken = client.get(f"{HERE}/assessments/{made.pk}/file/json/")
    assert json.loads(taken.content)["verdict"] == "fine_tuning"
    assert client.get(f"{HERE}/assessments/{made.pk}/file/exe/")["Location"] == f"{HERE}/assessments/{made.pk}/"
    assert "Tone" in client.get(f"{HERE}/").text


def test_a_set_is_asked_for_looked_through_sealed_and_taken_away(
    client_of: Any, legal: Any, member: Any, reviewer: Any, manager: Any
):
    subjects = [*SUBJECTS[:4], ("Whom do I call?", "Write to ana.petrovic@firma.example for help.")]
    answers = approved(legal, member, reviewer, subjects=subjects)
    restriction.restrict(Evidence.objects.get(answer=answers[0]).document, by=manager)
    client = client_of(manager)
    wanted = {"name": "House", "ceiling": "internal", "usages": ["own"], "validation_percent": "0"}
    assert client.post(f"{HERE}/sets/new/", wanted | {"usages": ["reserved"]}).status_code == 400
    client.post(f"{HERE}/sets/new/", wanted)
    training_set = TrainingSet.objects.get()
    page = f"{HERE}/sets/{training_set.pk}/"
    assert 'hx-trigger="every 3s"' in client.get(page).text
    building.build(training_set.pk)
    refreshed = client.get(page, headers={"HX-Request": "true"})
    assert (refreshed.status_code, refreshed["HX-Refresh"]) == (204, "true")

    shown = client.get(page)
    assert "A source is closed to some people here" in shown.text
    assert '<mark title="e-mail address">ana.petrovic@firma.example</mark>' in shown.text
    assert count(EventType.TRAINING_READ) == 1
    flagged = client.get(f"{page}?show=personal").context["rows"]
    assert [row.is_undecided for row in flagged] == [True]
    refused = client.post(f"{page}seal/", follow=True)
    assert "looks as if it held data of a person" in refused.text
    for sent in ({"act": "keep", "example": ["no id"]}, {"act": "drop"}):
        assert "still to be decided about" in client.post(f"{page}choose/", sent, follow=True).text
    client.post(f"{page}choose/", {"act": "keep", "example": [str(flagged[0].example.pk)]})
    client.post(f"{page}choose/", {"act": "drop", "example": [str(flagged[0].example.pk)]})
    with few():
        client.post(f"{page}seal/")
    training_set.refresh_from_db()

    assert training_set.state == SetState.SEALED
    file = client.get(f"{page}file/train/")
    assert file.content.count(b"\n") == 3
    assert file["Content-Disposition"].endswith('-train.jsonl"')
    assert json.loads(client.get(f"{page}file/manifest/").content)["signed"]["format"] == "inlock-training-set-1"
    assert "no such file" in client.get(f"{page}file/nothing/", follow=True).text
    assert training_set.files.get().sha256 in client.get(page).text


def test_examples_whose_source_is_closed_to_the_manager_are_neither_shown_nor_decided(
    client_of: Any, legal: Any, member: Any, reviewer: Any, manager: Any
):
    answers = approved(legal, member, reviewer, subjects=[SUBJECTS[0], ("Who?", "Write to ana@firma.example today.")])
    training_set = a_set(legal, manager)
    secret = training_set.examples.exclude(personal=[]).get()
    document = Evidence.objects.get(answer=answers[1]).document
    restriction.restrict(document, by=manager)
    restriction.grant(document, member, by=manager)
    restriction.revoke_grant(document, manager, by=manager)

    client, page = client_of(manager), f"{HERE}/sets/{training_set.pk}/"
    shown = client.get(page)
    client.post(f"{page}choose/", {"act": "keep", "example": [str(secret.pk)]})
    secret.refresh_from_db()

    assert "ana@firma.example" not in shown.text
    assert "1 example rests on a document that is closed to you" in shown.text
    assert secret.kept_at is None


def test_a_job_is_begun_followed_and_ended_on_its_page(
    client_of: Any, sealed: Any, trainer: Any, followed: Any, provider_server: Any, manager: Any
):
    client, page = client_of(manager), f"{HERE}/sets/{sealed.pk}/"
    assert "small-1" in client.get(page).text
    assert client.post(f"{page}train/", {"endpoint": str(trainer.pk), "base_model": ""}).status_code == 400
    client.post(f"{page}train/", {"endpoint": str(trainer.pk), "base_model": "small-1", "epochs": "2"})
    job = FineTuningJob.objects.get()
    at = f"{HERE}/jobs/{job.pk}/"
    assert 'hx-trigger="every 5s"' in client.get(at).text
    followed(job)
    live = client.get(at, headers={"HX-Request": "true"})
    assert "Created." in live.text
    assert "<html" not in live.text

    client.post(f"{at}cancel/")
    followed(job)

    assert "Cancelled" in client.get(at).text
    assert "This job is over" in client.post(f"{at}cancel/", follow=True).text
    assert "small-1" in client.get(f"{HERE}/").text


def test_a_flag_is_settled_with_a_reason_and_rules_say_what_takes_models_out(
    client_of: Any, sealed: Any, trainer: Any, followed: Any, provider_server: Any, manager: Any, legal: Any
):
    job = followed(jobs.begin(sealed, endpoint=trainer, base_model="small-1", by=manager))
    for _step in range(3):
        provider_server.advance(provider_server.jobs[0])
    candidate = followed(job).result
    client = client_of(manager)
    client.post(f"{HERE}/rules/", {"suspends_on": ["reclassified"]})
    assert client.post(f"{HERE}/rules/", {"suspends_on": ["weather"]}).status_code == 400
    assert TrainingRules.objects.get().suspends_on == ["reclassified"]
    library.delete(Document.objects.get(pk=next(iter(jobs.documents_of(sealed)))), by=manager)
    flag = TrainingFlag.objects.get()
    page = f"{HERE}/flags/{flag.pk}/"
    assert page in client.get(f"{HERE}/").text
    assert "go on answering until you decide" in client.get(page).text
    assert "should not stand" in client.get(f"{HERE}/jobs/{job.pk}/").text
    assert "Decide about its flags first" in client.get(f"{HERE}/sets/{sealed.pk}/file/train/", follow=True).text

    assert client.post(page, {"decision": "retire"}).status_code == 400
    client.post(page, {"decision": "retire", "note": "Too close to the deleted one."})

    assert ModelEndpoint.objects.get(pk=candidate.pk).state == "retired"
    assert "Too close to the deleted one." in client.get(f"{HERE}/sets/{sealed.pk}/").text
    assert client.post(page, {"decision": "keep", "note": "No."}).status_code == 400
    assert count(EventType.TRAINING_SETTLED) == 1


def test_the_examples_that_a_flag_is_about_are_marked_until_somebody_decided(
    client_of: Any, sealed: Any, manager: Any, reviewer: Any
):
    raised, taken = sealed.examples.order_by("position")
    client, page = client_of(manager), f"{HERE}/sets/{sealed.pk}/"

    def marked() -> list[Any]:
        shown = client.get(page)
        found = [row.example for row in shown.context["rows"] if row.is_in_doubt]
        assert shown.text.count("In doubt") == len(found)
        return found

    assert marked() == []
    classifying.classify(Evidence.objects.get(answer=raised.answer).document, "confidential", by=manager)
    assert marked() == [raised]
    review.take_back(taken.answer, by=reviewer, reason="It was wrong.")
    watching.sweep()
    assert marked() == [raised, taken]

    flag = TrainingFlag.objects.get(reason="reclassified")
    client.post(f"{HERE}/flags/{flag.pk}/", {"decision": "keep", "note": "Nobody else asks this model."})

    assert marked() == [taken]


def test_what_another_workspace_trains_is_not_there(client_of: Any, sealed: Any, policies: Any, manager: Any):
    client = client_of(manager)

    assert client.get(f"/w/policies/fine-tuning/sets/{sealed.pk}/").status_code == 404
    assert client.post(f"/w/policies/fine-tuning/sets/{sealed.pk}/seal/").status_code == 404


def test_members_are_refused_and_strangers_find_nothing(client_of: Any, sealed: Any, reviewer: Any, stranger: Any):
    for person, status in ((reviewer, 403), (stranger, 404)):
        client = client_of(person)
        for path in ("", "rules/", "assess/", "sets/new/", f"sets/{sealed.pk}/", f"sets/{sealed.pk}/file/train/"):
            assert client.get(f"{HERE}/{path}").status_code == status, path
        assert client.post(f"{HERE}/sets/{sealed.pk}/seal/").status_code == status


def test_without_the_rule_on_sources_a_closed_example_would_be_shown(
    client_of: Any, legal: Any, member: Any, reviewer: Any, manager: Any, monkeypatch: Any
):
    answers = approved(legal, member, reviewer, subjects=SUBJECTS[:2])
    training_set = a_set(legal, manager)
    document = Evidence.objects.get(answer=answers[1]).document
    restriction.restrict(document, by=manager)
    restriction.grant(document, member, by=manager)
    restriction.revoke_grant(document, manager, by=manager)
    page = f"{HERE}/sets/{training_set.pk}/"
    assert SUBJECTS[1][0] not in client_of(manager).get(page).text

    monkeypatch.setattr(sets, "examples_shown", lambda found, *, to: found.examples.order_by("position"))

    assert SUBJECTS[1][0] in client_of(manager).get(page).text
