"""Parsers that die while they read: the file fails alone or is read again; one that ends its worker is set aside."""

import signal

import pytest

from tests.faults.world import World

pytestmark = [pytest.mark.xdist_group("rig"), pytest.mark.timeout(400)]

DEATHS = 3


def test_a_parser_that_is_killed_fails_its_file_alone_and_trying_again_reads_it(rig, ingesting, undisturbed):
    world = World(rig, "many")
    first, *others = world.given["versions"]

    killed = rig.begin("ingest_version", without=["parser"], version=first).wait()
    rest = [rig.do("ingest_version", version=version) for version in others]
    why = rig.do("why", version=first)
    rig.do("retry", version=first)
    again = rig.do("ingest_version", version=first)

    assert (killed.value, why["code"], why["retryable"]) == ("failed", "too_much_memory", True)
    assert "memory" in why["sentence"]
    assert [*rest, again] == ["ready", "ready", "ready"]
    assert ready_as(world) == [undisturbed(ingesting).seen["documents"][0]["versions"][0]["passages"]]


def test_the_process_that_forks_parsers_is_started_again_when_it_was_killed(rig, ingesting, undisturbed):
    world = World(rig, "ingest")

    ended = rig.begin(world.act, without=["forker"], **world.given).wait()

    assert ended.value == "ready"
    assert world.seen() == undisturbed(ingesting).seen


def test_a_file_that_ends_its_worker_three_times_is_set_aside_until_a_person_tries_again(rig, ingesting, undisturbed):
    world = World(rig, "ingest")
    version = world.given["version"]
    for _death in range(DEATHS):
        worker = rig.begin(world.act, at="before_parsed", **world.given)
        assert worker.wait().held
        # As the kernel does where memory runs short and it takes the worker instead of the parser.
        assert worker.kill().signal == signal.SIGKILL
        rig.age_leases()

    swept = rig.do("sweep", slug=world.slug)
    why = rig.do("why", version=version)
    retried_with_the_failed = rig.do("retry_all", slug=world.slug)
    rig.do("retry", version=version)
    world.settle()

    assert (swept, why["state"], why["deaths"], why["retryable"]) == (0, "quarantined", DEATHS, True)
    assert "three times" in why["sentence"]
    assert retried_with_the_failed == 0
    assert ready_as(world) == [undisturbed(ingesting).seen["documents"][0]["versions"][0]["passages"]]


def ready_as(world: World) -> list[object]:
    """The passages of the version that answers as `harbour.md`."""
    documents = world.seen()["documents"]
    return [
        version["passages"]
        for document in documents
        for version in document["versions"]
        if document["path"] == "harbour.md" and version["state"] == "ready"
    ]
