"""What an asker finds: two documents in the open workspace, and a way to run a question to its ending."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.utils import timezone


@pytest.fixture
def handbook(policies: Any, standing_handbook: Any) -> Any:
    """Ingested before the test began, except in one that commits."""
    from tests.answers import library

    return standing_handbook or library.add_document(policies, library.HANDBOOK_PATH, library.HANDBOOK)


@pytest.fixture
def purchasing(policies: Any) -> Any:
    from tests.answers import library

    return library.add_document(policies, "purchasing-policy.md", library.PURCHASING)


@pytest.fixture
def answered() -> Callable[..., Any]:
    """answered(workspace, "question", user) → the answer after the whole pipeline ran in this process."""
    from answers import pipeline
    from answers.questions import ask

    def run(workspace: Any, text: str, by: Any, **options: Any) -> Any:
        answer = ask(workspace=workspace, text=text, by=by, **options)
        pipeline.run(answer.pk)
        answer.refresh_from_db()
        return answer

    return run


@pytest.fixture
def die() -> Callable[[Any], None]:
    """die(answer) → the worker that holds it is gone without a word, and its lease has run out."""
    from django.db.models.functions import Now

    from answers.models import Answer

    def run_out(answer: Any) -> None:
        Answer.objects.filter(pk=answer.pk).update(lease_until=Now())

    return run_out


@pytest.fixture
def chat_server() -> Iterator[Any]:
    """A server that speaks the chat-completions protocol; the model's name says how it behaves."""
    from tests.answers import chat_server

    with chat_server.serve() as server:
        yield server


@pytest.fixture
def offer() -> Callable[..., Any]:
    """offer(workspace, endpoint) → the endpoint, stored and open to the workspace."""
    from answers.endpoints import BUILT_IN
    from answers.models import ModelEndpoint, WorkspaceModels

    def offer(workspace: Any, endpoint: Any) -> Any:
        endpoint.state, endpoint.approved_at = "approved", timezone.now()
        endpoint.save()
        models, _made = WorkspaceModels.objects.get_or_create(
            workspace=workspace, defaults={"default_endpoint": ModelEndpoint.objects.get(name=BUILT_IN)}
        )
        models.choices.add(endpoint)
        return endpoint

    return offer


@pytest.fixture
def endpoint_of(chat_server: Any, offer: Any, policies: Any) -> Callable[..., Any]:
    """endpoint_of("liar") → an endpoint of `policies` whose model behaves like that."""
    from answers.models import EndpointKind, ModelEndpoint

    def make(model: str, workspace: Any = None, **fields: Any) -> Any:
        return offer(
            workspace or policies,
            ModelEndpoint(
                name=f"{model}-{ModelEndpoint.objects.count()}",
                kind=EndpointKind.OPENAI,
                base_url=chat_server.url,
                model=model,
                **fields,
            ),
        )

    return make


@pytest.fixture
def raw_stream() -> Callable[[Any], str]:
    """raw_stream(answer) → everything the answer's Redis stream holds, as one text."""
    import redis
    from django.conf import settings

    def read(answer: Any) -> str:
        with redis.Redis.from_url(settings.REDIS_URL, decode_responses=True) as client:
            return str(client.xrange(f"answer:{answer.pk}"))

    return read
