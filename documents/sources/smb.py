"""A folder of a file server that speaks SMB: Windows, Samba, or the storage boxes that speak it too.

Nothing is followed: links are told of and not read.
"""

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
from documents.sources.connector import Entry, Field, Listing
from documents.sources.tree import LONGEST_PATH, MAX_DEPTH, TreeConnector
from workspaces.models import Workspace

if TYPE_CHECKING:
    from documents.sources.smb_client import About, Share

_FILE_SECONDS = 600
_IN_MEMORY = 1024 * 1024
#: What ends a session; the next question begins another.
_BROKEN = frozenset({"unreachable", "too_slow", "not_understood"})


class SmbConnector(TreeConnector):
    kind = "smb"
    label = _("Windows share (SMB)")
    purpose = _("A folder of a Windows or Samba file server, over SMB 2 or 3.")
    fields = (
        Field("host", _("Server"), _("As in files.example."), most=250),
        Field("port", _("Port"), kind="number", default=445),
        Field(
            "share",
            _("Name of the share"),
            _("The first word after the server: Rules in \\\\files.example\\Rules."),
            most=80,
        ),
        Field("folder", _("Folder"), _("Below the share. Empty: all of it."), required=False, most=500),
        Field("username", _("User name"), _("With its domain where it has one: OFFICE\\reader."), most=200),
        Field(
            "encrypted",
            _("Encrypt everything (SMB 3)"),
            _("Without it every message is signed, but whoever listens on the way reads the documents."),
            kind="yes",
            required=False,
            default=True,
        ),
    )
    secret_label = _("Password")
    secret_help = _("Of an account that may only read.")
    secret_is_ascii = False

    def __init__(self, options: Mapping[str, Any], **given: Any) -> None:
        super().__init__(options, **given)
        self._open = ExitStack()
        self._share: Share | None = None

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._leave()

    @classmethod
    def check(cls, options: Mapping[str, Any], workspace: Workspace) -> None:
        fetch.require_allowed_host(str(options["host"]), int(options["port"]))
        for name in ("share", "username", "folder"):
            if not str(options.get(name) or "").isprintable():
                raise SourceFailed("settings_bad", field=name)
        if set(str(options["share"])) & set("\\/"):
            raise SourceFailed("settings_bad", field="share")

    @classmethod
    def destination(cls, options: Mapping[str, Any]) -> str:
        names = ("host", "port", "share", "folder", "username", "encrypted")
        return " ".join(str(options.get(name) or "") for name in names)

    def test(self) -> None:
        self._said(lambda share: next(iter(share.folder(self._place(""))), None))

    def is_about_a_folder(self, failed: SourceFailed) -> bool:
        return failed.code in ("missing", "unreadable")

    def read_folder(self, listing: Listing, folder: str, most: int) -> Iterable[str]:
        """Hidden things, whose name begins with a dot, are passed over."""
        below = []
        for about in self._said(lambda share: list(share.folder(self._place(folder)))):
            if len(listing.entries) >= most or time.monotonic() > self.until:
                listing.cut()
                return []
            path = folder + about.name
            if about.name.startswith("."):
                continue
            if not _is_name(about.name) or len(path) > LONGEST_PATH:
                listing.cut(folder.rstrip("/"), SourceFailed("bad_name"))
            elif about.is_link:
                listing.problems.append((path, SourceFailed("not_a_file")))
            elif not about.is_folder:
                listing.entries.append(Entry(path, path, _tag(about), about.size))
            elif path.count("/") < MAX_DEPTH:
                below.append(f"{path}/")
            else:
                listing.cut(path, SourceFailed("unreadable"))
        return below

    @contextmanager
    def fetch(self, entry: Entry) -> Iterator[BinaryIO]:
        with tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY) as copy:
            self._said(lambda share: self._copy(share, copy, entry))
            copy.seek(0)
            yield copy  # type: ignore[misc]

    def _copy(self, share: "Share", out: Any, entry: Entry) -> None:
        """The file as the listing saw it: others may write to it meanwhile, and are not kept from it."""
        limit, until = settings.MAX_UPLOAD_BYTES, time.monotonic() + _FILE_SECONDS
        place = self._place(entry.key)
        with share.file(place) as (about, pieces):
            if about.is_link or about.is_folder:
                raise SourceFailed("not_a_file")
            if _tag(about) != entry.tag:
                raise SourceFailed("changed_meanwhile")
            for piece in pieces:
                out.write(piece)
                if out.tell() > limit:
                    raise SourceFailed("too_large", megabytes=limit // 1024**2)
                if time.monotonic() > until:
                    raise SourceFailed("too_slow", host=str(self.options["host"]))
        if out.tell() != about.size or _tag(share.about(place)) != entry.tag:
            raise SourceFailed("changed_meanwhile")

    def _place(self, path: str) -> str:
        folder = str(self.options.get("folder") or "").replace("\\", "/").strip("/")
        return "/".join(part for part in (folder, path.rstrip("/")) if part)

    def _said(self, ask: Callable[["Share"], Any]) -> Any:
        """What the server answers; after a failure of the connection the next question begins another."""
        try:
            return ask(self._session())
        except SourceFailed as failed:
            if failed.code in _BROKEN:
                self._leave()
            raise

    def _session(self) -> "Share":
        if self._share is None:
            from documents.sources.smb_client import Share

            self._share = self._open.enter_context(
                Share(
                    host=str(self.options["host"]),
                    port=int(self.options["port"]),
                    share=str(self.options["share"]),
                    user=str(self.options["username"]),
                    secret=self.secret,
                    encrypted=bool(self.options.get("encrypted")),
                )
            )
        return self._share

    def _leave(self) -> None:
        self._share = None
        self._open.close()


def _tag(about: "About") -> str:
    return f"{about.size}-{about.written}"


def _is_name(name: str) -> bool:
    return bool(name) and name.isprintable() and not set(name) & set("/\\:")
