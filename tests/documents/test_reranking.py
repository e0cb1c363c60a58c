"""Rerankers: a better order where one answers, the search's own where it does not, and nothing sent above a ceiling."""

import json
from html import unescape
from types import SimpleNamespace

import pytest
from django.urls import reverse
from django.utils import timezone

from answers import chat_models, endpoints
from answers.exceptions import EndpointError
from answers.models import ModelEndpoint
from audit.chain import digest
from audit.events import EventType
from audit.models import Event
from documents import outgoing, search
from documents.api import Found
from documents.exceptions import RerankError, RerankUnavailable
from documents.models import Document, RerankEndpoint, WorkspaceReranker
from documents.outgoing import OURS
from documents.reranking import endpoints as rerank_endpoints
from documents.reranking import remote as remote_reranking
from documents.reranking import rerankers as reranking
from documents.reranking.remote import scores
from documents.retrieval.recording import as_document
from tests.documents import shelf
from tests.documents.rerank_server import RerankServer, serve
from workspaces.endpoints import breaker
from workspaces.endpoints.keys import KeyMissing
from workspaces.exceptions import Forbidden, Hidden
from workspaces.places import Places

pytestmark = pytest.mark.django_db

QUESTION = "How many weeks of parental leave are there?"
TEXTS = {
    "leave": "Parental leave lasts sixteen weeks. Parental leave is paid in full.",
    "notice": "Parental leave is announced eight weeks before it begins.",
    "return": "After parental leave everybody returns to the same desk.",
}


@pytest.fixture(scope="module")
def running():
    with serve() as server:
        yield server


@pytest.fixture
def server(running):
    """The server as if it had just been started; it prefers what stands last."""
    fresh = RerankServer(running.url)
    for name in ("score", "status", "body", "before"):
        setattr(running, name, getattr(fresh, name))
    running.requests.clear()
    running.headers.clear()
    return running


@pytest.fixture
def connect(server):
    """connect(ceiling="public") → a reranker at the server."""

    def made(name="judge", **settings):
        return RerankEndpoint.objects.create(
            name=name, **({"base_url": server.url, "state": "approved", "approved_at": timezone.now()} | settings)
        )

    return made


@pytest.fixture
def shelved(policies):
    return {path: shelf.put(policies, f"{path}.md", [text], title=path) for path, text in TEXTS.items()}


def use(workspace, endpoint):
    WorkspaceReranker.objects.update_or_create(workspace=workspace, defaults={"endpoint": endpoint})


def paths(result):
    return [hit.document.title for hit in result.hits]


# --- The search ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("protocol", ["cohere", "tei"])
def test_the_finds_of_a_search_come_in_the_order_of_the_workspaces_reranker(
    shelved, policies, member, connect, server, protocol
):
    before = paths(search.search(member, policies, QUESTION))
    use(policies, connect(protocol=protocol, model="m"))

    result = search.search(member, policies, QUESTION)

    assert paths(result) == before[::-1]
    assert [hit.rank for hit in result.hits] == [1, 2, 3]
    assert [hit.rerank for hit in result.hits] == [2.0, 1.0, 0.0]
    assert result.sentence == ""
    assert server.requests[0][0] == "/v1/rerank"
    assert server.requests[0][1]["query"] == QUESTION
    sent = json.loads(Event.objects.get(type=EventType.ORDER_SENT).body)
    assert sent["details"]["endpoint"] == f"judge: m at {server.url}"
    assert {one["id"] for one in sent["details"]["passages"]} == {str(hit.passage.pk) for hit in result.hits}
    assert {one["sha256"] for one in sent["details"]["passages"]} == {digest(text) for text in TEXTS.values()}
    assert as_document(result)["reranker"] == {"name": "judge", "scored": 3, "kept_back": 0, "fault": ""}
    assert Found.model_validate(as_document(result)).hits[0].rerank == 2.0


def test_only_what_is_asked_for_is_handed_out_of_all_that_is_read(shelved, policies, member, connect):
    use(policies, connect())
    last = paths(search.search(member, policies, QUESTION))[0]

    assert paths(search.search(member, policies, QUESTION, k=1)) == [last]


