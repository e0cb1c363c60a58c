"""Append to a chain of events, and verify one.

An entry's hash is SHA-256 over its exact canonical bytes (RFC 8785: sorted keys, no white space; numbers are
integers only), and those bytes contain the hash of the entry before it.
"""

import hashlib
import json
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from django.db import connection
from django.db.models import Subquery
from django.utils import timezone

from audit.exceptions import AuditError
from audit.models import ChainHead, Event

PLATFORM = "platform"

#: Columns that repeat a value of the body so that it can be searched; verification compares them.
_COLUMNS = ("type", "actor_id", "actor_label", "object_type", "object_id", "object_label", "request_id")


def workspace_chain(workspace_id: object) -> str:
    """The name of a workspace's chain."""
    return f"workspace:{workspace_id}"


def canonical(body: Mapping[str, Any]) -> str:
    """The one spelling of `body` that is hashed. Floats have no such spelling here and raise AuditError."""
    _refuse_floats(body)
    return json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def digest(text: str) -> str:
    """SHA-256 of `text` in UTF-8, as 64 hexadecimal digits."""
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def _refuse_floats(value: object) -> None:
    if isinstance(value, float):
        raise AuditError("An audit entry holds no floating-point numbers: write them as text.")
    if isinstance(value, Mapping):
        for part in value.values():
            _refuse_floats(part)
    elif isinstance(value, (list, tuple)):
        for part in value:
            _refuse_floats(part)


def append(chain: str, bodies: Sequence[Mapping[str, Any]]) -> list[Event]:
    """Add entries to the end of `chain`, in order, in the caller's transaction.

    The chain stays locked until that transaction ends, so record last and commit soon. Raises AuditError
    outside a transaction: an entry that could survive its act's rollback would be a lie.
    """
    if not connection.in_atomic_block:
        raise AuditError("An audit entry is written in the transaction of the act it records.")
    head = _locked_head(chain)
    events = []
    for body in bodies:
        # Time never runs backwards inside a chain, whatever the clock does.
        at = max(timezone.now(), head.at) if head.at else timezone.now()
        id, seq = uuid.uuid4(), head.seq + 1
        place = {"id": str(id), "chain": chain, "seq": seq, "at": at.isoformat(), "prev_hash": head.hash}
        full = {**body, **place}
        text = canonical(full)
        event = Event(id=id, chain=chain, seq=seq, at=at, body=text, prev_hash=head.hash, hash=digest(text))
        for column in _COLUMNS:
            setattr(event, column, full.get(column, ""))
        events.append(event)
        head.seq, head.hash, head.at = event.seq, event.hash, at
    Event.objects.bulk_create(events)
    head.save(update_fields=["seq", "hash", "at"])
    return events


def _locked_head(chain: str) -> ChainHead:
    head = ChainHead.objects.select_for_update().filter(chain=chain).first()
    if head is None:
        ChainHead.objects.bulk_create([ChainHead(chain=chain)], ignore_conflicts=True)
        head = ChainHead.objects.select_for_update().get(chain=chain)
    return head


@dataclass(frozen=True, slots=True)
class Fault:
    """One place where a chain does not hold. `kind` is changed, missing, inserted, reordered or shortened."""

    chain: str
    seq: int
    kind: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Verification:
    """The outcome of reading a whole chain."""

    chain: str
    events: int
    head_hash: str
    faults: tuple[Fault, ...]

    @property
    def holds(self) -> bool:
        return not self.faults


def chains() -> list[str]:
    """Every chain there is, also one whose head row was removed."""
    heads = set(ChainHead.objects.values_list("chain", flat=True))
    return sorted(heads | set(Event.objects.order_by().values_list("chain", flat=True).distinct()))


