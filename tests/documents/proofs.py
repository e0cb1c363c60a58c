"""Proofs of erasures, in a run whose other tests write into the same files of broker and index."""

import uuid

from documents.deletion import proving
from documents.models import Deletion

#: In every line of a text whose erasure is proven here: no test beside this one has the same words.
MARK = f"k{uuid.uuid4().hex[:7]}"


def marked(text: str) -> str:
    """`text` with this worker's mark at the beginning of every line, behind the signs of a heading."""
    lines = (line.partition("# ") if line.startswith("#") else ("", "", line) for line in text.split("\n"))
    return "\n".join(f"{signs}{gap}{MARK} {line}" if line else "" for signs, gap, line in lines)


def found(deletion: Deletion) -> dict[str, dict[str, int]]:
    """Where the last search still found something: place → what there → how many."""
    deletion.refresh_from_db()
    return {one["place"]: one["found"] for one in deletion.search.get("places", []) if one["found"]}


def assert_proven(deletion: Deletion) -> None:
    """Search for what was erased; when something of it is found, say where."""
    proven = proving.prove(deletion.pk)
    assert (proven, found(deletion)) == (True, {})
