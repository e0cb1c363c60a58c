"""Processes ended without a word, in the middle of their work: nothing is lost, and nothing is done twice.

Every test proves first that its kill hit the middle; each then waits for the sweep, which is all the help there is.
"""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from documents import sandbox
from documents.passages import split
from documents.stages.split import passage_id
from tests.answers.chat_server import PAUSED_ANSWER
from tests.faults.scene import Heard, Rows, Visitor, engine_down, is_back, kill_child, within, written
from tests.portal import Portal

# The first test also starts the portal, with everything else of the run beside it.
pytestmark = [pytest.mark.xdist_group("kills"), pytest.mark.timeout(400)]

SECTIONS = 70
QUESTION = "How many days of paid parental leave does the second parent take?"


def long_file(folder: Path, name: str) -> Path:
    """A document of as many passages as sections, different for every name."""
    sections = [
        f"## Berth {number} of {name}\n\n"
        f"The fender of berth {number} is looked at every {number + 3} days by the harbour office. "
        f"Its crane lifts {number * 7 % 90 + 10} tonnes in calm weather and half of that in wind. "
        f"Ships that moor here pay {number * 13 % 700 + 100} euros a night, water included, and "
        f"leave by the {'northern' if number % 2 else 'southern'} channel on the day the pilot names.\n"
        for number in range(1, SECTIONS + 1)
    ]
    file = folder / f"{name}.md"
    file.write_text(f"# Harbour {name}\n\n" + "\n".join(sections))
    return file


def in_the_middle(rows: Rows, version: Any) -> int:
    """Wait until some passages of the version have their vector and others not; how many have."""
    within(90, lambda: rows.version(version)["done"] > 0)
    row = rows.version(version)
    assert row["state"] == "split"
    assert 0 < row["done"] < row["passage_count"] == SECTIONS
    return int(row["done"])


def assert_ready_once(rows: Rows, version: Any, *, file: Path, reused: int) -> None:
    """The version is ready as if nothing had happened; its last attempt found `reused` vectors and made the rest."""
    document = rows.value("SELECT document_id FROM documents_version WHERE id = %s", version)
    versions = rows.all("SELECT id, state FROM documents_version WHERE document_id = %s", document)
    assert versions == [{"id": version, "state": "ready"}]
    assert rows.events("version.ready", version) == 1

    undisturbed = sandbox.parse(file, name=file.name)
    pieces = split(undisturbed.text, undisturbed.sections)
    stored = rows.all("SELECT id FROM documents_passage WHERE version_id = %s ORDER BY position", version)
    assert [row["id"] for row in stored] == [passage_id(version, piece.position, piece.text) for piece in pieces]

    embeddings = "FROM documents_embedding e JOIN documents_passage p ON p.id = e.passage_id WHERE p.version_id = %s"
    assert rows.value(f"SELECT count(*) {embeddings}", version) == SECTIONS
    detail = rows.value("SELECT detail FROM documents_stagerun WHERE version_id = %s AND stage = 'embedded'", version)
    assert (detail["reused"], detail["computed"]) == (reused, SECTIONS - reused)


def assert_index_and_trail_agree(portal: Portal) -> None:
    """The vector index holds the passages and nothing else, and every chain of the trail verifies."""
    [workspace] = portal.json("index", "verify", "policies")["workspaces"]
    assert (workspace["ok"], workspace["missing"], workspace["foreign"]) == (True, 0, 0)
    assert portal.json("audit", "verify")["holds"] is True


def test_an_ingestion_whose_worker_is_killed_goes_on_where_it_was(portal, rows, visitor, tmp_path):
    file = long_file(tmp_path, "worker")
    version = visitor("contributor").upload(file, rows)
    in_the_middle(rows, version)

    killed = kill_child(portal, "ingest")

    at_the_kill = rows.version(version)
    assert (at_the_kill["state"], at_the_kill["attempt"]) == ("split", 1)
    assert 0 < at_the_kill["done"] < SECTIONS
    within(30, is_back(portal, "ingest", killed))
    within(150, lambda: rows.version(version)["state"] == "ready")
    row = rows.version(version)
    assert (row["attempt"], row["deaths"], row["done"]) == (2, 1, SECTIONS)
    assert_ready_once(rows, version, file=file, reused=at_the_kill["done"])
    assert_index_and_trail_agree(portal)


