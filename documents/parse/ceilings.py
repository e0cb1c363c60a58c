"""How much of one file is read at most. The process that reads it is told by whoever asked it to."""

from collections.abc import Mapping
from dataclasses import dataclass, fields


@dataclass(slots=True)
class Ceilings:
    """The installation's limits on what one file may hold; beyond one of them reading ends as `too_large`."""

    #: Pages, slides or sheets.
    pages: int = 2_000
    #: Of its text.
    characters: int = 20_000_000
    #: Of all parts of an Office, OpenDocument or EPUB file together.
    unpacked_bytes: int = 500 * 1024 * 1024

    def take(self, limits: Mapping[str, float]) -> None:
        """Replace each ceiling by the one of its name in `limits`."""
        for ceiling in fields(self):
            setattr(self, ceiling.name, limits[ceiling.name])


#: Those of this process.
CEILINGS = Ceilings()
