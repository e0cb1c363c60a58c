"""`serve` as a person and a service manager meet it: the process tree of the portal that the journeys use."""

import os
import signal
import urllib.request
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.portal import Portal, free_port, within

pytestmark = pytest.mark.xdist_group("portal")

CHILDREN = ["web", "interactive", "ingest", "sources", "beat"]


def test_serve_answers_and_heals_and_a_second_one_is_told_about_it(portal: Portal) -> None:
    with urllib.request.urlopen(portal.url) as page:  # noqa: S310 (our own loopback address)
        assert page.status == 200
    assert list(portal.children()) == CHILDREN

    # Workers say that they take work, and doctor repeats it.
    within(60, lambda: "Ready for questions" in (portal.var / "log" / "interactive.log").read_text())
    found: dict[str, dict[str, str]] = {}

    def all_take_work() -> bool:
        found.update(portal.findings())
        return all(found[f"worker {name}"]["state"].startswith("takes work") for name in ("interactive", "ingest"))

    within(60, all_take_work)
    assert found["migrations"]["state"] == "all applied"

    # A killed child is started again and named.
    killed = portal.children()["ingest"]["pid"]
    os.kill(killed, signal.SIGKILL)
    within(60, lambda: portal.children()["ingest"]["pid"] not in (killed, None))
    assert "ended by signal 9" in portal.children()["ingest"]["fault"]
    assert portal.children()["web"]["restarts"] == 0

    # A second one on the same directory is told about the first.
    second = portal.run("serve", "--port", str(free_port()))
    assert second.returncode == 2
    assert portal.url in second.stderr


def test_more_requests_at_once_than_connections_are_all_answered(portal: Portal) -> None:
    def status(_number: int) -> int:
        with urllib.request.urlopen(f"{portal.url}/health/ready") as page:  # noqa: S310 (our own loopback address)
            return page.status

    with ThreadPoolExecutor(max_workers=40) as people:
        found = list(people.map(status, range(40)))

    assert found == [200] * 40


def test_a_killed_serve_leaves_no_orphan_and_can_be_started_again_at_once(portal: Portal) -> None:
    within(60, lambda: len(_of_children(portal)) > len(CHILDREN))  # some have processes of their own
    earlier = _of_children(portal)

    portal.kill()
    portal.begin()
    within(60, lambda: portal.report()["pid"] == portal.process.pid)
    assert list(portal.children()) == CHILDREN
    assert not earlier & _of_children(portal)

    portal.kill()
    within(60, lambda: portal.processes() == [])

    # For whatever comes after this test.
    portal.start()


def _of_children(portal: Portal) -> set[str]:
    """The ids of the children and of every process they started."""
    return {line.split()[0] for line in portal.processes() if "inlock.celery" in line or "inlock.asgi" in line}
