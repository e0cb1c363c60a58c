"""Append to a chain of events.

An entry's hash is SHA-256 over its exact canonical bytes (RFC 8785; numbers are integers only), and those bytes
contain the hash of the entry before it. `audit.verification` reads a chain back.
"""

import hashlib
import uuid
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import rfc8785
from django.db import connection
from django.utils import timezone

from audit.exceptions import AuditError
from audit.models import ChainHead, Event

PLATFORM = "platform"

#: Columns that repeat a value of the body so that it can be searched; verification compares them.
SEARCHED = ("type", "actor_id", "actor_label", "object_type", "object_id", "object_label", "request_id")
_COLUMNS = ("id", "chain", "seq", "at", *SEARCHED, "body", "prev_hash", "hash")

# Nothing points to a head, so its lock needs no key; and nobody else waits for it but the next writer of the chain.
_LOCK = "SELECT seq, hash, at FROM audit_chainhead WHERE chain = %s FOR NO KEY UPDATE"
_BEGIN = "INSERT INTO audit_chainhead (chain, seq, hash) VALUES (%s, 0, '') ON CONFLICT DO NOTHING"
# One statement writes entries and head: every round trip is time in which the next writer waits.
_WRITE = """
WITH written AS (INSERT INTO audit_event ({columns}) VALUES {rows})
UPDATE audit_chainhead SET seq = %s, hash = %s, at = %s WHERE chain = %s
"""


def workspace_chain(workspace_id: object) -> str:
    """The name of a workspace's chain."""
    return f"workspace:{workspace_id}"


def canonical(body: Mapping[str, Any]) -> str:
    """The one spelling of `body` that is hashed and signed.

    Raises AuditError for what has no exact spelling everywhere: floating-point numbers, integers beyond 2^53 and
    text with lone surrogates.
    """
    _refuse_floats(body)
    try:
        return rfc8785.dumps(body).decode("utf-8")
    except (rfc8785.CanonicalizationError, UnicodeEncodeError) as error:
        raise AuditError(f"This cannot be written to the trail: {error}.") from error


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
        searched = {column: full.get(column, "") for column in SEARCHED}
        events.append(
            Event(id=id, chain=chain, seq=seq, at=at, **searched, body=text, prev_hash=head.hash, hash=digest(text))
        )
        head = _Head(seq, events[-1].hash, at)
    _write(chain, events)
    return events


class _Head(NamedTuple):
    """The last entry of a chain."""

    seq: int
    hash: str
    at: Any


def _locked_head(chain: str) -> _Head:
    with connection.cursor() as cursor:
        cursor.execute(_LOCK, [chain])
        row = cursor.fetchone()
        if row is None:
            cursor.execute(_BEGIN, [chain])
            cursor.execute(_LOCK, [chain])
            row = cursor.fetchone()
    return _Head(*row)


def _write(chain: str, events: Sequence[Event]) -> None:
    """Store entries and move the head of their chain, which the caller has locked."""
    if not events:
        return
    row = f"({', '.join(['%s'] * len(_COLUMNS))})"
    statement = _WRITE.format(columns=", ".join(_COLUMNS), rows=", ".join([row] * len(events)))
    values = [getattr(event, column) for event in events for column in _COLUMNS]
    last = events[-1]
    with connection.cursor() as cursor:
        cursor.execute(statement, [*values, last.seq, last.hash, last.at, chain])
    for event in events:
        event._state.adding, event._state.db = False, connection.alias


def chains() -> list[str]:
    """Every chain there is, also one whose head row was removed."""
    heads = set(ChainHead.objects.values_list("chain", flat=True))
    return sorted(heads | set(Event.objects.order_by().values_list("chain", flat=True).distinct()))
