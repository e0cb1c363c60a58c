"""The vector index: the only door to Chroma.

It holds ids and vectors and nothing else, one collection per workspace and
embedding space, and can be wiped at any time: the database has everything.
"""

import logging
import os
import re
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit
from uuid import UUID

import numpy as np
from django.conf import settings
from django.utils.translation import gettext

from documents.embedding.vector_space import Space
from workspaces.exceptions import PortalError

if TYPE_CHECKING:
    from chromadb import Collection
    from chromadb.api import ServerAPI

logger = logging.getLogger(__name__)

T = TypeVar("T")

_BATCH = 1000
#: Ids listed at once. Chroma walks to where a page begins: of a hundred thousand, pages of 1,000 took twenty times as
#: long.
_PAGE = 50_000
_HNSW = {"space": "cosine", "ef_search": 200}
#: So much of a space's fingerprint names its indexes.
_NAMED_BY = 16
#: As `_name` makes them.
_NAME = re.compile(r"w-([0-9a-f]{32})-([0-9a-f]{16})")
#: In a collection's metadata while it is made anew.
_PARTIAL = "partial"
_ANSWER_SECONDS = 2.0
_WRITE_SECONDS = 60.0
#: After a question timed out, the next ones are not made to wait as well.
_REST_SECONDS = 10.0


class IndexUnavailable(PortalError):
    """The vector index does not answer, or answered with a fault of its own."""


class IndexDamaged(IndexUnavailable):
    """The vector index answers, and cannot read what it should hold."""


def upsert(workspace_id: UUID, space: Space, ids: Sequence[str], vectors: np.ndarray) -> None:
    """Store `vectors`, shape (len(ids), space.dimension), under `ids`; ids it has are overwritten."""

    def write(collection: "Collection") -> None:
        for start in range(0, len(ids), _BATCH):
            batch = slice(start, start + _BATCH)
            collection.upsert(ids=list(ids[batch]), embeddings=vectors[batch])

    if len(ids):
        _on_collection(workspace_id, space, write, create=True, seconds=_WRITE_SECONDS)


def query(workspace_id: UUID, space: Space, vector: np.ndarray, n: int) -> list[tuple[str, float]]:
    """The `n` nearest ids with their cosine similarity, best first; fewer when there are fewer. Raises IndexDamaged."""

    def ask(collection: "Collection") -> list[tuple[str, float]]:
        _require_whole(collection)
        found = collection.query(query_embeddings=[vector], n_results=n, include=["distances"])
        pairs = zip(found["ids"][0], found["distances"][0], strict=True)
        return [(id, _cosine(distance)) for id, distance in pairs]

    if time.monotonic() < _resting_until:
        raise IndexUnavailable(gettext("The vector index did not answer in time a moment ago."))
    return _on_collection(workspace_id, space, ask, missing=[])


def delete(workspace_id: UUID, space: Space, ids: Sequence[str]) -> None:
    """Remove `ids`; unknown ones are no error."""

    def remove(collection: "Collection") -> None:
        for start in range(0, len(ids), _BATCH):
            collection.delete(ids=list(ids[start : start + _BATCH]))

    if len(ids):
        _on_collection(workspace_id, space, remove, missing=None, seconds=_WRITE_SECONDS)


def ids(workspace_id: UUID, space: Space) -> set[str]:
    """Every id the index holds for this workspace and space."""

    def read(collection: "Collection") -> set[str]:
        found: set[str] = set()
        while page := collection.get(include=[], limit=_PAGE, offset=len(found))["ids"]:
            found.update(page)
        return found

    return _on_collection(workspace_id, space, read, missing=set(), seconds=_WRITE_SECONDS)


def held(workspace_id: UUID, space: Space, ids: Sequence[str]) -> set[str]:
    """Those of `ids` that the index holds."""

    def read(collection: "Collection") -> set[str]:
        found: set[str] = set()
        for start in range(0, len(ids), _BATCH):
            found.update(collection.get(ids=list(ids[start : start + _BATCH]), include=[])["ids"])
        return found

    if not len(ids):
        return set()
    return _on_collection(workspace_id, space, read, missing=set(), seconds=_WRITE_SECONDS)


