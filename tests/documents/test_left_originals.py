"""Stored files that no version has are removed, with an entry, and nothing else is ever touched."""

import json
import os
import time
from pathlib import Path
from uuid import uuid4

import pytest
from django.core.files.storage import default_storage
from django.db import transaction

from audit import chain
from audit.events import EventType
from audit.exceptions import AuditError
from audit.models import Event
from audit.verification import verify
from documents import library
from documents.deletion.tasks import sweep_originals
from documents.ingestion import left_originals
from documents.ingestion.left_originals import remove_left
from documents.models import ORIGINALS, Version
from inlock.health.finding import Finding
from inlock.health.knowledge import knowledge
from tests.documents.arrivals import Killed, Killer, again, receive

pytestmark = pytest.mark.django_db


@pytest.fixture
def brought(policies, contributor):
    """Three documents and their files, and a sweep that was here before."""
    versions = [receive(policies, contributor, f"Rule {n}.", f"{n}.txt").version for n in range(3)]
    assert remove_left() == 0
    return versions


@pytest.fixture
def long_ago(monkeypatch):
    """What lies in the storage by now has lain there for longer than any upload takes."""
    monkeypatch.setattr(left_originals, "ABANDONED_SECONDS", -1)


def stored() -> set[Path]:
    root = Path(default_storage.path(ORIGINALS))
    return {file for file in root.rglob("*") if file.is_file()} - {word()}


def word() -> Path:
    """What whoever sweeps leaves."""
    return Path(default_storage.path(left_originals.SWEPT))


def put(name: str, content: bytes = b"left") -> Path:
    file = Path(default_storage.path(f"{ORIGINALS}/{name[:2]}/{name}"))
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content)
    return file


def entries():
    return [json.loads(event.body)["details"] for event in Event.objects.filter(type=EventType.ORIGINALS_REMOVED)]


def test_files_left_by_a_process_that_died_before_its_commit_are_removed(
    policies, contributor, brought, tmp_path, monkeypatch, long_ago
):
    """Killed where a batch of small files is in its place and no row is committed yet."""
    before = stored()
    for number in range(3):
        (tmp_path / f"new{number}.txt").write_text(f"New rule {number}.")
    files = [library.Arriving.of(file.name, file) for file in sorted(tmp_path.iterdir())]
    killer = Killer(monkeypatch)
    killer.at("file_kept")
    # SIGKILL runs no handler.
    monkeypatch.setattr(default_storage, "delete", lambda name: None)
    with pytest.raises(Killed):
        library.receive_new(workspace=policies, files=files, by=contributor)
    monkeypatch.undo()
    monkeypatch.setattr(left_originals, "ABANDONED_SECONDS", -1)
    left = stored() - before

    removed = remove_left()

    assert (len(left), removed) == (3, 3)
    assert stored() == before
    assert [again(version).file.read() for version in brought] == [b"Rule 0.", b"Rule 1.", b"Rule 2."]
    assert entries() == [{"bytes": 3 * len("New rule 0."), "files": 3}]
    assert verify(chain.PLATFORM).holds
    assert len(library.receive_new(workspace=policies, files=files, by=contributor)) == 3


def test_a_file_that_arrived_within_a_day_is_not_touched_however_old_its_content_is(brought):
    """Between the move and COMMIT a file that is just arriving has no row either."""
    file = put(str(uuid4()))
    os.utime(file, (0, 0))

    assert remove_left() == 0
    assert file.exists()
    assert entries() == []


def test_it_is_old_enough_by_when_it_was_put_there(brought, monkeypatch):
    file = put(str(uuid4()))
    real = time.time

    monkeypatch.setattr(left_originals.time, "time", lambda: real() + left_originals.ABANDONED_SECONDS - 60)
    early = remove_left()
    monkeypatch.setattr(left_originals.time, "time", lambda: real() + left_originals.ABANDONED_SECONDS + 60)

    assert (early, remove_left()) == (0, 1)
    assert not file.exists()


def test_pages_drawn_of_a_version_stay_with_it_and_go_without_it(brought, long_ago):
    drawn = put(f"{brought[0].pk}.pdf")
    left = put(f"{uuid4()}.pdf")

    assert remove_left() == 1
    assert drawn.exists()
    assert not left.exists()


def test_what_an_erased_version_left_behind_is_removed(brought, long_ago):
    file = Path(brought[0].file.path)
    Version.objects.filter(pk=brought[0].pk).update(file="")

    assert remove_left() == 1
    assert not file.exists()


def test_files_whose_names_are_no_keys_of_ours_are_left_alone(brought, long_ago):
    key = uuid4()
    elsewhere = put(f"copies-of-{key}").rename(Path(default_storage.path(f"{ORIGINALS}/co/{key}")))
    others = [put("zz-notes.txt"), put(".gitkeep"), put(key.hex), elsewhere]

    assert remove_left() == 0
    assert all(file.exists() for file in others)


