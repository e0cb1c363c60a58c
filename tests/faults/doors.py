"""What the actor puts around the product's doors: points to kill at, a count of what was embedded, and sabotage."""

import hashlib
import importlib
import os
import re
import signal
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np

from audit import chain
from documents import embeddings, forking, index, sandbox, tasks
from documents.deletion import erasing as deletion
from documents.indexing import replicas
from documents.ingestion import company, leases
from documents.outgoing import OURS
from documents.reembedding import dropping
from documents.retrieval import legs
from documents.stages import embedded
from tests.faults.actor import BATCH
from workspaces import dispatch, killpoints

#: Calls that get a point before and one after them, called `before_NAME` and `after_NAME`.
AROUND = {
    "bell": (dispatch, "_send"),
    "append": (chain, "append"),
    "embedding": (embeddings, "embed_passages"),
    "upsert": (index, "upsert"),
    "drop": (index, "drop"),
    "unindexing": (index, "delete"),
    "parsing": (sandbox, "parse"),
    "erasing": (deletion, "erase"),
    "purge": (replicas, "purge"),
}
_HEAVY = (
    "chromadb.api.fastapi",
    "chromadb.telemetry.product.posthog",
    "tantivy",
    "answers.extractive",
    "langchain_core.prompts",
)
_WORD = re.compile(r"\w+")


def wrap(paid: Path) -> None:
    """Put points and counts in place; and a model that costs nothing, because only its being asked matters here."""
    paid.touch()
    embedded.BATCH = dropping.DELETED_AT_ONCE = BATCH
    # So that a company of three is embedded in two parts.
    company.AHEAD = 2
    # No search of a story lasts beyond a switch.
    dropping.SETTLE = timedelta(0)

    def embed_passages(texts: Any, space: Any, account: Any = None, **_how: Any) -> np.ndarray:
        # The built-in chat model embeds the sentences it compares as well, and keeps none of them; and a server is
        # asked for a sentence of ours each time, by which its model is known again.
        if account is not OURS and sys._getframe(2).f_globals["__name__"].startswith("documents."):
            with paid.open("a") as file:
                file.writelines(f"{hashlib.sha256(text.encode()).hexdigest()}\n" for text in texts)
        return np.array([vector(text, space) for text in texts], dtype=np.float32)

    embeddings.embed_passages = embed_passages
    embeddings.embed_query = legs.embed_query = lambda text, space, *_sent, **_how: vector(text, space)
    for name, (module, function) in AROUND.items():
        setattr(module, function, _with_points(name, getattr(module, function)))


def load() -> None:
    """Import once what every child would otherwise import for itself."""
    for name in _HEAVY:
        importlib.import_module(name)


def vector(text: str, space: Any) -> np.ndarray:
    """The words of the text, each hashed to a place: texts that share words are near each other."""
    found = np.zeros(space.dimension, dtype=np.float32)
    for word in _WORD.findall(text.lower()):
        found[int.from_bytes(hashlib.sha256(word.encode()).digest()[:4]) % space.dimension] += 1
    return found / max(float(np.linalg.norm(found)), 1e-9)


def _with_points(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    def with_points(*args: Any, **named: Any) -> Any:
        killpoints.killpoint(f"before_{name}")
        value = function(*args, **named)
        killpoints.killpoint(f"after_{name}")
        return value

    return with_points


# --- Protections that a counter-proof takes away --------------------------------------------------------------


def _no_fencing() -> None:
    """Whoever ever held a version goes on writing to it."""
    leases.Lease._rows = lambda lease: leases.Version.objects.filter(pk=lease.version_id)  # type: ignore[method-assign]
    company._rows = lambda of: leases.Version.objects.filter(
        pk__in=[one if isinstance(one, UUID) else one.version.pk for one in of]
    )


def _no_mark() -> None:
    """An index that is being made anew looks like any other."""
    index._is_partial = lambda collection: False


def _no_sweep() -> None:
    tasks.sweep_ingestion = lambda: None


# --- Parsers that die in the middle -----------------------------------------------------------------------------


def _no_parser() -> None:
    """The process that reads the file is killed as soon as it is there."""
    _while_reading(lambda: os.kill(_child_of(forking.forker), signal.SIGKILL))


def _no_forker() -> None:
    """The process that forks parsers is killed with the first of them, and left alone after that."""
    real = sandbox._read

    def kill() -> None:
        sandbox._read = real
        assert forking.forker._process is not None
        os.kill(forking.forker._process.pid, signal.SIGKILL)

    _while_reading(kill)


def _while_reading(act: Callable[[], None]) -> None:
    real = sandbox._read

    def read(child: Any, limits: Any, work: str) -> Any:
        act()
        return real(child, limits, work)

    sandbox._read = read


def _child_of(forker: forking.Forker) -> int:
    """The parser that the process of `forker` has just been asked for; it needs longer to begin than this does."""
    assert forker._process is not None
    children = Path(f"/proc/{forker._process.pid}/task/{forker._process.pid}/children")
    while not (found := children.read_text().split()):
        pass
    return int(found[0])


SABOTAGE: dict[str, Callable[[], None]] = {
    "fencing": _no_fencing,
    "mark": _no_mark,
    "sweep": _no_sweep,
    "parser": _no_parser,
    "forker": _no_forker,
}