def vectors(workspace_id: UUID, space: Space, ids: Sequence[str]) -> dict[str, np.ndarray]:
    """The vectors that the index holds for `ids`; those it lacks are left out. Raises IndexDamaged.

    Of a damaged one that the server reads all the same, some numbers are none.
    """

    def read(collection: "Collection") -> dict[str, np.ndarray]:
        found: dict[str, np.ndarray] = {}
        for start in range(0, len(ids), _BATCH):
            page = collection.get(ids=list(ids[start : start + _BATCH]), include=["embeddings"])
            # What is no number is null in the answer.
            read = (np.asarray(vector, dtype=np.float32) for vector in page["embeddings"])
            found.update(zip(page["ids"], read, strict=True))
        return found

    if not len(ids):
        return {}
    return _on_collection(workspace_id, space, read, missing={}, seconds=_WRITE_SECONDS)


def best_cosines(workspace_id: UUID, space: Space, matrix: np.ndarray) -> list[float]:
    """The cosine similarity of what is found nearest to each row of `matrix`; -1 where nothing is.

    Raises IndexDamaged.
    """

    def ask(collection: "Collection") -> list[float]:
        _require_whole(collection)
        found = collection.query(query_embeddings=list(matrix), n_results=1, include=["distances"])
        return [_cosine(distances[0]) if distances else -1.0 for distances in found["distances"]]

    if not len(matrix):
        return []
    return _on_collection(workspace_id, space, ask, missing=[-1.0] * len(matrix), seconds=_WRITE_SECONDS)


def drop(workspace_id: UUID, space: Space) -> None:
    """Remove the whole collection; a missing one is no error."""
    from chromadb.errors import NotFoundError

    with _translated(_name(workspace_id, space)), suppress(NotFoundError):
        _server(_WRITE_SECONDS).delete_collection(_name(workspace_id, space))
    _collections.pop(_name(workspace_id, space), None)


def is_there(workspace_id: UUID, space: Space) -> bool:
    """Whether there is an index, whole or not. There is none before the first passage, and once its files are lost."""
    return _seen(workspace_id, space) is not None


def is_partial(workspace_id: UUID, space: Space) -> bool:
    """Whether there is an index that was begun and not called whole yet, by somebody who is at it or died over it."""
    seen = _seen(workspace_id, space)
    return seen is not None and _is_partial(seen)


def is_whole(workspace_id: UUID, space: Space) -> bool:
    """Whether there is an index and it answers."""
    seen = _seen(workspace_id, space)
    return seen is not None and not _is_partial(seen)


def made() -> dict[tuple[UUID, str], bool]:
    """The workspace, and the beginning of the space's fingerprint, of every index → whether it is whole."""
    found: dict[tuple[UUID, str], bool] = {}
    with _translated():
        server, offset = _server(_ANSWER_SECONDS), 0
        while page := server.list_collections(limit=_BATCH, offset=offset):
            offset += len(page)
            names = ((_NAME.fullmatch(collection.name), collection) for collection in page)
            found |= {(UUID(name[1]), name[2]): not _is_partial(collection) for name, collection in names if name}
    return found


def key(workspace_id: UUID, space: Space) -> tuple[UUID, str]:
    """By what `made` names the index of a workspace in a space."""
    return workspace_id, space.fingerprint[:_NAMED_BY]


@contextmanager
def anew(workspace_id: UUID, space: Space) -> Iterator[None]:
    """Begin with an empty index, of which everything is put in inside the block; see `completed`."""
    drop(workspace_id, space)
    with completed(workspace_id, space):
        yield


def empty(workspace_id: UUID, space: Space) -> None:
    """Leave an empty index that answers nothing, in every process, until somebody `completed` it."""
    drop(workspace_id, space)
    _begun(_name(workspace_id, space))


