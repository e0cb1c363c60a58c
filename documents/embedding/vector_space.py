"""What makes two vectors comparable, what their cosines mean, and why there may be none."""

from dataclasses import dataclass
from uuid import UUID

import numpy as np

from workspaces.exceptions import PortalError

#: The floor of the default space: `embeddings.default_space`.
USUAL_FLOOR = 0.35
#: Among a space's languages: it reads all of them.
ANY_LANGUAGE = "*"


def usual(cosines: np.ndarray | float, floor: float, scale: float) -> np.ndarray:
    """Cosines of a space with this floor and scale as `Space.usual` gives them."""
    return np.minimum(1.0, USUAL_FLOOR + (np.asarray(cosines) - floor) * scale)


class EmbeddingUnavailable(PortalError):
    """No vector can be made; the message says why in a sentence.

    `passes` says whether it may work later without anybody's help, `after` how many seconds a server asked to wait.
    `made` are the vectors of the first of the texts, where a server gave some before it failed: float32, one a row;
    `is_compared` says whether its model was found to be the same after it gave them. `may_be_the_text` says that the
    server broke down over what it was sent, and may do so each time.
    """

    made: np.ndarray | None = None
    is_compared = False
    may_be_the_text = False

    def __init__(self, sentence: str, *, passes: bool = False, after: int = 0) -> None:
        super().__init__(sentence)
        self.passes, self.after = passes, after

    @property
    def is_busy(self) -> bool:
        """Whether it is the server that may be asked again later, and not a budget."""
        return self.passes and not isinstance(self, EmbeddingRefused)


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
    requests_per_minute: int | None = None
    off: bool = False


@dataclass(frozen=True)
class Space:
    """What makes two vectors comparable, and what their cosines mean.

    `fingerprint` changes with anything that changes a vector; `floor` is the
    cosine under which a passage is no evidence for a question; `scale` makes
    distances from it as long as they are with the built-in model; `languages`
    are those the model understands ("" is none in particular); `batch` is how
    many texts are embedded before what is made is saved, None for as many as is
    usual; `extra` names what must be installed beside the product, "" where nothing.
    """

    name: str
    fingerprint: str
    dimension: int
    floor: float
    languages: frozenset[str]
    scale: float = 1.0
    #: None: the vectors are made in this process.
    remote: Remote | None = None
    batch: int | None = None
    extra: str = ""

    def reads(self, language: str) -> bool:
        """Whether its vectors of texts in this language mean something; an unknown one is given credit."""
        return not language or language in self.languages or ANY_LANGUAGE in self.languages

    @property
    def may_be_missing(self) -> bool:
        """Whether searches go on by words where its model cannot be asked: not where it is part of the product."""
        return self.remote is not None or bool(self.extra)

    def usual(self, cosines: np.ndarray | float) -> np.ndarray:
        """What cosines would be with the built-in model, with which every threshold outside of a search was measured.

        Of the same shape; what means the same stays 1.
        """
        return usual(cosines, self.floor, self.scale)
