"""Ask a server for vectors over the OpenAI embeddings protocol; behind the door of `documents/embeddings.py`.

Where it may be: `documents/model_server.py`. What it answers is measured before it is believed: as many vectors as
texts, each of the space's dimension.
"""

import json
from collections.abc import Callable, Sequence

import numpy as np
from django.utils.translation import gettext, gettext_noop

from documents import outgoing
from documents.embedding.vector_space import EmbeddingRefused, EmbeddingUnavailable, Remote, Space
from documents.exceptions import SourceFailed
from documents.fetch import require_allowed
from documents.model_server import BUSY, PASSING, SENTENCES, TOO_MUCH, Asked, listed, post
from documents.models import EmbeddingEndpoint
from documents.outgoing import Account, Leaving, NotSent, Sent, size_of
from workspaces.endpoints import keys
from workspaces.endpoints.keys import KeyMissing
from workspaces.places import PLACES

#: A person waits for a question's vector; passages are made in the background.
_QUESTION_SECONDS = 10
_NUMBER_BYTES = 40
#: The status of a server that is out of order, or that cannot read one text and does not say so better.
_BROKEN = 500
_SENTENCES = SENTENCES | {
    "missing": gettext_noop("%(name)s has no embeddings at this address."),
    "protocol": gettext_noop("%(name)s answered with something that is not a list of vectors."),
    "dimension": gettext_noop("%(name)s gives vectors of %(found)d numbers instead of %(expected)d: another model."),
}


def passages(texts: Sequence[str], space: Space, account: Account, count: Callable[[int], None]) -> np.ndarray:
    """Vectors of `texts` as passages: float32, shape (len(texts), space.dimension).

    Raises EmbeddingUnavailable, with those that were `made` before it.
    """
    remote = _switched_on(space)
    given = [remote.passage_prefix + text for text in texts]
    if not given:
        return np.empty((0, space.dimension), dtype=np.float32)
    found: list[np.ndarray] = []
    sent = _begin(given, remote, outgoing.VECTORS, account, remote.seconds * len(given))
    try:
        for start in range(0, len(given), remote.batch):
            _halving(given[start : start + remote.batch], space, remote, sent, count, found)
    except EmbeddingUnavailable as failed:
        failed.made = np.concatenate(found) if found else None
        raise
    finally:
        sent.end()
    return np.concatenate(found)


def begin_question(text: str, space: Space, account: Account) -> Sent:
    """Leave to ask for the vector of a question; to be ended by who asked for it. Raises EmbeddingUnavailable."""
    remote = _switched_on(space)
    return _begin([remote.query_prefix + text], remote, outgoing.SEARCH, account, _QUESTION_SECONDS)


def question(text: str, space: Space, sent: Sent) -> np.ndarray:
    """The vector of a question: float32, shape (space.dimension,). Raises EmbeddingUnavailable."""
    remote = _switched_on(space)
    asked = [remote.query_prefix + text]
    vectors, tokens = _ask(asked, space, remote, min(remote.seconds, _QUESTION_SECONDS), in_background=False)
    sent.read(size_of(*asked), tokens)
    return vectors[0]


def require_listed(remote: Remote) -> None:
    """Return if the server may be asked, going by what is written. Raises EmbeddingUnavailable."""
    if "?" in remote.base_url:
        raise _unavailable(remote, "host_form")
    try:
        require_allowed(f"{remote.base_url}/embeddings", listed())
    except SourceFailed as failed:
        raise _unavailable(remote, failed.code) from failed


# --- Inside -------------------------------------------------------------------------------------------------


def _switched_on(space: Space) -> Remote:
    remote = space.remote
    if remote is None or remote.off:
        raise EmbeddingUnavailable(
            gettext("The embedding endpoint %(name)s is not approved for use.") % {"name": space.name}
        )
    return remote


def _begin(texts: Sequence[str], remote: Remote, purpose: str, account: Account, seconds: float) -> Sent:
    # For its name, its price and its ceiling; what is decided on is read anew above.
    endpoint = EmbeddingEndpoint.objects.filter(pk=remote.endpoint).first()
    if endpoint is None:
        raise _unavailable(remote, "missing")
    try:
        return outgoing.begin(Leaving(endpoint, purpose, account, size_of(*texts), seconds))
    except NotSent as refused:
        raise EmbeddingRefused(str(refused), passes=refused.passes) from refused


def _halving(
    texts: list[str],
    space: Space,
    remote: Remote,
    sent: Sent,
    count: Callable[[int], None],
    found: list[np.ndarray],
) -> None:
    """Add the vectors of a batch to `found`; where the server does not take it whole, of its halves: one bad text
    fails alone.
    """
    try:
        vectors, tokens = _ask(texts, space, remote, remote.seconds, in_background=True)
    except _Refused as refused:
        if len(texts) == 1:
            raise _unavailable(remote, "refused", status=refused.status) from refused
        middle = len(texts) // 2
        for half in (texts[:middle], texts[middle:]):
            _halving(half, space, remote, sent, count, found)
        return
    sent.read(size_of(*texts), tokens)
    count(tokens)
    found.append(vectors)


class _Refused(Exception):
    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


def _ask(
    texts: Sequence[str], space: Space, remote: Remote, seconds: int, *, in_background: bool
) -> tuple[np.ndarray, int]:
    """Vectors and the tokens the server says it read. Raises EmbeddingUnavailable and _Refused."""
    try:
        key = keys.key_named(remote.key_reference)
    except KeyMissing as error:
        raise EmbeddingUnavailable(str(error)) from error
    document = {"model": remote.model, "input": list(texts), "encoding_format": "float"}
    asked = Asked(remote.endpoint, remote.requests_per_minute, in_background)
    most = 65536 + len(texts) * space.dimension * _NUMBER_BYTES
    try:
        url = f"{remote.base_url}/embeddings"
        with PLACES.set_aside():
            said = post(url, document, asked, home=remote.base_url, key=key, seconds=seconds, most_bytes=most)
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
    # The last two: a number too large for a float, and brackets too deep to be read.
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError) as error:
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
    if failed.code == "status" and status in TOO_MUCH:
        return _Refused(int(status))
    if failed.code == "status" and status in BUSY:
        busy = _unavailable(remote, "busy", after=int(failed.detail.get("after", 0)))
        busy.may_be_the_text = status == _BROKEN
        return busy
    if failed.code == "status":
        return _unavailable(remote, "refused", status=int(status or 0))
    code = failed.code if failed.code in _SENTENCES else "protocol"
    return _unavailable(remote, code, after=int(failed.detail.get("after", 0)))


def _unavailable(remote: Remote, code: str, *, after: int = 0, **detail: int) -> EmbeddingUnavailable:
    sentence = gettext(_SENTENCES[code]) % {"name": remote.name, **detail}
    return EmbeddingUnavailable(sentence, passes=code in PASSING, after=after)
