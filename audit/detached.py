"""Where a chain begins in the database, once its first entries left it for an archive.

That they did is believed when an archive's manifest is signed by a key of ours, an entry of the chain itself names that
manifest, and what follows leads from the tree the manifest tells to every later checkpoint.
"""

import json
from collections.abc import Set
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from audit import signing
from audit.chain import digest
from audit.events import EventType
from audit.exceptions import AuditError
from audit.merkle import GrowingTree
from audit.models import Archive, Event
from audit.verification import Fault, Kind, Start

FORMAT = "inlock-archive-1"


@dataclass(frozen=True, slots=True)
class Beginning:
    """Entries up to `start` are gone from the database; an archive holds those up to `upto`."""

    start: Start
    upto: int
    peaks: tuple[str, ...]
    archive: Archive

    def tree(self) -> GrowingTree:
        return GrowingTree(self.start.seq, map(bytes.fromhex, self.peaks))


def beginning(chain: str) -> Beginning | None:
    """How the chain begins behind an archive; None where it begins with its first entry, or no archive explains it.

    Nothing is checked here but the shape: see `doubts`.
    """
    first = Event.objects.filter(chain=chain).order_by("seq").values_list("seq", flat=True).first()
    if first is None or first <= 1:
        return None
    for archive in Archive.objects.filter(chain=chain).order_by("-upto"):
        found = _beginning(archive)
        if found is not None and 0 < found.start.seq < first:
            return found
    return None


def _beginning(archive: Archive) -> Beginning | None:
    try:
        said = json.loads(archive.document)["signed"]
        leaves = said["leaves"]
        start = Start(int(leaves["seq"]), str(leaves["hash"]))
        found = Beginning(start, int(said["upto"]), tuple(leaves["peaks"]), archive)
        found.tree()
    except (ValueError, KeyError, TypeError):
        return None
    return found


def doubts(found: Beginning, keys: Set[str]) -> list[Fault]:
    """Why what an archive says of the chain's beginning is not to be believed; `keys` are those that signed for us."""
    chain = found.archive.chain
    try:
        said, signers = signing.opened(found.archive.document)
    except ValueError:
        said, signers = {}, frozenset()
    is_ours = said.get("format") == FORMAT and said.get("chain") == chain and bool(signers & keys)
    if is_ours and said.get("key") in signers and _is_in_the_chain(chain, digest(found.archive.document)):
        return []
    sentence = f"The archive up to entry {found.upto} is not one that we signed and that the chain names."
    return [Fault(chain, found.start.seq, Kind.UNSIGNED.value, sentence)]


def _is_in_the_chain(chain: str, manifest_sha256: str) -> bool:
    entries = Event.objects.filter(chain=chain, type=EventType.TRAIL_ARCHIVED).values_list("body", flat=True)
    return any(f'"manifest_sha256":"{manifest_sha256}"' in body for body in entries)


def require_there(chain: str, after: int) -> int:
    """From where on the chain can be told when somebody has its entries up to `after`.

    Raises AuditError where some of what follows is in an archive alone; 0 stands for all that is there.
    """
    found = beginning(chain)
    if found is None or after >= found.upto:
        return after
    if after == 0:
        return found.upto
    sentence = _("Entries up to %(upto)d of this chain are in an archive: begin behind that number.")
    raise AuditError(sentence % {"upto": found.upto})


def carried(chain: str, name: str) -> Any:
    """What an archive carries on from the entries that left, as data; None where none left, or it was changed."""
    found = beginning(chain)
    if found is None:
        return None
    text = found.archive.carried.get(name, "")
    listed = {one["name"]: one["sha256"] for one in json.loads(found.archive.document)["signed"].get("files", [])}
    return json.loads(text) if listed.get(name) == digest(text) else None
