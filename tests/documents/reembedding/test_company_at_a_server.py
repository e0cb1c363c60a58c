"""Small files whose vectors a server makes: it is asked for several at once, and each file's fate stays its own."""

from datetime import timedelta

import pytest
from django.db.models.functions import Now
from django.urls import reverse
from django.utils import timezone, translation

from documents import library
from documents.deletion import tombstones
from documents.embedding import remote, spaces
from documents.ingest import LONGEST_PAUSE, PATIENCE, SHORTEST_PAUSE, ingest_version, next_try
from documents.ingestion import company, intake, leases
from documents.listing import row_of
from documents.models import Document, Embedding, EmbeddingEndpoint, SpaceMigration, Version, WorkspaceSpace
from documents.reembedding import steering
from documents.stages import embedded
from documents.states import MigrationState
from documents.tasks import sweep_ingestion
from tests.documents.arrivals import LONG, Killed, Killer, again, let_lease_expire, receive
from workspaces.dispatch import inline
from workspaces.endpoints import breaker

pytestmark = pytest.mark.django_db

PROBE = "Whoever finds a key"


@pytest.fixture
def at_a_server(policies, endpoint):
    """at_a_server(batch=2) → `policies`, whose vectors the server makes from now on."""

    def searched_in(**settings):
        WorkspaceSpace.objects.create(workspace=policies, space=spaces.row_of(spaces.of_endpoint(endpoint(**settings))))
        return policies

    return searched_in


def bring(workspace, by, count=5):
    texts = [f"Leave of kind {number} is paid after {number + 3} days." for number in range(1, count + 1)]
    return [receive(workspace, by, text, f"{number}.txt").version for number, text in enumerate(texts)]


def asked(server) -> list[int]:
    """How many passages each request held, without the sentence that tells one model from another."""
    inputs = [request["input"] for request in server.requests]
    return [len(texts) for texts in inputs if not texts[0].startswith(PROBE)]


def sent(server) -> list[str]:
    return [text for text in server.texts if not text.startswith(PROBE)]


def outcomes(results) -> dict[object, str]:
    return {result.version_id: result.outcome for result in results}


def states(versions) -> list[str]:
    return [again(version).state for version in versions]


def refuse(server, word: str, status: int = 400) -> None:
    """Have the server refuse whatever holds a text with this word."""

    def before(texts):
        if any(word in text for text in texts):
            server.refusals.append((status, ""))

    server.before = before


def refuse_from(server, request: int) -> None:
    """Have the server be busy from its so-many-th request on."""

    def before(texts):
        if len(server.requests) + 1 >= request:
            server.refusals[:] = [(503, "")]

    server.before = before


def its_time() -> None:
    """What the clock does for those that wait, and for the server they wait for."""
    for endpoint in EmbeddingEndpoint.objects.all():
        breaker.succeeded(endpoint.pk)
    Version.objects.filter(retry_at__isnull=False).update(retry_at=timezone.now())


@pytest.fixture
def sweep(django_capture_on_commit_callbacks):
    """sweep() looks for what waits and does it."""

    def swept():
        with django_capture_on_commit_callbacks(execute=True), inline():
            sweep_ingestion()

    return swept


def test_the_passages_of_several_files_are_one_request(at_a_server, contributor, server):
    versions = bring(at_a_server(), contributor)

    results = company.ingest_waiting(versions[0].pk)

    assert outcomes(results) == {version.pk: "ready" for version in versions}
    assert asked(server) == [5]
    assert len([texts for texts in server.texts if texts.startswith(PROBE)]) == 1


def test_a_request_is_no_larger_than_the_server_takes(at_a_server, contributor, server):
    versions = bring(at_a_server(batch=2), contributor)

    company.ingest_waiting(versions[0].pk)

    assert set(states(versions)) == {"ready"}
    assert asked(server) == [2, 2, 1]


