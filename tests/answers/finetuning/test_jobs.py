"""Jobs at a provider that behaves like the public API, and the ways in which it and the way to it fail."""

import hashlib
import json
from typing import Any

import pytest

from answers.exceptions import TrainingError
from answers.finetuning import following, jobs, sealing
from answers.models import FineTuningJob, JobState, ModelEndpoint, Split, WorkspaceModels
from audit.events import EventType
from audit.models import Event
from documents.models import Document
from workspaces.endpoint_states import EndpointStateError, approve, fingerprint
from workspaces.exceptions import Hidden

pytestmark = pytest.mark.django_db

FILES, JOBS = "POST /files", "POST /fine_tuning/jobs"


@pytest.fixture
def job(sealed: Any, trainer: Any, manager: Any) -> FineTuningJob:
    return jobs.begin(sealed, endpoint=trainer, base_model="small-1", by=manager)


def details(type: EventType) -> list[dict[str, Any]]:
    return [json.loads(event.body)["details"] for event in Event.objects.filter(type=type).order_by("seq")]


def advance(server: Any, times: int = 3) -> None:
    for _step in range(times):
        server.advance(server.jobs[0])


def test_a_job_is_sent_followed_and_becomes_a_candidate_with_its_lineage(
    job, followed, provider_server, sealed, trainer
):
    followed(job)
    assert (job.state, job.remote_status) == (JobState.RUNNING, "validating_files")
    for status in ("queued", "running"):
        advance(provider_server, 1)
        assert followed(job).remote_status == status
    advance(provider_server, 1)
    followed(job)

    assert (job.state, job.tuned_model, job.trained_tokens) == (
        JobState.SUCCEEDED,
        f"ft:small-1:inlock-{job.pk.hex[:8]}",
        1234,
    )
    assert [told.message for told in job.events.all()] == ["Created."] + [
        f"The job is {s}." for s in ("queued", "running", "succeeded")
    ]
    sent = provider_server.contents[job.train_file]
    assert hashlib.sha256(sent).hexdigest() == sealed.files.get().sha256 == details(EventType.TUNING_SENT)[0]["sha256"]
    candidate = ModelEndpoint.objects.get(tuned_by=job)
    assert (candidate.state, candidate.parent, candidate.model) == ("candidate", trainer, job.tuned_model)
    assert candidate.lineage["files"] == {Split.TRAIN: sealed.files.get().sha256}
    assert candidate.input_price is None
    assert details(EventType.TUNING_ENDED)[0]["candidate"] == str(candidate.pk)
    assert followed(job, 2).state == JobState.SUCCEEDED
    assert (provider_server.count(FILES), provider_server.count(JOBS)) == (1, 1)


@pytest.mark.parametrize("lost", [FILES, JOBS])
def test_a_connection_that_is_lost_after_sending_costs_a_look_and_no_second_training(
    lost, job, followed, provider_server
):
    for number in range(7):  # so that what is looked for stands on another page
        provider_server.files.append({"id": f"other-{number}", "filename": "other.jsonl"})
        provider_server.jobs.append(
            {"id": f"otherjob-{number}", "training_file": f"other-{number}", "status": "succeeded"}
        )
    provider_server.losses.append(lost)

    followed(job)
    assert (job.state in ("uploading", "waiting"), job.misses) == (True, 1)
    provider_server.files.reverse()
    provider_server.jobs.reverse()
    followed(job)

    assert job.state == JobState.RUNNING
    assert (provider_server.count(FILES), provider_server.count(JOBS)) == (1, 1)


def test_without_the_look_a_lost_connection_would_begin_a_second_training(job, followed, provider_server, monkeypatch):
    monkeypatch.setattr(following.Provider, "find_job", lambda self, file: None)
    provider_server.losses.append(JOBS)

    followed(job, 2)

    assert provider_server.count(JOBS) == 2


def test_a_worker_that_died_after_sending_leaves_no_second_training(job, followed, provider_server, monkeypatch):
    create = following.Provider.create

    def die_after(self: Any, **given: Any) -> Any:
        create(self, **given)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(following.Provider, "create", die_after)
        with pytest.raises(KeyboardInterrupt):
            followed(job)
    followed(job)

    assert (job.state, provider_server.count(JOBS)) == (JobState.RUNNING, 1)


@pytest.mark.parametrize(
    ("refusal", "state", "says"),
    [
        ((FILES, 401, {}), JobState.FAILED, "refused access"),
        ((FILES, 413, {}), JobState.FAILED, "larger"),
        ((FILES, 400, {}), JobState.FAILED, "400"),
        ((JOBS, 400, {}), JobState.FAILED, "400"),
        ((JOBS, 404, {}), JobState.FAILED, "knows no such thing"),
        ((FILES, 429, {"retry-after": "7"}), JobState.RUNNING, ""),
        ((JOBS, 429, {}), JobState.RUNNING, ""),
        ((FILES, 500, {}), JobState.RUNNING, ""),
        ((JOBS, 503, {}), JobState.RUNNING, ""),
        (("GET /fine_tuning/jobs/ftjob-0", 500, {}), JobState.RUNNING, ""),
    ],
    ids=str,
)
def test_what_passes_is_tried_again_and_what_does_not_ends_the_job(
    refusal, state, says, job, followed, provider_server
):
    provider_server.refusals.append(refusal)

    followed(job)
    first = (job.state, job.misses, job.problem)
    followed(job)

    assert job.state == state
    assert says in job.problem
    assert state == JobState.FAILED or (first[1] == 1 and len(provider_server.jobs) == len(provider_server.files) == 1)
    assert "sk-training" not in job.problem


