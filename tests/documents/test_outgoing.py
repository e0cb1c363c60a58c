"""Text goes to servers of vectors and of order as the model policy lets it, and is counted in its ledger."""

from decimal import Decimal

import pytest
from django.db import transaction
from django.utils import timezone

from answers.governing import budgets
from answers.models import Period, Spend, Usage
from audit.events import EventType
from audit.models import Event
from documents import outgoing
from documents.cards.classifying import classify
from documents.embedding import spaces
from documents.embedding.vector_space import EmbeddingRefused
from documents.embeddings import embed_passages, embed_query
from documents.exceptions import RerankUnavailable
from documents.models import EmbeddingEndpoint, RerankEndpoint
from documents.outgoing import OURS, Account
from documents.reranking.remote import scores
from tests.documents import embedding_server, rerank_server, shelf
from workspaces.readiness import running
from workspaces.readiness.registry import Area, Check, Scene, passed

TEXTS = ["Parental leave lasts 26 weeks.", "Badges are worn."]


@pytest.fixture(scope="module")
def vectors():
    with embedding_server.serve() as server:
        yield server


@pytest.fixture
def endpoint(vectors, db):
    vectors.requests.clear()
    return EmbeddingEndpoint.objects.create(
        name="rotated",
        base_url=vectors.url,
        model="rotated",
        dimension=384,
        price=Decimal(2),
        state="approved",
        approved_at=timezone.now(),
    )


@pytest.fixture
def document(policies):
    return shelf.put(policies, "leave.md", TEXTS, indexed=False)


def _spent(workspace, person=None):
    row = Spend.objects.filter(workspace=workspace, person=person, period=Period.DAY).first()
    return (row.tokens, row.cost) if row else (0, 0)


@pytest.mark.django_db(transaction=True)
def test_vectors_are_counted_for_who_asked_at_the_servers_price(policies, member, endpoint):
    space = spaces.of_endpoint(endpoint)

    embed_passages(TEXTS, space, account=Account.of(policies))
    embed_query("How long is leave?", space, account=Account.of(policies, member))
    embed_query("readiness", space, account=OURS)

    passages, question, ours = Usage.objects.order_by("at")
    assert (passages.purpose, passages.person, passages.state) == ("vectors", None, "settled")
    assert (question.purpose, question.person) == ("search", member)
    assert (ours.purpose, ours.workspace) == ("test", None)
    assert passages.endpoint_label == f"rotated: rotated at {endpoint.base_url}"
    assert not passages.is_estimated
    assert passages.cost == passages.input_tokens * Decimal(2) / 1_000_000 > 0
    assert _spent(policies) == (
        passages.input_tokens + question.input_tokens,
        passages.cost + question.cost,
    )
    assert _spent(policies, member)[0] == question.input_tokens
    assert _spent(None)[0] == sum(row.input_tokens for row in (passages, question, ours))

    with transaction.atomic():
        embed_query("Why?", space, account=Account.of(policies, member))
        assert Usage.objects.count() == 3
    assert Usage.objects.count() == 4, "counted with the commit"

    def look(scene):
        embed_query("readiness", space, account=OURS)
        return passed("It answers.")

    running.look(Check("models.odd", Area.MODELS, "Odd", look, ""), Scene(policies))
    assert Usage.objects.count() == 5, "counted although what the check did is undone"
    with transaction.atomic():
        embed_query("Why?", space, account=Account.of(policies, member))
        transaction.set_rollback(True)
    assert Usage.objects.count() == 5
    embed_query("Why?", space, account=Account.of(policies, member))
    assert Usage.objects.count() == 7, "whoever comes next counts what was undone"
    assert _spent(None)[0] == sum(row.input_tokens for row in Usage.objects.all())


@pytest.mark.django_db(transaction=True)
def test_an_order_is_counted_by_the_length_of_what_was_read(policies, member):
    with rerank_server.serve() as server:
        endpoint = RerankEndpoint.objects.create(
            name="judge", base_url=server.url, price=Decimal(1), state="approved", approved_at=timezone.now()
        )
        scores(endpoint, "Why?", TEXTS, account=Account.of(policies, member))

    (call,) = Usage.objects.all()
    assert (call.purpose, call.is_estimated, call.state) == ("rerank", True, "settled")
    assert call.input_tokens == -(-(sum(map(len, TEXTS)) + 2 * len("Why?")) // 4)
    assert _spent(policies, member)[0] == call.input_tokens


@pytest.mark.parametrize("asks", ["vectors", "search", "rerank"])
def test_what_a_budget_does_not_cover_is_not_sent(asks, policies, member, manager, endpoint, vectors):
    budgets.change(policies, by=manager, day_tokens=1)
    account = Account.of(policies, member)
    judge = RerankEndpoint(name="judge", base_url="http://127.0.0.1:9/v1", state="approved", approved_at=timezone.now())
    judge.save()
    space = spaces.of_endpoint(endpoint)

    with pytest.raises((EmbeddingRefused, RerankUnavailable), match="budget"):
        {
            "vectors": lambda: embed_passages(TEXTS, space, account=account),
            "search": lambda: embed_query("Why?", space, account=account),
            "rerank": lambda: scores(judge, "Why?", TEXTS, account=account),
        }[asks]()

    assert vectors.requests == []
    assert '"why":"budget"' in Event.objects.get(type=EventType.MODEL_REFUSED).body
    # What tries a server is no text of the workspace's, and keeps it usable.
    assert embed_query("readiness", space, account=OURS).shape == (384,)


@pytest.mark.parametrize("is_looked_at", [True, False], ids=["as it is", "without the look"])
def test_what_was_decided_when_the_work_began_does_not_count_for_what_is_sent_later(
    is_looked_at, policies, member, manager, document, endpoint, vectors, monkeypatch
):
    begun = spaces.of_endpoint(endpoint)
    account = Account.of(policies, None, document.pk)
    EmbeddingEndpoint.objects.filter(pk=endpoint.pk).update(state="retired")
    if not is_looked_at:
        monkeypatch.setattr(outgoing, "keepers", [lambda leaving: _Free()])

    if is_looked_at:
        with pytest.raises(EmbeddingRefused, match="not in use"):
            embed_passages(TEXTS, begun, account=account)
        EmbeddingEndpoint.objects.filter(pk=endpoint.pk).update(state="approved")
        classify(document, "restricted", by=manager)
        with pytest.raises(EmbeddingRefused, match="classified higher"):
            embed_passages(TEXTS, begun, account=account)
    else:
        embed_passages(TEXTS, begun, account=account)

    assert bool(vectors.requests) != is_looked_at


class _Free:
    def settle(self, tokens, *, estimated, seconds):
        pass


def test_nobody_sends_text_without_saying_for_whom(endpoint):
    with pytest.raises(TypeError):
        embed_passages(TEXTS, spaces.of_endpoint(endpoint))
