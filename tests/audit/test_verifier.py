"""The stand-alone verifier: alone on a machine with Python and `cryptography`, it finds what the portal finds."""

import ast
import io
import json
import subprocess
import sys
import sysconfig
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from audit import checkpoints, export, signing, verifier
from audit.chain import PLATFORM, append, canonical
from audit.events import EventType
from audit.models import Checkpoint
from audit.record import record
from audit.verification import verify
from tests.audit import vectors

VERIFIER = Path(verifier.__file__)


@pytest.fixture
def alone(tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """alone("a.jsonl", …) → the verifier run as an auditor would: a copy of the one file, none of ours in reach."""
    copy = tmp_path / "elsewhere" / "verifier.py"
    copy.parent.mkdir()
    copy.write_bytes(VERIFIER.read_bytes())
    # -I: no PYTHONPATH, no user site, no current directory. Only what cryptography itself is made of is put back.
    begin = (
        "import sys, runpy; sys.path = [path for path in sys.path if 'site-packages' not in path];"
        f"sys.path.append({str(_only_cryptography(tmp_path))!r}); sys.argv = sys.argv[1:];"
        "runpy.run_path(sys.argv[0], run_name='__main__')"
    )

    def run(*arguments: object) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-I", "-c", begin, str(copy), *map(str, arguments)],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )

    return run


def _only_cryptography(tmp_path: Path) -> Path:
    place, packages = tmp_path / "packages", Path(sysconfig.get_path("purelib"))
    place.mkdir()
    for name in ("cryptography", "cffi", "pycparser"):
        if (packages / name).exists():
            (place / name).symlink_to(packages / name)
    for binary in packages.glob("_cffi_backend*"):
        (place / binary.name).symlink_to(binary)
    return place


@pytest.fixture
def damage(as_superuser: psycopg.Connection) -> Iterator[Callable[..., None]]:
    as_superuser.execute("SET session_replication_role = replica")

    def run(statement: str, *parameters: Any) -> None:
        assert as_superuser.execute(statement, parameters).rowcount > 0

    return run


def write(count: int) -> None:
    for turn in range(count):
        with transaction.atomic():
            record(EventType.SEARCHED, turn=turn)


def exported(path: Path, after: int = 0) -> Path:
    path.write_text("".join(f"{line}\n" for line in export.json_lines(export.span_of(PLATFORM, after))))
    return path


def signed(path: Path) -> Path:
    made = checkpoints.make(PLATFORM)
    assert made is not None
    path.write_text(made.document)
    return path


def test_it_imports_the_standard_library_and_cryptography_and_nothing_of_ours() -> None:
    imported = set()
    for node in ast.walk(ast.parse(VERIFIER.read_text())):
        if isinstance(node, ast.Import):
            imported |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert not node.level
            imported.add(str(node.module).partition(".")[0])

    assert imported - sys.stdlib_module_names == {"cryptography"}


@pytest.mark.django_db
def test_sound_export_and_its_checkpoint_hold_elsewhere(alone: Any, tmp_path: Path) -> None:
    write(5)
    checkpoint = signed(tmp_path / "checkpoint.json")
    write(2)
    trail = exported(tmp_path / "trail.jsonl")

    done = alone(trail, checkpoint, "--key", signing.current_key().public, "--json")

    told = json.loads(done.stdout)
    assert (done.returncode, done.stderr, told["holds"], told["notes"]) == (0, "", True, [])
    assert f"{trail}: 7 entries of platform, compared with 1 checkpoints" in told["verified"]


@pytest.mark.django_db
def test_nothing_of_the_portal_is_in_its_reach(alone: Any, tmp_path: Path) -> None:
    """The counter-proof of the isolation: a verifier that imports ours fails where the real one runs."""
    copy = tmp_path / "elsewhere" / "verifier.py"
    copy.write_text("import audit.chain\n" + VERIFIER.read_text())

    assert "No module named 'audit'" in alone("x").stderr


@pytest.mark.django_db
def test_parts_of_a_chain_are_joined_and_a_part_alone_is_compared_too(alone: Any, tmp_path: Path) -> None:
    write(3)
    first = exported(tmp_path / "first.jsonl")
    write(4)
    second, checkpoint = exported(tmp_path / "second.jsonl", after=3), signed(tmp_path / "checkpoint.json")

    together = alone(second, first, checkpoint)
    part = alone(second, checkpoint)

    assert (together.returncode, part.returncode) == (0, 0)
    assert "begins behind entry 3" not in together.stdout
    assert "begins behind entry 3" in part.stdout
    assert "compared with 1 checkpoints" in part.stdout


@pytest.mark.django_db
def test_a_part_left_out_is_missing(alone: Any, tmp_path: Path) -> None:
    write(2)
    first = exported(tmp_path / "first.jsonl")
    write(4)
    third = exported(tmp_path / "third.jsonl", after=4)

    done = alone(first, third)

    assert done.returncode == 1
    assert "platform 5 missing" in done.stdout


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("change", "named"),
    [
        (lambda lines: [*lines[:3], lines[3].replace("turn", "torn"), *lines[4:]], "3 changed"),
        (lambda lines: [*lines[:3], *lines[4:]], "3 missing"),
        (lambda lines: [*lines[:3], lines[2], *lines[3:]], "2 duplicated"),
        (lambda lines: [*lines[:2], lines[3], lines[2], *lines[4:]], "2 missing"),
        (lambda lines: lines[:-1], "6 shortened"),
        (lambda lines: [lines[0].replace('"entries": 6', '"entries": 5'), *lines[1:-1]], "5 changed"),
    ],
)
def test_damage_to_the_file_itself_is_named(
    alone: Any, tmp_path: Path, change: Callable[[list[str]], list[str]], named: str
) -> None:
    write(6)
    trail = exported(tmp_path / "trail.jsonl")
    trail.write_text("".join(f"{line}\n" for line in change(trail.read_text().splitlines())))

    done = alone(trail)

    assert done.returncode == 1
    assert f"DOES NOT HOLD platform {named}" in done.stdout


