"""A run over a source: what it brings in, what it leaves alone, and what it never does by itself."""

import json
import os
import socket

import pytest
from django.db import DataError, connection, transaction
from django.db.models import F
from django.test.utils import CaptureQueriesContext
from django.utils import timezone, translation

from audit import timeline
from audit.chain import workspace_chain
from audit.events import EventType
from audit.models import Event
from audit.verification import verify
from documents import library, sandbox
from documents.access.restriction import restrict
from documents.exceptions import SourceError, SourceFailed
from documents.ingestion import company, room
from documents.models import Document, RunKind, RunState, SourceItem, SourceRun, Version
from documents.parse import ParseFailed
from documents.sources import leases, sync
from documents.sources.connector import Entry, Listing
from documents.sources.folder import FolderConnector
from documents.sources.keeping import Wish, ask_run, change_source, confirm_removals, create_source, delete_source
from documents.sources.schedule import ask_due_runs
from documents.stages import parsed
from tests.documents.arrivals import receive
from workspaces.exceptions import Forbidden, Hidden
from workspaces.members import add_member, remove_member
from workspaces.models import Workspace

pytestmark = pytest.mark.django_db


def _paths(workspace):
    return sorted(Document.objects.filter(workspace=workspace, deleted_at=None).values_list("path", flat=True))


def _counts(run):
    return {
        name: getattr(run, name)
        for name in ("added", "changed", "unchanged", "removed", "failed", "skipped", "held")
        if getattr(run, name)
    }


def test_a_first_sync_brings_everything_readable_in_and_a_second_one_nothing(handbook, policies, root, run):
    (root / "picture.exe").write_bytes(b"MZ")
    (root / ".hidden.md").write_text("x")

    first, second = run(handbook), run(handbook)

    assert _paths(policies) == ["handbook/leave/parental.txt", "handbook/travel.md"]
    assert (first.state, _counts(first)) == (RunState.DONE, {"added": 2, "skipped": 1})
    assert (second.state, _counts(second)) == (RunState.DONE, {"unchanged": 2, "skipped": 1})
    assert Version.objects.count() == 2


def test_small_new_items_are_received_several_in_a_transaction(handbook, policies, root, run):
    for number in range(3):
        (root / f"first{number}.md").write_text(f"Number {number}.")
    with CaptureQueriesContext(connection) as few:
        first = run(handbook)
    for number in range(20):
        (root / f"second{number}.md").write_text(f"Number {number} of the second.")
    with CaptureQueriesContext(connection) as many:
        second = run(handbook)

    assert (first.state, _counts(first)) == (RunState.DONE, {"added": 5})
    assert (second.state, _counts(second)) == (RunState.DONE, {"added": 20, "unchanged": 5})
    assert len(many) - len(few) <= 2 * 15, "no more than a renewal of the run and a bell for each"
    assert SourceItem.objects.filter(document__latest_version__number=1).count() == 25
    assert Event.objects.filter(type=EventType.DOCUMENT_ADDED).count() == 25
    assert verify(workspace_chain(policies.pk)).holds


def test_one_item_that_cannot_be_fetched_keeps_none_of_those_received_with_it(
    handbook, policies, root, run, monkeypatch
):
    for number in range(5):
        (root / f"{number}.md").write_text(f"Number {number}.")
    real, asked = FolderConnector.fetch, []

    def fetch(connector, entry):
        asked.append(entry.path)
        if entry.path == "2.md":
            raise SourceFailed("unreachable")
        return real(connector, entry)

    monkeypatch.setattr(FolderConnector, "fetch", fetch)

    done = run(handbook)

    assert (done.state, _counts(done)) == (RunState.DONE, {"added": 6, "failed": 1})
    assert [(each["path"], each["code"]) for each in done.problems] == [("2.md", "unreachable")]
    assert "handbook/2.md" not in _paths(policies)
    assert len(asked) == 8, "the one that failed is asked for again, by itself, and no other twice"


def test_items_that_cannot_be_received_together_are_received_one_by_one(handbook, policies, root, run, monkeypatch):
    for number in range(5):
        (root / f"{number}.md").write_text(f"Number {number}.")
    receive(policies, handbook.owner, "It is here.", "handbook/3.md")

    def bulk_create(items):
        raise DataError("too long")

    monkeypatch.setattr(SourceItem.objects, "bulk_create", bulk_create)
    done = run(handbook)

    assert (done.state, _counts(done)) == (RunState.DONE, {"added": 6, "failed": 1})
    assert [(each["path"], each["code"]) for each in done.problems] == [("3.md", "path_taken")]
    assert Version.objects.count() == 7


