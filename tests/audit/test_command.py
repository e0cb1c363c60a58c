"""`audit verify` and `audit export` from a terminal."""

import json
from io import StringIO
from typing import Any

import psycopg
import pytest
from django.core.management import CommandError, call_command

from audit.chain import digest
from audit.events import EventType
from audit.models import Event


def run(*arguments: str) -> str:
    out = StringIO()
    call_command("audit", *arguments, stdout=out)
    return out.getvalue()


def test_sound_trail_holds_and_the_check_itself_is_recorded(policies: Any, legal: Any) -> None:
    outcome = json.loads(run("verify", "--json"))

    assert outcome["holds"]
    assert {one["slug"] for one in outcome["chains"]} == {"platform", "policies", "legal"}
    assert Event.objects.filter(type=EventType.TRAIL_VERIFIED).count() == 3


@pytest.mark.django_db(transaction=True)
def test_damaged_trail_ends_with_1_and_names_the_entry(policies: Any, as_superuser: psycopg.Connection) -> None:
    as_superuser.execute("SET session_replication_role = replica")
    as_superuser.execute("UPDATE audit_event SET actor_label = 'nobody' WHERE chain LIKE 'workspace:%' AND seq = 2")
    out = StringIO()

    with pytest.raises(SystemExit) as ended:
        call_command("audit", "verify", "policies", stdout=out)

    assert ended.value.code == 1
    assert "2 changed" in out.getvalue()


@pytest.mark.django_db(transaction=True)
def test_workspace_whose_entries_are_all_gone_does_not_pass(policies: Any, as_superuser: psycopg.Connection) -> None:
    as_superuser.execute("SET session_replication_role = replica")
    as_superuser.execute("DELETE FROM audit_event WHERE chain LIKE 'workspace:%'")
    as_superuser.execute("DELETE FROM audit_chainhead WHERE chain LIKE 'workspace:%'")

    with pytest.raises(SystemExit):
        run("verify")


def test_export_is_one_json_object_a_line_with_its_own_entry_last(policies: Any) -> None:
    header, *entries = [json.loads(line) for line in run("export", "policies").splitlines()]

    assert header["entries"] == len(entries)
    assert all(digest(entry["body"]) == entry["hash"] for entry in entries)
    assert json.loads(entries[-1]["body"])["type"] == EventType.TRAIL_EXPORTED


@pytest.mark.parametrize("arguments", [("export",), ("export", "nowhere"), ("verify", "nowhere")])
def test_wrong_use_is_one_readable_line_and_2(db: None, arguments: tuple[str, ...]) -> None:
    with pytest.raises(CommandError) as refused:
        run(*arguments)

    assert refused.value.returncode == 2