@pytest.mark.parametrize("number", [1, 3, 5])
def test_a_text_that_the_server_refuses_fails_its_file_alone_and_no_other_is_paid_twice(
    at_a_server, contributor, server, number
):
    versions = bring(at_a_server(), contributor)
    refuse(server, f"kind {number} ")

    results = company.ingest_waiting(versions[0].pk)
    ends = [ingest_version(version.pk).outcome for version in versions]

    assert set(outcomes(results).values()) == {company.ALONE}
    assert ends == ["failed" if at == number else "ready" for at in range(1, 6)]
    assert again(versions[number - 1]).failure_code == "embedding_unavailable"
    assert len(sent(server)) == len(set(sent(server))) == 4


def test_a_document_above_the_ceiling_is_not_sent_and_the_others_are(at_a_server, contributor, server):
    versions = bring(at_a_server(ceiling="internal"), contributor)
    Document.objects.filter(pk=versions[2].document_id).update(classification="confidential")

    results = company.ingest_waiting(versions[0].pk)

    assert outcomes(results)[versions[2].pk] == company.ALONE
    assert states(versions).count("ready") == 4
    assert not any("kind 3 " in text for text in server.texts)
    assert ingest_version(versions[2].pk).outcome == "failed"
    assert again(versions[2]).failure_code == "above_ceiling"
    assert not any("kind 3 " in text for text in server.texts)


def test_without_the_look_at_the_ceiling_nothing_at_all_is_sent(at_a_server, contributor, server, monkeypatch):
    """The policy above looks at every document of a request."""
    versions = bring(at_a_server(ceiling="internal"), contributor)
    Document.objects.filter(pk=versions[2].document_id).update(classification="confidential")
    monkeypatch.setattr(company, "above_ceiling", lambda space: Document.objects.none())

    results = company.ingest_waiting(versions[0].pk)

    assert set(outcomes(results).values()) == {company.ALONE}
    assert server.texts == []
    assert [ingest_version(version.pk).outcome for version in versions].count("ready") == 4
    assert not any("kind 3 " in text for text in server.texts)


def test_all_wait_for_a_server_that_is_busy_after_one_question_and_are_brought_on_by_the_sweep(
    at_a_server, contributor, server, sweep
):
    versions = bring(at_a_server(), contributor)
    server.refusals += [(503, "")]

    results = company.ingest_waiting(versions[0].pk)
    waiting = [again(version) for version in versions]
    sweep()
    asked_before_its_time = len(server.requests)
    its_time()
    server.refusals += [(429, "")]
    sweep()
    once_more = states(versions)
    its_time()
    sweep()

    assert set(outcomes(results).values()) == {"waiting"}
    assert {(version.state, version.lease_until) for version in waiting} == {("split", None)}
    assert all(version.retry_at and version.refused_since for version in waiting)
    assert asked_before_its_time == 1
    assert sorted(once_more) == ["ready"] * 4 + ["split"]
    assert states(versions) == ["ready"] * 5
    assert {(again(version).deaths, again(version).errors) for version in versions} == {(0, 0)}
    assert len(sent(server)) == len(set(sent(server))) == 5


@pytest.mark.parametrize("refused", [1, 2, 3, 4, 5, 6])
def test_what_a_server_gave_before_it_was_busy_is_not_paid_again(at_a_server, contributor, server, sweep, refused):
    """The last three are refused when its model is looked at, behind the vectors, or not reached any more."""
    versions = bring(at_a_server(batch=2), contributor)
    refuse_from(server, request=refused)

    company.ingest_waiting(versions[0].pk)
    server.before = lambda texts: None
    its_time()
    sweep()

    assert states(versions) == ["ready"] * 5
    assert len(sent(server)) == len(set(sent(server))) == 5


def test_vectors_that_could_not_be_compared_are_removed_when_the_model_was_exchanged(
    at_a_server, contributor, server, sweep
):
    workspace = at_a_server()
    assert (
        ingest_version(receive(workspace, contributor, "Badges are worn.", "first.txt").version.pk).outcome == "ready"
    )
    versions = bring(workspace, contributor)
    server.exchanged_for = "other"
    refuse_from(server, request=len(server.requests) + 2)

    company.ingest_waiting(versions[0].pk)
    kept = Embedding.objects.filter(passage__version__in=versions).count()
    server.before = lambda texts: None
    its_time()
    sweep()

    assert kept == 5
    assert {again(version).failure_code for version in versions} == {"exchanged"}
    assert not Embedding.objects.filter(passage__version__in=versions).exists()


