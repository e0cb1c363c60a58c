"""Sign how long a chain is and what it holds, and keep that where the database's owner cannot rewrite it.

A checkpoint is one signed document, stored as a row and as a file of the same bytes in a directory outside. Its
signature covers the Merkle root of the chain's first `seq` entries, so whatever is changed, removed or rewritten among
them later is found by comparing, even when head and hashes were made to fit.
"""

import logging
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import NamedTuple

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from audit import detached, outside, signing
from audit.events import EventType
from audit.exceptions import ChainDamaged, KeyNotVouchedFor, SigningKeyMissing
from audit.merkle import KeepingTree
from audit.models import ChainHead, Checkpoint, TreeNode
from audit.record import record_in
from audit.verification import Fault, Kind, Signed, Start, Verification, verify

logger = logging.getLogger(__name__)

FORMAT = "inlock-checkpoint-1"


# --- Making them --------------------------------------------------------------------------------------------


def due() -> list[str]:
    """The chains that ought to get a checkpoint now, by the settings' numbers of entries and minutes."""
    oldest = timezone.now() - timedelta(minutes=settings.CHECKPOINT_MINUTES)
    return [
        one.chain
        for one in _unsigned()
        if one.entries >= settings.CHECKPOINT_EVENTS or one.signed_at is None or one.signed_at <= oldest
    ]


def late() -> list[str]:
    """The chains that ought to have got one long ago: something keeps it from being made."""
    oldest = timezone.now() - timedelta(minutes=3 * settings.CHECKPOINT_MINUTES)
    return [one.chain for one in _unsigned() if (one.signed_at or one.last_at) <= oldest]


class _Unsigned(NamedTuple):
    """How many entries of a chain no checkpoint covers, when the last was signed, and when the last was written."""

    chain: str
    entries: int
    signed_at: datetime | None
    last_at: datetime


def _unsigned() -> Iterator[_Unsigned]:
    newest = Checkpoint.objects.order_by("chain", "-seq").distinct("chain").values_list("chain", "seq", "at")
    signed = {chain: (seq, at) for chain, seq, at in newest}
    for head in ChainHead.objects.exclude(at=None).order_by("chain"):
        seq, at = signed.get(head.chain, (0, None))
        if head.seq > seq:
            yield _Unsigned(head.chain, head.seq - seq, at, head.at)


def make(chain: str, *, accept_new_key: bool = False) -> Checkpoint | None:
    """Sign what `chain` holds now and write it outside. None when nothing came since the last checkpoint.

    Only what follows the last checkpoint is read. Raises ChainDamaged when that does not hold or does not continue it,
    SigningKeyMissing and KeyNotVouchedFor (unless `accept_new_key`: the key before is lost, which is recorded), and
    OSError when the place outside cannot be written; the next call then writes what is missing there.
    """
    with transaction.atomic():
        _one_at_a_time(chain)
        last = Checkpoint.objects.filter(chain=chain).order_by("-seq").first()
        made = _make(chain, last, accept_new_key)
    write_outside(chain)
    return made


def _make(chain: str, last: Checkpoint | None, accept_new_key: bool) -> Checkpoint | None:
    tree = KeepingTree(last.seq, map(bytes.fromhex, last.peaks)) if last else KeepingTree()
    start = Start(last.seq, last.head_hash) if last else Start()
    outcome = verify(chain, start=start, tree=tree)
    if not outcome.holds:
        raise ChainDamaged(chain, outcome.faults)
    if not outcome.events:
        return None
    keys = _keys(last, accept_new_key)
    seq, root, at = start.seq + outcome.events, tree.root().hex(), timezone.now()
    content = {
        "format": FORMAT,
        "chain": chain,
        "seq": seq,
        "head_hash": outcome.head_hash,
        "root": root,
        "at": at.isoformat(),
        "previous": {"seq": last.seq, "root": last.root} if last else None,
    }
    made = Checkpoint.objects.create(
        chain=chain,
        seq=seq,
        head_hash=outcome.head_hash,
        root=root,
        peaks=[peak.hex() for peak in tree.peaks],
        key=keys[0].public,
        at=at,
        document=signing.sign(content, *keys),
    )
    TreeNode.objects.bulk_create(
        (TreeNode(chain=chain, height=height, place=place, hash=node.hex()) for height, place, node in tree.filled),
        batch_size=1000,
    )
    if last and last.key != made.key:
        details = {"before": last.key, "after": made.key, "vouched": len(keys) > 1}
        record_in(chain, EventType.SIGNING_KEY_CHANGED, **details)
    return made


def _one_at_a_time(chain: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"checkpoint {chain}"])


def _keys(last: Checkpoint | None, accept_new_key: bool) -> list[signing.Key]:
    """The current key, and the one before where the chain has to learn that it was replaced."""
    key, before = signing.current_key(), signing.key_before()
    if last is None or last.key == key.public:
        return [key]
    if before and before.public == last.key:
        return [key, before]
    if accept_new_key:
        return [key]
    raise KeyNotVouchedFor