def test_whoever_lost_the_run_while_items_arrived_receives_none_of_them(handbook, root, run, monkeypatch):
    for number in range(5):
        (root / f"{number}.md").write_text(f"Number {number}.")
    real, asked = FolderConnector.fetch, []

    def fetch(connector, entry):
        asked.append(entry.path)
        if len(asked) == 3:
            SourceRun.objects.update(attempt=F("attempt") + 1)
        return real(connector, entry)

    monkeypatch.setattr(FolderConnector, "fetch", fetch)
    run(handbook)

    assert not Document.objects.filter(path__startswith="handbook/").exists()
    assert not SourceItem.objects.exists()


def test_what_changed_becomes_a_new_version_and_what_is_gone_is_deleted(handbook, policies, root, run):
    for number in range(8):
        (root / f"{number}.md").write_text(f"Number {number}.")
    run(handbook)
    (root / "travel.md").write_text("Planes are for oceans.")
    (root / "7.md").unlink()

    after = run(handbook)

    assert _counts(after) == {"changed": 1, "removed": 1, "unchanged": 8}
    assert "handbook/7.md" not in _paths(policies)
    assert Document.objects.get(path="handbook/travel.md", deleted_at=None).versions.count() == 2
    deleted = Event.objects.filter(type=EventType.DOCUMENT_DELETED).get()
    assert "Handbook" in deleted.body


def test_a_disk_that_is_nearly_full_ends_the_sync_and_the_next_one_goes_on(
    handbook, policies, root, run, settings, monkeypatch
):
    line, free = settings.LOW_DISK_BYTES, room.is_short
    looks = iter([False, False, True])  # the sync begins, its first file gets in, and then the disk is full
    monkeypatch.setattr(room, "is_short", lambda: next(looks, True))
    stopped = run(handbook)
    monkeypatch.setattr(room, "is_short", free)
    settings.LOW_DISK_BYTES = 2**62
    refused = run(handbook)
    settings.LOW_DISK_BYTES = line
    after = run(handbook)

    assert (stopped.state, stopped.problem, _counts(stopped)) == (RunState.FAILED, "no_room", {"added": 1})
    assert (refused.state, refused.problem, _counts(refused)) == (RunState.FAILED, "no_room", {})
    assert (after.state, _counts(after)) == (RunState.DONE, {"added": 1, "unchanged": 1})


def test_a_file_that_was_only_touched_is_no_new_version(handbook, root, run):
    run(handbook)
    os.utime(root / "travel.md", (1, 1))

    after = run(handbook)

    assert _counts(after) == {"unchanged": 2}
    assert Version.objects.count() == 2


def test_many_removals_at_once_wait_for_a_person(handbook, policies, manager, root, run):
    run(handbook)
    (root / "travel.md").unlink()

    held = run(handbook)

    assert (held.state, held.held) == (RunState.HELD, 1)
    assert len(_paths(policies)) == 2

    confirmed = confirm_removals(held, by=manager)
    sync.work(confirmed.pk)

    assert _paths(policies) == ["handbook/leave/parental.txt"]
    with pytest.raises(SourceError, match="came in between"):
        confirm_removals(held, by=manager)


def test_a_confirmation_deletes_what_was_held_back_then_and_nothing_else(handbook, policies, manager, root, run):
    (root / "third.md").write_text("Third.")
    run(handbook)
    (root / "travel.md").unlink()
    held = run(handbook)
    (root / "travel.md").write_text("It is back.")
    (root / "third.md").unlink()

    confirmed = confirm_removals(held, by=manager)
    sync.work(confirmed.pk)
    confirmed.refresh_from_db()

    assert (confirmed.state, confirmed.removed, confirmed.held) == (RunState.HELD, 0, 1)
    assert _paths(policies) == ["handbook/leave/parental.txt", "handbook/third.md", "handbook/travel.md"]
    again = confirm_removals(confirmed, by=manager)
    sync.work(again.pk)
    assert "handbook/third.md" not in _paths(policies)