@pytest.mark.django_db
def test_export_that_ends_before_a_checkpoint_is_a_note_or_with_complete_a_fault(alone: Any, tmp_path: Path) -> None:
    write(3)
    trail = exported(tmp_path / "trail.jsonl")
    write(2)
    checkpoint = signed(tmp_path / "checkpoint.json")

    assert "ends at 3" in alone(trail, checkpoint).stdout
    done = alone(trail, checkpoint, "--complete")
    assert done.returncode == 1
    assert "platform 4 shortened" in done.stdout


@pytest.mark.django_db
def test_file_made_to_fit_itself_does_not_fit_the_checkpoint(alone: Any, tmp_path: Path) -> None:
    write(4)
    trail, checkpoint = exported(tmp_path / "trail.jsonl"), signed(tmp_path / "checkpoint.json")
    trail.write_text(vectors.rebuilt(trail.read_text(), lambda body: body | {"reason": "all is well"}))

    assert alone(trail).returncode == 0
    done = alone(trail, checkpoint)
    assert done.returncode == 1
    assert "platform 4 replaced" in done.stdout


@pytest.mark.parametrize(("first", "second"), [(9, 9), (9, 6), (6, 9)])
def test_parts_that_overlap_and_contradict_each_other_are_named_wherever_they_end(first: int, second: int) -> None:
    """Both are sound in themselves, and no checkpoint reaches that far."""
    told = vectors.whole(first).encode()
    other = vectors.rebuilt(
        vectors.whole(second), lambda body: body | ({"reason": "all is well"} if body["seq"] == 5 else {})
    ).encode()

    def faults(*parts: bytes) -> list[tuple[int, str]]:
        given = [(str(number), io.BytesIO(part)) for number, part in enumerate(parts)]
        return [(one["seq"], one["kind"]) for one in verifier.Verifier(frozenset()).run(given).faults]

    assert faults(told, other) == faults(other, told) == [(5, "replaced")]
    assert faults(told, vectors.whole(second).encode()) == []


@pytest.mark.django_db
@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.replace('"seq": 4', '"seq": 3'),
        lambda text: text.replace('"root": "', '"root": "0'),
        lambda text: text.replace('"signature": "', '"signature": "00'),
    ],
)
def test_checkpoint_that_was_touched_is_unsigned(alone: Any, tmp_path: Path, change: Callable[[str], str]) -> None:
    write(4)
    checkpoint = signed(tmp_path / "checkpoint.json")
    checkpoint.write_text(change(checkpoint.read_text()))

    done = alone(checkpoint)

    assert done.returncode == 1
    assert "unsigned" in done.stdout


@pytest.mark.django_db
def test_key_that_was_not_given_does_not_count(alone: Any, tmp_path: Path) -> None:
    write(1)
    checkpoint = signed(tmp_path / "checkpoint.json")

    assert alone(checkpoint, "--key", "0" * 64).returncode == 1
    assert f"Signed with {signing.current_key().public}" in alone(checkpoint).stdout


