"""No sequence of settings lets a passage reach an endpoint below its class.

Settings change in any order, also after the prompt was made and before it goes out. What the server received is held
against plain sets that know nothing of the policy.
"""

import os
from dataclasses import dataclass, field
from typing import Any

import pytest
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from answers import governing
from answers.exceptions import ModelFailed
from answers.governing import Purpose, policy
from answers.models import EndpointKind, Fallback, ModelEndpoint, WorkspaceChecks, WorkspaceModels
from answers.prompts import Prompt
from documents.models import Document
from tests.answers import chat_server
from workspaces.classification import Classification
from workspaces.endpoints.base import EndpointState

EXAMPLES = 150 if os.environ.get("INLOCK_DEEP") else 12
LEVELS = [str(level) for level in Classification]
STATES = [str(state) for state in EndpointState if state != EndpointState.DEFAULT]
TRIALS = {"test", "evaluation", "comparison"}
#: Each behaves well, and is told apart by its name in what the server received.
MODELS = ("good", "paraphrase", "counts")

endpoint, document = st.integers(0, 2), st.integers(0, 2)
CHANGES = [
    st.tuples(st.just("ceiling"), endpoint, st.sampled_from(LEVELS)),
    st.tuples(st.just("classify"), document, st.sampled_from(LEVELS)),
    st.tuples(st.just("state"), endpoint, st.sampled_from(["approved", *STATES])),
    st.tuples(st.just("choices"), endpoint, st.sets(endpoint)),
    st.tuples(st.just("fallbacks"), st.permutations([0, 1, 2]), st.integers(0, 3)),
    st.tuples(st.just("judge"), st.none() | endpoint, st.none()),
    st.tuples(st.just("delete"), document, st.booleans()),
]
change = st.one_of(CHANGES)
ask = st.tuples(
    st.just("ask"),
    endpoint,
    st.sets(document, min_size=1),
    st.sampled_from(["answer", "answer", "judge", "rerank", "replay", "evaluation", "draft_review"]),
    st.booleans(),
    st.lists(change, max_size=2),
)


