"""Entries leave the database for a signed archive alone: both parts verify, apart and together, and damage is named."""

import io
import json
import zipfile
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psycopg
import pytest
from django.core.management import CommandError, call_command
from django.db import transaction
from django.utils import timezone

from audit import archive, checkpoints, export, signing
from audit.chain import PLATFORM, append, workspace_chain
from audit.events import EventType
from audit.exceptions import AuditError, ChainDamaged
from audit.inclusion import Inclusion
from audit.models import Archive, Checkpoint, Event
from audit.verifier import Report, Verifier
from tests.audit import vectors
from workspaces import held_rights
from workspaces.auditing import evidence_pack, trail

pytestmark = pytest.mark.django_db(transaction=True)

#: The archive ends with the checkpoint at 560; of its entries, 512 may leave.
SIGNED, LEAVE, LENGTH = 560, 512, 580


def write(chain: str, count: int) -> None:
    with transaction.atomic():
        append(chain, [{"type": EventType.SEARCHED.value, "details": {}}] * count)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """An archive of the platform's chain."""
    write(PLATFORM, 300)
    checkpoints.make(PLATFORM)
    write(PLATFORM, SIGNED - 300)
    checkpoints.make(PLATFORM)
    moment = timezone.now()
    write(PLATFORM, LENGTH - SIGNED)
    archive.make(PLATFORM, before=moment, path=tmp_path / "archive.zip")
    return tmp_path / "archive.zip"


@pytest.fixture
def detached(file: Path, as_superuser: psycopg.Connection) -> Path:
    """The same, after the owner of the tables ran the script."""
    detach(PLATFORM, file, as_superuser)
    return file


def detach(chain: str, file: Path, owner: psycopg.Connection) -> None:
    with file.open("rb") as content:
        owner.execute(archive.detaching(chain, content))  # type: ignore[arg-type]


def elsewhere(*files: bytes, chain: str = PLATFORM) -> Report:
    """What the stand-alone verifier finds in these archives, what the database still has, and all checkpoints."""
    rest = "\n".join(export.json_lines(export.span_of(chain))).encode()
    signed = [document.encode() for document in Checkpoint.objects.values_list("document", flat=True)]
    given = [(str(number), io.BytesIO(one)) for number, one in enumerate([*files, rest, *signed])]
    return Verifier(frozenset({signing.current_key().public})).run(given)  # type: ignore[arg-type]


def found(chain: str = PLATFORM) -> list[tuple[int, str]]:
    return [(fault.seq, fault.kind) for fault in checkpoints.verify_chain(chain).faults]


def test_archive_verifies_by_itself(file: Path) -> None:
    report = Verifier(frozenset({signing.current_key().public})).run([("archive", io.BytesIO(file.read_bytes()))])

    assert report.faults == []
    assert f"archive: archive of platform up to entry {SIGNED}" in report.verified
    assert any(f"{SIGNED} entries of platform, compared with 2 checkpoints" in line for line in report.verified)


def test_what_is_left_verifies_from_the_archive_on_and_both_verify_together(detached: Path) -> None:
    outcome = checkpoints.verify_chain(PLATFORM)

    assert (outcome.holds, outcome.archived, outcome.events) == (True, LEAVE, Event.objects.count())
    assert Event.objects.order_by("seq")[0].seq == LEAVE + 1
    report = elsewhere(detached.read_bytes())
    assert report.faults == []
    assert not [note for note in report.notes if "begins behind" in note]
    write(PLATFORM, 5)
    checkpoint = checkpoints.make(PLATFORM)
    assert checkpoint is not None
    assert found() == []
    for entry in Event.objects.order_by("seq"):
        Inclusion(checkpoint).path(entry.seq, entry.body)


def test_export_of_what_left_is_refused_and_of_what_is_left_begins_behind_it(detached: Path) -> None:
    assert export.span_of(PLATFORM).after == SIGNED
    assert export.span_of(PLATFORM, SIGNED + 3).after == SIGNED + 3
    with pytest.raises(AuditError, match=f"up to {SIGNED}"):
        export.span_of(PLATFORM, 7)


