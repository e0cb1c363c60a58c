"""Ask a server for vectors over the OpenAI embeddings protocol; behind the door of `documents/embeddings.py`.

It may be at the hosts of the operator's list for models (INLOCK_MODEL_HOSTS) and nowhere else. What it answers is
measured before it is believed: as many vectors as texts, each of the space's dimension.
"""

import json
import os
import threading
from collections.abc import Callable, Mapping, Sequence

import numpy as np
from django.conf import settings
from django.utils.translation import gettext, gettext_noop

from documents.exceptions import SourceFailed
from documents.fetch import Fetcher, Limits, Outgoing, require_allowed
from documents.vector_space import EmbeddingUnavailable, Remote, Space
from workspaces import hosts, keys
from workspaces.hosts import HostList
from workspaces.keys import KeyMissing

#: A person waits for a question's vector; passages are made in the background.
_QUESTION_SECONDS = 10
#: What a server that takes no more than a part of a batch answers.
_TOO_MUCH = frozenset({400, 413, 422})
_BUSY = frozenset({408, 425, 429, 500, 502, 503, 504})
_NUMBER_BYTES = 40
_SENTENCES = {
    "host_form": gettext_noop("The address of %(name)s is not a plain http or https address."),
    "host_unlisted": gettext_noop(
        "The host of %(name)s is not on this installation's list of model hosts. Its operator can add it."
    ),
    "host_inside": gettext_noop("The address of %(name)s leads into a network that is not on the list of model hosts."),
    "host_plain": gettext_noop("Outside of the listed networks %(name)s is asked over HTTPS only."),
    "host_unknown": gettext_noop("The host name of %(name)s is not known."),
    "unreachable": gettext_noop("%(name)s could not be reached."),
    "too_slow": gettext_noop("%(name)s took too long."),
    "denied": gettext_noop("%(name)s refused access. Check the key and what it may do."),
    "missing": gettext_noop("%(name)s has no embeddings at this address."),
    "busy": gettext_noop("%(name)s is busy or out of order for the moment."),
    "refused": gettext_noop("%(name)s does not take what it was sent (status %(status)d)."),
    "protocol": gettext_noop("%(name)s answered with something that is not a list of vectors."),
    "dimension": gettext_noop("%(name)s gives vectors of %(found)d numbers instead of %(expected)d: another model."),
}
_PASSING = frozenset({"unreachable", "too_slow", "busy", "host_unknown"})


def passages(texts: Sequence[str], space: Space, count: Callable[[int], None]) -> np.ndarray:
    """Vectors of `texts` as passages: float32, shape (len(texts), space.dimension). Raises EmbeddingUnavailable."""
    remote = _switched_on(space)
    found = [np.empty((0, space.dimension), dtype=np.float32)]
    for start in range(0, len(texts), remote.batch):
        batch = [remote.passage_prefix + text for text in texts[start : start + remote.batch]]
        found.append(_halving(batch, space, remote, count))
    return np.concatenate(found)


def question(text: str, space: Space) -> np.ndarray:
    """The vector of a question: float32, shape (space.dimension,). Raises EmbeddingUnavailable."""
    remote = _switched_on(space)
    return _ask([remote.query_prefix + text], space, remote, min(remote.seconds, _QUESTION_SECONDS))[0][0]


def require_listed(remote: Remote) -> None:
    """Return if the server may be asked, going by what is written. Raises EmbeddingUnavailable."""
    if "?" in remote.base_url:
        raise _unavailable(remote, "host_form")
    try:
        require_allowed(f"{remote.base_url}/embeddings", _listed())
    except SourceFailed as failed:
        raise _unavailable(remote, failed.code) from failed


# --- Inside -------------------------------------------------------------------------------------------------


class _Server(Fetcher):
    """Goes to the hosts of models, encrypted wherever that is not one of the listed networks."""

    def __init__(self, remote: Remote, key: str) -> None:
        def sign(request: Outgoing) -> Mapping[str, str]:
            return {"authorization": f"Bearer {key}"} if key else {}

        super().__init__(home=remote.base_url, sign=sign)

    def hosts(self) -> HostList:
        return _listed()


def _listed() -> HostList:
    return hosts.read_list(settings.MODEL_HOSTS)