def test_vectors_of_a_model_that_was_exchanged_are_not_kept(at_a_server, contributor, server):
    workspace = at_a_server()
    assert (
        ingest_version(receive(workspace, contributor, "Badges are worn.", "first.txt").version.pk).outcome == "ready"
    )
    versions = bring(workspace, contributor)
    server.exchanged_for = "other"

    results = company.ingest_waiting(versions[0].pk)

    assert set(outcomes(results).values()) == {company.ALONE}
    assert not Embedding.objects.filter(passage__version__in=versions).exists()
    assert ingest_version(versions[0].pk).outcome == "failed"


def test_vectors_that_came_before_a_refusal_are_not_kept_of_an_exchanged_model(at_a_server, contributor, server):
    workspace = at_a_server(batch=2)
    assert (
        ingest_version(receive(workspace, contributor, "Badges are worn.", "first.txt").version.pk).outcome == "ready"
    )
    versions = bring(workspace, contributor)
    server.exchanged_for = "other"
    refuse(server, "kind 5 ")

    company.ingest_waiting(versions[0].pk)

    assert not Embedding.objects.filter(passage__version__in=versions).exists()


@pytest.mark.parametrize(
    "point", ["company_read", "company_split", "embedding_batch", "company_embedded", "upserted", "company_indexed"]
)
def test_killed_anywhere_no_text_is_paid_twice(at_a_server, contributor, server, monkeypatch, point):
    versions = bring(at_a_server(), contributor)
    killer = Killer(monkeypatch)
    killer.at(point)
    with pytest.raises(Killed):
        company.ingest_waiting(versions[0].pk)

    killer.never()
    for version in versions:
        let_lease_expire(version)
    ends = [ingest_version(version.pk).outcome for version in versions]

    assert ends == ["ready"] * 5
    assert len(sent(server)) == len(set(sent(server))) == 5


def test_one_that_was_deleted_while_the_server_was_asked_gets_no_vector(at_a_server, manager, contributor, server):
    versions = bring(at_a_server(), contributor)
    server.before = lambda texts: None
    real = embedded.text_of

    def deleting(document, passage):
        if document.pk == versions[1].document_id:
            library.delete(document, by=manager)
        return real(document, passage)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(embedded, "text_of", deleting)
        company.ingest_waiting(versions[0].pk)

    assert states(versions) == ["ready", "deleted", "ready", "ready", "ready"]
    assert Embedding.objects.filter(passage__version__in=versions).count() == 4


def test_they_are_held_for_as_long_as_the_server_may_take(at_a_server, contributor, server, monkeypatch):
    versions = bring(at_a_server(seconds=300), contributor)
    held = []
    server.before = lambda texts: None
    real = leases.until
    monkeypatch.setattr(leases, "until", lambda seconds: held.append(seconds) or real(seconds))

    company.ingest_waiting(versions[0].pk)

    assert 600 in held
    assert not Version.objects.exclude(lease_until=None).exists()


@pytest.fixture
def slow(monkeypatch):
    """slow(300) → at each request, for how many seconds the version is still held; each takes almost all of them."""

    def answering(seconds):
        held, real = [], remote.post

        def post(*args, **given):
            rows = Version.objects.filter(lease_until__isnull=False)
            enough = rows.filter(lease_until__gte=Now() + timedelta(seconds=seconds)).exists()
            said = real(*args, **given)
            rows.update(lease_until=Now() + timedelta(seconds=1))
            held.append(enough)
            return said

        monkeypatch.setattr(remote, "post", post)
        return held

    return answering


def test_several_are_held_from_each_slow_answer_to_the_next(at_a_server, contributor, server, slow):
    versions = bring(at_a_server(batch=2, seconds=300), contributor)
    held = slow(300)

    company.ingest_waiting(versions[0].pk)

    assert held == [True] * 4
    assert set(states(versions)) == {"ready"}


# --- One alone ----------------------------------------------------------------------------------------------