@pytest.mark.parametrize(
    ("damage", "named"),
    [
        ("DELETE FROM audit_event WHERE seq = 513", (LEAVE + 1, "missing")),
        ("UPDATE audit_event SET actor_label = 'x' WHERE seq = 514", (LEAVE + 2, "changed")),
        ("UPDATE audit_archive SET document = replace(document, 'upto', 'upta')", (1, "missing")),
        ("UPDATE audit_archive SET document = replace(document, '\"after\": 0', '\"after\": 1')", (1, "missing")),
        ("DELETE FROM audit_archive", (1, "missing")),
        ("DELETE FROM audit_event WHERE type = 'trail.archived'", (1, "missing")),
    ],
)
def test_damage_to_what_is_left_is_named(
    detached: Path, as_superuser: psycopg.Connection, damage: str, named: tuple[int, str]
) -> None:
    as_superuser.execute("SET session_replication_role = replica")
    assert as_superuser.execute(damage).rowcount > 0  # type: ignore[arg-type]

    assert named in found()


def test_entries_that_left_without_an_archive_are_missing(file: Path, as_superuser: psycopg.Connection) -> None:
    """The counter-proof: it is the archive that explains what is not there, and only as far as it reaches."""
    as_superuser.execute("SET session_replication_role = replica")

    as_superuser.execute("DELETE FROM audit_event WHERE seq <= %s", [LEAVE + 8])

    assert found()[0] == (LEAVE + 1, "missing")
    as_superuser.execute("DELETE FROM audit_archive")
    assert found()[0] == (1, "missing")


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        (lambda text: text.replace('\\"seq\\":7,', '\\"seq\\":8,'), "changed"),
        (lambda text: "\n".join(line for line in text.splitlines() if '{"seq": 7,' not in line), "missing"),
        (lambda text: vectors.rebuilt(text, lambda body: body | {"reason": "all is well"}), "replaced"),
    ],
)
def test_damage_to_the_archive_is_named_and_no_script_is_made_for_it(
    file: Path, change: Callable[[str], str], kind: str
) -> None:
    with zipfile.ZipFile(file) as zipped:
        content = {name: zipped.read(name).decode() for name in zipped.namelist()}
    content["trail/platform.jsonl"] = change(content["trail/platform.jsonl"])
    with zipfile.ZipFile(file, "w") as zipped:
        for name, text in content.items():
            zipped.writestr(name, text)

    kinds = {fault["kind"] for fault in elsewhere(file.read_bytes()).faults}

    assert kind in kinds
    with file.open("rb") as opened, pytest.raises(AuditError, match="damaged"):
        archive.detaching(PLATFORM, opened)


def test_script_takes_nothing_out_where_the_entries_are_not_those_of_the_archive(
    file: Path, as_superuser: psycopg.Connection
) -> None:
    with file.open("rb") as content:
        script = archive.detaching(PLATFORM, content)
    as_superuser.execute("SET session_replication_role = replica")
    as_superuser.execute("DELETE FROM audit_event WHERE seq = 100")
    before = Event.objects.count()

    with pytest.raises(psycopg.errors.RaiseException, match="would have left"):
        as_superuser.execute(script)  # type: ignore[arg-type]

    as_superuser.execute("ROLLBACK")
    assert Event.objects.count() == before
    as_superuser.execute("SET session_replication_role = origin")
    with pytest.raises(psycopg.Error, match="append-only"):
        as_superuser.execute("DELETE FROM audit_event")


def test_archives_follow_each_other_and_join(detached: Path, as_superuser: psycopg.Connection, tmp_path: Path) -> None:
    write(PLATFORM, 300)
    checkpoints.make(PLATFORM)
    second = tmp_path / "second.zip"
    archive.make(PLATFORM, before=timezone.now(), path=second)
    detach(PLATFORM, second, as_superuser)

    assert found() == []
    assert checkpoints.verify_chain(PLATFORM).archived > LEAVE
    report = elsewhere(second.read_bytes(), detached.read_bytes())
    assert (report.faults, [note for note in report.notes if "begins behind" in note]) == ([], [])
    assert "missing" in {fault["kind"] for fault in elsewhere(detached.read_bytes()).faults}


