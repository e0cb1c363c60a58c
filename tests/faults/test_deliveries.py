"""Every bell rung twice, three times, in reverse order, and to workers who believe that they hold the same lease."""

from collections.abc import Sequence
from itertools import combinations, product

import pytest

from tests.faults.actor import BATCH
from tests.faults.rig import Ended, Rig
from tests.faults.stories import STORIES
from tests.faults.world import World

pytestmark = [pytest.mark.xdist_group("rig"), pytest.mark.timeout(400)]

#: Acts of workers: those of people are theirs to repeat.
OF_WORKERS = [story for story in STORIES if not story.by_a_person]
#: Where one worker stands still, and how far another gets in the meantime.
APART = list(
    combinations(
        (
            "lease_taken",
            "before_parsed",
            "before_split",
            "before_embedding:2",
            "before_embedded",
            "after_upsert",
            "before_indexed",
            "before_ready",
        ),
        2,
    )
)
#: Where a company stands still, and how far a worker gets in the meantime that took one of its versions over.
FROM_A_COMPANY = list(
    product(
        ("company_taken", "company_split", "embedding_batch:5", "company_embedded", "company_indexed"),
        ("lease_taken", "before_upsert", "before_ready"),
    )
)


@pytest.mark.parametrize("times", [2, 3])
@pytest.mark.parametrize("story", OF_WORKERS, ids=lambda story: story.name)
def test_a_bell_that_rings_several_times_at_once_is_answered_once(story, times, rig, undisturbed):
    expected = undisturbed(story)
    world = World(rig, story.name)

    workers = [rig.begin(world.act, **world.given) for _worker in range(times)]
    ended = [worker.wait() for worker in workers]
    world.settle()

    assert [each.error for each in ended] == [""] * times
    assert world.seen() == expected.seen
    assert sorted(world.paid()) == expected.texts


@pytest.mark.parametrize("at", ["source_listed", "source_item_brought"])
def test_a_bell_that_rings_again_for_what_is_done_changes_nothing(at, rig, undisturbed):
    sync = next(story for story in STORIES if story.name == "sync")
    world = World(rig, sync.name)

    rig.do(world.act, **world.given)
    world.settle()
    late = rig.begin(world.act, at=at, **world.given).wait()

    assert late == Ended(value="settled")
    assert world.seen() == undisturbed(sync).seen


def test_bells_in_reverse_order_come_to_the_same(rig):
    forth, back = World(rig, "many"), World(rig, "many")
    again = [*back.given["versions"]]

    for version in forth.given["versions"]:
        rig.do("ingest_version", version=version)
    for version in (*reversed(again), *again):
        rig.do("ingest_version", version=version)

    assert back.seen() == forth.seen()
    assert sorted(back.paid()) == sorted(forth.paid())


def test_an_older_version_whose_bell_comes_last_never_answers(rig):
    world = World(rig, "editions")
    older, newer = world.given["versions"]

    rig.do("ingest_version", version=newer)
    rig.do("ingest_version", version=older)
    world.settle()

    [document] = world.seen()["documents"]
    assert document["answers_with"] == 2
    assert [each["state"] for each in document["versions"]] == ["superseded", "ready"]
    assert world.seen()["index"] == {"agrees": True, "vectors": 8}


@pytest.mark.parametrize("apart", APART, ids="-".join)
def test_two_workers_that_believe_to_hold_one_lease_leave_what_one_would(apart, rig, ingesting, undisturbed):
    expected = undisturbed(ingesting)

    world, ended = with_two_workers(rig, apart)

    assert [each.value for each in ended] == ["ready", "lost"]
    assert world.seen() == expected.seen
    assert sorted(set(world.paid())) == expected.texts
    assert len(world.paid()) <= expected.paid + BATCH


@pytest.mark.parametrize("apart", FROM_A_COMPANY, ids="-".join)
def test_one_that_was_taken_over_from_a_company_is_not_written_by_it(apart, rig, undisturbed):
    story = next(story for story in STORIES if story.name == "company")
    expected = undisturbed(story)

    world, of_company, of_quick = with_a_company(rig, apart)

    assert [of_company.value, of_quick.value] == [["alone", "ready", "ready"], "ready"]
    assert world.seen() == expected.seen
    assert sorted(set(world.paid())) == expected.texts
    assert len(world.paid()) <= expected.paid + BATCH


def with_a_company(rig: Rig, apart: Sequence[str], without: Sequence[str] = ()) -> tuple[World, Ended, Ended]:
    """A company stands still at the first point until its leases are gone, and who took over the version it was rung
    for at the second; then the company goes on to its end, and the other after it.
    """
    world = World(rig, "company")
    company = rig.begin(world.act, at=apart[0], without=without, **world.given)
    assert company.wait().held
    rig.age_leases()
    quick = rig.begin("ingest_version", at=apart[1], without=without, **world.given)
    assert quick.wait().held

    of_company = company.go_on().wait()
    of_quick = quick.go_on().wait()
    world.settle()
    return world, of_company, of_quick


def with_two_workers(rig: Rig, apart: Sequence[str], without: Sequence[str] = ()) -> tuple[World, list[Ended]]:
    """One worker stands still at the first point until its lease is gone, another at the second; then the first goes on
    to its end, and the other after it.
    """
    world = World(rig, "ingest")
    slow = rig.begin(world.act, at=apart[0], without=without, **world.given)
    assert slow.wait().held
    rig.age_leases()
    quick = rig.begin(world.act, at=apart[1], without=without, **world.given)
    assert quick.wait().held

    of_slow = slow.go_on().wait()
    of_quick = quick.go_on().wait()
    world.settle()
    return world, [of_quick, of_slow]
