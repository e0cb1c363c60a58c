"""`serve` as a person and a service manager meet it: the real process tree, on a var directory of its own."""

import os
import signal
import socket
import sys
import urllib.request
from collections.abc import Iterator

import pytest
from django.core.management.base import SystemCheckError

from inlock.children import Child
from inlock.engines.recipe import command_line
from inlock.management.commands.serve import Command
from tests.portal import Portal, free_port, within
from workspaces.checks import DEMO_PASSWORD

CHILDREN = ["web", "interactive", "ingest", "sources", "beat"]


@pytest.fixture
def portal(tmp_path) -> Iterator[Portal]:
    portal = Portal(tmp_path / "var")
    yield portal
    portal.stop()


@pytest.fixture
def fresh_portal(tmp_path) -> Iterator[Portal]:
    portal = Portal(tmp_path / "var", fresh=True)
    yield portal
    portal.stop()


def test_serve_answers_heals_and_leaves_nothing_behind(fresh_portal):
    portal = fresh_portal
    ready = portal.start()

    with urllib.request.urlopen(ready["url"]) as page:  # noqa: S310 (our own loopback address)
        assert page.status == 200
    assert list(portal.children()) == CHILDREN

    # Workers say that they take work, and doctor repeats it.
    within(60, lambda: portal.finding("worker ingest")["state"] == "takes work")
    within(60, lambda: portal.finding("worker interactive")["state"] == "takes work")
    assert portal.finding("migrations")["state"] == "all applied"
    # The one for questions had loaded its models by then.
    assert "Ready for questions" in (portal.var / "log" / "interactive.log").read_text()

    # A killed child is started again and named.
    killed = portal.children()["ingest"]["pid"]
    os.kill(killed, signal.SIGKILL)
    within(60, lambda: portal.children()["ingest"]["pid"] not in (killed, None))
    assert "ended by signal 9" in portal.children()["ingest"]["fault"]
    assert portal.children()["web"]["restarts"] == 0

    # A second one on the same directory is told about the first.
    second = portal.run("serve", "--port", str(free_port()))
    assert second.returncode == 2
    assert ready["url"] in second.stderr

    portal.process.send_signal(signal.SIGTERM)
    assert portal.process.wait(60) == 0
    assert portal.processes() == []
    assert portal.process.stdout.read() == ""


def test_a_killed_serve_can_be_started_again_at_once_and_leaves_no_orphan(portal):
    portal.start()
    earlier = [child["pid"] for child in portal.children().values()]

    portal.kill()
    portal.start()

    assert [command_line(pid) for pid in earlier] == [""] * len(CHILDREN)

    portal.kill()

    within(60, lambda: portal.processes() == [])


def test_a_child_hears_of_our_death_also_where_we_ignore_that_signal(tmp_path):
    waiting = Child(
        "waiting",
        [sys.executable, "-c", "import signal; print(int(signal.getsignal(signal.SIGQUIT)), flush=True)"],
        signal.SIGQUIT,
        5.0,
        tmp_path / "log" / "waiting.log",
    )
    waiting.log.parent.mkdir()
    # As a shell without job control leaves it to what it starts in the background.
    ours = signal.signal(signal.SIGQUIT, signal.SIG_IGN)
    try:
        waiting.start(())
        waiting.process.wait(30)
    finally:
        signal.signal(signal.SIGQUIT, ours)

    assert waiting.log.read_text().split() == [str(int(signal.SIG_DFL))]


def test_a_child_that_will_not_end_is_killed_with_everything_it_started(tmp_path):
    stubborn = (
        "import signal, subprocess, sys; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "child = subprocess.Popen([sys.executable, '-c', 'input()'], stdin=subprocess.PIPE)\n"
        "print(child.pid, flush=True); signal.pause()"
    )
    command = [sys.executable, "-c", stubborn]
    child = Child("stubborn", command, signal.SIGTERM, grace=3600, log=tmp_path / "stubborn.log")
    child.start(())
    within(20, lambda: child.log.read_text().endswith("\n"))
    grandchild = int(child.log.read_text())

    child.ask_to_stop()
    child.wait(forced=lambda: True)

    assert child.state == "stopped"
    within(20, lambda: not command_line(grandchild))


def test_a_child_that_will_not_stay_up_is_started_less_and_less_often(tmp_path):
    child = Child("brief", [sys.executable, "-c", "raise SystemExit(3)"], signal.SIGTERM, 1, tmp_path / "brief.log")
    pauses = []
    for _ in range(3):
        child.start(())
        within(20, child.look)
        pauses.append(child.pause)

    assert pauses == [0.5, 1.0, 2.0]
    assert "ended with code 3" in child.fault
    assert not child.is_due()


def test_a_taken_port_is_named_before_anything_starts(portal):
    with socket.socket() as stranger:
        stranger.bind(("127.0.0.1", 0))
        stranger.listen()
        taken = stranger.getsockname()[1]

        refused = portal.run("serve", "--port", str(taken))

    assert refused.returncode == 2
    assert f"Port {taken}" in refused.stderr
    assert "--port" in refused.stderr
    assert portal.processes() == []


def test_serve_refuses_production_while_an_account_has_the_published_password(make_user, settings):
    user = make_user("member")
    user.set_password(DEMO_PASSWORD)
    user.save()
    settings.PRODUCTION = True
    command = Command()
    command.as_json = True

    with pytest.raises(SystemCheckError, match="member"):
        command._prepare()