@contextmanager
def completed(workspace_id: UUID, space: Space) -> Iterator[None]:
    """Keep the index from answering until the block has ended well, in which everything is put in that belongs there:
    a part would look like all of it. What somebody else put in stays.

    Only the collection that was there at the beginning is called whole: whoever drops it inside the block begins
    another. Should this process die, the index stays partial for the next who completes it.
    """
    from chromadb.errors import NotFoundError

    begun = _begun(_name(workspace_id, space))
    yield
    with _translated(), suppress(NotFoundError):
        _bound(begun, _WRITE_SECONDS).modify(metadata={_PARTIAL: False})


def remake(workspace_id: UUID, space: Space, stored: Iterable[tuple[Sequence[str], np.ndarray]]) -> bool:
    """Put `stored` into a fresh collection that takes the place of this one; False where there is none.

    Chroma keeps deleted vectors in the files of a collection for as long as it lives. The old one answers until the
    new one is whole; what is written to it meanwhile the caller brings over afterwards.
    """
    from chromadb.errors import NotFoundError

    name = _name(workspace_id, space)
    with _translated(name):
        server = _server(_WRITE_SECONDS)
        try:
            former = server.get_collection(name)
        except NotFoundError:
            return False
        for left_over in (f"{name}-next", f"{name}-former"):
            with suppress(NotFoundError):
                server.delete_collection(left_over)
        fresh = _bound(_resolve(f"{name}-next", True, _WRITE_SECONDS), _WRITE_SECONDS)
        for ids, vectors in stored:
            for start in range(0, len(ids), _BATCH):
                batch = slice(start, start + _BATCH)
                fresh.upsert(ids=list(ids[batch]), embeddings=vectors[batch])
        _bound(former, _WRITE_SECONDS).modify(name=f"{name}-former")
        fresh.modify(name=name)
        server.delete_collection(f"{name}-former")
    _collections.pop(name, None)
    return True


def version() -> str:
    """The server's version; the quickest proof that it answers."""
    with _translated():
        return _server(_ANSWER_SECONDS).get_version()


# --- Inside -------------------------------------------------------------------------------------------------

_collections: dict[str, Any] = {}
_resting_until = 0.0
_connecting = threading.Lock()


def _name(workspace_id: UUID, space: Space) -> str:
    return f"w-{UUID(str(workspace_id)).hex}-{space.fingerprint[:_NAMED_BY]}"


def _seen(workspace_id: UUID, space: Space) -> Any:
    """The collection as the server has it now, whatever this process remembers; None where there is none."""
    from chromadb.errors import NotFoundError

    with _translated(), suppress(NotFoundError):
        return _resolve(_name(workspace_id, space), False, _ANSWER_SECONDS)
    return None


def _begun(name: str) -> Any:
    """The collection, new or as it is, marked as one that is not whole."""
    with _translated():
        server = _server(_WRITE_SECONDS)
        begun = server.get_or_create_collection(name, configuration={"hnsw": _HNSW}, metadata={_PARTIAL: True})
        if not _is_partial(begun):
            # Somebody else's vectors came first.
            _bound(begun, _WRITE_SECONDS).modify(metadata={_PARTIAL: True})
    _collections.pop(name, None)
    return begun


def _on_collection(
    workspace_id: UUID,
    space: Space,
    act: "Callable[[Collection], T]",
    *,
    missing: T | None = None,
    create: bool = False,
    seconds: float | None = None,
) -> T:
    """What `act` returns for the collection; `missing` where there is none and `create` is off."""
    from chromadb.errors import NotFoundError

    name = _name(workspace_id, space)
    seconds = seconds or _ANSWER_SECONDS
    with _translated(name):
        known = _collections.get(name)
        if known is not None:
            try:
                return act(_bound(known, seconds))
            except NotFoundError:
                # Chroma was wiped, or the collection made anew under another id: look once more.
                _collections.pop(name, None)
        try:
            found = _resolve(name, create, seconds)
        except NotFoundError:
            return missing  # type: ignore[return-value]
        # One that is being made anew is looked up each time: it may be whole by the next.
        if not _is_partial(found):
            _collections[name] = found
        return act(_bound(found, seconds))