def test_removals_in_small_portions_are_added_up(handbook, policies, manager, root, run):
    for number in range(8):
        (root / f"{number}.md").write_text(f"Number {number}.")
    run(handbook)

    (root / "0.md").unlink()
    first = run(handbook)
    (root / "1.md").unlink()
    second = run(handbook)
    (root / "2.md").unlink()
    third = run(handbook)

    assert [one.state for one in (first, second, third)] == [RunState.DONE, RunState.DONE, RunState.HELD]
    sync.work(confirm_removals(third, by=manager).pk)
    (root / "3.md").unlink()
    assert run(handbook).removed == 1
    SourceRun.objects.update(asked_at=timezone.now() - sync.REMEMBERED)
    (root / "4.md").unlink()
    assert run(handbook).removed == 1


def test_what_cannot_be_kept_as_text_is_noted_and_keeps_nothing_else(handbook, policies, root, run, monkeypatch):
    bad = [
        Entry("a\0b", "a.md"),
        Entry("\ud800", "b.md"),
        Entry("c", "c.md", tag="\0"),
        Entry("d", "d.md", title="\udfff"),
        Entry("e" * 3000, "e\0.md"),
    ]
    real = FolderConnector.list

    def add_bad(self, **options):
        listing = real(self, **options)
        listing.entries[:0] = bad
        return listing

    monkeypatch.setattr(FolderConnector, "list", add_bad)
    after = run(handbook)

    assert (after.state, after.added, after.complete) == (RunState.DONE, 2, False)
    assert [problem["code"] for problem in after.problems] == ["bad_name"] * 5
    monkeypatch.setattr(Listing, "keep_sound", lambda self: None)
    with pytest.raises((ValueError, DataError)), transaction.atomic():
        SourceItem.objects.create(source=handbook, key=bad[0].key, key_sha256="x", path="x")


@pytest.mark.parametrize("error", [ValueError("odd"), DataError("odd")])
def test_an_item_the_database_refuses_keeps_nothing_else(handbook, policies, run, monkeypatch, error):
    real = library.receive

    def refuse_one(**given):
        received = real(**given)
        if "travel" in given["path"]:
            raise error
        return received

    def refuse(**given):
        raise error

    monkeypatch.setattr(library, "receive", refuse_one)
    monkeypatch.setattr(library, "keep_together", refuse)
    after = run(handbook)

    assert (after.state, after.added, after.failed) == (RunState.DONE, 1, 1)
    assert _paths(policies) == ["handbook/leave/parental.txt"]


def test_a_listing_that_is_not_whole_deletes_nothing(handbook, policies, root, run, monkeypatch):
    run(handbook)
    handbook.max_removed_percent = 100
    handbook.save()
    real = FolderConnector.list

    def cut(self, **options):
        listing = real(self, **options)
        listing.entries = listing.entries[:1]
        listing.cut("leave", SourceFailed("unreadable"))
        return listing

    monkeypatch.setattr(FolderConnector, "list", cut)
    after = run(handbook)

    assert (after.complete, after.removed, after.failed) == (False, 0, 1)
    assert len(_paths(policies)) == 2


def test_without_the_flag_of_completeness_the_documents_would_be_gone(handbook, policies, root, run, monkeypatch):
    """The counter-proof of the one above."""
    run(handbook)
    handbook.max_removed_percent = 100
    handbook.save()
    monkeypatch.setattr(FolderConnector, "list", lambda self, **_: sync.Listing())

    run(handbook)

    assert _paths(policies) == []


def test_what_a_person_deleted_here_stays_deleted(handbook, policies, manager, root, run):
    run(handbook)
    library.delete(Document.objects.get(path="handbook/travel.md"), by=manager)
    (root / "travel.md").write_text("Changed meanwhile.")

    run(handbook)

    assert _paths(policies) == ["handbook/leave/parental.txt"]


def test_one_bad_file_does_not_keep_the_others(handbook, policies, root, run, settings):
    settings.MAX_UPLOAD_BYTES = 1000
    (root / "empty.md").write_bytes(b"")
    (root / "large.md").write_bytes(b"x" * 2000)
    (root / "secret.md").write_bytes(b"x")
    (root / "secret.md").chmod(0)
    (root / "link.md").symlink_to("/etc/hostname")
    os.mkfifo(root / "pipe.md")

    after = run(handbook)

    assert len(_paths(policies)) >= 2
    codes = {problem["path"]: problem["code"] for problem in after.problems}
    assert codes.items() >= {"empty.md": "empty", "large.md": "too_large", "link.md": "not_a_file"}.items()
    assert codes["pipe.md"] == "not_a_file"


