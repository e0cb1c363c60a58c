"""A Windows share against impacket's server over a real folder, and against servers that are none."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from documents.exceptions import SourceFailed
from documents.models import Document, RunKind, RunState
from documents.sources import keeping, smb_client
from documents.sources.connector import Entry
from documents.sources.smb import SmbConnector
from documents.sources.smb_client import About, Share
from tests.documents.sources import smb_server
from tests.documents.sources.servers import tell_names

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("root")]


@pytest.fixture
def share(tmp_path: Path) -> Iterator[tuple[dict[str, Any], Path]]:
    """What names a folder of a share, and the folder itself."""
    place = tmp_path / "share" / "Rules"
    (place / "Leave 2026 & more").mkdir(parents=True)
    (place / "travel.md").write_text("# Travel")
    (place / "Leave 2026 & more" / "odsustvo č 100%.md").write_text("# Leave")
    (place / ".hidden.md").write_text("x")
    (place.parent / "beside.md").write_text("not below")
    with smb_server.sharing(place.parent) as port:
        yield _options(port), place


def _options(port: int, **other: Any) -> dict[str, Any]:
    options = {"host": "127.0.0.1", "port": port, "share": smb_server.SHARE, "folder": "Rules", "encrypted": False}
    return {**options, "username": smb_server.NAME, **other}


def _asking(options: dict[str, Any]) -> SmbConnector:
    return SmbConnector(options, secret=smb_server.PASSWORD)


def test_a_share_is_read_folder_by_folder_and_again_only_where_it_changed(share, make_source, run):
    options, place = share
    source = make_source("smb", options, secret=smb_server.PASSWORD, max_removed_percent=100)

    assert run(source, RunKind.TEST).state == RunState.DONE
    first = run(source)
    (place / "travel.md").write_text("# Travel, changed")
    (place / "Leave 2026 & more" / "odsustvo č 100%.md").unlink()
    second = run(source)

    assert (first.added, second.changed, second.removed) == (2, 1, 1)
    assert Document.objects.get(deleted_at=None).path == "handbook/travel.md"
    assert Document.objects.get(deleted_at__isnull=False).path == "handbook/Leave 2026 & more/odsustvo č 100%.md"


def test_a_folder_of_more_than_one_answer_is_listed_whole(share):
    options, place = share
    for number in range(900):
        (place / f"rule number {number:04} of the house.md").write_text("x")

    with _asking(options) as connector:
        listing = connector.list()

    assert listing.complete
    assert len({entry.key for entry in listing.entries}) == 902


@pytest.mark.parametrize(
    ("other", "code"),
    [
        ({"username": "nobody"}, "secret_refused"),
        ({"folder": "Nowhere"}, "missing"),
        ({"share": "NONE"}, "missing"),
        ({"encrypted": True}, "no_encryption"),
    ],
)
def test_what_the_server_refuses_is_named(share, other, code):
    with pytest.raises(SourceFailed) as failed, _asking(share[0] | other) as connector:
        connector.test()

    assert failed.value.code == code


def test_a_wrong_password_is_named_and_nothing_is_taken_for_gone(share, make_source, run, manager):
    source = make_source("smb", share[0], secret=smb_server.PASSWORD, max_removed_percent=100)
    run(source)
    keeping.change_source(source, keeping.Wish(name="Handbook", options=share[0], secret="other"), by=manager)

    after = run(source)

    assert (after.state, after.problem) == (RunState.FAILED, "secret_refused")
    assert Document.objects.filter(deleted_at=None).count() == 2


def test_a_large_file_comes_over_whole_and_one_that_changes_meanwhile_does_not(share):
    options, place = share
    whole = bytes(range(256)) * 1200
    (place / "large.txt").write_bytes(whole)
    with _asking(options) as connector:
        entry = next(entry for entry in connector.list().entries if entry.path == "large.txt")
        with connector.fetch(entry) as file:
            assert file.read() == whole
        (place / "large.txt").write_bytes(whole + b"more")
        with pytest.raises(SourceFailed, match="changed_meanwhile"), connector.fetch(entry):
            pass


def test_a_file_that_changes_while_it_is_read_is_not_taken(share, monkeypatch):
    options, place = share
    real = Share._pieces

    def writing(self: Share, opened: Any) -> Iterator[bytes]:
        yield from real(self, opened)
        (place / "travel.md").write_text("# Something other")

    with _asking(options) as connector:
        entry = next(entry for entry in connector.list().entries if entry.path == "travel.md")
        monkeypatch.setattr(Share, "_pieces", writing)
        with pytest.raises(SourceFailed, match="changed_meanwhile"), connector.fetch(entry):
            pass


def test_what_is_larger_than_an_upload_may_be_is_broken_off(share, settings):
    settings.MAX_UPLOAD_BYTES = 4

    with _asking(share[0]) as connector:
        entry = next(entry for entry in connector.list().entries if entry.path == "travel.md")
        with pytest.raises(SourceFailed, match="too_large"), connector.fetch(entry):
            pass


def test_names_that_lead_elsewhere_and_links_are_not_read(share, monkeypatch):
    told = [
        About("up\\..\\secrets.md", 0, 1, "now"),
        About("up/../../other.md", 0, 1, "now"),
        About("file.md:stream", 0, 1, "now"),
        About("link", 0x10 | 0x400, 0, "now"),
        About("good.md", 0, 1, "now"),
    ]
    monkeypatch.setattr(Share, "folder", lambda self, path: iter(told))

    with _asking(share[0]) as connector:
        listing = connector.list()

    assert [entry.path for entry in listing.entries] == ["good.md"]
    assert not listing.complete
    assert [problem.code for _path, problem in listing.problems] == ["bad_name"] * 3 + ["not_a_file"]


# --- Servers that are none ----------------------------------------------------------------------------------


@contextmanager
def _answering(answer: Callable[[socket.socket], None]) -> Iterator[int]:
    """The port of a server that does one thing with whoever comes."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        over = threading.Event()

        def serve() -> None:
            while not over.is_set():
                try:
                    came, _from = listening.accept()
                except OSError:
                    return
                with came:
                    answer(came)
                    over.wait(3)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield listening.getsockname()[1]
        over.set()


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (b"HTTP/1.1 200 OK\r\n\r\n" * 20, "not_understood"),
        (b"\x7f\xff\xff\xff" + b"x" * 64, "not_understood"),  # says that two gigabytes follow
        (b"\x00\x00\x00\x40" + b"\xfeSMB" + b"\x00" * 60, "not_understood"),
        (b"", "too_slow"),
    ],
    ids=["another protocol", "an answer without end", "an empty one", "silence"],
)
def test_a_server_that_is_none_is_left(answer, code, monkeypatch):
    monkeypatch.setattr(smb_client, "_ANSWER_SECONDS", 1)

    with (
        _answering(lambda came: came.sendall(answer)) as port,
        pytest.raises(SourceFailed) as failed,
        _asking(_options(port)) as connector,
    ):
        connector.test()

    assert failed.value.code == code


