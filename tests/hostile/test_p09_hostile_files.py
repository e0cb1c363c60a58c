"""P9: a hostile file ends with a name, alone, within its limits, and everything beside it goes on."""

import os
from pathlib import Path

import pytest

from documents import forking, sandbox
from documents.ingest import ingest_version
from documents.parse import ParseFailed, archive, parse_file
from documents.parse.failures import SENTENCES
from documents.sandbox import Limits
from documents.states import VersionState
from tests.documents.arrivals import again, receive
from tests.hostile.corpus import CORPUS, READY, SECRET, SLOW, Hostile

MEGABYTE = 1024 * 1024
LIMITS = Limits(wall_seconds=40, cpu_seconds=20, memory_bytes=1024 * MEGABYTE)


WHOLE = "INLOCK_DEEP" in os.environ
READ = [each for each in CORPUS if WHOLE or each.id not in SLOW]


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


#: One of each way to end, among eight that are good.
AMONG = ("bomb_docx", "docx_doctype_laughs", "pdf_page_loop", "pdf_encrypted", "html_named_pdf", "eml_many_parts")


@pytest.mark.django_db
def test_files_beside_a_hostile_one_become_ready(policies, contributor, tmp_path) -> None:
    hostile = [each for each in CORPUS if each.id in AMONG]
    for each in hostile:
        each.write(tmp_path / each.id)
    files = [(f"{each.id}.{each.name.rpartition('.')[2]}", (tmp_path / each.id).read_bytes()) for each in hostile]
    good = [(f"good {number}.txt", f"Clause {number} is kept by everybody.".encode()) for number in range(8)]
    order = [each for pair in zip(good, (files * 2)[: len(good)], strict=True) for each in pair]
    versions = {name: receive(policies, contributor, content, name).version for name, content in dict(order).items()}
    sandbox.network_isolated()
    forks = forking.forker._process.pid  # type: ignore[union-attr]

    for version in versions.values():
        ingest_version(version.pk)

    ended = {name: again(version) for name, version in versions.items()}
    assert [ended[name].state for name, _ in good] == [VersionState.READY] * len(good)
    failed = [each for each in ended.values() if each.state == VersionState.FAILED]
    assert len(failed) >= len(AMONG) - 1
    assert all(each.failure_sentence for each in failed)
    assert forking.forker._process.pid == forks  # type: ignore[union-attr]


def test_without_its_guard_a_bomb_would_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bomb = next(each for each in CORPUS if each.id == "bomb_docx")
    bomb.write(tmp_path / "a.docx")

    monkeypatch.setattr(archive, "_check", lambda file: None)

    assert parse_file(tmp_path / "a.docx", "a.docx").title == "Leave"
