"""What places of folders have in common: they are read one folder after another, from the top."""

import time
from abc import abstractmethod
from collections import deque
from collections.abc import Iterable, Mapping
from typing import Any

from documents.exceptions import SourceFailed
from documents.sources.connector import MOST_ENTRIES, Connector, Listing

MAX_DEPTH = 50
#: The longest path of a thing in it, in characters.
LONGEST_PATH = 900
_MOST_FOLDERS = 20_000
_LIST_SECONDS = 1200


class TreeConnector(Connector):
    """A place of folders. Each is named by its path below the first one with a slash at its end; the first has none."""

    def __init__(self, options: Mapping[str, Any], **given: Any) -> None:
        super().__init__(options, **given)
        #: When a listing has taken long enough, on the monotonic clock.
        self.until = time.monotonic() + _LIST_SECONDS

    def list(self, *, most: int = MOST_ENTRIES) -> Listing:
        listing = Listing()
        waiting = deque([""])
        asked = 0
        while waiting:
            folder = waiting.popleft()
            asked += 1
            if len(listing.entries) >= most or asked > _MOST_FOLDERS or time.monotonic() > self.until:
                listing.cut()
                return listing
            try:
                waiting.extend(self.read_folder(listing, folder, most))
            except SourceFailed as failed:
                if not folder or not self.is_about_a_folder(failed):
                    raise
                # It was there a moment ago: what it holds is not taken for gone.
                listing.cut(folder.rstrip("/"), failed)
            self.beat()
        return listing

    @abstractmethod
    def read_folder(self, listing: Listing, folder: str, most: int) -> Iterable[str]:
        """Add what is in a folder, by name, up to `most` in all; the folders in it. Raises SourceFailed."""

    @abstractmethod
    def is_about_a_folder(self, failed: SourceFailed) -> bool:
        """Whether the next folder may be better than the one that failed so."""
