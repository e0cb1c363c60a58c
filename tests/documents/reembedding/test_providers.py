"""What a server of vectors may get wrong, what may not be sent to it, and what its cosines mean."""

import json
from types import SimpleNamespace

import pytest
from django.utils import timezone

from documents import ceiling, library, outgoing
from documents.ceiling import above_ceiling
from documents.embedding import endpoints as embedding_endpoints
from documents.embedding import remote as remote_embeddings
from documents.embedding import spaces
from documents.embeddings import EmbeddingUnavailable, default_space, embed_passages, embed_query
from documents.ingest import ingest_version
from documents.models import Document, Embedding, EmbeddingEndpoint, EmbeddingSpace, SpaceMigration, WorkspaceSpace
from documents.outgoing import OURS
from documents.reembedding import building, calibration, estimate, steering
from documents.reembedding.problems import ReembeddingError, sentence
from documents.search import is_usable, search
from documents.stages import embedded
from documents.states import MigrationState
from tests.documents import shelf
from tests.documents.arrivals import again, receive
from tests.documents.reembedding.scene import SUBJECTS, to_the_end
from workspaces.endpoints import breaker
from workspaces.places import Places

pytestmark = pytest.mark.django_db

TEXTS = ["Parental leave lasts 26 weeks.", "Badges are worn.", "Hotels are paid."]


# --- The protocol -------------------------------------------------------------------------------------------


def test_a_server_is_asked_with_its_key_and_its_prefixes_and_answers_in_any_order(endpoint, server, monkeypatch):
    monkeypatch.setenv("INLOCK_KEY_VECTORS", "hush")
    made = endpoint(key_reference="INLOCK_KEY_VECTORS", query_prefix="query: ", passage_prefix="passage: ", batch=2)
    space = spaces.of_endpoint(made)
    heard = []

    vectors = embed_passages(TEXTS, space, account=OURS, count=heard.append)
    query = embed_query("How long is leave?", space, account=OURS)

    assert vectors.shape == (3, 384)
    assert (vectors @ query).argmax() == 0
    assert server.texts == [f"passage: {text}" for text in TEXTS] + ["query: How long is leave?"]
    assert [len(request["input"]) for request in server.requests] == [2, 1, 1]
    assert {headers["authorization"] for headers in server.headers} == {"Bearer hush"}
    assert heard == [10, 4]


@pytest.mark.parametrize(
    ("model", "said"),
    [
        ("forgetful", "something that is not a list of vectors"),
        ("broken", "something that is not a list of vectors"),
        ("silent", "something that is not a list of vectors"),
        ("wide", "vectors of 512 numbers instead of 384"),
    ],
)
def test_an_answer_that_is_not_what_was_asked_for_is_refused(endpoint, model, said):
    space = spaces.of_endpoint(endpoint(model, dimension=384))

    with pytest.raises(EmbeddingUnavailable, match=said) as refused:
        embed_passages(TEXTS, space, account=OURS)

    assert not refused.value.passes


@pytest.mark.parametrize(("status", "passes"), [(429, True), (503, True), (401, False), (404, False), (418, False)])
def test_a_refusal_is_told_in_words_and_whether_it_passes(endpoint, server, status, passes):
    server.refusals[:] = [(status, "7")]

    with pytest.raises(EmbeddingUnavailable) as refused:
        embed_passages(TEXTS, spaces.of_endpoint(endpoint()), account=OURS)

    assert refused.value.passes is passes
    assert refused.value.after == (7 if passes else 0)


def test_a_batch_that_is_too_much_is_halved_until_it_is_taken(endpoint, server):
    space = spaces.of_endpoint(endpoint("one-at-a-time"))

    assert embed_passages(TEXTS, space, account=OURS).shape == (3, 384)
    assert [len(request["input"]) for request in server.requests] == [3, 1, 2, 1, 1]


def test_a_key_that_is_not_there_is_named_and_nothing_is_sent(endpoint, server):
    with pytest.raises(EmbeddingUnavailable, match="INLOCK_KEY_GONE"):
        embed_query("Hello?", spaces.of_endpoint(endpoint(key_reference="INLOCK_KEY_GONE")), account=OURS)

    assert server.requests == []


@pytest.mark.parametrize("listed", [[], ["other.example"], ["*"]])
def test_a_server_whose_host_the_operator_did_not_list_is_never_asked(endpoint, server, settings, listed):
    settings.MODEL_HOSTS = listed

    with pytest.raises(EmbeddingUnavailable, match="model hosts"):
        embed_query("Hello?", spaces.of_endpoint(endpoint()), account=OURS)

    assert server.requests == []