def test_each_leg_alone_is_left_as_it_is(shelved, policies, member, connect, server):
    use(policies, connect())

    search.search(member, policies, QUESTION, mode="keywords")
    search.search(member, policies, QUESTION, mode="vectors")

    assert server.requests == []


@pytest.mark.parametrize(
    "fault",
    [
        {"status": 503},
        {"status": 418},
        {"status": 401},
        {"body": {"results": []}},
        {"body": [1, 2]},
        {"body": {"results": [{"index": place, "relevance_score": "NaN"} for place in range(3)]}},
        {"body": {"results": [{"index": 0, "relevance_score": 1.0}] * 3}},
        {"body": {"results": [{"index": place % 3, "relevance_score": 1.0} for place in range(4)]}},
        {"body": {"results": [{"index": place, "relevance_score": True} for place in range(3)]}},
        {"body": {"results": [{"index": place, "relevance_score": 10**400} for place in range(3)]}},
        {"body": b'{"results": [{"index": 1e999, "relevance_score": 1}]}'},
        {"body": b"[" * 30_000},
    ],
    ids=lambda fault: str(fault)[:70],
)
def test_a_reranker_that_fails_leaves_the_order_of_the_search_and_is_named(
    shelved, policies, member, connect, server, fault
):
    before = paths(search.search(member, policies, QUESTION))
    use(policies, connect())
    for name, value in fault.items():
        setattr(server, name, value)

    result = search.search(member, policies, QUESTION)

    assert paths(result) == before
    assert all(hit.rerank is None for hit in result.hits)
    assert "judge" in result.reranked.fault
    assert "order of the search" in result.sentence
    assert not result.degraded


def test_a_reranker_that_keeps_failing_is_left_alone_and_one_with_a_limit_asked_no_oftener(connect, server):
    server.status = 500
    failing = connect()
    for said in [*["out of order"] * breaker.FAILURES, "left alone"]:
        with pytest.raises(RerankUnavailable, match=said):
            scores(failing, QUESTION, ["a", "b"], account=OURS)
    assert len(server.requests) == breaker.FAILURES

    server.status = 200
    limited = connect("limited", requests_per_minute=1)
    assert len(scores(limited, QUESTION, ["a", "b"], account=OURS)) == 2
    with pytest.raises(RerankUnavailable, match="asked too often"):
        scores(limited, QUESTION, ["a", "b"], account=OURS)
    assert len(server.requests) == breaker.FAILURES + 1


def test_a_reranker_that_was_switched_off_is_not_asked(shelved, policies, member, connect, server):
    use(policies, connect(state="retired"))

    result = search.search(member, policies, QUESTION)

    assert "not approved for use" in result.reranked.fault
    assert server.requests == []


def test_text_above_its_ceiling_is_never_sent_and_keeps_its_place(shelved, policies, member, connect, server):
    before = paths(search.search(member, policies, QUESTION))
    Document.objects.filter(pk=shelved[before[1]].pk).update(classification="confidential")
    use(policies, connect(ceiling="internal"))

    result = search.search(member, policies, QUESTION)

    assert paths(result) == [before[2], before[1], before[0]]
    assert result.reranked.kept_back == 1
    assert not any(TEXTS[before[1]] in text for text in server.texts)


def test_without_the_ceiling_that_text_would_be_sent(shelved, policies, member, connect, server, monkeypatch):
    Document.objects.update(classification="confidential")
    use(policies, connect(ceiling="internal"))
    assert search.search(member, policies, QUESTION).reranked.kept_back == 3
    assert server.requests == []

    monkeypatch.setattr(reranking, "_may_read", lambda endpoint, passage: True)
    search.search(member, policies, QUESTION)
    assert server.requests == []
    monkeypatch.setattr(outgoing, "keepers", [lambda leaving: SimpleNamespace(settle=lambda *_tokens, **_how: None)])
    search.search(member, policies, QUESTION)

    assert len(server.texts) == 3


