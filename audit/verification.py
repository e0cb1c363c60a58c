"""Read a chain from its first entry to its last and name every place where it does not hold."""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from django.db import connection, models, transaction
from django.utils.translation import gettext_lazy as _

from audit.chain import SEARCHED, digest
from audit.merkle import GrowingTree
from audit.models import ChainHead

_ROWS_AT_ONCE = 5000
_BEFORE_ALL = -(2**63)
# One statement is one snapshot: the head belongs to exactly these rows, whoever appends in the meantime. Ids and times
# come as the text that the body has of them: making objects of them would take longer than all the rest.
_AT = """to_char(e.at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"+00:00"')"""
_READ = f"""
SELECT e.seq, {_AT}, e.body, e.hash, e.prev_hash, e.id::text, {", ".join(f"e.{column}" for column in SEARCHED)},
       (SELECT seq FROM audit_chainhead WHERE chain = %s), (SELECT hash FROM audit_chainhead WHERE chain = %s)
FROM audit_event e WHERE e.chain = %s AND e.seq > %s ORDER BY e.seq, e.at, e.id
"""  # noqa: S608 (column names of ours)


class Kind(models.TextChoices):
    """What can be wrong with a chain. The first five are kinds of damage; the others need a checkpoint or the head."""

    CHANGED = "changed", _("An entry's content is not what was written.")
    MISSING = "missing", _("An entry is gone, and later ones are there.")
    DUPLICATED = "duplicated", _("Two entries have the same number, or were written after the same one.")
    REORDERED = "reordered", _("An entry stands under a number it was not written with, or in a foreign chain.")
    SHORTENED = "shortened", _("The chain ends before its head or a checkpoint says.")
    INSERTED = "inserted", _("An entry stands before the first or after the last that was appended.")
    REPLACED = "replaced", _("The chain holds, and is not the one that was signed in a checkpoint.")
    UNSIGNED = "unsigned", _("A checkpoint's signature does not hold, or a key that nobody vouched for made it.")
    LOST = "lost", _("A checkpoint is in the database and not outside, or differs there.")


@dataclass(frozen=True, slots=True)
class Fault:
    """One place where a chain does not hold, by the number of the entry."""

    chain: str
    seq: int
    kind: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Verification:
    """The outcome of reading a whole chain; faults come in the order of the entries."""

    chain: str
    events: int
    head_hash: str
    faults: tuple[Fault, ...]
    #: How many signed checkpoints it was compared with.
    checkpoints: int = 0
    #: Entries up to this number left the database for an archive, and were not read.
    archived: int = 0

    @property
    def holds(self) -> bool:
        return not self.faults


class Signed(NamedTuple):
    """What a checkpoint says: the chain's first `seq` entries have this Merkle root (64 hexadecimal digits)."""

    seq: int
    root: str


class _Row(NamedTuple):
    """One stored entry, with the head as the same statement saw it."""

    seq: int
    at: str
    body: str
    hash: str
    prev_hash: str
    id: str
    type: str
    actor_id: str
    actor_label: str
    object_type: str
    object_id: str
    object_label: str
    request_id: str
    head_seq: int | None
    head_hash: str | None


class Start(NamedTuple):
    """Where a chain is read from: behind entry `seq`, whose hash is `hash`. By default from before the first."""

    seq: int = 0
    hash: str = ""


def verify(
    chain: str,
    *,
    signed: Sequence[Signed] = (),
    faults: Iterable[Fault] = (),
    start: Start | None = None,
    tree: GrowingTree | None = None,
) -> Verification:
    """Read the whole of `chain`, or what follows `start`; compare it with its head and with what was `signed` of it.

    `faults` that are known before are named among those found; every entry read is added to `tree`. Takes no lock:
    writers go on, and what they append meanwhile is left to the next verification.
    """
    walk = _Walk(chain, signed, faults, start or Start(), tree)
    with transaction.atomic(), connection.chunked_cursor() as cursor:
        # Entries before the first are damage, so they are read as well.
        cursor.execute(_READ, [chain, chain, chain, start.seq if start else _BEFORE_ALL])
        for row in _rows(cursor):
            walk.step(row)
    return walk.end()


