"""Kill the work on a document, and hear what is embedded of it."""

from typing import Any

import pytest


@pytest.fixture
def killer(monkeypatch: pytest.MonkeyPatch) -> Any:
    """killer.at("upserted") → whoever comes to that killpoint is gone; see `tests.documents.arrivals.Killer`."""
    from tests.documents.arrivals import Killer

    return Killer(monkeypatch)


@pytest.fixture
def embedded_texts(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every text that was really embedded, in order."""
    from documents import embeddings

    texts: list[str] = []
    real = embeddings.embed_passages

    def counting(batch: Any, space: Any, **how: Any) -> Any:
        texts.extend(batch)
        return real(batch, space, **how)

    monkeypatch.setattr(embeddings, "embed_passages", counting)
    return texts
