"""Ask before text goes to a server of vectors or of order, and have counted what it came to.

What may go where, for whom and at whose cost is decided above, by whoever registers here; until then nothing goes.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from time import monotonic
from typing import Protocol
from uuid import UUID

from documents.models import EmbeddingEndpoint, RerankEndpoint
from workspaces.exceptions import PortalError
from workspaces.models import User, Workspace

#: What text is sent for: codes of the ledger.
VECTORS, SEARCH, ORDER = "vectors", "search", "rerank"


@dataclass(frozen=True, slots=True)
class Account:
    """For whom text is sent. `documents` are all whose text it holds; sentences of our own hold none, and `is_ours`."""

    workspace: UUID | None = None
    person: User | None = None
    documents: frozenset[UUID] = frozenset()
    is_ours: bool = False

    @classmethod
    def of(cls, workspace: Workspace | UUID, person: User | None = None, *documents: UUID) -> "Account":
        """Of a workspace; None for `person` is the portal itself."""
        return cls(workspace if isinstance(workspace, UUID) else workspace.pk, person, frozenset(documents))


#: Sentences of our own, which try or measure a server.
OURS = Account(is_ours=True)


@dataclass(frozen=True, slots=True)
class Leaving:
    """Text that is about to go out: to whom, what for, how many bytes it is at most, and how long that may take."""

    endpoint: EmbeddingEndpoint | RerankEndpoint
    purpose: str
    account: Account
    size: int
    seconds: float


class NotSent(PortalError):
    """The text stays here; the message says why. `passes` says whether that may be over without anybody's help."""

    def __init__(self, sentence: str, *, passes: bool = False) -> None:
        super().__init__(sentence)
        self.passes = passes


class Reservation(Protocol):
    """What was set aside for a call."""

    def settle(self, tokens: int, *, estimated: bool, seconds: float) -> None: ...


#: Who lets text go and counts it. Raises NotSent.
keepers: list[Callable[[Leaving], Reservation]] = []


class Sent:
    """What one call came to: each request says how much the server read, and whether it told so itself."""

    def __init__(self, reserved: Reservation) -> None:
        self._reserved, self._started = reserved, monotonic()
        self._tokens, self._is_estimated = 0, False

    def read(self, size: int, tokens: int) -> None:
        """The server took `size` bytes and told of `tokens`; 0 where it told nothing."""
        self._tokens += tokens or -(-size // 4)
        self._is_estimated = self._is_estimated or not tokens

    def end(self) -> None:
        self._reserved.settle(self._tokens, estimated=self._is_estimated, seconds=monotonic() - self._started)


def begin(leaving: Leaving) -> Sent:
    """What has to be ended once the call is over. Raises NotSent."""
    if not keepers:
        raise RuntimeError("Nobody decides on what goes out to servers of models.")
    return Sent(keepers[0](leaving))


@contextmanager
def counted(leaving: Leaving) -> Iterator[Sent]:
    """Around a call. Raises NotSent."""
    sent = begin(leaving)
    try:
        yield sent
    finally:
        sent.end()


def size_of(*texts: str) -> int:
    """Bytes of the texts, which no tokenizer has more tokens for."""
    return sum(len(text.encode(errors="replace")) for text in texts)
