"""Keep the beginning of a chain in a signed archive, so that those entries may leave the database.

The portal makes the archive and can take nothing out: that is a script for the owner of the tables. What leaves is
whole parts of 256 entries, whose roots stay, so that every later entry can still be proven.
"""

import hashlib
import os
import zipfile
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import IO, Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from psycopg import sql

from audit import checkpoints, detached, export, signing
from audit.bundle import Bundle
from audit.chain import digest
from audit.detached import FORMAT
from audit.events import EventType
from audit.exceptions import AuditError, ChainDamaged
from audit.merkle import STRIDE
from audit.models import Archive, Checkpoint, Event
from audit.record import record_in


def make(chain: str, *, before: datetime, path: Path, carried: Mapping[str, str] | None = None) -> Archive:
    """Write the entries of before that moment, up to the last checkpoint there, to a new file at `path`.

    It holds every one that is still in the database, whether an earlier archive holds it too or not.
    `carried` are texts by file name that later readers need of those entries; they are kept in the archive and beside
    it. Raises AuditError when there is nothing to archive, ChainDamaged, SigningKeyMissing, and OSError for a file that
    exists or cannot be written. The file is gone again unless the chain says that it was made.
    """
    checkpoint = last_checkpoint(chain, before)
    outcome = checkpoints.verify_chain(chain)
    if not outcome.holds:
        raise ChainDamaged(chain, outcome.faults)
    with path.open("xb") as out:
        try:
            document = _write(out, chain, checkpoint, carried or {})
            out.flush()
            os.fsync(out.fileno())
            made = _record(chain, checkpoint, document, carried or {})
        except BaseException:
            path.unlink()
            raise
    # What takes entries out asks for a checkpoint that covers the word of the archive.
    checkpoints.make(chain)
    return made


def last_checkpoint(chain: str, before: datetime) -> Checkpoint:
    """The last one that covers nothing from `before` on. Raises AuditError where no archive could end."""
    entries = Event.objects.filter(chain=chain, at__lt=before)
    last = entries.order_by("-seq").values_list("seq", flat=True).first() or 0
    found = Checkpoint.objects.filter(chain=chain, seq__lte=last, seq__gt=_archived(chain)).order_by("-seq").first()
    if found is None:
        raise AuditError(_("No checkpoint of this chain lies before that day behind what is archived already."))
    return found


def _archived(chain: str) -> int:
    return Archive.objects.filter(chain=chain).order_by("-upto").values_list("upto", flat=True).first() or 0


def _write(out: IO[bytes], chain: str, checkpoint: Checkpoint, carried: Mapping[str, str]) -> str:
    begins = detached.beginning(chain)
    file, after = chain.replace(":", "-"), begins.start.seq if begins else 0
    with Bundle(out) as bundle:
        span = export.Span(chain, after, checkpoint.seq)
        bundle.add(f"trail/{file}.jsonl", (f"{line}\n" for line in export.json_lines(span)))
        for one in Checkpoint.objects.filter(chain=chain, seq__gt=after, seq__lte=checkpoint.seq).order_by("seq"):
            bundle.add(f"checkpoints/{checkpoints.file_name(chain, one.seq)}", [one.document])
        for name, text in carried.items():
            bundle.add(name, [text])
        return bundle.sign(
            {
                "format": FORMAT,
                "chain": chain,
                "after": after,
                "upto": checkpoint.seq,
                "head_hash": checkpoint.head_hash,
                "root": checkpoint.root,
                "leaves": _leaves(chain, checkpoint.seq),
                "made_at": timezone.now().isoformat(),
            }
        )


def _leaves(chain: str, upto: int) -> dict[str, Any]:
    """The last entry that may leave the database, and the tree over all up to it."""
    seq = upto >> STRIDE << STRIDE
    peaks = [peak.hex() for peak in export.tree_at(chain, seq).peaks]
    return {"seq": seq, "hash": export.hash_at(chain, seq), "peaks": peaks}