def alone(workspace, by):
    """A version of several passages, which travels alone."""
    return receive(workspace, by, LONG, "long.txt").version


def test_a_file_whose_server_is_busy_twice_is_ready_by_itself_and_each_text_is_paid_once(
    at_a_server, contributor, server, sweep
):
    version = alone(at_a_server(batch=2), contributor)
    server.refusals += [(503, "")]

    outcome = ingest_version(version.pk).outcome
    first = again(version)
    before_its_time = ingest_version(version.pk).outcome
    its_time()
    server.before = lambda texts: server.refusals.append((429, "40")) if len(server.requests) == 3 else None
    tried = timezone.now()
    sweep()
    second = again(version)
    server.before = lambda texts: None
    its_time()
    sweep()

    assert (outcome, before_its_time) == ("waiting", "waiting")
    assert (first.lease_until, first.failure_code) == (None, "")
    assert (first.retry_at - first.refused_since).total_seconds() == pytest.approx(SHORTEST_PAUSE.seconds, abs=1)
    assert second.retry_at >= tried + timedelta(seconds=40)
    assert again(version).state == "ready"
    assert (again(version).deaths, again(version).errors, again(version).refused_since) == (0, 0, None)
    assert len(sent(server)) == len(set(sent(server))) == again(version).passage_count > 2


def test_one_alone_is_held_from_each_slow_answer_to_the_next(at_a_server, contributor, server, slow):
    """Else somebody takes it over, pays for it again, and the third one sets it aside for nothing."""
    version = alone(at_a_server(batch=2, seconds=300), contributor)
    Version.objects.update(refused_since=timezone.now())
    held = slow(300)

    outcome = ingest_version(version.pk).outcome

    assert outcome == "ready"
    assert len(held) > 3
    assert all(held)


def test_when_the_patience_is_over_it_fails_as_it_did_and_a_person_may_try_again(
    at_a_server, contributor, server, sweep
):
    version = alone(at_a_server(), contributor)
    refuse_from(server, request=1)
    ingest_version(version.pk)
    Version.objects.update(refused_since=timezone.now() - PATIENCE, retry_at=timezone.now())

    sweep()
    failed = again(version)
    library.retry(failed, by=contributor)
    tried = ingest_version(version.pk).outcome
    server.before = lambda texts: None
    its_time()
    sweep()

    assert (failed.state, failed.failure_code, failed.failure_retryable) == ("failed", "embedding_unavailable", True)
    assert "not available" in failed.failure_sentence
    assert (tried, again(version).state) == ("waiting", "ready")


def test_the_pauses_grow_with_the_time_and_end_with_the_patience():
    now = timezone.now()

    def pause(waited, after=0):
        return (next_try(now - waited, after) - now).total_seconds()

    assert pause(timedelta(0)) == pytest.approx(SHORTEST_PAUSE.total_seconds(), abs=5)
    assert pause(timedelta(minutes=3)) == pytest.approx(180, abs=5)
    assert pause(timedelta(hours=3)) == pytest.approx(LONGEST_PAUSE.total_seconds(), abs=5)
    assert pause(timedelta(0), after=300) == pytest.approx(300, abs=5)
    assert pause(timedelta(0), after=86400) == pytest.approx(LONGEST_PAUSE.total_seconds(), abs=5)
    assert pause(PATIENCE - timedelta(minutes=1), after=3600) == pytest.approx(60, abs=5)
    assert next_try(now - PATIENCE, 0) is None


def test_who_looks_at_a_document_reads_that_it_waits_for_the_server_and_until_when(
    at_a_server, contributor, server, client_of
):
    version = alone(at_a_server(), contributor)
    server.refusals += [(503, "")]
    ingest_version(version.pk)
    document = again(version).document

    client = client_of(contributor)
    status = client.get(reverse("documents:status", args=["policies", document.pk, version.pk]))
    page = client.get(reverse("documents:detail", args=["policies", document.pk]))
    rows = client.get(reverse("documents:list", args=["policies"]))
    with translation.override("sr"):
        serbian = row_of(document).sentence

    Version.objects.update(retry_at=timezone.now() - timedelta(minutes=1))

    assert "tried again as soon as a worker is free" in row_of(document).sentence
    for answer in (status, page, rows):
        assert "Waits for the embedding server. Next try: " in answer.content.decode()
    assert "every 10s" in status.content.decode()
    assert serbian.startswith("Чека сервер")