def _resolve(name: str, create: bool, seconds: float) -> Any:
    server = _server(seconds)
    if not create:
        return server.get_collection(name)
    return server.get_or_create_collection(name, configuration={"hnsw": _HNSW})


def _cosine(distance: float | None) -> float:
    """The similarity; raises IndexDamaged where the server computed a distance that is no number, and said null."""
    if distance is None:
        raise IndexDamaged(_unreadable())
    return 1.0 - distance


def _unreadable() -> str:
    return gettext("The vector index cannot read its files; `manage.py index rebuild` makes them anew.")


def _is_partial(collection: Any) -> bool:
    return bool((collection.metadata or {}).get(_PARTIAL))


def _require_whole(collection: Any) -> None:
    if _is_partial(collection):
        raise IndexUnavailable(gettext("The vector index is being made anew."))


def _bound(model: Any, seconds: float) -> "Collection":
    from chromadb import Collection

    # No embedding function: given text, Chroma's own would try to download a model.
    return Collection(client=_server(seconds), model=model, embedding_function=None)


@contextmanager
def _translated(name: str = "") -> Iterator[None]:
    """Turn every way in which the client reports trouble into IndexUnavailable. `name` is the collection asked."""
    import httpx
    from chromadb.errors import ChromaError, InternalError

    global _resting_until
    try:
        yield
    except httpx.TimeoutException as error:
        _resting_until = time.monotonic() + _REST_SECONDS
        _complain(name)
        raise IndexUnavailable(gettext("The vector index did not answer in time.")) from error
    except InternalError as error:
        raise IndexDamaged(_unreadable()) from error
    except (httpx.HTTPError, ChromaError) as error:
        raise IndexUnavailable(
            gettext("The vector index does not answer: %(fault)s.") % {"fault": type(error).__name__}
        ) from error
    except Exception as error:
        # A bare Exception is what the client raises when a proxy answers in its place; the rest is our fault.
        if type(error) is not Exception:
            raise
        raise IndexUnavailable(gettext("The vector index answered with something that is not Chroma.")) from error


def _complain(name: str) -> None:
    """Have the keeper of our own server look whether it hangs on this collection, or altogether."""
    if settings.CHROMA_COMPLAINT is None:
        return
    try:
        settings.CHROMA_COMPLAINT.write_text(name, encoding="utf-8")
    except OSError as error:
        # As of a full disk. The question fails all the same, and the next one complains again.
        logger.warning("The keeper of Chroma cannot be told that it did not answer: %s", error)


def _server(seconds: float) -> "ServerAPI":
    with _connecting:
        return _connect(settings.CHROMA_URL, seconds)


@cache
def _connect(url: str, seconds: float) -> "ServerAPI":
    import httpx
    from chromadb.api import ServerAPI
    from chromadb.config import Settings, System

    address = urlsplit(url)
    secure = address.scheme == "https"
    system = System(
        Settings(
            chroma_api_impl="chromadb.api.fastapi.FastAPI",
            chroma_server_host=address.hostname,
            chroma_server_http_port=address.port or (443 if secure else 80),
            chroma_server_ssl_enabled=secure,
            anonymized_telemetry=False,
        )
    )
    server = system.instance(ServerAPI)
    # chromadb.HttpClient waits for ever and offers no setting; its session does.
    server._session.timeout = httpx.Timeout(seconds, connect=_ANSWER_SECONDS)
    system.start()
    return server


def _forget_in_child() -> None:
    # Two processes must not talk over one socket.
    global _connecting
    _connecting = threading.Lock()
    _connect.cache_clear()
    _collections.clear()


os.register_at_fork(after_in_child=_forget_in_child)
