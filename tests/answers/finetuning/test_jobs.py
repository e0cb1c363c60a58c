"""Jobs at a provider that behaves like the public API, and the ways in which it and the way to it fail."""

import hashlib
import json
from decimal import Decimal
from typing import Any

import pytest
from django.conf import settings
from django.urls import reverse
from django.utils import timezone

from answers import governing
from answers.cockpit.figures import cockpit
from answers.exceptions import ModelRefused, TrainingError
from answers.finetuning import following, jobs, sealing, tidying
from answers.governing import budgets, policy
from answers.governing.policy import Call
from answers.models import FineTuningJob, JobState, ModelEndpoint, Purpose, Spend, Split, Usage, WorkspaceModels
from answers.prompts import Prompt
from answers.states import AnswerStatus
from audit.events import EventType
from audit.models import Event
from documents.models import Document
from tests.answers.finetuning.scene import a_model_of
from tests.undone import undone
from workspaces import members
from workspaces.endpoints.states import EndpointStateError, approve, fingerprint, retire
from workspaces.exceptions import Hidden
from workspaces.models import Notification, Workspace
from workspaces.notifications.registry import Kind
from workspaces.roles import Role

pytestmark = pytest.mark.django_db

FILES, JOBS = "POST /files", "POST /fine_tuning/jobs"


@pytest.fixture
def job(sealed: Any, trainer: Any, manager: Any) -> FineTuningJob:
    return jobs.begin(sealed, endpoint=trainer, base_model="small-1", by=manager)


def details(type: EventType) -> list[dict[str, Any]]:
    return [json.loads(event.body)["details"] for event in Event.objects.filter(type=type).order_by("seq")]


def priced(trainer: Any, price: str) -> None:
    ModelEndpoint.objects.filter(pk=trainer.pk).update(training_price=Decimal(price))


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


def test_a_training_whose_price_is_known_is_counted_once_in_ledger_budgets_cockpit_and_trail(
    job, followed, provider_server, trainer, legal, manager, client_of
):
    priced(trainer, "8")
    followed(job)
    advance(provider_server)
    followed(job)
    followed(job)

    usage = Usage.objects.get(purpose=Purpose.FINE_TUNING)
    # 1,234 tokens at 8 a million.
    cost = Decimal("0.009872")
    assert (job.cost, job.currency, usage.cost) == (cost, settings.CURRENCY, cost)
    assert (usage.workspace, usage.person, usage.endpoint) == (legal, job.asked_by, trainer)
    assert (usage.input_tokens, usage.output_tokens, usage.state, usage.is_estimated) == (1234, 0, "settled", False)
    assert {row.workspace for row in Spend.objects.all()} == {None, legal}
    assert {(row.tokens, row.cost) for row in Spend.objects.all()} == {(1234, cost)}
    bars = [bar for one in cockpit(legal).figures if one.code == "costs" for bar in one.bars]
    assert [(bar.label, bar.number) for bar in bars] == [("trainer: small-1", cost)]
    ended = details(EventType.TUNING_ENDED)[0]
    assert (ended["tokens"], Decimal(ended["cost"]), ended["currency"]) == (1234, cost, settings.CURRENCY)
    shown = client_of(manager).get(reverse("answers:tuning_job", args=[legal.slug, job.pk])).content.decode()
    assert f"0.01 {settings.CURRENCY}, counted in the budgets here" in shown


def test_a_training_without_a_price_is_on_the_providers_bill_alone_and_the_page_says_so(
    job, followed, provider_server, trainer, legal, manager, client_of
):
    followed(job)
    advance(provider_server)
    followed(job)

    assert (job.trained_tokens, job.cost, job.currency) == (1234, None, "")
    assert not Usage.objects.exists()
    assert "cost" not in details(EventType.TUNING_ENDED)[0]
    shown = client_of(manager).get(reverse("answers:tuning_job", args=[legal.slug, job.pk])).content.decode()
    assert "outside of the budgets here" in shown