def make_second(tmp_path: Path) -> Path:
    write(PLATFORM, 300)
    checkpoints.make(PLATFORM)
    second = tmp_path / "second.zip"
    archive.make(PLATFORM, before=timezone.now(), path=second)
    return second


def test_nothing_leaves_that_the_given_archive_does_not_hold(
    file: Path, as_superuser: psycopg.Connection, tmp_path: Path
) -> None:
    """The first archive is lost before anything left for it: the second holds its entries too."""
    first = file.read_bytes()
    second = make_second(tmp_path)
    file.unlink()

    detach(PLATFORM, second, as_superuser)

    assert found() == []
    gone = checkpoints.verify_chain(PLATFORM).archived
    with zipfile.ZipFile(second) as zipped:
        held = [json.loads(line) for line in zipped.read("trail/platform.jsonl").splitlines()[1:]]
    assert [entry["seq"] for entry in held][:gone] == list(range(1, gone + 1))
    for files in ([second.read_bytes()], [first, second.read_bytes()]):
        report = elsewhere(*files)
        assert (report.faults, [note for note in report.notes if "begins behind" in note]) == ([], [])


def test_no_script_is_made_for_an_archive_that_begins_behind_what_would_leave(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As of an archive that began where the one before it ended, which nobody looks at."""
    begins = SimpleNamespace(start=SimpleNamespace(seq=SIGNED))
    with monkeypatch.context() as patched:
        patched.setattr(archive, "detached", SimpleNamespace(beginning=lambda chain: begins))
        second = make_second(tmp_path)

    with second.open("rb") as content, pytest.raises(AuditError, match="does not hold all"):
        archive.detaching(PLATFORM, content)


def test_nothing_is_archived_of_a_damaged_chain_nor_over_a_file_nor_without_a_checkpoint(
    file: Path, as_superuser: psycopg.Connection, tmp_path: Path
) -> None:
    with pytest.raises(AuditError, match="No checkpoint"):
        archive.make(PLATFORM, before=timezone.now().replace(year=2020), path=tmp_path / "none.zip")
    with pytest.raises(FileExistsError):
        archive.make(PLATFORM, before=timezone.now(), path=file)
    as_superuser.execute("SET session_replication_role = replica")
    as_superuser.execute("UPDATE audit_event SET actor_label = 'x' WHERE seq = 2")
    with pytest.raises(ChainDamaged):
        archive.make(PLATFORM, before=timezone.now(), path=tmp_path / "none.zip")

    assert not (tmp_path / "none.zip").exists()
    assert Archive.objects.count() == 1


def test_commands_archive_a_workspace_whose_rights_and_pack_go_on(
    policies: Any, as_superuser: psycopg.Connection, tmp_path: Path
) -> None:
    chain, which, file = workspace_chain(policies.pk), trail.Chain(policies), tmp_path / "policies.zip"
    write(chain, 300)
    checkpoints.make(chain)
    before = held_rights.over_time(which, after=0, upto=10_000)["after"]

    call_command(
        "audit", "archive", "policies", "--before", timezone.now().isoformat(), "--out", str(file), stdout=StringIO()
    )
    out = StringIO()
    call_command("audit", "detach", "policies", "--archive", str(file), "--json", stdout=out)
    as_superuser.execute(json.loads(out.getvalue())["sql"])

    rights = held_rights.over_time(which, after=0, upto=10_000)
    assert (rights["before"], rights["after"], rights["differences"]) == (before, before, [])
    assert Event.objects.filter(chain=chain, type=EventType.TRAIL_DETACHED).exists()
    said = StringIO()
    call_command("audit", "verify", "policies", stdout=said)
    assert "256 that are in an archive" in said.getvalue()
    with evidence_pack.make([which], evidence_pack.period_of("", ""), by=None) as pack:
        report = Verifier(frozenset({signing.current_key().public})).run([("pack", pack)])
    assert report.faults == []
    for wrong in (
        ("archive", "policies"),
        ("detach", "policies"),
        ("archive",),
        ("detach", "policies", "--archive", "no"),
    ):
        with pytest.raises(CommandError):
            call_command("audit", *wrong)
