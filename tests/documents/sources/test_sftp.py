"""SFTP against a server by another library over a real folder, and against a stream that says what none should."""

import struct
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import paramiko
import pytest

from documents.exceptions import SourceError
from documents.models import Document, RunKind, RunState
from documents.sources import CONNECTORS, sftp
from documents.sources.connector import Listing
from documents.sources.sftp_protocol import SftpClient, Status
from tests.documents.sources.servers import tell_names
from tests.documents.sources.sftp_server import Depot, sftp_server

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("root")]


@pytest.fixture(scope="module")
def keys() -> list[Any]:
    return [paramiko.ECDSAKey.generate(), paramiko.RSAKey.generate(2048)]


@pytest.fixture
def depot(tmp_path: Path, keys: list[Any]) -> Iterator[Depot]:
    place = tmp_path / "depot"
    (place / "rules" / "leave").mkdir(parents=True)
    (place / "rules" / "travel.md").write_text("# Travel")
    (place / "rules" / "leave" / "odsustvo č.md").write_text("# Leave")
    (place / "rules" / ".hidden.md").write_text("x")
    (place / "rules" / "link.md").symlink_to("/etc/hostname")
    with sftp_server(place, keys) as server:
        yield server


@pytest.fixture
def options(depot: Depot) -> dict[str, Any]:
    return {
        "host": "127.0.0.1",
        "port": depot.port,
        "host_key": depot.fingerprint(),
        "username": "reader",
        "folder": "rules",
    }


def _paths() -> list[str]:
    return sorted(Document.objects.filter(deleted_at=None).values_list("path", flat=True))


@pytest.mark.parametrize("number", [0, 1])
def test_a_folder_is_read_and_again_only_where_it_changed(number, depot, options, make_source, run):
    known = options | {"host_key": depot.fingerprint(number)}
    source = make_source("sftp", known, secret="marker-word", max_removed_percent=100)

    assert run(source, RunKind.TEST).state == RunState.DONE
    first = run(source)
    (depot.folder / "rules" / "travel.md").write_text("# Travel, changed")
    (depot.folder / "rules" / "leave" / "odsustvo č.md").unlink()
    depot.opened.clear()
    second = run(source)

    assert (first.added, [one["code"] for one in first.problems]) == (2, ["not_a_file"])
    assert (second.changed, second.removed, _paths()) == (1, 1, ["handbook/travel.md"])
    assert depot.opened == ["rules/travel.md"]


def test_a_large_file_arrives_whole(depot, options):
    content = bytes(range(256)) * 6007
    (depot.folder / "rules" / "large.txt").write_bytes(content)

    with CONNECTORS["sftp"](options, secret="marker-word") as connector:
        entry = next(entry for entry in connector.list().entries if entry.path == "large.txt")
        with connector.fetch(entry) as file:
            assert file.read() == content


def test_what_is_too_large_or_changed_is_left_and_the_others_come(depot, options, make_source, run, settings):
    settings.MAX_UPLOAD_BYTES = 100_000
    (depot.folder / "rules" / "a.md").write_bytes(b"x" * 2_000_000)
    (depot.folder / "rules" / "denied.md").write_text("x")
    after = run(make_source("sftp", options, secret="marker-word"))

    assert {one["path"]: one["code"] for one in after.problems} == {"a.md": "too_large", "link.md": "not_a_file"}
    assert (after.added, depot.connections) == (3, after.attempt * 2)


_ALL = frozenset({"st_size", "st_mode", "st_atime", "st_mtime"})


@pytest.mark.parametrize("untold", [frozenset(), _ALL - {"st_mode"}])
def test_a_server_that_tells_little_is_asked_again_and_what_changed_is_seen(untold, depot, options, make_source, run):
    depot.untold = {"list": _ALL, "lstat": untold, "fstat": untold}
    source = make_source("sftp", options, secret="marker-word", max_removed_percent=100)
    first = run(source)
    (depot.folder / "rules" / "travel.md").write_text("# Travel, changed")
    second = run(source)

    assert (first.added, first.complete, second.changed, second.removed) == (2, True, 1, 0)


