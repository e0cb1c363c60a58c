"""What rests on a document in the apps above: they register here what a deletion tells of it, closes and erases."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from documents.models import Deletion, Document, Version
from workspaces.models import User


@dataclass(frozen=True, slots=True)
class Resting:
    """Things of one kind that rest on a document, as one person is told of them before it is deleted."""

    label: Any
    #: What a deletion does to them.
    consequence: Any
    count: int
    #: Names and addresses of the first of those that are open to the person; of the others only the number is told.
    shown: Sequence[tuple[str, str]] = ()

    @property
    def more(self) -> int:
        return self.count - len(self.shown)


def _nothing_told(_document: Document, _by: User) -> Iterable[Resting]:
    return ()


def _nothing_done(_deletion: Deletion) -> None:
    pass


@dataclass(frozen=True, slots=True)
class Kind:
    """How an app above takes part in the end of a document. All but `told` run inside the transaction of the act."""

    #: Remove every copy of its text, given phrases of it and whether answers keep theirs; counts by name.
    erase: Callable[[Deletion, Sequence[str], bool], dict[str, int]]
    #: What a deletion of the document would meet, for one person.
    told: Callable[[Document, User], Iterable[Resting]] = _nothing_told
    #: Close what rests on what was deleted; nobody reads it from then on.
    close: Callable[[Deletion], None] = _nothing_done
    #: Open again what a restored document had closed.
    reopen: Callable[[Deletion], None] = _nothing_done


#: The apps above add themselves when they load.
kinds: list[Kind] = []
#: What they do in the transaction in which another version begins to answer; given the version that did until then.
when_replaced: list[Callable[[Version], None]] = []
#: What they do in the transaction in which somebody classifies a document higher.
when_raised: list[Callable[[Document, User], None]] = []
#: What they do in the transaction in which somebody states other usage rights of a document.
when_usage_stated: list[Callable[[Document, User], None]] = []
#: What they do in the transaction in which a document that was over holds again.
when_valid_again: list[Callable[[Document, User], None]] = []


def told(document: Document, by: User) -> Iterator[Resting]:
    """What rests on `document`, as `by` may know it."""
    for kind in kinds:
        yield from (resting for resting in kind.told(document, by) if resting.count)
