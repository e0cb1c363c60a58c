"""A server of vectors that fails is left alone for a while, by everybody; one with a limit is asked no oftener."""

import pytest
from django.urls import reverse

from documents import embeddings, model_server, search
from documents.embedding import spaces
from documents.embedding.vector_space import EmbeddingUnavailable
from documents.ingest import ingest_version
from documents.models import EmbeddingEndpoint, WorkspaceSpace
from documents.outgoing import OURS
from inlock.health.models import models
from tests.documents.arrivals import receive
from workspaces.endpoints import breaker, rate

pytestmark = pytest.mark.django_db


@pytest.fixture
def space(endpoint, policies):
    """space(requests_per_minute=3) → the server's space, in which `policies` is searched."""

    def connected(**settings):
        made = spaces.of_endpoint(endpoint(**settings))
        WorkspaceSpace.objects.create(workspace=policies, space=spaces.row_of(made))
        return made

    return connected


@pytest.fixture
def rest_is_over():
    return lambda space: breaker.client().delete(f"breaker:{space.remote.endpoint}:rest")


def passages(space, texts=("Leave is paid.",)):
    return embeddings.embed_passages(list(texts), space, account=OURS)


def fail(space, times, match=""):
    for _time in range(times):
        with pytest.raises(EmbeddingUnavailable, match=match):
            passages(space)


def test_a_server_that_keeps_failing_is_left_alone_then_tried_with_one_call(
    space, server, rest_is_over, client_of, admin
):
    made = space()
    server.requests.clear()
    server.refusals[:] = [(500, "")] * 20

    fail(made, breaker.FAILURES)
    fail(made, 3, match="left alone")

    assert len(server.requests) == breaker.FAILURES
    listed = client_of(admin).get(reverse("admin:documents_embeddingendpoint_changelist")).content.decode()
    assert "Left alone" in listed
    (found,) = models(database_runs=True, broker_runs=True)
    assert (found.name, found.state) == ("embedding endpoint rotated", "left alone")
    assert "failed again and again" in found.fault
    server.refusals.clear()
    rest_is_over(made)
    assert breaker.standing(made.remote.endpoint).state == "half_open"
    assert passages(made).shape == (1, 384)
    assert breaker.standing(made.remote.endpoint) == breaker.Standing()


def test_a_server_that_hangs_is_counted_over_as_long_as_such_calls_take(space, monkeypatch):
    made = space(seconds=300)
    kept = {}
    monkeypatch.setattr(breaker, "failed", lambda endpoint, *, within: kept.update({endpoint: within}))
    monkeypatch.setattr(model_server, "_server", _Silent)

    fail(made, 1, match="took too long")

    assert kept == {made.remote.endpoint: breaker.FAILURES * 300}


class _Silent:
    def __init__(self, *_where):
        pass

    def send(self, *_request, **_limits):
        raise model_server.SourceFailed("too_slow")


def test_what_a_server_does_not_like_about_one_request_is_no_failure(space, server):
    made = space()
    for status in (400, 401, 404, 429, 503):
        server.refusals[:] = [(status, "")] * breaker.FAILURES
        fail(made, breaker.FAILURES)

        assert breaker.standing(made.remote.endpoint) == breaker.Standing(), status


def test_a_pause_that_the_server_asked_for_is_kept_by_everybody_and_searches_go_on_by_words(
    space, server, shelved, member, rest_is_over
):
    made = space()
    server.requests.clear()
    server.refusals[:] = [(429, "40")]
    with pytest.raises(EmbeddingUnavailable) as busy:
        passages(made)

    found = search.search(member, shelved, "parental leave")

    assert (busy.value.is_busy, busy.value.after) == (True, 40)
    assert len(server.requests) == 1
    assert found.hits
    assert found.degraded
    stands = breaker.standing(made.remote.endpoint)
    assert (stands.state, stands.is_paused) == ("open", True)
    assert 30 < stands.seconds <= 40
    (said,) = models(database_runs=True, broker_runs=True)
    assert "asked for a pause" in said.fault
    rest_is_over(made)
    assert breaker.standing(made.remote.endpoint).state == "closed"  # a pause is no failure: all may ask at once


def test_no_server_keeps_everybody_away_for_a_day_by_one_answer(space, server):
    made = space()
    server.refusals[:] = [(503, "86400")]

    fail(made, 1)

    assert breaker.standing(made.remote.endpoint).seconds <= breaker.LONGEST_PAUSE_SECONDS


def test_a_document_waits_for_a_server_that_is_left_alone_and_is_not_sent(space, server, policies, contributor):
    made = space()
    server.refusals[:] = [(500, "")] * breaker.FAILURES
    fail(made, breaker.FAILURES)
    server.requests.clear()
    version = receive(policies, contributor, "Leave is paid after six days.", "leave.txt").version

    ingest_version(version.pk)

    version.refresh_from_db()
    assert server.requests == []
    assert (version.state, version.failure_code) == ("split", "")
    assert version.retry_at is not None


def test_a_limit_holds_over_all_and_keeps_a_part_for_people_who_ask(space, server):
    made = space(requests_per_minute=5)
    server.requests.clear()

    for _time in range(4):
        passages(made)
    with pytest.raises(EmbeddingUnavailable, match="asked too often") as busy:
        passages(made)

    assert 0 < busy.value.after <= 60
    assert embeddings.embed_query("leave", made, account=OURS).shape == (384,)
    with pytest.raises(EmbeddingUnavailable):
        embeddings.embed_query("leave", made, account=OURS)
    assert len(server.requests) == 5
    assert breaker.standing(made.remote.endpoint) == breaker.Standing()


def test_without_valkey_the_server_is_asked_as_if_it_had_never_failed(space, server, settings):
    made = space(requests_per_minute=1)
    settings.REDIS_URL = "redis://127.0.0.1:9/0"
    server.refusals[:] = [(500, "")] * (breaker.FAILURES + 1)
    server.requests.clear()

    fail(made, breaker.FAILURES + 1)
    passages(made)

    assert len(server.requests) == breaker.FAILURES + 2
    assert rate.seconds_left(made.remote.endpoint, 1) == 1


def test_an_administrator_sets_the_limit_and_the_trail_has_it(client_of, admin, endpoint):
    from audit.events import EventType
    from audit.models import Event

    made = endpoint()
    at = reverse("admin:documents_embeddingendpoint_change", args=[made.pk])
    form = client_of(admin).get(at).context["adminform"].form
    sent = {name: form.initial.get(name) for name in form.fields if form.initial.get(name) not in (None, "")}

    answered = client_of(admin).post(at, sent | {"requests_per_minute": "90"})

    assert answered.status_code == 302
    assert EmbeddingEndpoint.objects.get(pk=made.pk).requests_per_minute == 90
    assert '"requests_per_minute":90' in Event.objects.filter(type=EventType.ENDPOINT_CHANGED).latest("seq").body