def _switched_on(space: Space) -> Remote:
    remote = space.remote
    if remote is None or remote.off:
        raise EmbeddingUnavailable(gettext("The embedding endpoint %(name)s is switched off.") % {"name": space.name})
    return remote


def _halving(texts: list[str], space: Space, remote: Remote, count: Callable[[int], None]) -> np.ndarray:
    """The vectors of a batch; where the server does not take it whole, of its halves: one bad text fails alone."""
    try:
        vectors, tokens = _ask(texts, space, remote, remote.seconds)
    except _Refused as refused:
        if len(texts) == 1:
            raise _unavailable(remote, "refused", status=refused.status) from refused
        middle = len(texts) // 2
        return np.concatenate([_halving(half, space, remote, count) for half in (texts[:middle], texts[middle:])])
    count(tokens)
    return vectors


class _Refused(Exception):
    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


def _ask(texts: Sequence[str], space: Space, remote: Remote, seconds: int) -> tuple[np.ndarray, int]:
    """Vectors and the tokens the server says it read. Raises EmbeddingUnavailable and _Refused."""
    try:
        key = keys.key_named(remote.key_reference)
    except KeyMissing as error:
        raise EmbeddingUnavailable(str(error)) from error
    body = json.dumps({"model": remote.model, "input": list(texts), "encoding_format": "float"}).encode()
    limits = Limits(
        connect_seconds=min(seconds, 10),
        read_seconds=seconds,
        total_seconds=seconds,
        total_bytes=65536 + len(texts) * space.dimension * _NUMBER_BYTES,
        redirects=0,
    )
    headers = {"content-type": "application/json", "accept": "application/json"}
    try:
        url = f"{remote.base_url}/embeddings"
        with _server(remote, key).send("POST", url, headers=headers, body=body, limits=limits) as reply:
            said = reply.read()
    except SourceFailed as failed:
        raise _translated(failed, remote) from failed
    return _read(said, len(texts), space, remote)


def _read(said: bytes, expected: int, space: Space, remote: Remote) -> tuple[np.ndarray, int]:
    try:
        document = json.loads(said)
        rows = sorted(document["data"], key=lambda row: row["index"])
        vectors = [np.asarray(row["embedding"], dtype=np.float32) for row in rows]
        numbers = [row["index"] for row in rows]
        tokens = int((document.get("usage") or {}).get("prompt_tokens") or 0)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise _unavailable(remote, "protocol") from error
    if numbers != list(range(expected)) or any(vector.ndim != 1 for vector in vectors):
        raise _unavailable(remote, "protocol")
    for vector in vectors:
        if len(vector) != space.dimension:
            raise _unavailable(remote, "dimension", found=len(vector), expected=space.dimension)
    matrix = np.stack(vectors)
    lengths = np.linalg.norm(matrix, axis=1, keepdims=True)
    if not np.isfinite(lengths).all() or not lengths.all():
        raise _unavailable(remote, "protocol")
    return (matrix / lengths).astype(np.float32), max(0, tokens)


def _translated(failed: SourceFailed, remote: Remote) -> Exception:
    status = failed.detail.get("status")
    if failed.code == "status" and status in _TOO_MUCH:
        return _Refused(int(status))
    if failed.code == "status" and status in _BUSY:
        return _unavailable(remote, "busy", after=int(failed.detail.get("after", 0)))
    if failed.code == "status":
        return _unavailable(remote, "refused", status=int(status or 0))
    return _unavailable(remote, failed.code if failed.code in _SENTENCES else "protocol")


def _unavailable(remote: Remote, code: str, *, after: int = 0, **detail: int) -> EmbeddingUnavailable:
    sentence = gettext(_SENTENCES[code]) % {"name": remote.name, **detail}
    return EmbeddingUnavailable(sentence, passes=code in _PASSING, after=after)


# A thread's own, because a fetcher makes one request after another; kept, because a question should not wait for TLS.
_kept = threading.local()


def _server(remote: Remote, key: str) -> _Server:
    servers: dict[tuple[str, str], _Server] = _kept.__dict__.setdefault("servers", {})
    if (remote.base_url, key) not in servers:
        servers[remote.base_url, key] = _Server(remote, key)
    return servers[remote.base_url, key]


def _forget_in_child() -> None:
    # Two processes must not talk over one connection.
    global _kept
    _kept = threading.local()


os.register_at_fork(after_in_child=_forget_in_child)