def test_what_a_training_cost_keeps_the_next_call_from_a_money_budget_that_it_spent(
    job, followed, provider_server, trainer, legal, manager
):
    priced(trainer, "8")
    ModelEndpoint.objects.filter(pk=trainer.pk).update(input_price=1, output_price=1, max_output_tokens=100)
    budgets.change(legal, by=manager, day_cost=Decimal("0.005"))
    followed(job)
    advance(provider_server)
    followed(job)

    call = Call(Purpose.ANSWER, legal, job.asked_by, Prompt("", "Who?", "", ""))
    with pytest.raises(ModelRefused) as refused:
        policy.permit(trainer, call)
    assert refused.value.status == AnswerStatus.REFUSED_BUDGET


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


REFUSALS = [
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
]


def test_what_passes_is_tried_again_and_what_does_not_ends_the_job(
    sealed, trainer, manager, followed, provider_server, subtests
):
    for refusal, state, says in REFUSALS:
        with subtests.test(refusal), undone():
            for kept in (provider_server.files, provider_server.jobs, provider_server.contents):
                kept.clear()
            provider_server.refusals[:] = [refusal]
            job = jobs.begin(sealed, endpoint=trainer, base_model="small-1", by=manager)

            followed(job)
            first = (job.state, job.misses, job.problem)
            followed(job)

            assert job.state == state
            assert says in job.problem
            once = len(provider_server.jobs) == len(provider_server.files) == 1
            assert state == JobState.FAILED or (first[1] == 1 and once)
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


def lower_the_ceiling(job: FineTuningJob) -> None:
    ModelEndpoint.objects.filter(pk=job.endpoint_id).update(ceiling="public")


def close_a_document(job: FineTuningJob) -> None:
    Document.objects.filter(pk=next(iter(jobs.documents_of(job.training_set)))).update(restricted=True)


def take_the_usage_right_back(job: FineTuningJob) -> None:
    Document.objects.filter(pk=next(iter(jobs.documents_of(job.training_set)))).update(usage="reserved")


def take_the_role_away(job: FineTuningJob) -> None:
    members.add_member(job.workspace, members.create_user(username="next", by=None), Role.MANAGER, by=None)
    members.remove_member(job.workspace, job.asked_by, Role.MANAGER, by=None)


def archive(job: FineTuningJob) -> None:
    Workspace.objects.filter(pk=job.workspace_id).update(archived_at=timezone.now())


def lead_elsewhere(job: FineTuningJob) -> None:
    ModelEndpoint.objects.filter(pk=job.endpoint_id).update(base_url="http://127.0.0.1:9/v1")


def test_everything_is_asked_again_at_the_moment_of_sending(job, followed, provider_server):
    """Neither a flag nor the sweep that raises it came between: the rows alone decide."""
    for happens in (
        lower_the_ceiling,
        close_a_document,
        take_the_usage_right_back,
        take_the_role_away,
        archive,
        lead_elsewhere,
    ):
        with undone():
            happens(job)
            assert (followed(job).state, provider_server.asked) == (JobState.FAILED, []), happens.__name__
        job.refresh_from_db()


def test_without_asking_again_a_closed_document_would_be_sent(job, followed, provider_server, monkeypatch):
    close_a_document(job)
    monkeypatch.setattr(following, "require_permitted", lambda *given, **named: None)

    followed(job)

    assert provider_server.count(FILES) == 1


def test_the_files_of_a_training_that_is_over_are_deleted_there_and_looked_for_where_a_name_was_lost(
    job, followed, provider_server, sealed, client_of, manager
):
    followed(job)
    assert tidying.tidy(job.pk) is False  # it is under way
    advance(provider_server)
    followed(job)
    FineTuningJob.objects.filter(pk=job.pk).update(train_file="")
    provider_server.refusals.append(("DELETE /files", 503, {}))

    assert tidying.tidy(job.pk) is False
    assert (tidying.tidy(job.pk), provider_server.count("DELETE")) == (False, 1)  # not before its pause
    page = f"/w/legal/fine-tuning/jobs/{job.pk}/"
    assert "They are being deleted there." in client_of(manager).get(page).text
    FineTuningJob.objects.filter(pk=job.pk).update(next_at=None)

    assert tidying.tidy(job.pk) is True
    assert (provider_server.files, provider_server.contents) == ([], {})
    assert [told["files"] for told in details(EventType.TUNING_FILES_DELETED)] == [1]
    assert "Deleted there" in client_of(manager).get(page).text
    FineTuningJob.objects.filter(pk=job.pk).update(files_gone_at=None, misses=tidying.MOST_TRIES)
    assert tidying.tidy(job.pk) is False
    assert "could not be deleted there" in client_of(manager).get(page).text