def test_the_same_bytes_again_end_the_wait(at_a_server, contributor, server):
    version = alone(at_a_server(), contributor)
    server.refusals += [(503, "")]
    waited = ingest_version(version.pk).outcome
    its_time()
    Version.objects.update(retry_at=timezone.now() + timedelta(minutes=5), refused_since=timezone.now() - PATIENCE)

    alone(version.document.workspace, contributor)
    woken = again(version)

    assert waited == "waiting"
    assert woken.retry_at is None
    assert woken.refused_since > timezone.now() - timedelta(minutes=1)
    assert ingest_version(version.pk).outcome == "ready"


def test_a_document_that_waited_and_comes_back_from_the_bin_is_tried_at_once(at_a_server, manager, contributor, server):
    version = alone(at_a_server(), contributor)
    server.refusals += [(503, "")]
    ingest_version(version.pk)
    deleted = library.delete(again(version).document, by=manager)
    Version.objects.update(retry_at=timezone.now() + timedelta(minutes=5), refused_since=timezone.now() - PATIENCE)

    tombstones.restore(deleted.deletion, by=manager)
    its_time()

    assert again(version).retry_at is None
    assert ingest_version(version.pk).outcome == "ready"


def test_moving_to_another_model_ends_the_wait_and_takes_along_nothing_uncompared(
    built, manager, contributor, server, policies
):
    migration = built(batch=2)
    # As if a person had compared.
    SpaceMigration.objects.filter(pk=migration.pk).update(state=MigrationState.READY)
    migration = steering.switch(SpaceMigration.objects.get(pk=migration.pk), by=manager)
    version = alone(policies, contributor)
    refuse_from(server, request=len(server.requests) + 2)
    waited = ingest_version(version.pk).outcome
    kept = Embedding.objects.filter(passage__version=version, space_id=migration.target_id).count()
    Version.objects.filter(pk=version.pk).update(retry_at=timezone.now() + timedelta(minutes=5))

    steering.roll_back(migration, by=manager)
    woken = again(version).retry_at
    ended = ingest_version(version.pk).outcome

    assert (waited, kept, woken, ended) == ("waiting", 2, None, "ready")
    assert not Embedding.objects.filter(passage__version=version, space_id=migration.target_id).exists()


@pytest.mark.parametrize("all_of_them", [False, True])
def test_a_text_over_which_the_server_breaks_down_fails_its_file_and_an_outage_does_not(
    at_a_server, contributor, server, sweep, all_of_them
):
    versions = bring(at_a_server(), contributor)
    refuse(server, "" if all_of_them else "kind 3 ", status=500)

    company.ingest_waiting(versions[0].pk)
    its_time()
    sweep()
    early = states(versions)
    Version.objects.filter(refused_since__isnull=False).update(refused_since=timezone.now() - embedded.DOUBT)
    its_time()
    sweep()

    left = "split" if all_of_them else "ready"
    assert early == [left, left, "split", left, left]
    assert states(versions) == [left, left, "split" if all_of_them else "failed", left, left]


def test_the_command_does_not_sit_out_the_wait_for_a_server(at_a_server, contributor, server, tmp_path, monkeypatch):
    workspace, looks = at_a_server(), []
    (tmp_path / "long.txt").write_text(LONG)
    refuse_from(server, request=1)

    def worked(seconds):
        looks.append(seconds)
        assert len(looks) < 5, "It sits there."
        for id in Version.objects.values_list("pk", flat=True):
            ingest_version(id)

    monkeypatch.setattr(intake, "worker_is_up", lambda queue: True)
    monkeypatch.setattr(intake.time, "sleep", worked)
    (row,) = intake.bring_in(workspace, intake.find([tmp_path]), by=contributor)

    assert row.state == "split"
    assert row.reason.startswith("Waits for the embedding server. Next try: ")
