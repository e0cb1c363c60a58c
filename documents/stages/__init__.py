"""The stages of ingestion, one module each, named after the state they reach.

To write one, copy a neighbour: `work` may take long and runs outside any transaction; `save` is short and runs in
the transaction that moves the version on, so that what a stage made and the state that says so appear together.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from documents.ingestion.leases import Lease
from documents.models import Version
from documents.states import VersionState


@dataclass(frozen=True, slots=True)
class Stage:
    """One step along `documents/states.py`. `work` raises StageFailed or ParseFailed when the version cannot go on."""

    reaches: VersionState
    work: Callable[[Version, Lease], Any]
    #: Changes the version it is given, whose fields in `writes` are then saved; returns what it did, in numbers.
    save: Callable[[Version, Any], dict[str, Any]]
    writes: tuple[str, ...] = ()
    #: Sets on a version in memory what the next stage works from, so that both may be saved together; None: it is
    #: saved by itself.
    waits: Callable[[Version, Any], None] | None = None
    #: Whether what it made stays valid, so that a later attempt under the same pipeline need not do it again.
    lasting: bool = True


class StageFailed(Exception):
    """The version cannot go on. `sentence` is untranslated, like those of the parsers."""

    def __init__(self, code: str, sentence: str, *, retryable: bool = False) -> None:
        super().__init__(f"{code}: {sentence}")
        self.code, self.sentence, self.retryable = code, sentence, retryable


class StageWaits(StageFailed):
    """The embedding server is busy: tried again by itself, and failed as said once that went on for too long.

    `after` is how many seconds the server asked to wait.
    """

    def __init__(self, code: str, sentence: str, *, after: int) -> None:
        super().__init__(code, sentence, retryable=True)
        self.after = after
