"""A chain as text for elsewhere, whole or from a cursor on: JSON lines, CSV, OCSF.

JSON lines carry the exact bytes each hash is taken over, so that they verify on another machine; the other two are for
reading and for collecting. The cursor is the number of the last entry somebody has already.
"""

import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

from django.utils.translation import gettext as _

from audit import detached, ocsf
from audit.exceptions import AuditError
from audit.merkle import GrowingTree
from audit.models import ChainHead, Checkpoint, Event

FORMAT = "inlock-trail-1"
#: What a spreadsheet takes for the beginning of a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
_CSV_COLUMNS = (
    "seq",
    "at",
    "type",
    "actor_id",
    "actor_label",
    "object_type",
    "object_id",
    "object_label",
    "request_id",
)


class Span(NamedTuple):
    """Which entries of a chain an export holds: those after number `after`, up to number `upto`."""

    chain: str
    after: int
    upto: int


class Kind(NamedTuple):
    """One way to write a chain: what makes its lines, and what a browser is told about them."""

    lines: Callable[[Span], Iterator[str]]
    content_type: str
    extension: str


def span_of(chain: str, after: int = 0) -> Span:
    """Everything of `chain` after the cursor, as of now; without one, everything the database holds.

    Raises AuditError when the chain is not that long, and when some of what follows is in an archive alone.
    """
    upto = ChainHead.objects.filter(chain=chain).values_list("seq", flat=True).first() or 0
    if not 0 <= after <= upto:
        sentence = _("The cursor %(after)d is beyond this chain: it has %(upto)d entries.")
        raise AuditError(sentence % {"after": after, "upto": upto})
    return Span(chain, detached.require_there(chain, after), upto)


def json_lines(span: Span) -> Iterator[str]:
    """One JSON object a line, without the line end: first what this is, then every entry in order.

    `peaks` are the roots of the perfect Merkle subtrees over the entries before these, so that a part of a chain can
    be compared with a checkpoint as well.
    """
    header = {
        "format": FORMAT,
        "chain": span.chain,
        "after": span.after,
        "after_hash": hash_at(span.chain, span.after),
        "peaks": [peak.hex() for peak in tree_at(span.chain, span.after).peaks],
        "entries": span.upto - span.after,
        "head_hash": hash_at(span.chain, span.upto),
    }
    yield json.dumps(header)
    rows = _events(span.chain, span.after, span.upto).values_list("seq", "hash", "body")
    for seq, sha256, body in rows.iterator(chunk_size=5000):
        yield json.dumps({"seq": seq, "hash": sha256, "body": body}, ensure_ascii=False)


def csv_lines(span: Span) -> Iterator[str]:
    """A table, one row an entry. No cell is taken for a formula: one that could be begins with an apostrophe."""
    yield _csv_row([*_CSV_COLUMNS, "reason", "details", "prev_hash", "hash"])
    for event in _events(span.chain, span.after, span.upto).iterator(chunk_size=2000):
        entry = content_of(event)
        details = json.dumps(entry.get("details", {}), ensure_ascii=False, sort_keys=True)
        columns = [event.at.isoformat() if name == "at" else getattr(event, name) for name in _CSV_COLUMNS]
        yield _csv_row([*columns, entry.get("reason", ""), details, event.prev_hash, event.hash])


def ocsf_lines(span: Span) -> Iterator[str]:
    """One OCSF event a line; see `audit.ocsf` for the classes."""
    for event in _events(span.chain, span.after, span.upto).iterator(chunk_size=2000):
        yield json.dumps(ocsf.event_of(event, content_of(event)), ensure_ascii=False)


KINDS = {
    "jsonl": Kind(json_lines, "application/x-ndjson", "jsonl"),
    "csv": Kind(csv_lines, "text/csv; charset=utf-8", "csv"),
    "ocsf": Kind(ocsf_lines, "application/x-ndjson", "ocsf.jsonl"),
}


def content_of(event: Event) -> dict[str, Any]:
    """What the entry says; nothing when it was damaged, which verification reports and an export must survive."""
    try:
        body = json.loads(event.body)
    except (ValueError, RecursionError):
        return {}
    return body if isinstance(body, dict) else {}


def hash_at(chain: str, seq: int) -> str:
    """The hash of entry `seq`, also of one that left where a checkpoint or an archive tells it; empty if none does."""
    for rows, column in ((Event.objects, "hash"), (Checkpoint.objects, "head_hash")):
        found = rows.filter(chain=chain, seq=seq).values_list(column, flat=True).first()
        if found:
            return str(found)
    begins = detached.beginning(chain)
    return begins.start.hash if begins is not None and begins.start.seq == seq else ""


def tree_at(chain: str, size: int) -> GrowingTree:
    """The Merkle tree over the first `size` entries, from the nearest checkpoint, or the end of what left, on."""
    known = Checkpoint.objects.filter(chain=chain, seq__lte=size).order_by("-seq").values_list("seq", "peaks").first()
    tree = GrowingTree(known[0], map(bytes.fromhex, known[1])) if known else GrowingTree()
    begins = detached.beginning(chain)
    if begins is not None and tree.size < begins.start.seq <= size:
        tree = begins.tree()
    for sha256 in _events(chain, tree.size, size).values_list("hash", flat=True).iterator(chunk_size=10_000):
        tree.add(bytes.fromhex(sha256))
    return tree


def _events(chain: str, after: int, upto: int) -> Any:
    # Entries appended since the end was read belong to the next export.
    return Event.objects.filter(chain=chain, seq__gt=after, seq__lte=upto).order_by("seq")


def _csv_row(cells: Iterable[object]) -> str:
    out = io.StringIO()
    csv.writer(out).writerow([harmless(str(cell)) for cell in cells])
    return out.getvalue().removesuffix("\r\n")


def harmless(cell: str) -> str:
    return f"'{cell}" if cell.startswith(_FORMULA) else cell
