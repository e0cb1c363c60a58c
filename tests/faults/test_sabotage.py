"""The protections taken away one at a time: without each, the fault tests see the harm that it prevents."""

import pytest

from tests.faults.actor import BATCH
from tests.faults.stories import STORIES
from tests.faults.test_deliveries import with_a_company, with_two_workers
from tests.faults.world import World

pytestmark = [pytest.mark.xdist_group("rig"), pytest.mark.timeout(400)]


def test_without_the_attempt_number_two_workers_undo_each_other(rig, ingesting, undisturbed):
    expected = undisturbed(ingesting)

    world, ended = with_two_workers(rig, ("before_split", "before_embedded"), without=["fencing"])

    whole = world.seen() == expected.seen and len(world.paid()) <= expected.paid + BATCH
    assert not whole, ended


def test_without_the_attempt_number_a_company_ends_what_was_taken_over(rig, undisturbed):
    expected = undisturbed(next(story for story in STORIES if story.name == "company"))

    world, of_company, of_quick = with_a_company(rig, ("company_indexed", "before_upsert"), without=["fencing"])

    whole = world.seen() == expected.seen and of_company.value == ["alone", "ready", "ready"]
    assert not whole, (of_company, of_quick)


def test_without_the_sweep_a_dead_workers_version_waits_for_ever(rig):
    world = World(rig, "ingest")
    child = rig.begin(world.act, at="after_parsed", **world.given)
    assert child.wait().held
    child.kill()

    rig.age_leases()
    left = rig.begin("sweep", without=["sweep"], slug=world.slug).wait().value
    swept = rig.begin("sweep", slug=world.slug).wait().value

    assert (left, swept) == (1, 0)
