"""A shelf of five documents, a server with other models, and a change of the embedding model to it."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.utils import timezone


@pytest.fixture(scope="session")
def _running() -> Iterator[Any]:
    from tests.documents.embedding_server import serve

    with serve() as server:
        yield server


@pytest.fixture
def server(_running: Any) -> Iterator[Any]:
    """The server as if it had just been started."""
    for heard in (_running.texts, _running.requests, _running.headers, _running.refusals):
        heard.clear()
    _running.exchanged_for, _running.before = "", lambda texts: None
    yield _running
    _running.before = lambda texts: None


@pytest.fixture
def endpoint(server: Any, db: None) -> Callable[..., Any]:
    """endpoint("wide", ceiling="confidential") → an endpoint with that model of the server."""
    from documents.models import EmbeddingEndpoint
    from tests.documents.embedding_server import DIMENSIONS

    def connect(model: str = "rotated", **settings: Any) -> Any:
        given = {"name": model, "base_url": server.url, "model": model, "dimension": DIMENSIONS.get(model, 384)}
        given |= {"state": "approved", "approved_at": timezone.now()}
        return EmbeddingEndpoint.objects.create(**(given | settings))

    return connect


@pytest.fixture
def shelved(policies: Any) -> Any:
    """`policies` with documents on its shelf."""
    import numpy as np

    from documents import index
    from documents.embedding.framing import framed
    from tests.documents import shelf
    from tests.documents.embedding_server import known_vectors
    from tests.documents.reembedding.scene import SUBJECTS

    ids, rows = [], []
    for path, texts in SUBJECTS.items():
        title = path.removesuffix(".md")
        vectors = known_vectors([framed(title, path, "", text) for text in texts])
        version = shelf.put(policies, path, texts, vectors=vectors, indexed=False).current_version
        ids += [str(id) for id in version.passages.order_by("position").values_list("pk", flat=True)]
        rows.append(vectors)
    # At once: five calls for each of these tests were most of what they cost.
    index.upsert(policies.pk, shelf.SPACE, ids, np.concatenate(rows))
    policies.refresh_from_db()
    return policies


@pytest.fixture
def building_to(shelved: Any, manager: Any, endpoint: Callable[..., Any]) -> Callable[..., Any]:
    """building_to("wide") → a change to that model, started; nothing is made yet."""
    from documents.models import EmbeddingEndpoint
    from documents.reembedding import steering

    def begin(model: str = "rotated", **settings: Any) -> Any:
        if not EmbeddingEndpoint.objects.filter(name=model).exists():
            endpoint(model, **settings)
        return steering.start(steering.plan(shelved, to=model, by=manager), by=manager)

    return begin


@pytest.fixture
def built(building_to: Callable[..., Any]) -> Callable[..., Any]:
    """built("wide") → a change to that model whose vectors are all there."""
    from tests.documents.reembedding.scene import to_the_end

    def build(model: str = "rotated", **settings: Any) -> Any:
        return to_the_end(building_to(model, **settings))

    return build
