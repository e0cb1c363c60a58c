"""Data directories from another day, or damaged ones: the index comes back to what the database says, for nothing."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from inlock.engines.places import Place
from inlock.engines.set_aside import ENDS, all_set_aside
from tests.faults.rig import Rig
from tests.faults.stories import BERTHS, QUESTION, text
from tests.faults.world import World
from tests.portal import within

pytestmark = [pytest.mark.xdist_group("rig"), pytest.mark.timeout(400)]

#: What the operator's copy of yesterday replaces today.
REPLACED = ("postgresql", "chroma")


@contextmanager
def days(rig: Rig, world: World, tmp_path: Path) -> Iterator[dict[str, Path]]:
    """Yesterday the world had two documents; today one is another edition, one is deleted and one is new."""
    for path, edition in (("harbour.md", 1), ("annex.md", 2)):
        rig.do("ingest_version", version=rig.do("upload", slug=world.slug, path=path, text=text(edition)))
    with rig.stopped():
        kept = {name: tmp_path / name for name in REPLACED}
        for name, copy in kept.items():
            shutil.copytree(rig.var / name, copy)
    for path, edition in (("harbour.md", 3), ("tariff.md", 4)):
        rig.do("ingest_version", version=rig.do("upload", slug=world.slug, path=path, text=text(edition)))
    rig.do("delete", slug=world.slug, path="annex.md")
    world.settle()
    yield kept


@pytest.mark.parametrize("replaced", REPLACED)
def test_a_database_and_an_index_of_different_days_agree_again_without_a_model(replaced, rig, tmp_path):
    world = World(rig, "empty")
    with days(rig, world, tmp_path) as kept:
        paid = len(rig.paid())
        with rig.stopped():
            shutil.rmtree(rig.var / replaced)
            shutil.copytree(kept[replaced], rig.var / replaced)
        apart = world.seen()
        rebuilt = rig.do("rebuild", slug=world.slug)
        after = world.seen()

    assert apart["index"]["agrees"] is False
    assert rebuilt is True
    assert after["index"]["agrees"] is True
    # What is found and answered was right all the while: the database decides, and its vectors make up for the index.
    assert apart["golden"] == after["golden"] != []
    assert apart["documents"] == after["documents"]
    assert {document["path"] for document in after["documents"]} == (
        {"harbour.md", "annex.md"} if replaced == "postgresql" else {"harbour.md", "annex.md", "tariff.md"}
    )
    assert after["trail"] is True
    assert len(rig.paid()) == paid


def test_a_damaged_index_is_noticed_emptied_and_made_anew_without_a_model(rig):
    world = World(rig, "large")
    before = rig.do("near", slug=world.slug, query=QUESTION)
    paid = len(rig.paid())

    with rig.down("chroma"):
        segments = [file for file in (rig.var / "chroma").glob("*/data_level0.bin") if file.stat().st_size]
        for file in segments:
            with file.open("r+b") as damaged:
                damaged.truncate(file.stat().st_size // 2)
    # What nobody has looked at yet finds less, and says nothing of it.
    silent = rig.do("near", slug=world.slug, query=QUESTION)
    emptied = rig.do("watch")
    meanwhile = rig.do("near", slug=world.slug, query=QUESTION)
    exact = rig.do("find", slug=world.slug, query=QUESTION)
    differed = rig.do("check", slug=world.slug)

    assert segments, "there is no segment to damage"
    assert (before["fault"], silent["fault"]) == ("", "")
    assert silent["hits"] != before["hits"]
    assert emptied >= 1
    assert (meanwhile["finds"], meanwhile["fault"], meanwhile["degraded"]) == (0, "unavailable", True)
    assert (exact["hits"][0], exact["degraded"]) == (before["hits"][0], False)
    assert differed > 1000
    assert rig.do("near", slug=world.slug, query=QUESTION) == before
    assert rig.do("check", slug=world.slug) == 0
    assert len(rig.paid()) == paid


def test_an_index_whose_bytes_end_its_server_is_set_aside_and_put_back_without_a_person(rig):
    world = World(rig, "large")
    before = rig.do("near", slug=world.slug, query=QUESTION)
    paid = len(rig.paid())
    place = Place(rig.var, "chroma")
    with rig.down("chroma"):
        for vectors in (rig.var / "chroma").glob("*/data_level0.bin"):
            vectors.write_bytes(np.random.default_rng(1).bytes(vectors.stat().st_size))

    meanwhile = []
    for _search in range(ENDS):
        server = place.last_said()["pid"]
        meanwhile.append(rig.do("near", slug=world.slug, query=QUESTION))
        within(60, lambda: place.last_said()["state"] == "running" and place.last_said()["pid"] != server)  # noqa: B023
    [aside] = all_set_aside(rig.var)
    rig.do("look_after_engines")

    assert {(each["finds"], each["fault"], each["degraded"]) for each in meanwhile} == {(0, "unavailable", True)}
    assert list(aside.directory.glob("*/data_level0.bin"))
    assert rig.do("near", slug=world.slug, query=QUESTION) == before
    assert rig.do("check", slug=world.slug) == 0
    assert len(rig.paid()) == paid
    shutil.rmtree(aside.directory)


def test_an_index_that_lost_its_files_is_whole_before_it_answers_again(rig):
    world = World(rig, "large")
    version = rig.do("upload", slug=world.slug, path="annex.md", text=text())
    with rig.down("chroma"):
        shutil.rmtree(rig.var / "chroma")
    paid = len(rig.paid())

    worker = rig.begin("ingest_version", at="after_upsert", version=version)
    assert worker.wait().held
    # The vectors of one batch are back, and the others are not.
    meanwhile = rig.do("near", slug=world.slug, query=QUESTION)
    unmarked = rig.begin("near", without=["mark"], slug=world.slug, query=QUESTION).wait().value
    ended = worker.go_on().wait()

    assert (meanwhile["finds"], meanwhile["fault"]) == (0, "unavailable")
    # Without its mark the part would be taken for all there is.
    assert unmarked["finds"] > 0
    assert ended.value == "ready"
    assert rig.do("near", slug=world.slug, query=QUESTION)["fault"] == ""
    assert world.seen()["index"]["agrees"] is True
    assert len(rig.paid()) - paid == BERTHS


def test_a_worker_that_dies_while_it_puts_an_index_back_leaves_none_that_looks_whole(rig):
    world = World(rig, "large")
    version = rig.do("upload", slug=world.slug, path="annex.md", text=text())
    with rig.down("chroma"):
        shutil.rmtree(rig.var / "chroma")

    worker = rig.begin("ingest_version", at="after_upsert", version=version)
    assert worker.wait().held
    worker.kill()
    meanwhile = rig.do("near", slug=world.slug, query=QUESTION)
    world.settle()
    rig.do("check", slug=world.slug)

    assert (meanwhile["finds"], meanwhile["fault"]) == (0, "unavailable")
    assert rig.do("near", slug=world.slug, query=QUESTION)["fault"] == ""
    assert world.seen()["index"]["agrees"] is True
