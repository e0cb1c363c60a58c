"""Engines that are emptied, stopped, restarted or robbed of their files while the serving portal reads and answers."""

import os
import shutil
import signal
from typing import Any

import httpx
import pytest

from inlock.engines.places import Place
from tests.answers.chat_server import PAUSED_ANSWER
from tests.faults.scene import Rows, Visitor, emptied_valkey, engine_down, is_back, kill_child
from tests.faults.test_kills import (
    QUESTION,
    SECTIONS,
    assert_answered_once,
    assert_index_and_trail_agree,
    assert_ready_once,
    in_the_middle,
    long_file,
)
from tests.portal import Portal, within

pytestmark = [pytest.mark.xdist_group("kills"), pytest.mark.timeout(400)]


def asked_and_waiting(rows: Rows, member: Visitor, model: Any) -> str:
    """An answer whose model stands still after its first words."""
    answer = member.ask(QUESTION)
    within(60, model.began.is_set)
    assert rows.answer(answer)["status"] == "working"
    return answer


def test_a_broker_that_is_emptied_takes_no_file_and_no_answer_with_it(
    portal, rows, visitor, handbook, model_waits, tmp_path
):
    member = visitor("member")
    answer = asked_and_waiting(rows, member, model_waits)
    file = long_file(tmp_path, "emptied")
    version = visitor("contributor").upload(file, rows)
    in_the_middle(rows, version)

    emptied_valkey(portal)
    unheard = tmp_path / "unheard-of.md"
    unheard.write_text("The lock keeper counts the ships at noon.")
    waiting = visitor("contributor").upload(unheard, rows)
    model_waits.go_on.set()

    within(150, lambda: rows.version(version)["state"] == "ready")
    within(60, lambda: rows.version(waiting)["state"] == "ready")
    within(60, lambda: rows.answer(answer)["status"] == "answered")
    assert_ready_once(rows, version, file=file, reused=0)
    assert_answered_once(rows, answer, attempts=1)
    assert "20 working days" in member.page(answer)


@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGQUIT], ids=["fast", "immediate"])
def test_a_database_that_is_restarted_costs_an_attempt_and_nothing_else(
    sign, portal, rows, visitor, handbook, model_waits, tmp_path
):
    member = visitor("member")
    answer = asked_and_waiting(rows, member, model_waits)
    file = long_file(tmp_path, f"restarted-{sign.name.lower()}")
    version = visitor("contributor").upload(file, rows)
    done = in_the_middle(rows, version)

    restart(portal, "postgresql", sign)
    rows.connect()
    model_waits.go_on.set()

    within(120, lambda: rows.version(version)["state"] == "ready")
    within(120, lambda: rows.answer(answer)["status"] == "answered")
    row = rows.answer(answer)
    assert row["raw_output"] == PAUSED_ANSWER
    assert rows.events("answer.released", answer) == 1
    assert rows.events("version.ready", version) == 1
    # Never more than the batch that was made and could not be kept.
    detail = rows.value("SELECT detail FROM documents_stagerun WHERE version_id = %s AND stage = 'embedded'", version)
    assert detail["reused"] >= done
    assert detail["reused"] + detail["computed"] == SECTIONS
    within(60, lambda: "20 working days" in member.page(answer))
    assert_index_and_trail_agree(portal)


def test_pages_say_that_the_database_is_gone_and_are_back_with_it(portal, rows, visitor):
    member = visitor("member")

    def page() -> httpx.Response:
        # Who came in the first seconds waits for half a minute.
        return member.http.get("/w/policies/", timeout=60)

    with engine_down(portal, "postgresql"):
        within(90, lambda: page().status_code == 503)
        # Sooner than the pool gives up on them.
        told = [member.http.get("/w/policies/", timeout=10) for _again in range(3)]
        # As a machine asks, which has no session to look up.
        live, ready = (
            httpx.get(f"{portal.url}/health/{which}", timeout=10, trust_env=False) for which in ("live", "ready")
        )
    within(60, lambda: not page().is_error)
    rows.connect()

    assert [each.status_code for each in told] == [503] * 3
    assert all('http-equiv="refresh"' in each.text for each in told)
    assert (live.status_code, ready.status_code) == (200, 503)
    assert ready.json()["lacks"] == ["database"]


def test_an_index_whose_files_are_deleted_under_load_is_made_anew_without_a_model(
    portal, rows, visitor, handbook, model_waits, tmp_path
):
    model_waits.go_on.set()
    member = visitor("member")
    file = long_file(tmp_path, "deleted")
    version = visitor("contributor").upload(file, rows)
    in_the_middle(rows, version)

    with engine_down(portal, "chroma"):
        while_down = member.ask(QUESTION)
        within(60, lambda: rows.answer(while_down)["status"] not in ("waiting", "working"))
        shutil.rmtree(portal.var / "chroma")
    afterwards = member.ask(QUESTION)
    within(60, lambda: rows.answer(afterwards)["status"] not in ("waiting", "working"))
    within(120, lambda: rows.version(version)["state"] == "ready")
    vectors = rows.value("SELECT count(*) FROM documents_embedding")
    [rebuilt] = portal.json("index", "rebuild", "policies")["workspaces"]

    for answer in (while_down, afterwards):
        assert rows.answer(answer)["raw_output"] == PAUSED_ANSWER
        assert rows.answer(answer)["status"] == "answered"
    assert rebuilt["ok"] is True
    assert rows.value("SELECT count(*) FROM documents_embedding") == vectors
    assert_ready_once(rows, version, file=file, reused=0)
    assert_index_and_trail_agree(portal)


def test_a_beat_that_is_killed_together_with_a_worker_comes_back_and_finds_what_it_left(
    portal, rows, visitor, tmp_path
):
    file = long_file(tmp_path, "beat")
    version = visitor("contributor").upload(file, rows)
    in_the_middle(rows, version)

    beat, worker = kill_child(portal, "beat"), kill_child(portal, "ingest")
    done = rows.version(version)["done"]

    within(30, is_back(portal, "beat", beat))
    within(30, is_back(portal, "ingest", worker))
    within(150, lambda: rows.version(version)["state"] == "ready")
    assert_ready_once(rows, version, file=file, reused=done)


def restart(portal: Portal, engine: str, sign: signal.Signals) -> None:
    """The engine is told to end by `sign`, and its keeper starts it again."""
    said = Place(portal.var, engine).last_said()
    process = said["pid"]
    assert isinstance(process, int)
    os.kill(process, sign)
    within(60, lambda: (told := Place(portal.var, engine).last_said())["pid"] != process and told["state"] == "running")