@transaction.atomic
def _record(chain: str, checkpoint: Checkpoint, document: str, carried: Mapping[str, str]) -> Archive:
    made = Archive.objects.create(
        chain=chain, upto=checkpoint.seq, document=document, carried=dict(carried), at=timezone.now()
    )
    details = {"upto": checkpoint.seq, "root": checkpoint.root, "manifest_sha256": digest(document)}
    record_in(chain, EventType.TRAIL_ARCHIVED, **details)
    return made


# --- Taking out ---------------------------------------------------------------------------------------------

_SCRIPT = """\
-- Run by the owner of the tables in the portal's database. All of it happens, or nothing.
BEGIN;
ALTER TABLE audit_event DISABLE TRIGGER audit_event_no_change;
DO $$
DECLARE
    gone bigint;
BEGIN
    IF NOT EXISTS (
        SELECT FROM audit_archive WHERE chain = {chain} AND upto = {upto}
        AND encode(sha256(convert_to(document, 'UTF8')), 'hex') = {manifest}
    ) THEN
        RAISE EXCEPTION 'The trail does not know this archive.';
    END IF;
    IF NOT EXISTS (SELECT FROM audit_event WHERE chain = {chain} AND seq = {leaves} AND hash = {hash}) THEN
        RAISE EXCEPTION 'Entry % is not the one that was archived.', {leaves};
    END IF;
    DELETE FROM audit_event WHERE chain = {chain} AND seq <= {leaves};
    GET DIAGNOSTICS gone = ROW_COUNT;
    IF gone <> {count} THEN
        RAISE EXCEPTION '% entries would have left instead of %.', gone, {count};
    END IF;
END
$$;
ALTER TABLE audit_event ENABLE TRIGGER audit_event_no_change;
COMMIT;
"""


def detaching(chain: str, file: IO[bytes]) -> str:
    """The SQL that takes what the archive in `file` holds out of the database, for the owner of the tables.

    Raises AuditError where the file is not whole or not the archive that the chain names last, where entries would
    leave that are not in it, where no checkpoint covers that word yet, and where nothing could leave.
    """
    found = Archive.objects.filter(chain=chain).order_by("-upto").first()
    if found is None:
        raise AuditError(_("No archive was made of this chain."))
    _require_whole(found, file)
    entry = Event.objects.filter(chain=chain, type=EventType.TRAIL_ARCHIVED).order_by("-seq").first()
    if entry is None or not Checkpoint.objects.filter(chain=chain, seq__gte=entry.seq).exists():
        raise AuditError(_("No checkpoint covers the making of this archive yet: run `audit checkpoint`."))
    said = signing.as_data(found.document)["signed"]
    leaves, begins = said["leaves"], detached.beginning(chain)
    gone = begins.start.seq if begins else 0
    if said["after"] > gone:
        raise AuditError(_("This archive does not hold all that would leave: make another one."))
    count = leaves["seq"] - gone
    if count <= 0:
        raise AuditError(_("Nothing of this archive can leave: entries leave by 256."))
    parts = {"upto": found.upto, "manifest": digest(found.document), "leaves": leaves["seq"], "hash": leaves["hash"]}
    literals = {
        name: sql.Literal(value).as_string() for name, value in (parts | {"chain": chain, "count": count}).items()
    }
    with transaction.atomic():
        record_in(chain, EventType.TRAIL_DETACHED, upto=found.upto, leaves=leaves["seq"])
    return _SCRIPT.format(**literals)


def _require_whole(archive: Archive, file: IO[bytes]) -> None:
    """Raise AuditError unless the file holds exactly what the manifest that the chain names lists."""
    try:
        with zipfile.ZipFile(file) as zipped:
            is_same = zipped.read("manifest.json").decode("utf-8") == archive.document
            listed = signing.as_data(archive.document)["signed"]["files"]
            for one in listed:
                with zipped.open(one["name"]) as member:
                    is_same = is_same and hashlib.file_digest(member, "sha256").hexdigest() == one["sha256"]
    except (zipfile.BadZipFile, KeyError, ValueError) as error:
        raise AuditError(_("This is not an archive, or it is damaged.")) from error
    if not is_same:
        raise AuditError(_("This is not the last archive of this chain, or it is damaged."))