def test_what_may_be_a_folder_and_is_not_told_of_keeps_its_documents(depot, options, make_source, run):
    source = make_source("sftp", options, secret="marker-word", max_removed_percent=100)
    run(source)
    depot.untold = {"list": _ALL, "lstat": _ALL}
    after = run(source)

    assert (after.complete, after.removed, after.added) == (False, 0, 0)
    assert _paths() == ["handbook/leave/odsustvo č.md", "handbook/travel.md"]


# --- Who answers, and who asks ------------------------------------------------------------------------------


def test_a_server_with_another_key_is_told_nothing(depot, options, make_source, run, monkeypatch):
    other = options | {"host_key": "SHA256:" + "A" * 43}
    after = run(make_source("sftp", other, secret="marker-word"))

    assert after.problem == "host_key_other"
    assert after.problem_detail["seen"].split(", ") == [depot.fingerprint(0), depot.fingerprint(1)]
    assert depot.tried == []

    # The counter-proof: what keeps the word from this server is the look at its key, and nothing else.
    monkeypatch.setattr("documents.sources.ssh.is_vouched_for", lambda *_: True)
    run(make_source("sftp", other, secret="marker-word", name="Second"))
    assert ("password", "marker-word") in depot.tried


@pytest.mark.parametrize("ways", ["password,publickey", "keyboard-interactive"])
def test_a_password_is_said_once_and_a_wrong_one_is_named(ways, depot, options, make_source, run):
    depot.ways = ways

    assert run(make_source("sftp", options, secret="marker-word")).state == RunState.DONE
    depot.tried.clear()
    assert run(make_source("sftp", options, secret="other", name="Second")).problem == "secret_refused"
    assert depot.tried == [("password", "other")]


@pytest.mark.parametrize("lines", ["whole", "lost"])
def test_a_private_key_signs_in_and_no_password_is_said(lines, depot, options, make_source, run, keys, tmp_path):
    mine = keys[1]
    depot.known = {mine.get_base64()}
    mine.write_private_key_file(str(tmp_path / "key"))
    text = (tmp_path / "key").read_text()

    after = run(make_source("sftp", options, secret=text.replace("\n", "" if lines == "lost" else "\n")))

    assert (after.state, {way for way, _what in depot.tried}) == (RunState.DONE, {"publickey"})


def test_a_key_that_is_none_is_named(options, make_source, run):
    broken = "-----BEGIN OPENSSH PRIVATE KEY----- AAAA -----END OPENSSH PRIVATE KEY-----"

    assert run(make_source("sftp", options, secret=broken)).problem == "private_key_bad"


@pytest.mark.parametrize(
    "change", [{"host_key": ""}, {"host_key": "MD5:aa:bb"}, {"host": "a@b"}, {"host": "a/b"}, {"username": "a\nb"}]
)
def test_settings_that_name_nobody_are_refused(change, options, make_source):
    with pytest.raises(SourceError):
        make_source("sftp", options | change)


@pytest.mark.parametrize("inside", ["127.0.0.1", "169.254.169.254", "::ffff:127.0.0.1"])
def test_no_folder_of_a_server_reaches_into_the_network(
    inside, depot, options, make_source, run, settings, monkeypatch
):
    settings.SOURCE_HOSTS = ["files.example", "*"]
    tell_names(monkeypatch)["files.example"] = [[inside]]

    after = run(make_source("sftp", options | {"host": "files.example"}, secret="marker-word"))

    assert (after.problem, depot.connections) == ("host_inside", 0)


def test_a_session_has_one_end(options, make_source, run, monkeypatch):
    monkeypatch.setattr(sftp, "_SESSION_SECONDS", -1.0)

    assert run(make_source("sftp", options, secret="marker-word")).problem == "too_slow"


# --- Answers of a server that makes no sense ----------------------------------------------------------------


class _Script:
    """A stream that answers what `say` makes of the kind and number of each request."""

    def __init__(self, say: Callable[[int, bytes], bytes]) -> None:
        self.say, self.waiting = say, b""

    def send(self, data: bytes) -> None:
        kind, number = data[4], data[5:9]
        body = b"\x02" + struct.pack("!L", 3) if kind == 1 else self.say(kind, number)
        self.waiting += struct.pack("!L", len(body)) + body

    def receive(self, size: int) -> bytes:
        if len(self.waiting) < size:
            raise ValueError("nothing more")
        taken, self.waiting = self.waiting[:size], self.waiting[size:]
        return taken


def _string(text: bytes) -> bytes:
    return struct.pack("!L", len(text)) + text


