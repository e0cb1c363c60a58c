"""What the keys of an object store become: paths that are labels, and never places on a disk."""

from documents.exceptions import SourceFailed
from documents.sources.connector import Entry, Listing

_LONGEST = 900


def add_object(listing: Listing, key: str, *, prefix: str, tag: str, size: str) -> None:
    """Add the object called `key` to the listing, with the part of its key behind the last slash of `prefix` as path.

    Keys that end in a slash stand for folders in the consoles of stores, and hold nothing.
    """
    if key.endswith("/"):
        return
    path = key.removeprefix(prefix[: prefix.rfind("/") + 1])
    path = "/".join(part for part in path.split("/") if part not in ("", ".", ".."))
    if not path.isprintable() or not 0 < len(path) <= _LONGEST:
        listing.problems.append((path[:_LONGEST] if path.isprintable() else "", SourceFailed("bad_name")))
        return
    listing.entries.append(Entry(key, path, tag.strip('"')[:200], int(size) if size.isdigit() else None))