def _rows(cursor: Any) -> Iterator[_Row]:
    while rows := cursor.fetchmany(_ROWS_AT_ONCE):
        yield from map(_Row._make, rows)


class _Walk:
    """One pass over the rows of a chain, in the order of their numbers."""

    def __init__(
        self, chain: str, signed: Iterable[Signed], faults: Iterable[Fault], start: Start, tree: GrowingTree | None
    ) -> None:
        self.chain = chain
        self.signed = sorted(signed)
        self.tree = GrowingTree() if tree is None and self.signed else tree
        self.known = tuple(faults)
        self.faults: list[Fault] = []
        self.seq, self.hash = start
        self.begins = start.seq + 1
        self.last: _Row | None = None
        self.last_is_damaged = False
        self.count = 0
        self.next_signed = 0
        #: Said unless the next row turns out to carry the same number as this one.
        self.suspicion: Fault | None = None
        self.missing: list[tuple[int, int]] = []
        #: Rows that hold an entry written under another number: the row's number → the entry's.
        self.displaced: dict[int, int] = {}

    def fault(self, seq: int, kind: Kind, sentence: str) -> None:
        self.faults.append(Fault(self.chain, seq, kind.value, sentence))

    def step(self, row: _Row) -> None:
        self.count += 1
        damaged = self._is_damaged(row)
        if self.suspicion is not None:
            self._settle_suspicion(is_twin=row.seq == self.seq)
        if row.seq != self.seq + 1:
            self._out_of_line(row)
        elif row.prev_hash != self.hash and not damaged and not self.last_is_damaged:
            self._not_written_after(row)
        if self.last and self._is_fork(row, self.last):
            self.fault(self.seq, Kind.DUPLICATED, f"Entries {self.seq} and {row.seq} were written after the same one.")
        self.last, self.last_is_damaged, self.seq, self.hash = row, damaged, row.seq, row.hash
        if self.tree is not None:
            self._compare_with_signed(self.tree, row)

    def end(self) -> Verification:
        self._settle_suspicion(is_twin=False)
        self._explain_displaced()
        if self.last is None:
            self._nothing_there()
        else:
            self._compare_with_head(self.last.head_seq, self.last.head_hash)
        for seq, _root in self.signed[self.next_signed :]:
            sentence = f"The chain ends at {self.seq}, and a checkpoint was signed when it had {seq} entries."
            self.fault(self.seq + 1, Kind.SHORTENED, sentence)
        # Of a number that stands twice, that is said before what is wrong with one of the two.
        faults = tuple(sorted([*self.known, *self.faults], key=lambda fault: (fault.seq, fault.kind == Kind.CHANGED)))
        return Verification(self.chain, self.count, self.hash, faults, len(self.signed))

    # --- One row ---

    def _is_damaged(self, row: _Row) -> bool:
        """Whether something is wrong inside the row, apart from its neighbours; the fault is noted."""
        if digest(row.body) != row.hash:
            self.fault(row.seq, Kind.CHANGED, f"Entry {row.seq} was changed: its content does not match its hash.")
            return True
        try:
            entry = json.loads(row.body)
            seq, chain, at = int(entry["seq"]), entry["chain"], entry["at"]
        except (ValueError, KeyError, TypeError, RecursionError):
            sentence = f"Entry {row.seq} was changed: its content is not what the product writes."
            self.fault(row.seq, Kind.CHANGED, sentence)
            return True
        if chain != self.chain:
            self.fault(row.seq, Kind.REORDERED, f"Entry {row.seq} was written as entry {seq} of {chain}.")
            return True
        if seq != row.seq:
            self.displaced[row.seq] = seq
            return True
        is_same_time = at == row.at or _is_same_time(at, row.at)
        if is_same_time and row[4:13] == _written(entry):
            return False
        said = zip(("prev_hash", "id", *SEARCHED), row[4:13], _written(entry), strict=True)
        differing = [column for column, stored, written in said if stored != written]
        differing += [] if is_same_time else ["at"]
        sentence = f"Entry {row.seq} was changed: {', '.join(differing)} differ from what was hashed."
        self.fault(row.seq, Kind.CHANGED, sentence)
        return True

    def _out_of_line(self, row: _Row) -> None:
        if row.seq < 1:
            self.fault(row.seq, Kind.INSERTED, f"Entry {row.seq} stands before the first one.")
        elif row.seq == self.seq:
            self.fault(row.seq, Kind.DUPLICATED, f"Two entries carry the number {row.seq}.")
        else:
            first, last = max(self.seq, 0) + 1, row.seq - 1
            gone = f"Entry {first} is" if first == last else f"Entries {first} to {last} are"
            self.missing.append((first, last))
            self.fault(first, Kind.MISSING, f"{gone} missing.")

    def _not_written_after(self, row: _Row) -> None:
        if self.seq == 0:
            self.fault(row.seq, Kind.CHANGED, f"Entry {row.seq} was changed: it names one before the first.")
        else:
            sentence = f"Entry {self.seq} is not the one that entry {row.seq} was written after."
            self.suspicion = Fault(self.chain, self.seq, Kind.CHANGED.value, sentence)

    def _settle_suspicion(self, *, is_twin: bool) -> None:
        if self.suspicion is not None and not is_twin:
            self.faults.append(self.suspicion)
        self.suspicion = None

    @staticmethod
    def _is_fork(row: _Row, last: _Row) -> bool:
        """Whether both entries follow the same one; a copy of one entry under another number is told apart."""
        return row.prev_hash == last.prev_hash and row.seq != last.seq and row.hash != last.hash

    # --- Against what was signed ---

    def _compare_with_signed(self, tree: GrowingTree, row: _Row) -> None:
        try:
            tree.add(bytes.fromhex(row.hash))
        except ValueError:  # a hash that is none: the row is named already, and no root can match
            tree.add(b"")
        while self.next_signed < len(self.signed) and self.signed[self.next_signed].seq <= row.seq:
            signed = self.signed[self.next_signed]
            # Where the chain itself is damaged, the damage is named; a root that differs adds nothing.
            if not (self.faults or self.displaced or self.suspicion) and tree.root().hex() != signed.root:
                since = self.signed[self.next_signed - 1].seq + 1 if self.next_signed else self.begins
                sentence = f"Entries {since} to {signed.seq} are not those that were signed in a checkpoint."
                self.fault(since, Kind.REPLACED, sentence)
            self.next_signed += 1

    # --- At the end ---

    def _explain_displaced(self) -> None:
        for seq, written_as in self.displaced.items():
            is_home = written_as not in self.displaced and 1 <= written_as <= self.seq
            if is_home and not any(first <= written_as <= last for first, last in self.missing):
                self.fault(seq, Kind.DUPLICATED, f"Entry {seq} was written as entry {written_as}, which is there too.")
            else:
                self.fault(seq, Kind.REORDERED, f"Entry {seq} was written as entry {written_as}.")

    def _nothing_there(self) -> None:
        head = ChainHead.objects.filter(chain=self.chain).values_list("seq", "hash").first()
        if self.seq or head:
            self._compare_with_head(*(head or (None, None)))
        else:
            self.fault(1, Kind.MISSING, "The chain has no entries at all.")

    def _compare_with_head(self, seq: int | None, head_hash: str | None) -> None:
        if seq is None:
            self.fault(self.seq, Kind.SHORTENED, "The chain's head is missing, so its true length is unknown.")
        elif seq > self.seq:
            self.fault(self.seq + 1, Kind.SHORTENED, f"The chain ends at {self.seq} but was {seq} entries long.")
        elif seq < self.seq:
            self.fault(seq + 1, Kind.INSERTED, f"Entries after {seq} were not appended by the product.")
        elif head_hash != self.hash and not self.faults:
            self.fault(self.seq, Kind.CHANGED, f"Entry {self.seq} is not the one that was appended last.")


def _is_same_time(written: Any, stored: str) -> bool:
    """Whether two spellings mean one moment: a body leaves out microseconds that are none."""
    try:
        return datetime.fromisoformat(written) == datetime.fromisoformat(stored)
    except (ValueError, TypeError):
        return False


def _written(entry: dict[str, Any]) -> tuple[Any, ...]:
    """What the entry says of itself, in the order of `_Row`'s columns from `prev_hash` on."""
    get = entry.get
    return (get("prev_hash"), get("id"), *[get(column, "") for column in SEARCHED])
