"""One signed archive with what an auditor asks for about a period: rights, trail, verification, receipts, software.

`audit/verifier.py` checks it without the portal. Apps above add their part with `contribute`; texts of documents and
answers are never in it, since whoever may read a trail may not therefore read content.
"""

import hashlib
import logging
import tempfile
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO, Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from audit import checkpoints, detached, export, sbom, signing, verifier
from audit.bundle import Bundle
from audit.events import EventType
from audit.exceptions import ChainDamaged
from audit.models import ChainHead, Checkpoint, Event
from audit.record import record
from workspaces import held_rights
from workspaces.auditing import trail
from workspaces.exceptions import PortalError
from workspaces.models import User, Workspace

logger = logging.getLogger(__name__)

FORMAT = "inlock-pack-1"
Contribution = Callable[[Workspace, "Period"], Iterable[tuple[str, str]]]
_contributions: list[Contribution] = []


@dataclass(frozen=True, slots=True)
class Period:
    """From `since` on, until before `until`."""

    since: datetime
    until: datetime


def period_of(since: str, until: str) -> Period:
    """The period between two days or moments as a person writes them (ISO 8601); a last day is part of it.

    No `since` is the beginning of everything, no `until` is now. Raises PortalError for what is no date.
    """
    begins = _moment(since, is_end=False) if since else datetime.min.replace(tzinfo=UTC)
    return Period(begins, _moment(until, is_end=True) if until else timezone.now())


def _moment(text: str, *, is_end: bool) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
        if is_end and len(text) == len("2026-01-31"):
            moment += timedelta(days=1)
        aware = timezone.make_aware(moment) if timezone.is_naive(moment) else moment
        # Days at either end of the calendar do not exist in every time zone.
        return aware.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise PortalError(_("%(text)s is not a date: write it as 2026-01-31.") % {"text": text[:40]}) from error


def contribute(part: Contribution) -> None:
    """Have `part(workspace, period)` give files, as names and texts, to every pack that covers the workspace."""
    _contributions.append(part)


def make(chains: Sequence[trail.Chain], period: Period, *, by: User | None) -> IO[bytes]:
    """The archive, open for reading from its beginning; it vanishes when it is closed.

    Recorded in every chain it covers, with its hash, once it is whole. Raises Hidden or Forbidden where `by` may not
    read one of the chains, PortalError for no chain, an empty period or a full disk, and SigningKeyMissing.
    """
    chains = list({which.name: which for which in chains}.values())
    if not chains:
        raise PortalError(_("Choose at least one chain."))
    if period.since >= period.until:
        raise PortalError(_("The period ends before it begins."))
    for which in chains:
        trail.require_reading(which, by)
    signing.current_key()
    try:
        file = _filled(chains, period, by)
    except OSError as error:
        logger.error("No evidence pack: %s", error)  # noqa: TRY400 (the sentence says it all)
        sentence = _("The evidence pack cannot be written at the moment: tell whoever operates this portal.")
        raise PortalError(sentence) from error
    _recorded(chains, period, by, hashlib.file_digest(file, "sha256").hexdigest())
    file.seek(0)
    return file


def _filled(chains: Sequence[trail.Chain], period: Period, by: User | None) -> IO[bytes]:
    with ExitStack() as unless_whole:
        file = unless_whole.enter_context(tempfile.TemporaryFile(suffix=".zip"))
        with Bundle(file) as pack:
            _fill(pack, chains, period, by)
        file.seek(0)
        unless_whole.pop_all()
        return file


@transaction.atomic
def _recorded(chains: Sequence[trail.Chain], period: Period, by: User | None, sha256: str) -> None:
    """Tell every chain of the pack, or none; in the order in which every act locks the chains of several."""
    details = {"since": period.since.isoformat(), "until": period.until.isoformat(), "pack_sha256": sha256}
    for which in sorted(chains, key=lambda which: (which.workspace is None, which.name)):
        record(EventType.TRAIL_PACKED, workspace=which.workspace, by=by, **details)