def test_a_right_taken_away_while_the_reranker_reads_counts_in_the_same_search(
    shelved, policies, member, connect, server, monkeypatch
):
    use(policies, connect())
    # In the thread of the search: the server's has a transaction of its own.
    asked = reranking.remote_reranking.scores

    def taken_meanwhile(*given, **how):
        shelf.take_away(shelved["leave"], restricted=True)
        return asked(*given, **how)

    monkeypatch.setattr(reranking.remote_reranking, "scores", taken_meanwhile)

    result = search.search(member, policies, QUESTION)

    assert "leave" not in paths(result)
    assert [hit.rank for hit in result.hits] == [1, 2]
    assert any(TEXTS["leave"] in text for text in server.texts)


def test_what_the_asker_may_not_open_is_not_sent(shelved, policies, member, connect, server):
    shelf.take_away(shelved["leave"], restricted=True)
    use(policies, connect())

    search.search(member, policies, QUESTION)

    assert len(server.texts) == 2
    assert not any(TEXTS["leave"] in text for text in server.texts)


# --- The server ---------------------------------------------------------------------------------------------


def test_a_reranker_is_sent_its_key_and_its_model(connect, server, monkeypatch):
    monkeypatch.setenv("INLOCK_KEY_JUDGE", "hush")

    made = connect(key_reference="INLOCK_KEY_JUDGE", model="big")
    assert scores(made, "Why?", ["a", "b"], account=OURS) == [0.0, 1.0]

    assert server.headers[0]["authorization"] == "Bearer hush"
    assert server.requests[0][1] == {
        "model": "big",
        "query": "Why?",
        "documents": ["a", "b"],
        "top_n": 2,
        "return_documents": False,
    }


def test_while_a_reranker_is_asked_its_place_is_another_questions(connect, server, monkeypatch):
    places, others = Places(1), []

    def another() -> None:
        with places.taken():
            others.append(server.url)

    monkeypatch.setattr(remote_reranking, "PLACES", places)
    server.before = another

    with places.taken():
        scores(connect(), QUESTION, list(TEXTS.values()), account=OURS)

    assert others == [server.url]


@pytest.mark.parametrize("listed", [[], ["other.example"]])
def test_a_host_that_the_operator_did_not_list_is_never_asked(connect, server, settings, listed):
    settings.MODEL_HOSTS = listed

    with pytest.raises(RerankUnavailable, match="model hosts"):
        scores(connect(), "Why?", ["a", "b"], account=OURS)

    assert server.requests == []


# --- Those who connect and choose ---------------------------------------------------------------------------


def test_an_administrator_connects_changes_and_tests_a_reranker(client_of, admin, server):
    client = client_of(admin)
    sent = {"name": "judge", "protocol": "cohere", "base_url": f"{server.url}/", "model": "m"}
    sent |= {"key_reference": "", "ceiling": "internal", "seconds": "5", "residency": "unknown"}

    client.post("/admin/documents/rerankendpoint/add/", sent)

    made = RerankEndpoint.objects.get()
    assert made.base_url == server.url
    entry = Event.objects.filter(type=EventType.ENDPOINT_CHANGED).latest("seq")
    assert '"ceiling":"internal"' in entry.body
    page = f"/admin/documents/rerankendpoint/{made.pk}"
    server.score = lambda text, place: float("library" in text)
    assert "It put the answer first." in unescape(client.post(f"{page}/test/", follow=True).content.decode())
    server.score = lambda text, place: float("engine" in text)
    assert "put what is no answer first" in unescape(client.post(f"{page}/test/", follow=True).content.decode())
    assert Event.objects.filter(type=EventType.ENDPOINT_TESTED).count() == 2


def test_a_key_is_not_carried_to_another_server(connect, admin):
    made = connect(key_reference="INLOCK_KEY_JUDGE")
    made.base_url = "http://127.0.0.1:9/v1"

    rerank_endpoints.save_endpoint(made, by=admin)

    assert RerankEndpoint.objects.get().key_reference == ""