# --- Outside ------------------------------------------------------------------------------------------------


def file_name(chain: str, seq: int) -> str:
    """What a checkpoint is called in its directory; numbers are padded, so that names sort as they follow."""
    return f"{_prefix(chain)}{seq:012d}.json"


def write_outside(chain: str) -> None:
    """Write every checkpoint of `chain` that the place outside lacks. What is there is never overwritten."""
    with transaction.atomic():
        _one_at_a_time(chain)
        place = outside.place()
        there = _there(place, chain)
        stored = Checkpoint.objects.filter(chain=chain).order_by("seq")
        numbers = list(stored.values_list("seq", flat=True))
        # The newest once more: a crash may have left it half written.
        for seq in [number for number in numbers if number not in there] + numbers[-1:]:
            place.write(file_name(chain, seq), stored.get(seq=seq).document)


def _there(place: outside.Place, chain: str) -> dict[int, str]:
    """The checkpoints of a chain in the place outside: number of the last entry covered → name."""
    prefix = _prefix(chain)
    names = (name for name in place.names(prefix) if name.endswith(".json"))
    numbers = ((name[len(prefix) : -len(".json")], name) for name in names)
    return {int(number): name for number, name in sorted(numbers) if number.isdecimal()}


def _texts(chain: str) -> tuple[dict[int, str], str]:
    """What the place outside says by number, and why it says nothing, where it cannot be asked at all.

    What cannot be read alone is left out, so that its checkpoint counts as lost.
    """
    found: dict[int, str] = {}
    try:
        place = outside.place()
        there = _there(place, chain)
    except OSError as error:
        return found, str(error)
    for seq, name in there.items():
        try:
            found[seq] = place.read(name)
        except OSError as error:
            logger.error("A checkpoint cannot be read: %s", error)  # noqa: TRY400 (the sentence says it all)
    return found, ""


def _prefix(chain: str) -> str:
    return f"{chain.replace(':', '-')}-"


# --- Comparing ----------------------------------------------------------------------------------------------


def verify_chain(chain: str) -> Verification:
    """Read the whole chain and compare it with every checkpoint of it, those in the database and those outside.

    Of entries that left for an archive, the archive itself tells; the chain is then read from where it goes on.
    """
    signed, faults, keys = _signed(chain)
    begins = detached.beginning(chain)
    doubts = detached.doubts(begins, keys) if begins else []
    if begins is None or doubts:
        return verify(chain, signed=signed, faults=[*faults, *doubts])
    kept = [one for one in signed if one.seq > begins.start.seq]
    outcome = verify(chain, signed=kept, faults=faults, start=begins.start, tree=begins.tree())
    return replace(outcome, archived=begins.start.seq)


def _signed(chain: str) -> tuple[list[Signed], list[Fault], frozenset[str]]:
    """What our keys signed about the chain, what is wrong with the checkpoints themselves, and which keys are ours."""
    stored = dict(Checkpoint.objects.filter(chain=chain).values_list("seq", "document"))
    written, silence = _texts(chain)
    faults = [
        Fault(chain, seq, Kind.LOST.value, f"The checkpoint at entry {seq} is not outside, or another one is.")
        for seq in stored
        if stored[seq] != written.get(seq) and not silence
    ]
    if silence:
        told = f"No checkpoint outside could be compared: {silence}"
        faults.append(Fault(chain, max(stored, default=0), Kind.LOST.value, told))
    accepted, (current, ours) = [], _our_keys()
    trusted = set(ours)
    before: str | None = None
    for seq, text in sorted({*stored.items(), *written.items()}):
        try:
            said, keys = signing.opened(text)
            one = Signed(said["seq"], said["root"])
            is_ours = said["format"] == FORMAT and said["chain"] == chain and one.seq == seq and said["key"] in keys
        except (ValueError, KeyError, TypeError):
            is_ours = False
        if not is_ours or not (before in {None, said["key"]} or before in keys or said["key"] == current):
            faults.append(Fault(chain, seq, Kind.UNSIGNED.value, f"The checkpoint at entry {seq} is not signed by us."))
            continue
        before = said["key"]
        trusted.add(before)
        accepted.append(one)
    if accepted and before not in ours:
        faults.append(Fault(chain, accepted[-1].seq, Kind.UNSIGNED.value, "The last checkpoint's key is not ours."))
    return accepted, faults, frozenset(trusted)


def _our_keys() -> tuple[str, frozenset[str]]:
    """The public key that signs now, "" where there is none, and with it the one before.

    Only the key of now may take over without a word of the one before: a former key that leaked must not.
    """
    current, before = _public(signing.current_key), _public(signing.key_before)
    return current, frozenset({current, before} - {""})


def _public(which: Callable[[], signing.Key | None]) -> str:
    try:
        key = which()
    except SigningKeyMissing:
        return ""
    return key.public if key else ""