def _fill(pack: Bundle, chains: Sequence[trail.Chain], period: Period, by: User | None) -> None:
    now, told = timezone.now(), []
    pack.add_json("roles.json", held_rights.role_table())
    for which in chains:
        told.append(_chain(pack, which, period))
        for part in _contributions if which.workspace else ():
            for name, text in part(which.workspace, period):
                pack.add(name, [text])
    pack.add_json("verification.json", {"made_at": now, "chains": [_verified(which) for which in chains]})
    pack.add_json("sbom.cdx.json", sbom.bill_of_materials("inlock", now))
    pack.add("verifier.py", [Path(verifier.__file__).read_text(encoding="utf-8")])
    pack.add("README.txt", [_README])
    manifest = {
        "format": FORMAT,
        "made_at": now.isoformat(),
        "made_by": by.get_username() if by else "operator",
        "since": period.since.isoformat(),
        "until": period.until.isoformat(),
        "chains": told,
    }
    pack.sign(manifest)


def _chain(pack: Bundle, which: trail.Chain, period: Period) -> dict[str, Any]:
    """Write what the pack holds of one chain, and say which entries that are.

    The export goes on to the first checkpoint behind the period, so that all of the period's entries are under one.
    """
    events = Event.objects.filter(chain=which.name)
    begins = detached.beginning(which.name)
    after = max(_last(events.filter(at__lt=period.since)), begins.upto if begins else 0)
    upto = max(after, _last(events.filter(at__lt=period.until)))
    signed = _first_checkpoint(which.name, upto)
    span = export.Span(which.name, after, signed.seq if signed else upto)
    file = which.name.replace(":", "-")
    pack.add(f"trail/{file}.jsonl", (f"{line}\n" for line in export.json_lines(span)))
    covering = Checkpoint.objects.filter(chain=which.name, seq__gt=after, seq__lte=span.upto).order_by("seq")
    for checkpoint in covering.iterator():
        pack.add(f"checkpoints/{checkpoints.file_name(which.name, checkpoint.seq)}", [checkpoint.document])
    pack.add_json(f"rights/{file}.json", held_rights.over_time(which, after=after, upto=span.upto))
    archived = {"archived_upto": begins.upto} if begins else {}
    return {
        "chain": which.name,
        "name": which.code,
        "after": after,
        "upto": span.upto,
        "period_ends_at": upto,
        **archived,
    }


def _last(events: Any) -> int:
    # Time never runs backwards inside a chain, so a period is a range of numbers.
    return int(events.order_by("-seq").values_list("seq", flat=True).first() or 0)


def _first_checkpoint(chain: str, upto: int) -> Checkpoint | None:
    """The first checkpoint that covers entry `upto`, made now if there is none; None where the chain does not hold."""
    found = Checkpoint.objects.filter(chain=chain, seq__gte=upto).order_by("seq").first()
    if found is not None or not ChainHead.objects.filter(chain=chain).exists():
        return found
    try:
        return checkpoints.make(chain)
    except ChainDamaged:
        # A pack about a damaged chain is what an auditor needs; its verification says where.
        return None
    except OSError as error:
        # It is signed and only not outside, where the next one writes it; the pack's verification calls it lost.
        logger.error("No file of a checkpoint of %s: %s", chain, error)  # noqa: TRY400 (the sentence says it all)
        return Checkpoint.objects.filter(chain=chain, seq__gte=upto).order_by("seq").first()


def _verified(which: trail.Chain) -> dict[str, Any]:
    outcome = checkpoints.verify_chain(which.name)
    return {
        "chain": which.name,
        "holds": outcome.holds,
        "entries": outcome.events,
        "head_hash": outcome.head_hash,
        "checkpoints": outcome.checkpoints,
        "faults": [{"seq": one.seq, "kind": one.kind, "sentence": one.sentence} for one in outcome.faults],
    }


_README = """\
An evidence pack of an Inlock installation.

manifest.json       what this is, signed; the SHA-256 of every other file
roles.json          the roles and what each allows
rights/             per chain: every right before the period, each change in it with what its people held then, and
                    every right after it; what the database holds now, and where it differs from what the trail tells
trail/              the entries of the period, with the exact bytes each hash is taken over
checkpoints/        signed roots of the chains
verification.json   what the portal found when it read its own trail
receipts/           a signed receipt of every answer released in the period, without quotes; of every deletion that was
                    proven, and of every check of readiness, in it
sbom.cdx.json       the software that ran (CycloneDX)
verifier.py         checks all of this with Python and `cryptography` alone

    python verifier.py --key PUBLIC_KEY THIS_ARCHIVE.zip

Take the verifier and the public key from a place other than this archive where it matters: whoever could forge one
could forge all.
"""
