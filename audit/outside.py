"""Where checkpoints lie outside the database: a directory, or what an app above registers for an object store.

Whatever it is, a name is written once and never again, and nothing is ever removed.
"""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from django.conf import settings


class Place(Protocol):
    """Somewhere that holds texts by name. Every method raises OSError, with a sentence, where it cannot be reached."""

    def names(self, prefix: str) -> list[str]:
        """Every name there that begins with `prefix`."""

    def read(self, name: str) -> str:
        """The text of that name."""

    def write(self, name: str, text: str) -> None:
        """Keep the text under a name that is not taken; what a taken one holds stays."""


#: What INLOCK_CHECKPOINTS_BUCKET opens; the app with the door to outside addresses sets it.
bucket: list[Callable[[], Place]] = []


def place() -> Place:
    """The one that the operator chose."""
    if settings.CHECKPOINTS_BUCKET:
        return bucket[0]()
    return Directory(Path(settings.CHECKPOINTS))


class Directory:
    """A directory in which files are only ever created and appended to, so that it may forbid everything else."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __str__(self) -> str:
        return str(self.path)

    def names(self, prefix: str) -> list[str]:
        return [path.name for path in self.path.glob(f"{prefix}*")]

    def read(self, name: str) -> str:
        return (self.path / name).read_text(encoding="utf-8", errors="replace")

    def write(self, name: str, text: str) -> None:
        """Write the file, or the rest of one that a crash left half written."""
        content, path = text.encode("utf-8"), self.path / name
        self.path.mkdir(parents=True, exist_ok=True)
        with path.open("ab") as file:
            there = path.read_bytes()
            if there != content and content.startswith(there):
                file.write(content[len(there) :])
                file.flush()
                os.fsync(file.fileno())
