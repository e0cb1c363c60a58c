"""What makes two vectors comparable, what their cosines mean, and why there may be none."""

from dataclasses import dataclass
from uuid import UUID

from workspaces.exceptions import PortalError

#: Among a space's languages: it reads all of them.
ANY_LANGUAGE = "*"


class EmbeddingUnavailable(PortalError):
    """No vector can be made; the message says why in a sentence.

    `passes` says whether it may work later without anybody's help, `after` how many seconds a server asked to wait.
    """

    def __init__(self, sentence: str, *, passes: bool = False, after: int = 0) -> None:
        super().__init__(sentence)
        self.passes, self.after = passes, after


class EmbeddingRefused(EmbeddingUnavailable):
    """The server may not be sent this text, or nobody pays for it."""


@dataclass(frozen=True)
class Remote:
    """The server that makes a space's vectors; `off` when it was switched off here."""

    #: The row that says up to which classification it takes text; read anew before each batch.
    endpoint: UUID
    name: str
    base_url: str
    model: str
    key_reference: str = ""
    query_prefix: str = ""
    passage_prefix: str = ""
    batch: int = 32
    seconds: int = 30
    off: bool = False


@dataclass(frozen=True)
class Space:
    """What makes two vectors comparable, and what their cosines mean.

    `fingerprint` changes with anything that changes a vector; `floor` is the
    cosine under which a passage is no evidence for a question; `scale` makes
    distances from it as long as they are with the built-in model; `languages`
    are those the model understands ("" is none in particular).
    """

    name: str
    fingerprint: str
    dimension: int
    floor: float
    languages: frozenset[str]
    scale: float = 1.0
    #: None: the vectors are made in this process.
    remote: Remote | None = None

    def reads(self, language: str) -> bool:
        """Whether its vectors of texts in this language mean something; an unknown one is given credit."""
        return not language or language in self.languages or ANY_LANGUAGE in self.languages
