"""What `serve` is made of, by itself. tests/e2e/test_serve.py looks at the whole process tree."""

import signal
import socket
import sys

import pytest
from django.core.management.base import SystemCheckError

from inlock.children import Child
from inlock.engines.recipe import command_line
from inlock.management.commands.serve import Command
from tests.portal import Portal, within
from workspaces.checks import DEMO_PASSWORD


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


@pytest.mark.timeout(400)  # every migration by itself, with everything else of the run beside it
def test_the_first_command_after_a_clone_makes_the_database_and_brings_it_up_to_date(tmp_path):
    portal = Portal(tmp_path / "var", fresh=True)

    assert portal.evaluate("__import__('inlock.migrating').migrating.pending()") == []

    assert portal.processes() == []
    portal.stop()


def test_a_taken_port_is_named_before_anything_starts(tmp_path):
    portal = Portal(tmp_path / "var", fresh=True)
    with socket.socket() as stranger:
        stranger.bind(("127.0.0.1", 0))
        stranger.listen()
        taken = stranger.getsockname()[1]

        refused = portal.run("serve", "--port", str(taken))

    assert (refused.returncode, refused.stdout, refused.stderr.count("\n")) == (2, "", 1)
    assert f"Port {taken}" in refused.stderr
    assert "--port" in refused.stderr
    assert portal.processes() == []
    portal.stop()


def test_serve_refuses_production_while_an_account_has_the_published_password(make_user, settings):
    user = make_user("member")
    user.set_password(DEMO_PASSWORD)
    user.save()
    settings.PRODUCTION = True
    command = Command()
    command.as_json = True

    with pytest.raises(SystemCheckError, match="member"):
        command._prepare()
