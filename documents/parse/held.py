"""A file inside another file, held in memory: the process that reads untrusted files may write none.

Parsers use of a file what `Held` has, so they read the one on the disk and the one in a mail alike.
"""

from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from types import SimpleNamespace


@dataclass(frozen=True, slots=True)
class Held:
    """The bytes of an attachment; `depth` counts the messages around it."""

    data: bytes
    depth: int = 0

    def open(self, mode: str = "rb") -> BytesIO:
        """As Path.open, for reading bytes."""
        return BytesIO(self.data)

    def read_bytes(self) -> bytes:
        """As Path.read_bytes."""
        return self.data

    def stat(self) -> SimpleNamespace:
        """As Path.stat, of which parsers use the size."""
        return SimpleNamespace(st_size=len(self.data))


File = Path | Held