def test_settings_that_cannot_work_are_refused(connect, admin, settings):
    with pytest.raises(KeyMissing):
        rerank_endpoints.save_endpoint(
            RerankEndpoint(name="a", base_url="http://127.0.0.1:9", key_reference="PATH"), by=admin
        )
    with pytest.raises(RerankError):
        rerank_endpoints.save_endpoint(RerankEndpoint(name="chat-model", base_url="http://127.0.0.1:9"), by=admin)
    settings.MODEL_HOSTS = []
    with pytest.raises(RerankUnavailable):
        rerank_endpoints.save_endpoint(RerankEndpoint(name="a", base_url="http://127.0.0.1:9"), by=admin)

    assert not RerankEndpoint.objects.exists()


def test_only_administrators_connect_and_only_managers_choose(policies, connect, manager, member, stranger):
    made = connect()

    for verb in (rerank_endpoints.save_endpoint, rerank_endpoints.try_endpoint):
        with pytest.raises(Forbidden):
            verb(made, by=manager)
    with pytest.raises(Forbidden):
        rerank_endpoints.choose(policies, "judge", by=member)
    with pytest.raises(Hidden):
        rerank_endpoints.choose(policies, "judge", by=stranger)

    assert not WorkspaceReranker.objects.exists()


def test_a_manager_chooses_a_reranker_beside_the_models(client_of, manager, policies, connect):
    connect()
    connect("idle", state="retired")
    client, address = client_of(manager), reverse("answers:models", args=["policies"])
    page = unescape(client.get(address).content.decode())
    assert "Order of passages" in page
    assert "judge" in page
    assert "idle" not in page
    built_in = str(endpoints.built_in().pk)

    client.post(address, {"default": built_in, "choices": [], "reranker": "judge"})

    assert reranking.chosen_for(policies).endpoint.name == "judge"
    entry = Event.objects.filter(type=EventType.WORKSPACE_CHANGED, body__contains='"after":{"reranker":"judge"}').get()
    assert '"before":{"reranker":"none"}' in entry.body
    assert client.post(address, {"default": built_in, "reranker": "idle"}).status_code == 400
    client.post(address, {"default": built_in, "reranker": ""})
    assert reranking.chosen_for(policies) is None


# --- The chat model -----------------------------------------------------------------------------------------


@pytest.fixture
def chat(policies, manager, monkeypatch):
    """A workspace whose chat model puts passages in order; chat(reply) sets what it says."""
    model = ModelEndpoint.objects.create(
        name="writer", base_url="http://127.0.0.1:9/v1", model="m", state="approved", approved_at=timezone.now()
    )
    endpoints.choose_models(policies, default=model, reranker="chat-model", by=manager)
    prompts = []

    def replies(text):
        def stream(_permit, prompt, **_material):
            prompts.append(prompt)
            return iter([text])

        monkeypatch.setattr(chat_models, "stream_chat", stream)
        return prompts

    return replies


@pytest.mark.parametrize(
    ("reply", "order"), [("3, 1", [2, 0, 1]), ("[2] > [3] > [1]", [1, 2, 0]), ("2,2,9", [1, 0, 2])]
)
def test_the_chat_model_puts_passages_in_order_and_what_it_leaves_out_follows(
    shelved, policies, member, chat, reply, order
):
    before = paths(search.search(member, policies, QUESTION, mode="hybrid"))
    prompts = chat(reply)

    result = search.search(member, policies, QUESTION)

    assert paths(result) == [before[place] for place in order]
    assert result.reranked.name == "chat-model"
    assert "not followed" in prompts[0].system
    assert prompts[0].question.count("<passage ") == 3


@pytest.mark.parametrize("reply", ["", "I think passage 2 is best.", "The answer is sixteen weeks.", "99"])
def test_a_chat_model_that_says_something_else_changes_nothing(shelved, policies, member, chat, reply):
    chat(reply)

    result = search.search(member, policies, QUESTION)

    assert result.reranked.fault
    assert all(hit.rerank is None for hit in result.hits)


def test_the_built_in_model_judges_nothing_and_is_not_chosen(shelved, policies, member, manager):
    with pytest.raises(EndpointError, match="built-in model cannot"):
        endpoints.choose_models(policies, default=endpoints.built_in(), reranker="chat-model", by=manager)
    use(policies, None)

    assert "built-in model cannot" in search.search(member, policies, QUESTION).reranked.fault