def test_where_it_may_not_go_nobody_is_asked(share, settings):
    settings.SOURCE_HOSTS = ["files.example"]

    with pytest.raises(SourceFailed, match="host_"), _asking(share[0]) as connector:
        connector.test()


@pytest.mark.parametrize("inside", ["127.0.0.1", "169.254.169.254", "::ffff:127.0.0.1", "10.0.0.8"])
def test_no_share_of_a_server_reaches_into_the_network(inside, make_source, run, settings, monkeypatch):
    settings.SOURCE_HOSTS = ["files.example", "*"]
    tell_names(monkeypatch)["files.example"] = [[inside]]
    came: list[socket.socket] = []

    with _answering(came.append) as port:
        after = run(make_source("smb", _options(port, host="files.example"), secret=smb_server.PASSWORD))

    assert (after.problem, came) == ("host_inside", [])


def test_nothing_is_written_down_of_people_and_files(share, caplog):
    caplog.set_level("DEBUG")

    with _asking(share[0]) as connector, connector.fetch(connector.list().entries[0]) as file:
        file.read()

    assert "travel" not in caplog.text
    assert smb_server.NAME not in caplog.text


@pytest.mark.parametrize("other", [{"share": "a\\b"}, {"share": "a/b"}, {"folder": "a\0b"}])
def test_settings_that_name_something_else_are_refused(other, policies):
    with pytest.raises(SourceFailed):
        SmbConnector.check(_options(445, host="files.example", **other), policies)


def test_an_entry_of_another_kind_of_thing_is_not_read(share):
    folder = Entry("Leave 2026 & more", "Leave 2026 & more.md", "x", 1)

    with _asking(share[0]) as connector, pytest.raises(SourceFailed), connector.fetch(folder):
        pass