def test_a_space_is_what_its_vectors_depend_on_and_nothing_else(endpoint):
    made = endpoint()
    before = spaces.of_endpoint(made).fingerprint

    made.base_url, made.key_reference, made.ceiling, made.floor = "https://new.example/v1", "", "public", 0.1
    assert spaces.of_endpoint(made).fingerprint == before
    for change in ({"model": "m"}, {"dimension": 8}, {"query_prefix": "q"}, {"passage_prefix": "p"}):
        other = EmbeddingEndpoint(**{f.attname: getattr(made, f.attname) for f in made._meta.concrete_fields} | change)
        assert spaces.of_endpoint(other).fingerprint != before


# --- A build and its provider -------------------------------------------------------------------------------


def test_a_busy_provider_is_tried_again_later_and_the_page_says_so(building_to, server):
    migration = building_to()
    server.refusals[:] = [(429, "90")]
    before = timezone.now()

    assert building.work(migration.pk) == "waiting"

    migration.refresh_from_db()
    assert 85 < (migration.retry_at - before).total_seconds() < 120
    assert "busy" in sentence(migration.problem, migration.problem_detail)
    assert building.work(migration.pk) == "settled"
    SpaceMigration.objects.update(retry_at=None)
    breaker.succeeded(EmbeddingEndpoint.objects.get().pk)  # the pause is over
    migration = to_the_end(migration)
    assert (migration.state, migration.problem) == ("comparing", "")


def test_a_provider_that_stays_out_of_order_stops_the_build_until_a_person_goes_on(building_to, server, manager):
    migration = building_to()
    server.refusals[:] = [(503, "")] * building.MAX_STALLS

    for _try in range(building.MAX_STALLS):
        SpaceMigration.objects.update(retry_at=None)
        outcome = building.work(migration.pk)

    migration.refresh_from_db()
    assert (outcome, migration.state, migration.problem) == ("stopped", "failed", "provider")
    assert to_the_end(steering.start(migration, by=manager)).state == "comparing"


def test_a_refused_key_stops_the_build_at_once(building_to, server):
    migration = building_to()
    server.refusals[:] = [(401, "")]

    assert building.work(migration.pk) == "stopped"

    assert SpaceMigration.objects.get(pk=migration.pk).state == "failed"


def test_a_model_that_was_exchanged_behind_the_same_name_is_noticed(built, shelved, manager, server):
    migration = built()
    shelf.put(shelved, "new.md", ["Fog is reported by radio."])
    server.exchanged_for = "other"

    assert building.work(migration.pk) == "waiting"

    migration.refresh_from_db()
    assert migration.problem == "exchanged"
    assert "exchanged" in sentence(migration.problem, migration.problem_detail)
    with pytest.raises(ReembeddingError, match="exchanged"):
        steering.switch(ready(migration), by=manager)
    assert EmbeddingSpace.objects.get(pk=migration.target_id).probe is not None


@pytest.fixture
def switched(built, shelved, manager):
    """A workspace that is searched in the vectors of the server."""
    return steering.switch(ready(built()), by=manager)


def test_a_document_is_not_embedded_by_a_model_that_was_exchanged_after_the_switch(
    switched, shelved, contributor, server
):
    server.exchanged_for = "other"
    new = receive(shelved, contributor, "Fog is reported by radio at once.", "fog.txt").version

    failed = ingest_version(new.pk)

    assert (failed.outcome, again(new).failure_code) == ("failed", "exchanged")
    assert not Embedding.objects.filter(passage__version=new).exists()
    server.exchanged_for = ""
    library.retry(new, by=contributor)
    assert ingest_version(new.pk).outcome == "ready"


def test_the_vector_of_the_fixed_sentence_is_what_notices_that(switched, shelved, contributor, server, monkeypatch):
    """Counter-proof: without it vectors of another model are stored and searched."""
    monkeypatch.setattr(embedded, "require_same_model", lambda space: None)
    server.exchanged_for = "other"
    new = receive(shelved, contributor, "Fog is reported by radio at once.", "fog.txt").version

    assert ingest_version(new.pk).outcome == "ready"