def _told(kind: int, number: bytes, names: bytes) -> bytes:
    """A folder of which six answers tell these names."""
    if kind == 11:
        return b"\x66" + number + _string(b"h")
    return b"\x68" + number + names if number < b"\0\0\0\x08" and kind == 12 else b"\x65" + number + b"\0\0\0\1"


@pytest.mark.parametrize(
    "say",
    [
        lambda kind, number: b"",
        lambda kind, number: b"\xff" + number,
        lambda kind, number: b"\x66" + b"\0\0\0\7" + _string(b"h"),
        lambda kind, number: b"\x66" + number + struct.pack("!L", 2**31) + b"h",
        lambda kind, number: b"\x66" + number + _string(b"h") if kind == 11 else b"\x68" + number + b"\xff" * 4,
        lambda kind, number: b"\x66" + number + _string(b"h") if kind == 11 else b"\x68" + number + b"\0\0\0\1" + b"x",
        # Answers without a name in them, of which there might be no end.
        lambda kind, number: _told(kind, number, struct.pack("!L", 0)),
    ],
)
def test_nonsense_is_an_error_and_never_a_listing(say):
    with pytest.raises((ValueError, struct.error)):
        list(SftpClient(_Script(say)).list_folder(b"."))


@pytest.mark.parametrize(("seconds", "asked"), [(60, 6), (-1, 1)])
def test_a_folder_that_goes_on_and_on_beats_at_each_answer_and_has_an_end(seconds, asked):
    hidden = struct.pack("!L", 1) + _string(b".hidden") + _string(b"") + struct.pack("!L", 0)
    beats: list[int] = []
    options = {"host": "files.example", "port": 22, "host_key": "", "username": "reader"}
    connector = CONNECTORS["sftp"](options, beat=lambda: beats.append(1))
    connector._client = SftpClient(_Script(lambda kind, number: _told(kind, number, hidden)))
    connector.until = time.monotonic() + seconds

    listing = Listing()
    connector._read_folder(connector._client, listing, "", 10)

    assert (len(beats), listing.complete) == (asked, seconds > 0)


def test_a_packet_of_gigabytes_is_not_waited_for():
    class Huge(_Script):
        def receive(self, size: int) -> bytes:
            assert size < 2_000_000
            return b"\x7f\xff\xff\xff" if size == 4 else b""

    with pytest.raises(ValueError, match="no size"):
        SftpClient(Huge(lambda *_: b""))


@pytest.mark.parametrize("piece", [7, 4096, 32768])
def test_blocks_that_come_in_smaller_pieces_are_put_together(piece):
    content = bytes(range(251)) * 700
    server = _Shelf(content, piece)

    pieces = [one for one in SftpClient(server).read(b"x") if isinstance(one, bytes)]

    assert b"".join(pieces) == content


class _Shelf(_Script):
    """One file, of which each answer gives at most `piece` bytes."""

    def __init__(self, content: bytes, piece: int) -> None:
        super().__init__(self._answer)
        self.content, self.piece, self.asked = content, piece, b""

    def send(self, data: bytes) -> None:
        self.asked = data[9:]
        super().send(data)

    def _answer(self, kind: int, number: bytes) -> bytes:
        if kind == 3:
            return b"\x66" + number + _string(b"h")
        if kind == 8:
            return b"\x69" + number + struct.pack("!LQ", 1, len(self.content))
        if kind == 4:
            return b"\x65" + number + b"\0\0\0\0"
        offset, size = struct.unpack("!QL", self.asked[5:17])
        found = self.content[offset : offset + min(size, self.piece)]
        return b"\x67" + number + _string(found) if found else b"\x65" + number + b"\0\0\0\1"


def test_a_refusal_in_the_middle_leaves_the_conversation_in_order():
    shelf = _Shelf(b"x" * 400_000, 32768)
    real = shelf._answer
    refused: list[int] = []

    def deny_once(kind: int, number: bytes) -> bytes:
        if kind == 5 and not refused:
            refused.append(1)
            return b"\x65" + number + struct.pack("!L", 3)
        return real(kind, number)

    shelf.say = deny_once
    client = SftpClient(shelf)
    with pytest.raises(Status):
        list(client.read(b"x"))

    assert sum(len(one) for one in client.read(b"x") if isinstance(one, bytes)) == 400_000