def test_beside_another_database_nothing_is_removed(brought, long_ago, caplog):
    files = stored()
    Version.objects.all().update(file="")
    Version.objects.filter(pk=brought[0].pk).update(file=brought[0].file.name)

    assert remove_left() == 0
    assert stored() == files
    assert "is this their database" in caplog.text


def files() -> Finding:
    return next(finding for finding in knowledge() if finding.name == "files")


def newest() -> str:
    return str(Version.objects.latest("created_at").pk)


def test_the_first_to_sweep_removes_nothing_and_leaves_the_newest_version_it_knows(policies, contributor, long_ago):
    receive(policies, contributor)
    file = put(str(uuid4()))

    assert remove_left() == 0
    assert word().read_text().split() == [newest()]
    assert remove_left() == 1
    assert not file.exists()


def test_a_database_of_an_earlier_day_removes_nothing_of_what_came_since(
    brought, policies, contributor, long_ago, caplog
):
    """Put back from a copy, or a copy that is tried out beside the one in use: what came later has no row there."""
    with transaction.atomic():
        later = Path(receive(policies, contributor, "Rule 4.", "4.txt").version.file.path)
        assert remove_left() == 0
        lost = newest()
        transaction.set_rollback(True)

    assert [remove_left(), remove_left()] == [0, 0]
    assert later.exists()
    assert word().read_text().split() == [lost, newest()]
    assert "that this database never had" in caplog.text
    # A person looked.
    word().unlink()
    assert [remove_left(), remove_left()] == [0, 1]


def test_of_two_databases_beside_one_storage_neither_removes_what_is_the_others(brought, long_ago):
    mine = put(str(uuid4()))
    # The other one found ours, which it never had, and left its own beside it.
    other = str(uuid4())
    word().write_text(f"{newest()}\n{other}\n")

    assert [remove_left(), remove_left()] == [0, 0]
    assert mine.exists()
    assert word().read_text().split() == [other, newest()]
    # The page of health says so until a person looked.
    assert "originals/.swept" in files().next_step
    word().unlink()
    assert not files().fault


def test_a_word_that_is_damaged_is_not_taken_for_none(brought, long_ago):
    file = put(str(uuid4()))
    word().write_bytes(b"\xff half")

    assert [remove_left(), remove_left()] == [0, 0]
    assert file.exists()


def test_one_that_cannot_be_removed_takes_back_no_entry_and_keeps_no_other(brought, long_ago, monkeypatch, caplog):
    files = [put(str(uuid4())) for _ in range(3)]
    stays, real = sorted(files)[0], Path.unlink

    def unlink(path, missing_ok=False):
        if path == stays:
            raise PermissionError(13, "Permission denied")
        real(path, missing_ok=missing_ok)

    monkeypatch.setattr(Path, "unlink", unlink)

    remove_left()

    assert [file.exists() for file in sorted(files)] == [True, False, False]
    assert len(entries()) == 1
    assert "Permission denied" in caplog.text


def test_a_folder_named_like_a_key_is_left_alone(brought, long_ago):
    key = str(uuid4())
    folder = Path(default_storage.path(f"{ORIGINALS}/{key[:2]}/{key}"))
    folder.mkdir(parents=True)
    file = put(str(uuid4()))

    assert remove_left() == 1
    assert (folder.exists(), file.exists()) == (True, False)


def test_an_entry_that_cannot_be_written_keeps_the_files(brought, long_ago, monkeypatch):
    file = put(str(uuid4()))

    def fail(*args, **kwargs):
        raise AuditError("no room")

    monkeypatch.setattr(left_originals, "record", fail)

    with pytest.raises(AuditError):
        remove_left()
    assert file.exists()


def test_killed_before_the_first_is_removed_the_next_round_removes_them(brought, long_ago, monkeypatch):
    file = put(str(uuid4()))
    killer = Killer(monkeypatch)
    killer.at("left_recorded")
    with pytest.raises(Killed):
        remove_left()
    killer.never()

    assert file.exists()
    assert entries() == []
    assert remove_left() == 1
    assert len(entries()) == 1


def test_a_round_removes_no_more_than_so_many(brought, long_ago, monkeypatch):
    monkeypatch.setattr(left_originals, "MOST", 2)
    left = [put(str(uuid4())) for _ in range(3)]

    assert [remove_left(), remove_left(), remove_left()] == [2, 1, 0]
    assert not any(file.exists() for file in left)


def test_without_any_file_there_is_nothing_to_do(policies, long_ago):
    assert remove_left() == 0
    assert entries() == []


def test_the_schedule_has_them_removed(brought, long_ago, settings):
    file = put(str(uuid4()))

    assert {"task": sweep_originals.name, "schedule": 3600.0} in settings.CELERY_BEAT_SCHEDULE.values()
    sweep_originals()

    assert not file.exists()