def test_lost_vectors_are_not_made_again_by_a_model_that_was_exchanged(switched, shelved, server):
    server.exchanged_for = "other"
    version = Document.objects.get(path="leave.md").current_version
    Embedding.objects.filter(space_id=switched.target_id, passage__version=version).delete()

    with pytest.raises(EmbeddingUnavailable, match="exchanged"):
        embedded.embed_again(version)

    assert not Embedding.objects.filter(space_id=switched.target_id, passage__version=version).exists()


def test_lost_vectors_that_came_before_a_refusal_are_paid_once(switched, shelved, server):
    EmbeddingEndpoint.objects.update(batch=1)
    version = Document.objects.get(path="leave.md").current_version
    lost = Embedding.objects.filter(space_id=switched.target_id, passage__version=version)
    count = lost.count()
    lost.delete()
    paid = []

    def refuse_the_second(texts):
        if not texts[0].startswith("Whoever finds a key"):
            paid.append(texts[0])
            if len(paid) == 2:
                server.refusals.append((503, ""))

    server.before = refuse_the_second
    with pytest.raises(EmbeddingUnavailable):
        embedded.embed_again(version)
    assert lost.count() == 1

    embedded.embed_again(version)

    assert count == lost.count() > 1
    assert len(paid) == count + 1  # the one that was refused alone was asked for twice


def test_an_endpoint_moves_to_an_address_only_where_the_same_model_answers(switched, admin, server):
    made = EmbeddingEndpoint.objects.get()
    made.base_url = made.base_url.replace("127.0.0.1", "localhost")
    server.exchanged_for = "other"
    with pytest.raises(ReembeddingError, match="exchanged"):
        embedding_endpoints.save_endpoint(made, by=admin)

    server.exchanged_for = ""
    assert embedding_endpoints.save_endpoint(made, by=admin).base_url == made.base_url

    server.exchanged_for, server.refusals[:] = "other", [(401, "")]
    made.base_url = made.base_url.replace("localhost", "127.0.0.1")
    embedding_endpoints.save_endpoint(made, by=admin)  # its key is entered next


def ready(migration):
    SpaceMigration.objects.filter(pk=migration.pk).update(state=MigrationState.READY)
    migration.refresh_from_db()
    return migration


# --- What may be sent ---------------------------------------------------------------------------------------

SECRET = SUBJECTS["archive.md"][0]


def raise_archive():
    Document.objects.filter(path="archive.md").update(classification="confidential")


def test_a_document_above_the_ceiling_keeps_a_change_from_starting(shelved, endpoint, manager, server):
    raise_archive()
    endpoint(ceiling="internal")
    migration = steering.plan(shelved, to="rotated", by=manager)
    assert migration.estimate["above_ceiling"] == 1

    with pytest.raises(ReembeddingError, match="1 documents are classified higher"):
        steering.start(migration, by=manager)

    assert not any(SECRET in text for text in server.texts)


def test_a_document_that_is_raised_while_vectors_are_made_is_not_sent(building_to, server):
    migration = building_to(ceiling="internal", batch=2)
    raise_archive()

    assert building.work(migration.pk) == "stopped"

    migration.refresh_from_db()
    assert (migration.problem, migration.problem_detail["count"]) == ("above_ceiling", 1)
    assert not any(SECRET in text for text in server.texts)


def test_without_the_ceiling_its_text_would_be_seen_there(building_to, server, monkeypatch):
    """The counter-proof: of the migration's own look, and of the door's."""
    migration = building_to(ceiling="internal")
    raise_archive()
    monkeypatch.setattr(building, "above_ceiling", lambda space: Document.objects.none())
    monkeypatch.setattr(outgoing, "keepers", [lambda leaving: SimpleNamespace(settle=lambda *_tokens, **_how: None)])

    to_the_end(migration)

    assert any(SECRET in text for text in server.texts)


def searched_in(workspace, endpoint_row):
    space = spaces.row_of(spaces.of_endpoint(endpoint_row))
    WorkspaceSpace.objects.create(workspace=workspace, space=space)


@pytest.mark.parametrize("ceiling_level", ["internal", "confidential"])
def test_a_new_document_above_the_ceiling_fails_with_a_sentence_and_is_not_sent(
    policies, manager, endpoint, server, ceiling_level
):
    made = endpoint(ceiling=ceiling_level)
    searched_in(policies, made)
    version = receive(policies, manager, "The vault opens at noon.", "vault.md").version
    Document.objects.filter(pk=version.document_id).update(classification="confidential")

    ingest_version(version.pk)

    version = again(version)
    may = ceiling_level == "confidential"
    assert (version.state, version.failure_code) == (("ready", "") if may else ("failed", "above_ceiling"))
    assert any("vault" in text for text in server.texts) is may
    assert "classified higher" in version.failure_sentence or may


