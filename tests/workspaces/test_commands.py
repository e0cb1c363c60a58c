"""What every command of ours promises: its exit code, one JSON document, errors of one line, refusals in the trail."""

import json
from uuid import uuid4

import pytest
from django.core.management import CommandError, ManagementUtility, call_command
from django.db import connections

from audit.events import EventType
from audit.models import Event
from inlock import launch
from workspaces.commands import PortalCommand
from workspaces.exceptions import PortalError

pytestmark = pytest.mark.django_db


@pytest.fixture
def manage(monkeypatch, capsys):
    """manage("search", …) → exit code, standard output, standard error, as typed behind manage.py."""
    # The test's transaction lives on the connection that a command closes at its end.
    monkeypatch.setattr(connections, "close_all", lambda: None)

    def run(*arguments: str) -> tuple[int, str, str]:
        code = 0
        try:
            ManagementUtility(["manage.py", *map(str, arguments)]).execute()
        except SystemExit as end:
            code = int(end.code or 0)
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return run


def test_what_holds_exits_with_0_and_prints_one_document(manage, policies):
    code, out, err = manage("audit", "verify", "--json")

    assert (code, err) == (0, "")
    assert json.loads(out)["holds"] is True


def test_what_does_not_hold_exits_with_1_and_still_prints_one_document(manage, policies, monkeypatch):
    def run(self, **options):
        self.say("For a person.")
        self.does_not_hold()
        return {"holds": False}

    monkeypatch.setattr("workspaces.management.commands.audit.Command.run", run)

    code, out, err = manage("audit", "verify", "--json")

    assert (code, err) == (1, "")
    assert json.loads(out) == {"holds": False}


def test_bad_usage_exits_with_2_and_one_line_that_names_the_help(manage):
    code, out, err = manage("search", "policies", "leave", "--mode", "guess", "--as", "member", "--json")

    assert (code, out) == (2, "")
    assert err.startswith("argument --mode: invalid choice: 'guess'")
    assert err.endswith("See: manage.py search --help\n")
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    "arguments",
    [
        ("ask",),
        ("audit", "guess"),
        ("demo", "--nonsense"),
        ("doctor", "extra"),
        ("index", "guess"),
        ("ingest", "policies", "--as", "member"),
        ("review", "guess", "--as", "member"),
        ("search",),
        ("serve", "--port", "many"),
        ("workspace", "create"),
        ("workspace", "create", "hr", "--policy", "guess"),
    ],
)
def test_no_command_prints_more_than_a_line_about_bad_usage(manage, arguments):
    code, out, err = manage(*arguments)

    assert (code, out) == (2, "")
    assert err.count("\n") == 1
    assert err.endswith(f"See: manage.py {arguments[0]} --help\n")
    assert "usage:" not in err


def test_usage_is_printed_to_who_asks_for_it(manage):
    code, out, err = manage("search", "--help")

    assert (code, err) == (0, "")
    assert out.startswith("usage: manage.py search")


def test_what_cannot_be_done_is_its_sentence_alone(manage, policies):
    code, out, err = manage("audit", "verify", "nowhere", "--json")

    assert (code, out, err) == (2, "", "There is no workspace called nowhere.\n")


def test_a_sentence_of_several_lines_is_printed_as_one(manage, monkeypatch):
    def run(self, **options):
        raise PortalError("It cannot be read:\n  first this,\n  then that.")

    monkeypatch.setattr("workspaces.management.commands.audit.Command.run", run)

    assert manage("audit", "verify") == (2, "", "It cannot be read: first this, then that.\n")


def test_a_programmer_gets_an_exception_and_with_traceback_a_person_too(manage, policies):
    with pytest.raises(CommandError, match=r"^There is no workspace called nowhere\.$") as called:
        call_command("audit", "verify", "nowhere")
    with pytest.raises(CommandError, match="nowhere"):
        manage("audit", "verify", "nowhere", "--traceback")

    assert called.value.returncode == 2


def test_a_fault_of_ours_is_not_dressed_up_as_a_sentence(manage, monkeypatch):
    monkeypatch.setattr(PortalCommand, "run", lambda self, **options: 1 / 0)
    monkeypatch.delattr("workspaces.management.commands.audit.Command.run")

    with pytest.raises(ZeroDivisionError):
        manage("audit", "verify")


@pytest.mark.parametrize(
    "arguments",
    [
        ("ask", "policies", "How much leave is there?"),
        ("ingest", "policies", __file__),
        ("search", "policies", "leave"),
    ],
)
def test_a_stranger_is_refused_in_one_line_and_the_trail_keeps_it(manage, policies, stranger, arguments):
    code, out, err = manage(*arguments, "--as", "stranger", "--json")

    assert (code, out, err) == (2, "", "There is nothing here, or it is not open to you.\n")
    denied = Event.objects.get(type=EventType.ACCESS_DENIED)
    assert denied.chain == f"workspace:{policies.pk}"
    assert denied.actor_label == "stranger"
    assert json.loads(denied.body)["details"]["answered"] == "hidden"


def test_a_draft_that_a_stranger_asks_for_is_refused_like_one_that_never_was(manage, policies, stranger):
    code, out, err = manage("review", "show", uuid4(), "--as", "stranger", "--json")

    assert (code, out, err) == (2, "", "There is nothing here, or it is not open to you.\n")
    assert Event.objects.get(type=EventType.ACCESS_DENIED).actor_label == "stranger"


def test_a_member_without_the_right_is_told_so_and_the_trail_keeps_it(manage, policies, member):
    code, out, err = manage("ingest", "policies", __file__, "--as", "member")

    assert (code, out) == (2, "")
    assert err == "Your role does not allow this. Ask a workspace manager.\n"
    denied = Event.objects.get(type=EventType.ACCESS_DENIED)
    assert json.loads(denied.body)["details"]["answered"] == "forbidden"


def test_a_name_nobody_has_is_refused(manage, policies):
    code, out, err = manage("ask", "policies", "How much leave is there?", "--as", "nobody")

    assert (code, out, err) == (2, "", "There is no active account called nobody.\n")


def test_what_starts_a_command_ends_with_the_same_code_and_line(capsys):
    with pytest.raises(SystemExit) as ended:
        launch.run(["manage.py", "serve", "--port", "many"])

    told = capsys.readouterr()
    assert (ended.value.code, told.out) == (2, "")
    assert told.err == "argument --port: invalid int value: 'many'. See: manage.py serve --help\n"