def test_a_document_that_is_not_of_this_source_is_never_overwritten(handbook, policies, manager, root, run, tmp_path):
    file = tmp_path / "own.md"
    file.write_text("Mine.")
    with file.open("rb") as mine:
        library.receive(workspace=policies, path="handbook/travel.md", file=mine, filename="travel.md", by=manager)

    after = run(handbook)

    assert [(problem["path"], problem["code"]) for problem in after.problems] == [("travel.md", "path_taken")]
    assert Document.objects.get(path="handbook/travel.md").versions.count() == 1


@pytest.mark.parametrize("place", ["/etc", "/", "{root}/../other", "relative", "{root}/way_out", "{root}-beside"])
def test_only_folders_inside_the_roots_can_be_named(place, policies, manager, root):
    (root.parent / "other").mkdir()
    (root.parent / "handbook-beside").mkdir()
    (root / "way_out").symlink_to("/etc")

    with pytest.raises(SourceError, match="not among those"):
        create_source(policies, "folder", Wish("x", {"folder": place.replace("{root}", str(root))}), by=manager)


def test_a_root_of_one_workspace_is_not_open_to_another(legal, policies, manager, root, settings):
    settings.SOURCE_FOLDERS = [f"legal:{root}"]

    create_source(legal, "folder", Wish("x", {"folder": str(root)}), by=manager)
    with pytest.raises(SourceError, match="not among those"):
        create_source(policies, "folder", Wish("x", {"folder": str(root)}), by=manager)


def test_a_folder_that_the_operator_closed_again_is_not_read(handbook, policies, run, settings):
    settings.SOURCE_FOLDERS = []

    after = run(handbook)

    assert (after.state, after.problem) == (RunState.FAILED, "folder_closed")
    assert _paths(policies) == []


def test_a_folder_swapped_for_a_link_while_it_is_read_leads_nowhere(handbook, root, tmp_path, run, monkeypatch):
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "parental.txt").write_text("secret of another place")
    real = FolderConnector.list

    def list_and_swap(self, **options):
        listing = real(self, **options)
        (root / "leave" / "parental.txt").unlink()
        (root / "leave").rmdir()
        (root / "leave").symlink_to(outside)
        return listing

    monkeypatch.setattr(FolderConnector, "list", list_and_swap)
    after = run(handbook)

    assert [problem["code"] for problem in after.problems] == ["unreadable"]
    assert not Document.objects.filter(path__contains="parental").exists()


@pytest.mark.parametrize("late", [False, True])
def test_the_folder_itself_swapped_for_a_link_leads_nowhere(late, make_source, root, tmp_path, run, monkeypatch):
    source = make_source("folder", {"folder": str(root / "leave")})
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "parental.txt").write_text("secret of another place")
    real = FolderConnector.list

    def swap():
        (root / "leave").rename(root / "moved")
        (root / "leave").symlink_to(outside)

    def list_and_swap(self, **options):
        if late:
            listing = real(self, **options)
            swap()
            return listing
        swap()
        return real(self, **options)

    monkeypatch.setattr(FolderConnector, "list", list_and_swap)
    after = run(source)

    if late:
        assert b"Sixteen" in Version.objects.get().file.read()
    else:
        assert (after.problem, Version.objects.count()) == ("folder_closed", 0)


def test_folders_within_folders_without_end_are_left_in_words(handbook, policies, root, run):
    deep = root.joinpath(*["d"] * 60)
    deep.mkdir(parents=True)
    (deep / "bottom.md").write_text("Down here.")

    after = run(handbook)

    assert (after.complete, [problem["code"] for problem in after.problems]) == (False, ["unreadable"])
    assert len(_paths(policies)) == 2


def test_a_socket_in_a_folder_is_passed_over(handbook, root, run):
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(root / "s.md"))

        after = run(handbook)

    assert [problem["code"] for problem in after.problems] == ["not_a_file"]


def test_a_preview_says_what_would_happen_and_does_nothing(handbook, policies, root, run):
    seen = run(handbook, RunKind.PREVIEW)

    assert (seen.found["add"], seen.found["change"], seen.found["remove"]) == (2, 0, 0)
    assert seen.found["samples"]["add"] == ["leave/parental.txt", "travel.md"]
    assert (_paths(policies), SourceItem.objects.count()) == ([], 0)