def test_without_the_look_at_the_ceiling_it_would_be_sent(policies, manager, endpoint, server, monkeypatch):
    """The counter-proof."""
    monkeypatch.setattr(embedded, "require_below_ceiling", lambda document, space: None)

    with pytest.raises(AssertionError):
        test_a_new_document_above_the_ceiling_fails_with_a_sentence_and_is_not_sent(
            policies, manager, endpoint, server, "internal"
        )


def test_vectors_that_are_made_here_have_no_ceiling(policies):
    assert not above_ceiling(default_space()).exists()
    assert ceiling.require_below_ceiling(policies.pk, default_space()) is None


# --- What it would take -------------------------------------------------------------------------------------


def test_an_estimate_names_tokens_money_time_and_disk(shelved, endpoint):
    space = spaces.of_endpoint(endpoint("wide", price="2.5", currency="USD"))

    expected = estimate.estimate(shelved, space)

    assert (expected["passages"], expected["to_embed"], expected["reused"]) == (10, 10, 0)
    assert expected["tokens_counted_by"] == "server"
    assert expected["tokens"] > 0
    assert (expected["currency"], float(expected["money"])) == ("USD", round(expected["tokens"] * 2.5 / 1_000_000, 2))
    assert expected["bytes"] == round(10 * 512 * 4 * 2.4)
    assert json.dumps(expected)


# --- What its cosines mean ----------------------------------------------------------------------------------

OFF_TOPIC = "Which enzyme folds the membrane protein of thermophilic bacteria?"


@pytest.fixture
def many(policies):
    """Enough passages to measure a model on."""
    nouns = ("crane", "buoy", "pilot", "ferry", "tug", "berth", "lock", "quay")
    shelf.put(
        policies,
        "harbour.md",
        [
            f"The {noun} of pier {n} is inspected every {n + 2} days by the {nouns[n % 8]} office."
            for n in range(5)
            for noun in nouns
        ],
    )
    policies.refresh_from_db()
    return policies


def test_the_floor_of_a_model_is_measured_on_the_workspaces_own_passages(many, manager, endpoint):
    endpoint("squeezed")
    migration = to_the_end(steering.start(steering.plan(many, to="squeezed", by=manager), by=manager))

    # Its cosines are (c + 4) / 5.
    assert migration.floor == pytest.approx((default_space().floor + 4) / 5, abs=0.005)
    assert migration.scale == pytest.approx(5, rel=0.05)

    before = search(manager, many, OFF_TOPIC, 5)
    asked = search(manager, many, "How often is the crane of pier 2 inspected?", 5)
    steering.switch(ready(migration), by=manager)
    after = search(manager, many, OFF_TOPIC, 5)
    assert (is_usable(before), is_usable(after)) == (False, False)
    assert after.evidence.cosine > 0.75
    again_ = search(manager, many, "How often is the crane of pier 2 inspected?", 5)
    assert is_usable(asked)
    assert is_usable(again_)
    assert [hit.passage.pk for hit in again_.hits] == [hit.passage.pk for hit in asked.hits]


def test_with_the_floor_of_another_model_everything_would_pass_for_evidence(many, manager, endpoint, monkeypatch):
    """The counter-proof."""
    monkeypatch.setattr(building, "calibrate", lambda *_given: None)
    endpoint("squeezed", floor=0.35)
    migration = to_the_end(steering.start(steering.plan(many, to="squeezed", by=manager), by=manager))
    steering.switch(ready(migration), by=manager)

    assert is_usable(search(manager, many, OFF_TOPIC, 5))


def test_too_few_passages_say_nothing_about_a_model(shelved, built):
    migration = built()

    assert calibration.calibrate(shelved, default_space(), spaces.known(migration.target)) is None
    assert migration.floor is None


def test_while_a_server_makes_the_vector_of_a_question_its_place_is_anothers(server, endpoint, monkeypatch):
    places, others = Places(1), []

    def another(texts: list[str]) -> None:
        with places.taken():
            others.append(texts)

    monkeypatch.setattr(remote_embeddings, "PLACES", places)
    server.before = another

    with places.taken():
        embed_query("How long is leave?", spaces.of_endpoint(endpoint()), account=OURS)

    assert len(others) == 1
