"""A chain leaves as JSON lines, CSV and OCSF, whole or from where the last export ended."""

import csv
import json
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import transaction

from audit import checkpoints, export, ocsf
from audit.chain import PLATFORM, digest
from audit.events import EventType
from audit.exceptions import AuditError
from audit.merkle import GrowingTree
from audit.models import Event
from audit.record import record

pytestmark = pytest.mark.django_db


def write(count: int) -> None:
    for turn in range(count):
        with transaction.atomic():
            record(EventType.SEARCHED, turn=turn)


def table() -> list[dict[str, str]]:
    text = "\r\n".join(export.csv_lines(export.span_of(PLATFORM)))
    return list(csv.DictReader(StringIO(text, newline="")))


def run(*arguments: str) -> list[str]:
    out = StringIO()
    call_command("audit", "export", *arguments, stdout=out)
    return out.getvalue().splitlines()


@pytest.mark.parametrize("signed_at", [0, 2, 5])
def test_second_export_goes_on_where_the_first_ended(signed_at: int) -> None:
    write(signed_at)
    if signed_at:
        checkpoints.make(PLATFORM)
    write(5 - signed_at)
    first = [json.loads(line) for line in export.json_lines(export.span_of(PLATFORM))]
    write(3)

    header, *entries = [json.loads(line) for line in export.json_lines(export.span_of(PLATFORM, after=5))]

    assert (header["after"], header["after_hash"], header["entries"]) == (5, first[-1]["hash"], 3)
    assert [entry["seq"] for entry in entries] == [6, 7, 8]
    tree = GrowingTree(5, map(bytes.fromhex, header["peaks"]))
    for entry in entries:
        assert digest(entry["body"]) == entry["hash"]
        tree.add(bytes.fromhex(entry["hash"]))
    made = checkpoints.make(PLATFORM)
    assert made is not None
    assert tree.root().hex() == made.root


def test_cursor_at_the_end_exports_nothing_and_beyond_it_is_refused() -> None:
    write(2)

    assert json.loads("".join(export.json_lines(export.span_of(PLATFORM, after=2))))["entries"] == 0
    with pytest.raises(AuditError, match="beyond"):
        export.span_of(PLATFORM, after=3)
    with pytest.raises(AuditError, match="beyond"):
        export.span_of(PLATFORM, after=-1)


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx", "\nx", "＝1"])
def test_no_cell_of_the_table_can_be_a_formula(cell: str, make_user: Any) -> None:
    user = make_user("somebody")
    user.username = cell
    record(EventType.USER_CHANGED, on=user, by=user, reason=cell)

    rows = table()

    assert rows[-1]["actor_label"] == f"'{cell}"
    assert rows[-1]["reason"] == f"'{cell}"
    assert not any(value.startswith(("=", "+", "-", "@", "\t", "\r", "\n", "＝")) for value in rows[-1].values())


def test_table_has_a_row_for_every_entry_with_its_details(make_user: Any) -> None:
    event = record(EventType.MEMBER_ADDED, on=make_user("somebody"), role='with "quotes", commas\nand lines')

    *_others, row = table()

    assert (int(row["seq"]), row["hash"], row["type"]) == (event.seq, event.hash, "member.added")
    assert json.loads(row["details"]) == {"role": 'with "quotes", commas\nand lines'}


def test_every_event_has_what_its_ocsf_class_asks_for(make_user: Any) -> None:
    user, before = make_user("somebody"), Event.objects.count()
    for type in EventType:
        record(type, on=user, role="member")

    events = [json.loads(line) for line in export.ocsf_lines(export.span_of(PLATFORM, after=before))]

    needed = {3001: {"user"}, 3002: {"user", "service"}, 3004: {"entity"}, 3005: {"user", "privileges"}}
    assert [said["metadata"]["event_code"] for said in events] == EventType.values
    for said in events:
        assert said["type_uid"] == said["class_uid"] * 100 + said["activity_id"]
        assert said["metadata"]["version"] == "1.3.0"
        assert needed[said["class_uid"]] <= set(said)
        assert isinstance(said["time"], int)


def test_ocsf_tells_success_from_failure_and_who_from_whom(manager: Any, policies: Any) -> None:
    record(EventType.MEMBER_ADDED, on=manager, by=policies.created_by, role="reviewer")
    record(EventType.SIGN_IN_FAILED, name_given="manager")

    *_others, added, failed = [json.loads(line) for line in export.ocsf_lines(export.span_of(PLATFORM))]

    assert (added["class_uid"], added["user"]["name"], added["privileges"]) == (3005, "manager", ["reviewer"])
    assert added["status_id"] == 1
    assert (failed["class_uid"], failed["activity_id"], failed["status_id"]) == (3002, 1, 2)


def test_ocsf_table_names_only_known_events() -> None:
    assert set(ocsf.CLASSES) <= set(EventType)


def test_command_exports_each_kind_and_says_so_in_the_trail(policies: Any) -> None:
    last = Event.objects.filter(chain=f"workspace:{policies.pk}").count()

    lines = run("policies", "--format", "csv", "--after", str(last))

    assert len(lines) == 2
    event = Event.objects.filter(type=EventType.TRAIL_EXPORTED).get()
    assert json.loads(event.body)["details"] == {"kind": "csv", "after": last}
    assert json.loads(run("policies", "--format", "ocsf")[-1])["metadata"]["event_code"] == "trail.exported"


@pytest.mark.parametrize("arguments", [("--after", "999"), ("--format", "csv", "--json"), ("--after", "-1")])
def test_export_that_cannot_be_is_one_readable_line(policies: Any, arguments: tuple[str, ...]) -> None:
    with pytest.raises(CommandError) as refused:
        run("policies", *arguments)

    assert refused.value.returncode == 2
    assert not Event.objects.filter(type=EventType.TRAIL_EXPORTED).exists()