class _Row(NamedTuple):
    """One stored entry as verification reads it, with the head as the same statement saw it."""

    seq: int
    at: datetime
    body: str
    hash: str
    id: uuid.UUID
    chain: str
    prev_hash: str
    head_seq: int | None
    head_hash: str | None
    type: str
    actor_id: str
    actor_label: str
    object_type: str
    object_id: str
    object_label: str
    request_id: str


def verify(chain: str) -> Verification:
    """Read `chain` from its first entry to its last and name every place where it does not hold.

    Takes no lock: writers go on, and what they append meanwhile is left to the next verification.
    """
    head = ChainHead.objects.filter(chain=chain)
    # One statement is one snapshot: the head belongs to exactly these rows, whoever appends in the meantime.
    rows = (
        Event.objects.filter(chain=chain)
        .annotate(head_seq=Subquery(head.values("seq")), head_hash=Subquery(head.values("hash")))
        .order_by("seq", "at", "id")
        .values_list(*_Row._fields)
        .iterator(chunk_size=5000)
    )
    return _verify_rows(chain, map(_Row._make, rows))


def _verify_rows(chain: str, rows: Iterable[_Row]) -> Verification:
    faults: list[Fault] = []
    last: _Row | None = None
    last_seq, last_hash, count = 0, "", 0

    def fault(seq: int, kind: str, sentence: str) -> None:
        faults.append(Fault(chain, seq, kind, sentence))

    for row in rows:
        count += 1
        damage = _damage(row)
        if damage:
            fault(row.seq, *damage)
        if row.seq < 1:
            fault(row.seq, "inserted", f"Entry {row.seq} stands before the first one.")
        elif row.seq == last_seq:
            fault(row.seq, "inserted", f"Two entries carry the number {row.seq}.")
        elif row.seq > last_seq + 1:
            gone = (
                f"Entry {last_seq + 1} is"
                if row.seq == last_seq + 2
                else f"Entries {last_seq + 1} to {row.seq - 1} are"
            )
            fault(last_seq + 1, "missing", f"{gone} missing.")
        elif row.prev_hash != last_hash and not damage:
            written_after = f"the one that entry {row.seq} was written after"
            fault(row.seq - 1, "changed", f"Entry {row.seq - 1} is not {written_after}.")
        last, last_seq, last_hash = row, row.seq, row.hash

    if last is None:
        fault(1, "missing", "The chain has no entries at all.")
    elif last.head_seq is None:
        fault(last_seq, "shortened", "The chain's head is missing, so its true length is unknown.")
    elif last.head_seq > last_seq:
        fault(last_seq + 1, "missing", f"The chain ends at {last_seq} but was {last.head_seq} entries long.")
    elif last.head_seq < last_seq:
        fault(last.head_seq + 1, "inserted", f"Entries after {last.head_seq} were not appended by the product.")
    elif last.head_hash != last_hash and not faults:
        fault(last_seq, "changed", f"Entry {last_seq} is not the one that was appended last.")
    return Verification(chain, count, last_hash, tuple(faults))


def _damage(row: _Row) -> tuple[str, str] | None:
    """What is wrong inside one row: (kind, sentence), or None."""
    if digest(row.body) != row.hash:
        return "changed", f"Entry {row.seq} was changed: its content does not match its hash."
    try:
        body = json.loads(row.body)
        seq, chain, at = body["seq"], body["chain"], datetime.fromisoformat(body["at"])
    except (ValueError, KeyError, TypeError):
        return "changed", f"Entry {row.seq} was changed: its content is not what the product writes."
    if seq != row.seq or chain != row.chain:
        return "reordered", f"Entry {row.seq} was written as entry {seq} of {chain}."
    differing = [column for column in _COLUMNS if getattr(row, column) != body.get(column, "")]
    differing += [column for column in ("id", "prev_hash") if str(getattr(row, column)) != body.get(column)]
    if at != row.at:
        differing.append("at")
    if differing:
        return "changed", f"Entry {row.seq} was changed: {', '.join(differing)} differ from what was hashed."
    return None