def test_a_test_reads_one_real_file_and_keeps_none_of_it(handbook, policies, run):
    tested = run(handbook, RunKind.TEST)

    assert (tested.state, tested.found["path"]) == (RunState.DONE, "leave/parental.txt")
    assert tested.found["characters"] > 20
    assert "weeks" not in str(tested.found)
    assert _paths(policies) == []


def test_a_test_reads_what_another_program_reads_as_a_sync_does(handbook, run, monkeypatch):
    read, held = [], []

    def scanned(path, *, name):
        raise ParseFailed("scanned")

    def recognise(path, *, name):
        read.append(name)
        return real(path, name=name)

    real, hold = sandbox.parse, leases.RunLease.renew
    monkeypatch.setattr(sandbox, "parse", scanned)
    monkeypatch.setitem(parsed._BY_OTHERS, "scanned", (recognise, sandbox.RECOGNISING))
    monkeypatch.setattr(
        leases.RunLease, "renew", lambda self, **given: held.append(given.get("seconds", 0)) or hold(self, **given)
    )

    assert run(handbook, RunKind.TEST).state == RunState.DONE
    assert read == ["parental.txt"]
    assert max(held) > sandbox.RECOGNISING.wall_seconds


def test_a_test_that_finds_nothing_to_read_says_so(make_source, root, run):
    tested = run(make_source("folder", {"folder": str(root)}, include=["*.pdf"]), RunKind.TEST)

    assert (tested.state, tested.problem) == (RunState.FAILED, "nothing_to_read")


def test_two_workers_cannot_hold_one_run_and_the_one_that_lost_it_writes_nothing(handbook, manager, policies):
    run = ask_run(handbook, RunKind.SYNC, by=manager)
    first = leases.take(run.pk)

    assert sync.work(run.pk) == "settled"
    SourceRun.objects.filter(pk=run.pk).update(lease_until=None)
    assert sync.work(run.pk) == RunState.DONE
    with pytest.raises(leases.LeaseLost):
        first.count(added=1)
    assert len(_paths(policies)) == 2


@pytest.mark.parametrize(
    ("most", "where", "nth"),
    [(1, "source_item_brought", 3), (3, "source_items_brought", 1), (3, "source_items_brought", 2)],
)
def test_a_run_cut_short_is_taken_up_and_doubles_nothing(
    handbook, manager, policies, root, monkeypatch, most, where, nth
):
    monkeypatch.setattr(company, "MOST", most)
    for number in range(5):
        (root / f"{number}.md").write_text(f"Number {number}.")
    run = ask_run(handbook, RunKind.SYNC, by=manager)
    passed = []

    def cut(point):
        passed.append(point)
        if point == where and passed.count(point) == nth:
            raise SystemExit

    monkeypatch.setattr(sync, "killpoint", cut)
    with pytest.raises(SystemExit):
        sync.work(run.pk)
    sync.work(run.pk)

    run.refresh_from_db()
    assert (run.state, run.added, run.unchanged, run.attempt) == (RunState.DONE, 7, 0, 2)
    assert Version.objects.count() == SourceItem.objects.count() == 7


def test_a_run_that_never_gets_anything_done_is_given_up(handbook, manager, monkeypatch):
    run = ask_run(handbook, RunKind.SYNC, by=manager)

    def die(self, **_):
        raise SystemExit

    monkeypatch.setattr(FolderConnector, "list", die)
    for _ in range(3):
        with pytest.raises(SystemExit):
            sync.work(run.pk)
    sync.work(run.pk)

    run.refresh_from_db()
    assert (run.state, run.problem) == (RunState.FAILED, "worker_died")


def test_a_source_stops_when_its_owner_may_no_longer_manage_documents(
    handbook, policies, manager, second_reviewer, make_user, run
):
    other = make_user("other-manager")
    add_member(policies, other, "manager", by=None)
    run(handbook)
    handbook.refresh_from_db()
    change_source(handbook, Wish("Handbook", handbook.options, schedule="hourly"), by=manager)
    remove_member(policies, manager, "manager", by=None)
    handbook.refresh_from_db()
    handbook.due_at = handbook.started_at
    handbook.save()

    assert ask_due_runs() == 1
    scheduled = SourceRun.objects.filter(asked_by=None).get()
    sync.work(scheduled.pk)

    scheduled.refresh_from_db()
    assert (scheduled.state, scheduled.problem) == (RunState.FAILED, "not_allowed")