def test_a_retired_model_is_deleted_at_the_provider_when_a_manager_says_so(
    job, followed, provider_server, manager, admin, client_of
):
    followed(job)
    advance(provider_server)
    followed(job)
    tidying.tidy(job.pk)
    page = f"/w/legal/fine-tuning/jobs/{job.pk}/"
    assert "it can be deleted there from this page" in client_of(manager).get(page).text
    refused = client_of(manager).post(f"{page}forget/", follow=True).text
    assert "Only a model that is retired" in refused

    retire(job.result, by=admin)
    assert "Delete it at the provider" in client_of(manager).get(page).text
    client_of(manager).post(f"{page}forget/")
    provider_server.refusals.append(("DELETE /models", 503, {}))
    assert tidying.tidy(job.pk) is False
    assert "It is being deleted there." in client_of(manager).get(page).text
    FineTuningJob.objects.filter(pk=job.pk).update(next_at=None)

    assert tidying.tidy(job.pk) is True
    assert (provider_server.jobs[0]["fine_tuned_model"], provider_server.count("DELETE /models")) == (None, 2)
    assert details(EventType.TUNING_MODEL_DELETED) == [{"model": job.tuned_model}]
    assert [event.actor_id for event in Event.objects.filter(type=EventType.TUNING_MODEL_UNWANTED)] == [str(manager.pk)]
    assert tidying.tidy(job.pk) is False
    assert "Deleted there" in client_of(manager).get(page).text


def test_an_error_of_ours_is_tried_again_later_each_time_and_not_for_ever(job, followed, monkeypatch):
    """Every minute for ever, with nobody told."""
    pauses = []

    def break_down(work: Any) -> None:
        raise ZeroDivisionError

    with monkeypatch.context() as patch:
        patch.setattr(following, "_work", break_down)
        for _attempt in range(following.MOST_ERRORS):
            with pytest.raises(ZeroDivisionError):
                followed(job)
            job.refresh_from_db()
            pauses.append((job.next_at - timezone.now()).total_seconds())
        followed(job)

    assert pauses == sorted(pauses)
    assert pauses[-1] > 4 * pauses[0]
    assert job.state == JobState.FAILED
    assert "5 attempts in a row" in job.problem
    assert Notification.objects.filter(kind=Kind.TUNING_ENDED, person=job.asked_by).exists()


def test_an_error_that_passes_is_forgotten(job, followed, monkeypatch):
    FineTuningJob.objects.filter(pk=job.pk).update(errors=following.MOST_ERRORS - 1)

    assert followed(job).state == JobState.RUNNING

    assert job.errors == 0


def test_what_was_trained_here_is_neither_trained_further_nor_approved_through_another_endpoint(
    sealed, policies, trainer, manager, admin
):
    made = a_model_of(sealed, manager)
    copy = ModelEndpoint.objects.create(
        name="copy", kind="openai", base_url=made.base_url, model=made.model, proposed_by=manager
    )

    for told in (made.model, f"{made.model}:ckpt-step-10"):
        # A step of it, at another address, by an endpoint that nobody approved.
        ModelEndpoint.objects.filter(pk=copy.pk).update(model=told, base_url="http://127.0.0.2:9/v1")
        for purpose in (Purpose.EVALUATION, Purpose.COMPARISON):
            said = governing.permitted(copy, purpose=purpose, workspace=policies, documents=())
            assert "another workspace" in said
            assert governing.permitted(copy, purpose=purpose, workspace=sealed.workspace, documents=()) == ""
    for base_model in (made.model, f"{made.model}:ckpt-step-10"):
        with pytest.raises(TrainingError, match="trained here already"):
            jobs.begin(sealed, endpoint=trainer, base_model=base_model, by=manager)
    with pytest.raises(EndpointStateError, match="that its training entered"):
        approve(copy, seen=fingerprint(ModelEndpoint.objects.get(pk=copy.pk)), by=admin)
    ModelEndpoint.objects.filter(pk=copy.pk).update(model="another")
    approve(copy, seen=fingerprint(ModelEndpoint.objects.get(pk=copy.pk)), by=admin)


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
