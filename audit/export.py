"""A chain as JSON lines that carry the exact bytes each hash is taken over, so that it verifies elsewhere."""

import json
from collections.abc import Iterator

from audit.models import ChainHead, Event

FORMAT = "inlock-trail-1"


def lines(chain: str) -> Iterator[str]:
    """One JSON object a line, without the line end: first what this is, then every entry in order."""
    head = ChainHead.objects.filter(chain=chain).first()
    length, last = (head.seq, head.hash) if head else (0, "")
    yield json.dumps({"format": FORMAT, "chain": chain, "entries": length, "head_hash": last})
    # Entries appended since the head was read belong to the next export.
    rows = Event.objects.filter(chain=chain, seq__lte=length).order_by("seq").values_list("seq", "hash", "body")
    for seq, sha256, body in rows.iterator(chunk_size=5000):
        yield json.dumps({"seq": seq, "hash": sha256, "body": body}, ensure_ascii=False)