def test_a_place_that_stops_answering_is_not_asked_for_each_of_its_things(handbook, policies, root, run, monkeypatch):
    run(handbook)
    for number in range(30):
        (root / f"{number:02}.md").write_text(f"Number {number}.")
    (root / "travel.md").unlink()
    handbook.max_removed_percent = 100
    handbook.save()
    real, asked = FolderConnector.fetch, []

    def stop(self, entry):
        asked.append(entry.path)
        if len(asked) not in (1, 6):
            raise SourceFailed("unreachable", host="files.example")
        return real(self, entry)

    monkeypatch.setattr(FolderConnector, "fetch", stop)
    after = run(handbook)

    assert (after.state, after.problem, after.added, after.removed) == (RunState.FAILED, "unreachable", 2, 0)
    # The first that failed was asked for again, by itself.
    assert (len(asked), after.failed) == (16, 13)
    monkeypatch.setattr(FolderConnector, "fetch", real)
    assert (run(handbook).added, len(_paths(policies))) == (28, 31)


@pytest.mark.parametrize("what", ["archived", "demoted"])
def test_what_is_closed_while_items_arrive_is_closed_to_those_that_arrived(
    handbook, policies, manager, second_reviewer, make_user, root, run, monkeypatch, what
):
    """As where each is received by itself: what its owner may is asked when it is kept."""
    add_member(policies, make_user("other-manager"), "manager", by=None)
    add_member(policies, manager, "contributor", by=None)
    for number in range(5):
        (root / f"{number}.md").write_text(f"Number {number}.")
    real, asked = FolderConnector.fetch, []

    def fetch(connector, entry):
        asked.append(entry.path)
        if len(asked) == 3 and what == "archived":
            Workspace.objects.filter(pk=policies.pk).update(archived_at=timezone.now())
        elif len(asked) == 3:
            remove_member(policies, manager, "manager", by=None)
        return real(connector, entry)

    monkeypatch.setattr(FolderConnector, "fetch", fetch)
    done = run(handbook)

    assert not Document.objects.filter(path__startswith="handbook/").exists()
    assert {each["code"] for each in done.problems} == {"archived" if what == "archived" else "not_allowed"}


def test_a_place_that_stops_answering_is_not_asked_once_for_each_batch(handbook, root, run, monkeypatch):
    monkeypatch.setattr(company, "MOST", 2)
    for number in range(60):
        (root / f"{number:02}.md").write_text(f"Number {number}.")
    asked = []

    def stop(self, entry):
        asked.append(entry.path)
        raise SourceFailed("unreachable", host="files.example")

    monkeypatch.setattr(FolderConnector, "fetch", stop)

    after = run(handbook)

    assert (after.state, after.problem, after.added) == (RunState.FAILED, "unreachable", 0)
    assert len(asked) == sync.MOST_UNANSWERED + sync.MOST_UNANSWERED // 2


@pytest.fixture
def colleague(make_user, policies):
    user = make_user("other-manager")
    add_member(policies, user, "manager", by=None)
    return user


def test_what_a_run_brings_in_is_its_owners_and_the_entries_say_who_asked(handbook, manager, colleague, run):
    run(handbook, by=colleague)

    assert {version.created_by for version in Version.objects.all()} == {manager}
    entries = [json.loads(event.body) for event in Event.objects.filter(type=EventType.VERSION_RECEIVED)]
    assert {entry["actor_id"] for entry in entries} == {str(manager.pk)}
    assert {entry["details"]["run_by"] for entry in entries} == {str(colleague.pk)}
    assert {entry["details"]["source_name"] for entry in entries} == {"Handbook"}


def test_whoever_asks_does_not_lend_a_source_rights_that_its_owner_lost(handbook, policies, manager, colleague, run):
    remove_member(policies, manager, "manager", by=None)

    after = run(handbook, by=colleague)

    assert (after.problem, _paths(policies)) == ("not_allowed", [])
    change_source(handbook, Wish("Handbook", handbook.options), by=colleague)
    assert run(handbook, by=colleague).added == 2