@dataclass
class Place:
    """The workspace, its endpoints and documents, and what plain sets know of their settings."""

    workspace: Any
    person: Any
    server: Any
    endpoints: list[Any]
    documents: list[Any]
    ceiling: dict[int, str] = field(default_factory=dict)
    state: dict[int, str] = field(default_factory=dict)
    level: dict[int, str] = field(default_factory=dict)
    gone: set[int] = field(default_factory=set)
    chosen: set[int] = field(default_factory=set)
    order: list[int] = field(default_factory=list)
    judge: int | None = None

    def begin(self) -> None:
        for number in range(3):
            self.change("ceiling", number, "internal")
            self.change("state", number, "approved")
            self.change("classify", number, "internal")
            self.change("delete", number, False)
        self.change("choices", 0, {0})
        self.change("fallbacks", [], 0)
        self.change("judge", None, None)

    def change(self, what: str, which: Any, value: Any) -> None:
        getattr(self, f"_{what}")(which, value)

    def _ceiling(self, number: int, level: str) -> None:
        self.ceiling[number] = level
        ModelEndpoint.objects.filter(pk=self.endpoints[number].pk).update(ceiling=level)

    def _state(self, number: int, state: str) -> None:
        self.state[number] = state
        ModelEndpoint.objects.filter(pk=self.endpoints[number].pk).update(state=state)

    def _classify(self, number: int, level: str) -> None:
        self.level[number] = level
        Document.objects.filter(pk=self.documents[number].pk).update(classification=level)

    def _delete(self, number: int, is_gone: bool) -> None:
        (self.gone.add if is_gone else self.gone.discard)(number)
        when = timezone.now() if is_gone else None
        by = self.person if is_gone else None
        Document.objects.filter(pk=self.documents[number].pk).update(deleted_at=when, deleted_by=by)

    def _choices(self, default: int, others: set[int]) -> None:
        self.chosen = {default, *others}
        models, _made = WorkspaceModels.objects.update_or_create(
            workspace=self.workspace, defaults={"default_endpoint": self.endpoints[default]}
        )
        models.choices.set([self.endpoints[number] for number in others])

    def _fallbacks(self, order: list[int], count: int) -> None:
        self.order = list(order)[:count]
        Fallback.objects.filter(workspace=self.workspace).delete()
        for position, number in enumerate(self.order):
            Fallback.objects.create(workspace=self.workspace, endpoint=self.endpoints[number], position=position)

    def _judge(self, number: int | None, _nothing: None) -> None:
        self.judge = number
        judge = None if number is None else self.endpoints[number]
        WorkspaceChecks.objects.update_or_create(workspace=self.workspace, defaults={"judge": judge})

    # --- What plain sets say ---

    def may_receive(self, number: int, documents: set[int], purpose: str) -> bool:
        listed = self.chosen | set(self.order) | ({self.judge} if purpose == "judge" else set())
        return (
            (self.state[number] == "approved" or (self.state[number] == "candidate" and purpose in TRIALS))
            and (number in listed or purpose in TRIALS)
            and not documents & self.gone
            and all(LEVELS.index(self.level[one]) <= LEVELS.index(self.ceiling[number]) for one in documents)
        )

    def expected(self, first: int, documents: set[int], purpose: str, *, falls_back: bool) -> int | None:
        asked = [first, *(number for number in self.order if number != first)] if falls_back else [first]
        return next((number for number in asked if self.may_receive(number, documents, purpose)), None)

    # --- What happens ---

    def walk(self, steps: list[Any]) -> None:
        for what, *rest in steps:
            if what == "ask":
                self.ask(*rest)
            else:
                self.change(what, *rest)

    def ask(self, first: int, documents: set[int], purpose: str, falls_back: bool, meanwhile: list[Any]) -> None:
        """Ask, changing settings after everything was read and before the model is; hold what was received."""
        stale = ModelEndpoint.objects.get(pk=self.endpoints[first].pk)
        text = " ".join(self.documents[number].title for number in sorted(documents))
        reply = governing.ask(
            stale,
            Prompt("test-1", "0" * 64, "Answer.", text),
            purpose=Purpose(purpose),
            workspace=self.workspace,
            by=self.person,
            documents={self.documents[number].pk for number in documents},
            falls_back=falls_back,
        )
        for one in meanwhile:
            self.change(*one)
        expected = self.expected(first, documents, purpose, falls_back=falls_back)
        self.server.requests.clear()
        try:
            wrote = "".join(reply)
        except ModelFailed:
            wrote = ""
        received = [MODELS.index(request["model"]) for request in self.server.requests]

        leaked = [number for number in received if not self.may_receive(number, documents, purpose)]
        assert leaked == [], f"{leaked} received {documents}"
        assert received == ([] if expected is None else [expected])
        assert bool(wrote) == (expected is not None)
        assert expected is None or reply.endpoint.pk == self.endpoints[expected].pk


@pytest.fixture
def place(policies: Any, member: Any, documents: Any) -> Any:
    with chat_server.serve() as server:
        endpoints = [
            ModelEndpoint.objects.create(
                name=model,
                kind=EndpointKind.OPENAI,
                base_url=server.url,
                model=model,
                state="approved",
                approved_at=timezone.now(),
            )
            for model in MODELS
        ]
        yield Place(policies, member, server, endpoints, documents)


# One place for all examples: each begins by setting everything as it was.
@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(steps=st.lists(st.one_of(change, ask, ask), min_size=2, max_size=8))
def test_no_sequence_of_settings_lets_a_passage_reach_an_endpoint_below_its_class(place: Place, steps: Any) -> None:
    place.begin()

    place.walk(steps)


RAISED = [("classify", 0, "restricted")]
LEAKS = {
    "the ceiling is not looked at": ("_require_ceiling", lambda *_: None, [("ask", 0, {0}, "answer", False, RAISED)]),
    "the list is not looked at": ("_is_listed", lambda *_: policy.Value(True), [("ask", 1, {0}, "answer", False, [])]),
    "the state is not looked at": (
        "_require_state",
        lambda *_: None,
        [("state", 0, "retired"), ("ask", 0, {0}, "answer", False, [])],
    ),
}


@pytest.mark.parametrize("protection", LEAKS)
def test_without_this_protection_the_same_check_sees_the_leak(protection, place, monkeypatch):
    name, instead, steps = LEAKS[protection]
    monkeypatch.setattr(policy, name, instead)
    place.begin()

    with pytest.raises(AssertionError, match="received"):
        place.walk(steps)