@pytest.mark.django_db
@pytest.mark.parametrize("vouched", [True, False])
def test_replaced_key_counts_when_the_one_before_vouched(
    alone: Any, tmp_path: Path, settings: Any, vouched: bool
) -> None:
    write(1)
    first, before = signed(tmp_path / "1.json"), settings.INLOCK_SIGNING_KEY
    settings.INLOCK_SIGNING_KEY = vectors.KEY
    settings.INLOCK_SIGNING_KEY_BEFORE = before if vouched else ""
    write(1)
    made = checkpoints.make(PLATFORM, accept_new_key=not vouched)
    assert made is not None
    (tmp_path / "2.json").write_text(made.document)

    old = signing.Key.from_text(before).public
    done = alone(first, tmp_path / "2.json", "--key", old)

    assert done.returncode == (0 if vouched else 1)


@pytest.mark.parametrize(
    "nonsense",
    [
        "",
        "{}",
        "[]",
        '{"signed": {}}',
        '{"signed": {"a": 1, "a": 2}}',
        '{"signed": {"key": 1.5}}',
        "\x00",
        "PK\x03\x04",
    ],
)
def test_file_of_another_kind_is_one_readable_line_and_2(alone: Any, tmp_path: Path, nonsense: str) -> None:
    (tmp_path / "file").write_text(nonsense)

    done = alone(tmp_path / "file")

    assert done.returncode in {1, 2}
    assert "Traceback" not in done.stderr


# --- Agreement ----------------------------------------------------------------------------------------------

TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=12)
DETAILS = st.dictionaries(
    TEXTS,
    st.one_of(st.integers(-(2**53) + 1, 2**53 - 1), TEXTS, st.booleans(), st.none(), st.lists(TEXTS, max_size=2)),
    max_size=4,
)
BODIES = st.fixed_dictionaries(
    {"type": st.sampled_from(EventType.values), "actor_id": TEXTS, "actor_label": TEXTS, "details": DETAILS}
)
#: What is done to the stored rows: (SQL, whether it takes the number of a row).
DAMAGES = (
    None,
    "UPDATE audit_event SET body = body || ' ' WHERE seq = %s",
    "UPDATE audit_event SET body = replace(body, 'details', 'detains') WHERE seq = %s",
    "UPDATE audit_event SET hash = reverse(hash) WHERE seq = %s",
    "DELETE FROM audit_event WHERE seq = %s",
    "UPDATE audit_event SET seq = seq + 100 WHERE seq = %s",
)


@pytest.mark.django_db(transaction=True)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(bodies=st.lists(BODIES, min_size=1, max_size=5), damaged=st.data())
def test_both_verifications_agree_on_any_log_and_any_damage(
    as_superuser: psycopg.Connection, bodies: list[dict[str, Any]], damaged: st.DataObject
) -> None:
    chain = f"workspace:{vectors.fresh()}"
    with transaction.atomic():
        append(chain, bodies)
    statement = damaged.draw(st.sampled_from(DAMAGES))
    seq = damaged.draw(st.integers(1, len(bodies)))
    if statement:
        as_superuser.execute("SET session_replication_role = replica")
        as_superuser.execute(f"{statement} AND chain = '{chain}'", [seq])  # type: ignore[arg-type]

    ours = verify(chain)
    lines = list(export.json_lines(export.Span(chain, 0, 1000)))
    header = json.loads(lines[0]) | {"entries": len(bodies), "head_hash": _head(chain)}
    theirs = verifier.Verifier(frozenset())
    theirs._trail("export", iter([json.dumps(header), *lines[1:]]))

    faults = sorted(theirs.report.faults, key=lambda fault: fault["seq"])
    assert bool(faults) == (not ours.holds) == bool(statement)
    if faults:
        assert faults[0]["seq"] == ours.faults[0].seq
        assert faults[0]["kind"] == ours.faults[0].kind


def _head(chain: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT hash FROM audit_chainhead WHERE chain = %s", [chain])
        return str(cursor.fetchone()[0])


@given(
    st.recursive(st.one_of(DETAILS, TEXTS, st.integers(-9, 9)), lambda inner: st.dictionaries(TEXTS, inner, max_size=3))
)
def test_both_spell_the_same_canonical_bytes(value: Any) -> None:
    assert verifier.canonical({"value": value}) == canonical({"value": value}).encode()


@pytest.mark.django_db
def test_checkpoints_table_is_what_the_directory_holds(tmp_path: Path, alone: Any, settings: Any) -> None:
    for count in (1, 2, 3):
        write(count)
        checkpoints.make(PLATFORM)
    trail = exported(tmp_path / "trail.jsonl")

    done = alone(trail, *sorted(Path(settings.CHECKPOINTS).iterdir()))

    assert done.returncode == 0
    assert f"compared with {Checkpoint.objects.count()} checkpoints" in done.stdout
