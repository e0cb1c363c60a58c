"""P9: a hostile file ends with a name, alone, within its limits, and everything beside it goes on."""

import os
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from documents import sandbox
from documents.models import RunKind, RunState, Version
from documents.parse import ParseFailed, archive, parse_file
from documents.parse.failures import SENTENCES
from documents.sandbox import Limits
from documents.sources.keeping import Wish, ask_run, create_source
from documents.sources.problems import sentence
from documents.states import OPEN, VersionState
from inlock.celery import app
from inlock.engines import celery_broker_url
from tests.documents.arrivals import receive
from tests.hostile.corpus import CORPUS, READY, SECRET, SLOW, Hostile
from tests.hostile.worker import wait_until, working

MEGABYTE = 1024 * 1024
LIMITS = Limits(wall_seconds=40, cpu_seconds=20, memory_bytes=1024 * MEGABYTE)
#: The same for a worker.
READING = {"INLOCK_PARSE_SECONDS": "40", "INLOCK_PARSE_MEMORY_MB": "1024", "INLOCK_RECOGNISE_SECONDS": "40"}

WHOLE = "INLOCK_DEEP" in os.environ
QUICK = [each for each in CORPUS if each.id not in SLOW]
READ = CORPUS if WHOLE else QUICK


def outcome(path: Path, name: str) -> tuple[str, str]:
    """How reading it ended, and the text or else the sentence for its owner."""
    try:
        return READY, sandbox.parse(path, name=name, limits=LIMITS).text
    except ParseFailed as failure:
        return failure.code, failure.sentence


@pytest.mark.parametrize("hostile", READ, ids=lambda hostile: hostile.id)
def test_a_hostile_file_ends_with_a_name_and_leaves_nothing_behind(tmp_path: Path, hostile: Hostile) -> None:
    path = tmp_path / "inner" / "folder" / hostile.name
    path.parent.mkdir(parents=True)
    hostile.write(path)
    before = sorted(tmp_path.rglob("*"))

    ending, words = outcome(path, hostile.name)

    assert ending in hostile.ends
    assert words == SENTENCES[ending] if ending != READY else words
    assert SECRET not in words
    assert "root:" not in words
    assert sorted(tmp_path.rglob("*")) == before


#: Files that are good, beside the hostile ones.
GOOD = 20
#: What may be added to a process that has the files read by another: less than any of those would take by itself.
GROWTH_BYTES = 256 * MEGABYTE
#: How long the worker may take for all of them on a machine that is very busy.
ENDING_SECONDS = 150
#: What becomes of a file that is not kept.
REFUSED = "refused"


def called(hostile: Hostile) -> str:
    return f"{hostile.id}.{hostile.name.rpartition('.')[2]}"


def good(entry: str) -> dict[str, bytes]:
    """Small files by their names; those of each entry say something of their own."""
    return {f"good {number}.txt": f"Clause {number} of the {entry} is kept.".encode() for number in range(GOOD)}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Every hostile file that is quickly done with, among files that are good."""
    folder = tmp_path / "handbook"
    folder.mkdir()
    for each in QUICK:
        each.write(folder / called(each))
    for name, content in good("folder").items():
        (folder / name).write_bytes(content)
    return folder


@pytest.fixture
def broker(monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    """Bells ring in this test's own part of the broker."""
    monkeypatch.setattr(app.conf, "broker_write_url", celery_broker_url(settings.REDIS_URL))
    monkeypatch.setattr(app, "_pool", None)
    monkeypatch.setattr(app.amqp, "_producer_pool", None)


def too_large_to_send(folder: Path) -> set[str]:
    """The names of what is larger than an upload may be; in a folder it is met all the same."""
    return {path.name for path in folder.iterdir() if path.stat().st_size > settings.MAX_UPLOAD_BYTES}


def uploaded(client: Client, folder: Path) -> dict[str, str]:
    """Upload all that a browser may send at once; the sentence of each that was not kept."""
    hostile = {path.name: path for path in folder.iterdir() if path.name not in good("")}
    sent = hostile.keys() - too_large_to_send(folder)
    files = [SimpleUploadedFile(name, hostile[name].read_bytes()) for name in sorted(sent)]
    files += [SimpleUploadedFile(name, content) for name, content in good("upload").items()]
    answer = client.post("/w/policies/documents/upload/", {"files": files}, headers={"Accept": "application/json"})
    return {each["name"]: each["error"] for each in answer.json()["files"] if each["outcome"] == REFUSED}


def synced(source: Any, manager: Any) -> dict[str, str]:
    """Have the worker bring the folder in; the sentence of each file that was not kept."""
    run = ask_run(source, RunKind.SYNC, by=manager)

    def is_over() -> bool:
        run.refresh_from_db()
        return run.state in (RunState.DONE, RunState.FAILED)

    wait_until(is_over, seconds=ENDING_SECONDS)
    assert run.state == RunState.DONE, run.problem
    return {each["path"]: sentence(each["code"], each["detail"]) for each in run.problems}


def all_settled() -> bool:
    return not Version.objects.filter(state__in=OPEN).exists()


# The worker is a process of its own, which sees committed rows only.
@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("broker")
@pytest.mark.timeout(400)
def test_good_files_beside_every_hostile_one_become_ready_and_the_worker_lives(
    policies: Any, contributor: Any, manager: Any, client_of: Any, folder: Path, tmp_path: Path, settings: Any
) -> None:
    settings.SOURCE_FOLDERS = [str(folder)]
    wish = Wish(name="Handbook", options={"folder": str(folder)})
    source = create_source(policies, "folder", wish, by=manager)
    with working(tmp_path / "worker.log", INLOCK_SOURCE_FOLDERS=str(folder), **READING) as worker:
        # It has its model loaded and its reader begun.
        receive(policies, contributor, "The first file is read before the others.", "first.txt")
        wait_until(all_settled, seconds=ENDING_SECONDS)
        before = worker.begin_peak()

        refused = {"upload": uploaded(client_of(contributor), folder), "folder": synced(source, manager)}
        wait_until(all_settled, seconds=ENDING_SECONDS)

        peak = worker.peak()
    assert peak.keys() == before.keys()
    [(most, held)] = zip(peak.values(), before.values(), strict=True)
    assert most - held < GROWTH_BYTES
    # A source takes only what can be read by its name.
    passed_over = {"upload": too_large_to_send(folder), "folder": {"svg_script.svg"}}
    for entry, place in {"upload": "", "folder": f"{source.folder}/"}.items():
        ended = {name: (REFUSED, "", words) for name, words in refused[entry].items()} | {
            version.filename: (version.state, version.failure_code, version.failure_sentence)
            for version in Version.objects.filter(document__path__in=[place + path.name for path in folder.iterdir()])
        }
        assert [ended[name][0] for name in good(entry)] == [VersionState.READY] * GOOD
        for each in QUICK:
            if called(each) in passed_over[entry]:
                continue
            state, code, words = ended[called(each)]
            assert (code or state) in each.ends or (state == REFUSED and each.ends != {READY}), each.id
            assert (state == VersionState.READY) == (words == ""), each.id


def test_without_its_guard_a_bomb_would_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bomb = next(each for each in CORPUS if each.id == "bomb_docx")
    bomb.write(tmp_path / "a.docx")

    monkeypatch.setattr(archive, "_check", lambda file: None)

    assert parse_file(tmp_path / "a.docx", "a.docx").title == "Leave"