def test_retry_after_is_waited_for(job, provider_server):
    provider_server.refusals.append((FILES, 429, {"retry-after": "3600"}))

    following.follow(job.pk)
    following.follow(job.pk)

    assert provider_server.count(FILES) == 1


@pytest.mark.parametrize("outcome", ["failed", "cancelled"])
def test_a_job_that_came_to_nothing_says_why_and_makes_no_candidate(outcome, job, followed, provider_server):
    provider_server.outcome = outcome
    followed(job)
    advance(provider_server)

    followed(job)

    assert job.state == outcome
    assert ("Line 3" in job.problem) == (outcome == "failed")
    assert not ModelEndpoint.objects.filter(parent__isnull=False).exists()


def test_a_job_is_cancelled_before_it_is_sent_and_at_the_provider(
    job, followed, provider_server, manager, sealed, trainer
):
    jobs.cancel(job, by=manager)
    assert (followed(job).state, provider_server.asked) == (JobState.CANCELLED, [])

    other = followed(jobs.begin(sealed, endpoint=trainer, base_model="small-1", epochs=3, by=manager))
    assert provider_server.jobs[0]["hyperparameters"] == {"n_epochs": 3}
    jobs.cancel(other, by=manager)
    followed(other)

    assert other.state == JobState.CANCELLED
    with pytest.raises(TrainingError, match="over"):
        jobs.cancel(other, by=manager)


def test_only_one_job_of_a_set_is_under_way_and_only_managers_begin_one(
    job, sealed, trainer, manager, reviewer, stranger
):
    with pytest.raises(TrainingError, match="under way"):
        jobs.begin(sealed, endpoint=trainer, base_model="small-1", by=manager)
    with pytest.raises(Hidden):
        jobs.begin(sealed, endpoint=trainer, base_model="small-1", by=reviewer)
    with pytest.raises(Hidden):
        jobs.cancel(job, by=stranger)


def test_nothing_is_sent_above_the_ceiling_to_an_unlisted_or_an_unapproved_endpoint(
    sealed, trainer, manager, provider_server, legal
):
    def refused() -> str:
        with pytest.raises(TrainingError) as caught:
            jobs.begin(sealed, endpoint=trainer, base_model="small-1", by=manager)
        return str(caught.value)

    trainer.ceiling = "public"
    trainer.save()
    assert "classified higher" in refused()
    ModelEndpoint.objects.filter(pk=trainer.pk).update(ceiling="internal", state="candidate")
    assert "not approved" in refused()
    ModelEndpoint.objects.filter(pk=trainer.pk).update(state="approved")
    WorkspaceModels.objects.get(workspace=legal).choices.clear()
    assert "does not allow" in refused()
    assert provider_server.asked == []


def test_the_policy_is_asked_again_at_the_moment_of_sending(job, followed, provider_server):
    ids = jobs.documents_of(job.training_set)
    Document.objects.filter(pk=next(iter(ids))).update(classification="restricted")

    followed(job)

    assert (job.state, provider_server.count(FILES)) == (JobState.FAILED, 0)


def test_without_the_policy_the_same_document_would_be_sent(job, followed, provider_server, monkeypatch):
    Document.objects.filter(pk=next(iter(jobs.documents_of(job.training_set)))).update(classification="restricted")
    monkeypatch.setattr(jobs.governing, "permitted", lambda *given, **named: "")

    followed(job)

    assert provider_server.count(FILES) == 1


def test_a_candidate_is_not_approved_while_its_set_is_in_doubt(job, followed, provider_server, admin, manager):
    from answers.finetuning import settling
    from documents import library

    followed(job)
    advance(provider_server)
    candidate = followed(job).result
    document = Document.objects.get(pk=next(iter(jobs.documents_of(job.training_set))))
    library.delete(document, by=manager)

    with pytest.raises(EndpointStateError, match="should not stand"):
        approve(candidate, seen=fingerprint(ModelEndpoint.objects.get(pk=candidate.pk)), by=admin)
    flag = job.training_set.flags.get()
    settling.settle(flag, decision="keep", note="The rule it taught still holds.", by=manager)
    approve(candidate, seen=fingerprint(ModelEndpoint.objects.get(pk=candidate.pk)), by=admin)

    assert ModelEndpoint.objects.get(pk=candidate.pk).state == "approved"
    with pytest.raises(TrainingError):
        sealing.content_of(job.training_set, Split.VALIDATION)
