"""No sequence of settings lets a passage reach a server of vectors or of order below its class.

As test_nothing_above_a_ceiling.py does for models that answer: settings change in any order, also after the endpoint
was read and before the text goes out, and what a server received is held against what plain sets say.
"""

import os
from dataclasses import dataclass, field
from typing import Any

import pytest
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from answers.governing import servers
from documents.embedding import spaces
from documents.embedding.vector_space import EmbeddingUnavailable
from documents.embeddings import embed_passages
from documents.exceptions import RerankUnavailable
from documents.models import Document, EmbeddingEndpoint, RerankEndpoint
from documents.outgoing import Account
from documents.reranking.remote import scores
from tests.documents import embedding_server, rerank_server
from workspaces.classification import Classification
from workspaces.endpoints.base import EndpointState

EXAMPLES = 150 if os.environ.get("INLOCK_DEEP") else 12
LEVELS = [str(level) for level in Classification]
STATES = [str(state) for state in EndpointState if state != EndpointState.DEFAULT]
VECTORS, ORDER = 0, 1

endpoint, document = st.sampled_from([VECTORS, ORDER]), st.integers(0, 2)
change = st.one_of(
    st.tuples(st.just("ceiling"), endpoint, st.sampled_from(LEVELS)),
    st.tuples(st.just("classify"), document, st.sampled_from(LEVELS)),
    st.tuples(st.just("state"), endpoint, st.sampled_from(["approved", *STATES])),
)
send = st.tuples(st.just("send"), endpoint, st.sets(document, min_size=1), st.booleans(), st.lists(change, max_size=2))


@dataclass
class Place:
    """The workspace, its two servers and its documents, and what plain sets know of their settings."""

    workspace: Any
    person: Any
    servers: list[Any]
    endpoints: list[Any]
    documents: list[Any]
    ceiling: dict[int, str] = field(default_factory=dict)
    state: dict[int, str] = field(default_factory=dict)
    level: dict[int, str] = field(default_factory=dict)

    def begin(self) -> None:
        for number in (VECTORS, ORDER):
            self.change("ceiling", number, "internal")
            self.change("state", number, "approved")
        for number in range(3):
            self.change("classify", number, "internal")

    def change(self, what: str, which: int, value: str) -> None:
        if what == "classify":
            self.level[which] = value
            Document.objects.filter(pk=self.documents[which].pk).update(classification=value)
            return
        getattr(self, what)[which] = value
        of = self.endpoints[which]
        type(of).objects.filter(pk=of.pk).update(**{what: value})

    def may_receive(self, number: int, documents: set[int], *, is_trial: bool) -> bool:
        return (self.state[number] == "approved" or (is_trial and self.state[number] == "candidate")) and all(
            LEVELS.index(self.level[one]) <= LEVELS.index(self.ceiling[number]) for one in documents
        )

    def walk(self, steps: list[Any]) -> None:
        for what, *rest in steps:
            if what == "send":
                self.send(*rest)
            else:
                self.change(what, *rest)

    def send(self, number: int, documents: set[int], is_trial: bool, meanwhile: list[Any]) -> None:
        """Send the documents' text, changing settings after the endpoint was read; hold what was received."""
        of = self.endpoints[number]
        stale = type(of).objects.get(pk=of.pk)
        was_open = self.state[number] == "approved" or (is_trial and self.state[number] == "candidate")
        ids = frozenset(self.documents[one].pk for one in documents)
        texts = [self.documents[one].title for one in sorted(documents)]
        account = Account(self.workspace.pk, self.person, ids, is_ours=is_trial)
        space = spaces.of_endpoint(stale, trial=is_trial) if number == VECTORS else None
        for one in meanwhile:
            self.change(*one)
        allowed = self.may_receive(number, documents, is_trial=is_trial)
        for server in self.servers:
            server.requests.clear()
        try:
            if space is not None:
                embed_passages(texts, space, account=account)
            else:
                scores(stale, "Which one?", texts, account=account)
        except (EmbeddingUnavailable, RerankUnavailable):
            is_sent = False
        else:
            is_sent = True
        received = [which for which, server in enumerate(self.servers) if server.requests]

        assert allowed or not received, f"{number} received {documents}"
        assert received == ([number] if allowed and was_open else [])
        assert is_sent == bool(received)


@pytest.fixture
def place(policies: Any, member: Any, documents: Any) -> Any:
    approved = {"state": "approved", "approved_at": timezone.now()}
    with embedding_server.serve() as vectors, rerank_server.serve() as order:
        endpoints = [
            EmbeddingEndpoint.objects.create(
                name="vectors", base_url=vectors.url, model="rotated", dimension=384, **approved
            ),
            RerankEndpoint.objects.create(name="order", base_url=order.url, **approved),
        ]
        yield Place(policies, member, [vectors, order], endpoints, documents)


# One place for all examples: each begins by setting everything as it was.
@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(steps=st.lists(st.one_of(change, send, send), min_size=2, max_size=8))
def test_no_sequence_of_settings_lets_a_passage_reach_a_server_below_its_class(place: Place, steps: Any) -> None:
    place.begin()

    place.walk(steps)


RAISED = [("classify", 0, "restricted")]
RETIRED = {number: [("state", number, "retired")] for number in (VECTORS, ORDER)}


@pytest.mark.parametrize("number", [VECTORS, ORDER], ids=["vectors", "order"])
@pytest.mark.parametrize("protection", ["_require_ceiling", "_require_state"])
def test_without_this_protection_the_same_check_sees_the_leak(number, protection, place, monkeypatch):
    monkeypatch.setattr(servers, protection, lambda *_: None)
    meanwhile = RAISED if protection == "_require_ceiling" else RETIRED[number]
    place.begin()

    with pytest.raises(AssertionError, match="received"):
        place.send(number, {0}, False, meanwhile)