def test_an_ingestion_goes_on_when_the_broker_is_killed_and_has_lost_everything(portal, rows, visitor, tmp_path):
    file = long_file(tmp_path, "broker")
    contributor: Visitor = visitor("contributor")
    version = contributor.upload(file, rows)
    done = in_the_middle(rows, version)
    unheard = tmp_path / "unheard.md"
    unheard.write_text("The pilot boat leaves at dawn.")

    with engine_down(portal, "valkey"):
        assert rows.version(version)["state"] == "split"
        shutil.rmtree(portal.var / "valkey")
        # Nobody hears the bell of a file that arrives now.
        waiting = contributor.upload(unheard, rows)

    within(150, lambda: rows.version(version)["state"] == "ready")
    within(60, lambda: rows.version(waiting)["state"] == "ready")
    # Either the attempt outlived the broker, or another went on where it was.
    first = rows.version(version)["attempt"] == 1
    assert_ready_once(rows, version, file=file, reused=0 if first else done)


def test_an_ingestion_waits_for_an_index_that_is_killed_and_is_indexed_later(portal, rows, visitor, tmp_path):
    file = long_file(tmp_path, "index")
    version = visitor("contributor").upload(file, rows)
    in_the_middle(rows, version)

    with engine_down(portal, "chroma"):
        assert rows.version(version)["state"] == "split"
        within(150, lambda: rows.version(version)["state"] == "embedded")
        within(30, lambda: rows.version(version)["lease_until"] is None)

    within(150, lambda: rows.version(version)["state"] == "ready")
    assert rows.version(version)["deaths"] == 0
    assert_ready_once(rows, version, file=file, reused=0)
    assert_index_and_trail_agree(portal)


def test_an_answer_is_made_while_the_web_server_is_killed_and_its_stream_resumes(
    portal, rows, visitor, handbook, model_waits
):
    member: Visitor = visitor("member")
    answer = member.ask(QUESTION)
    heard: list[Heard] = []
    with member.watching(answer) as events:
        listen_until(events, heard, lambda kind: kind == "token")
        killed = kill_child(portal, "web")
        with pytest.raises(httpx.TransportError):
            heard.extend(events)

    assert rows.answer(answer)["status"] == "working"
    within(30, is_back(portal, "web", killed))
    within(60, lambda: is_reachable(portal))
    with member.watching(answer, after=heard[-1][0]) as events:
        model_waits.go_on.set()
        listen_until(events, heard, lambda kind: kind == "end")

    assert_answered_once(rows, answer, attempts=1)
    assert len(model_waits.requests) == 1
    assert [kind for _id, kind, _data in heard].count("reset") == 0
    assert written(heard) == PAUSED_ANSWER
    assert len({id for id, _kind, _data in heard}) == len(heard)
    assert "20 working days" in member.page(answer)


def test_an_answer_whose_worker_is_killed_is_taken_over_and_started_afresh(
    portal, rows, visitor, handbook, model_waits
):
    member: Visitor = visitor("member")
    answer = member.ask(QUESTION)
    heard: list[Heard] = []
    with member.watching(answer) as events:
        listen_until(events, heard, lambda kind: kind == "token")
        assert rows.answer(answer)["status"] == "working"

        kill_child(portal, "interactive")

        model_waits.go_on.set()
        listen_until(events, heard, lambda kind: kind == "end")

    assert_answered_once(rows, answer, attempts=2)
    assert len(model_waits.requests) == 2
    assert [kind for _id, kind, _data in heard].count("reset") == 1
    assert written(heard) == PAUSED_ANSWER
    assert "20 working days" in member.page(answer)
    assert portal.json("audit", "verify")["holds"] is True


def listen_until(events: Any, heard: list[Heard], ends: Callable[[str], bool]) -> None:
    """Add what is heard to `heard`, up to the first event whose kind `ends` the listening."""
    for event in events:
        heard.append(event)
        if ends(event[1]):
            return
    raise AssertionError("the stream ended first")


def is_reachable(portal: Portal) -> bool:
    try:
        return httpx.get(f"{portal.url}/sign-in/", trust_env=False).status_code == 200
    except httpx.TransportError:
        return False


def assert_answered_once(rows: Rows, answer: str, *, attempts: int) -> None:
    row = rows.answer(answer)
    assert (row["status"], row["failure_detail"]) == ("answered", "")
    assert (row["attempt"], row["deaths"]) == (attempts, attempts - 1)
    assert row["raw_output"] == PAUSED_ANSWER
    assert rows.events("answer.released", answer) == 1
    citations = rows.value("SELECT count(*) FROM answers_citation WHERE answer_id = %s", answer)
    assert citations == 1
