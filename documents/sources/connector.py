"""What every connector is: three questions to a place outside, and the fields a person fills in to name it."""

import re
import struct
import zlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from types import TracebackType
from typing import Any, BinaryIO, ClassVar, Self

from documents.exceptions import SourceFailed
from workspaces.models import Workspace

#: More things than one source may list; a listing that reaches it is not complete.
MOST_ENTRIES = 200_000
LONGEST_KEY = 2000
#: How libraries stumble over an answer that is not of their protocol.
STUMBLES = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    RuntimeError,
    TypeError,
    ValueError,
    struct.error,
    zlib.error,
)
_HALVES = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing a source holds. `key` names it for good, `path` ends as the file would: by that it is read.

    `tag` changes when the content does; empty means that only fetching tells.
    """

    key: str
    path: str
    tag: str = ""
    size: int | None = None
    modified_at: datetime | None = None
    #: What a new document is called; empty: as its path says.
    title: str = ""

    @property
    def is_sound(self) -> bool:
        """Whether key, tag and title are text that can be kept: no NUL, no half of a letter, no key without end."""
        whole = self.key + self.tag + self.title
        return "\0" not in whole and not _HALVES.search(whole) and 0 < len(self.key) <= LONGEST_KEY


@dataclass(slots=True)
class Listing:
    """What a source holds now. Only a complete one says that something is gone."""

    entries: list[Entry] = field(default_factory=list)
    complete: bool = True
    #: What could not be listed, by path.
    problems: list[tuple[str, SourceFailed]] = field(default_factory=list)

    def keep_sound(self) -> None:
        """Leave out what the database cannot hold as text; something is missing then."""
        sound = [entry for entry in self.entries if entry.is_sound]
        if len(sound) < len(self.entries):
            for entry in self.entries:
                if not entry.is_sound:
                    self.cut(entry.path, SourceFailed("bad_name"))
            self.entries = sound

    def cut(self, path: str = "", problem: SourceFailed | None = None) -> None:
        """Something is missing from this listing."""
        self.complete = False
        if problem is not None:
            self.problems.append((path, problem))


@dataclass(frozen=True, slots=True)
class Field:
    """One setting of a connector, as its form asks for it. `kind`: text, number or yes."""

    name: str
    label: Any
    help: Any = ""
    kind: str = "text"
    required: bool = True
    default: Any = ""
    most: int = 1000


class Connector(ABC):
    """One kind of source. An instance lives for one run, and is used by one thread within `with`."""

    #: A class is handed to templates, which would make an instance of it.
    do_not_call_in_templates: ClassVar[bool] = True

    kind: ClassVar[str]
    label: ClassVar[Any]
    purpose: ClassVar[Any]
    fields: ClassVar[tuple[Field, ...]]
    #: What the secret is called; empty: there is none.
    secret_label: ClassVar[Any] = ""
    secret_help: ClassVar[Any] = ""
    #: Whether the protocol carries the secret as it is, which only ASCII survives.
    secret_is_ascii: ClassVar[bool] = True
    #: Whether it may be the text of a file, of several lines.
    secret_has_lines: ClassVar[bool] = False

    def __init__(
        self,
        options: Mapping[str, Any],
        *,
        secret: str = "",
        beat: Callable[[], None] = lambda: None,
        workspace: Workspace | None = None,
    ) -> None:
        self.options, self.secret, self.beat, self.workspace = options, secret, beat, workspace

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Let go of connections and temporary files."""
        return

    @classmethod
    @abstractmethod
    def check(cls, options: Mapping[str, Any], workspace: Workspace) -> None:
        """Return if these options may be saved and used. Raises SourceFailed."""

    @classmethod
    def destination(cls, options: Mapping[str, Any]) -> str:
        """Whom the secret is for and what it opens there: when this changes, the secret is dropped."""
        return ""

    @abstractmethod
    def test(self) -> None:
        """Return if the place answers and lets us in. Raises SourceFailed."""

    @abstractmethod
    def list(self, *, most: int = MOST_ENTRIES) -> Listing:
        """What the place holds, at most so many entries. Raises SourceFailed when it does not answer at all."""

    @abstractmethod
    def fetch(self, entry: Entry) -> AbstractContextManager[BinaryIO]:
        """The content of an entry of this run's listing. Raises SourceFailed."""