def test_what_a_person_confirms_is_deleted_by_them_and_not_what_is_closed_to_them(
    handbook, policies, manager, colleague, root, run
):
    (root / "third.md").write_text("Third.")
    run(handbook)
    restrict(Document.objects.get(path="handbook/travel.md"), by=manager)
    (root / "travel.md").unlink()
    (root / "third.md").unlink()
    held = run(handbook)

    confirmed = confirm_removals(held, by=colleague)
    sync.work(confirmed.pk)

    confirmed.refresh_from_db()
    assert (confirmed.removed, [one["code"] for one in confirmed.problems]) == (1, ["not_allowed"])
    assert _paths(policies) == ["handbook/leave/parental.txt", "handbook/travel.md"]
    assert Document.objects.get(path="handbook/third.md").deleted_by == colleague


def test_nothing_more_is_deleted_once_the_account_of_whoever_confirmed_is_closed(
    handbook, policies, colleague, root, run, monkeypatch
):
    (root / "third.md").write_text("Third.")
    run(handbook)
    (root / "travel.md").unlink()
    (root / "third.md").unlink()
    held = run(handbook)
    confirmed = confirm_removals(held, by=colleague)

    def close(point):
        if point == "source_item_removed":
            type(colleague).objects.filter(pk=colleague.pk).update(is_active=False)

    monkeypatch.setattr(sync, "killpoint", close)
    sync.work(confirmed.pk)

    confirmed.refresh_from_db()
    assert (confirmed.removed, [one["code"] for one in confirmed.problems]) == (1, ["not_allowed"])
    assert len(_paths(policies)) == 2


def test_what_a_run_says_is_read_in_the_readers_language(handbook, root, run):
    for number in range(8):
        (root / f"{number}.md").write_text(f"Number {number}.")
    run(handbook)
    (root / "empty.md").write_bytes(b"")
    (root / "0.md").unlink()
    with translation.override("sr"):
        after = run(handbook)
    event = Event.objects.get(type=EventType.DOCUMENT_DELETED)

    assert after.problems == [{"path": "empty.md", "code": "empty", "detail": {}}]
    assert "Handbook" not in json.loads(event.body)["reason"]
    said = {language: _in(language, event) for language in ("en", "sr")}
    assert said["en"] == "No longer in the source “Handbook”."
    assert said["sr"] != said["en"]
    assert "Handbook" in said["sr"]


def _in(language, event):
    with translation.override(language):
        return timeline.reason(event)


def test_nothing_runs_by_itself_before_somebody_started_it(make_source, root, run):
    source = make_source("folder", {"folder": str(root)}, schedule="hourly")
    assert (source.due_at, ask_due_runs()) == (None, 0)

    run(source)
    source.refresh_from_db()
    assert source.due_at is not None
    source.due_at = source.started_at
    source.save()

    assert (ask_due_runs(), ask_due_runs()) == (1, 0)


def test_only_who_manages_documents_touches_sources(handbook, policies, member, contributor, stranger):
    wish = Wish("x", handbook.options)
    for user, refusal in ((member, Hidden), (contributor, Hidden), (stranger, Hidden)):
        for act in (
            lambda user: change_source(handbook, wish, by=user),
            lambda user: delete_source(handbook, by=user),
            lambda user: ask_run(handbook, RunKind.SYNC, by=user),
        ):
            with pytest.raises(refusal):
                act(user)
    with pytest.raises(Forbidden):
        create_source(policies, "folder", wish, by=contributor)
    with pytest.raises(Hidden):
        create_source(policies, "folder", wish, by=stranger)


def test_every_act_leaves_its_entry_with_counts_and_without_text(handbook, manager, run):
    run(handbook)
    change_source(handbook, Wish("Renamed", handbook.options), by=manager)
    delete_source(handbook, by=manager)

    kinds = list(Event.objects.filter(type__startswith="source.").order_by("seq").values_list("type", flat=True))
    assert kinds == ["source.created", "source.run_asked", "source.run_ended", "source.changed", "source.deleted"]
    ended = Event.objects.get(type=EventType.SOURCE_RUN_ENDED)
    assert '"added":2' in ended.body
    assert "Trains" not in ended.body
    assert Document.objects.filter(deleted_at=None).count() == 2


def test_an_item_is_not_kept_when_the_trail_cannot_hear_of_its_document(handbook, policies, run, monkeypatch):
    def refuse(*_args, **_options):
        raise RuntimeError("the trail is closed")

    monkeypatch.setattr(library, "record_all", refuse)
    with pytest.raises(RuntimeError):
        run(handbook)

    assert (_paths(policies), SourceItem.objects.count()) == ([], 0)
