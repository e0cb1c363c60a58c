"""A folder of a server that speaks SFTP. Whoever sets it up says which key the server has, so that nobody else answers.

Nothing is followed: links and special files are told of and not read.
"""

import re
import stat
import struct
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from types import TracebackType
from typing import TYPE_CHECKING, Any, BinaryIO

from django.conf import settings
from django.utils.translation import gettext_lazy as _

from documents import fetch
from documents.exceptions import SourceFailed
from documents.sources.connector import STUMBLES, Entry, Field, Listing
from documents.sources.sftp_protocol import About, SftpClient, Status
from documents.sources.tree import LONGEST_PATH, MAX_DEPTH, TreeConnector
from workspaces.models import Workspace

if TYPE_CHECKING:
    from collections.abc import Generator

_SESSION_SECONDS = 3600.0
_FILE_SECONDS = 600
_IN_MEMORY = 1024 * 1024
_FINGERPRINT = re.compile(r"SHA256:[A-Za-z0-9+/]{43}")
#: What a server answers for a file that is not there, and for one that it does not give.
_MISSING, _DENIED = 2, 3


class SftpConnector(TreeConnector):
    kind = "sftp"
    label = _("SFTP")
    purpose = _("A folder of a server that speaks SFTP, the file transfer of SSH.")
    fields = (
        Field("host", _("Server"), _("As in files.example."), most=250),
        Field("port", _("Port"), kind="number", default=22),
        Field(
            "host_key",
            _("Fingerprint of the server's key"),
            _("As in SHA256:…, from whoever runs the server. A server that shows another key is told nothing."),
            most=60,
        ),
        Field("username", _("User name"), most=200),
        Field("folder", _("Folder"), _("Empty: the one that the server opens at first."), required=False, most=500),
    )
    secret_label = _("Password or private key")
    secret_help = _(
        "Of an account that may only read; a private key as the whole text of its file, without a password."
    )
    secret_is_ascii = False
    secret_has_lines = True

    def __init__(self, options: Mapping[str, Any], **given: Any) -> None:
        super().__init__(options, **given)
        self._open = ExitStack()
        self._client: SftpClient | None = None
        self._host = str(options["host"])

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._leave()

    @classmethod
    def check(cls, options: Mapping[str, Any], workspace: Workspace) -> None:
        fetch.require_allowed_host(str(options["host"]), int(options["port"]))
        if not _FINGERPRINT.fullmatch(str(options["host_key"])):
            raise SourceFailed("settings_bad", field="host_key")
        for name in ("username", "folder"):
            if not str(options.get(name) or "").isprintable():
                raise SourceFailed("settings_bad", field=name)

    @classmethod
    def destination(cls, options: Mapping[str, Any]) -> str:
        names = ("host", "port", "host_key", "username", "folder")
        return " ".join(str(options.get(name) or "") for name in names)

    def test(self) -> None:
        self._said(lambda client: client.about(self._place("")))

    def is_about_a_folder(self, failed: SourceFailed) -> bool:
        return failed.code in ("missing", "unreadable")

    def read_folder(self, listing: Listing, folder: str, most: int) -> Iterable[str]:
        return self._said(lambda client: self._read_folder(client, listing, folder, most))  # type: ignore[no-any-return]

    @contextmanager
    def fetch(self, entry: Entry) -> Iterator[BinaryIO]:
        with tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY) as copy:
            self._said(lambda client: self._copy(client.read(self._place(entry.key)), copy, entry))
            copy.seek(0)
            yield copy  # type: ignore[misc]

    def _copy(self, pieces: "Generator[bytes | About, None, None]", out: Any, entry: Entry) -> None:
        limit, until = settings.MAX_UPLOAD_BYTES, time.monotonic() + _FILE_SECONDS
        # Where the listing did not tell, what the file is at first is compared with what it is at the end.
        tag = entry.tag
        try:
            for piece in pieces:
                if isinstance(piece, bytes):
                    out.write(piece)
                    if out.tell() > limit:
                        raise SourceFailed("too_large", megabytes=limit // 1024**2)
                    if time.monotonic() > until:
                        raise SourceFailed("too_slow", host=self._host)
                elif not stat.S_ISREG(piece.mode if piece.mode is not None else stat.S_IFREG):
                    raise SourceFailed("not_a_file")
                elif tag and _tag(piece) != tag:
                    raise SourceFailed("changed_meanwhile")
                else:
                    tag = _tag(piece)
        finally:
            pieces.close()

    def _read_folder(self, client: SftpClient, listing: Listing, folder: str, most: int) -> list[str]:
        """Add what is in a folder, by name; the folders in it. Hidden things are passed over."""
        below = []
        found = client.list_folder(self._place(folder), heard=self.beat)
        try:
            for raw, told in found:
                if len(listing.entries) >= most or time.monotonic() > self.until:
                    listing.cut()
                    return []
                if raw.startswith(b"."):
                    continue
                name = _name(raw)
                path = folder + name
                about = told if told.mode is not None or not name else self._about(client, path)
                if not name or len(path) > LONGEST_PATH:
                    listing.problems.append((folder.rstrip("/"), SourceFailed("bad_name")))
                elif about.mode is None:
                    # It may be a folder: what it would hold is not taken for gone.
                    listing.cut(path, SourceFailed("unreadable"))
                elif stat.S_ISDIR(about.mode) and path.count("/") < MAX_DEPTH:
                    below.append(f"{path}/")
                elif stat.S_ISDIR(about.mode):
                    listing.cut(path, SourceFailed("unreadable"))
                elif stat.S_ISREG(about.mode):
                    listing.entries.append(Entry(path, path, _tag(about), about.size))
                else:
                    listing.problems.append((path, SourceFailed("not_a_file")))
        finally:
            found.close()
        return below

    def _about(self, client: SftpClient, path: str) -> About:
        """What is at `path`, asked for by itself where the folder did not tell; nothing where the server says no."""
        self.beat()
        try:
            return client.about(self._place(path))
        except Status:
            return About()

    def _place(self, path: str) -> bytes:
        """The path as the server knows it; relative to where it lets us in, unless the folder begins with a slash."""
        folder = str(self.options.get("folder") or "").rstrip("/")
        if not folder and not str(self.options.get("folder") or "").startswith("/"):
            folder = "."
        return f"{folder}/{path}".rstrip("/").encode() or b"/"

    def _said(self, ask: Callable[[SftpClient], Any]) -> Any:
        """What the server answers, or a failure in our words; after one of the connection the next asks anew."""
        try:
            return ask(self._session())
        except SourceFailed as failed:
            if failed.code in ("unreachable", "too_slow"):
                self._leave()
            raise
        except Status as refused:
            code = {_MISSING: "missing", _DENIED: "unreadable"}.get(refused.code, "unreadable")
            raise SourceFailed(code) from refused
        except (*STUMBLES, struct.error) as error:
            self._leave()
            raise SourceFailed("not_understood", host=self._host) from error

    def _session(self) -> SftpClient:
        if self._client is None:
            from documents.sources.ssh import Subsystem

            stream = Subsystem(
                "sftp",
                host=self._host,
                port=int(self.options["port"]),
                pinned=str(self.options["host_key"]),
                user=str(self.options["username"]),
                secret=self.secret,
                seconds=_SESSION_SECONDS,
            )
            self._client = SftpClient(self._open.enter_context(stream))
        return self._client

    def _leave(self) -> None:
        self._client = None
        self._open.close()


def _tag(about: About) -> str:
    """Empty unless both are known: a half of it may stay the same when the content changes."""
    return "" if about.size is None or about.modified is None else f"{about.size}-{about.modified}"


def _name(raw: bytes) -> str:
    """A name as text; empty for what is none."""
    try:
        name = raw.decode()
    except UnicodeDecodeError:
        return ""
    return name if name.isprintable() and "/" not in name else ""
