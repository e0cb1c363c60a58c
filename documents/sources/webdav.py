"""A folder of a WebDAV server (Nextcloud, ownCloud, Apache, IIS), through our own door.

Two requests of the protocol are all it takes: one PROPFIND for each folder, because most servers refuse to list
everything at once, and GET. What a server says lies in another place than the folder it was asked about is not taken,
and makes the listing one of which something is missing.
"""

import base64
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from types import TracebackType
from typing import Any, BinaryIO
from urllib.parse import quote, unquote, urlsplit

from django.utils.translation import gettext_lazy as _

from documents import fetch
from documents.exceptions import SourceFailed
from documents.fetch import Fetcher, Limits, Outgoing
from documents.sources.connector import Entry, Field, Listing
from documents.sources.tree import LONGEST_PATH, MAX_DEPTH, TreeConnector
from documents.sources.xml_rows import read_listing
from workspaces.models import Workspace

_FOLDER = Limits(total_seconds=60, total_bytes=50 * 1024 * 1024)
_NAMES = ("href", "getetag", "getcontentlength", "getlastmodified", "collection")
_ASKED = (
    b'<?xml version="1.0" encoding="utf-8"?><propfind xmlns="DAV:"><prop>'
    b"<resourcetype/><getcontentlength/><getetag/><getlastmodified/></prop></propfind>"
)
#: After these the next folder would be no better.
_GONE = frozenset({"unreachable", "too_slow", "denied"})


class WebDavConnector(TreeConnector):
    kind = "webdav"
    label = _("WebDAV")
    purpose = _("A folder of Nextcloud, ownCloud or another server that speaks WebDAV.")
    fields = (
        Field("url", _("Address"), _("Of the folder, as in https://cloud.example/remote.php/dav/files/reader/Rules/.")),
        Field("username", _("User name"), required=False, most=200),
    )
    secret_label = _("Password or token")
    secret_help = _("Better one made for this alone. Without a user name it is sent as a bearer token.")
    secret_is_ascii = False

    def __init__(self, options: Mapping[str, Any], **given: Any) -> None:
        super().__init__(options, **given)
        self._base = str(options["url"]).rstrip("/") + "/"
        self._fetcher = Fetcher(home=self._base, sign=self._sign if self.secret else None)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._fetcher.__exit__(kind, error, trace)

    @classmethod
    def check(cls, options: Mapping[str, Any], workspace: Workspace) -> None:
        if "?" in fetch.require_allowed(str(options["url"])).rest:
            raise SourceFailed("host_form")

    @classmethod
    def destination(cls, options: Mapping[str, Any]) -> str:
        target = fetch.target_of(str(options["url"]))
        return f"{target.scheme}://{target.host}:{target.port}{target.rest} {options.get('username', '')}"

    def test(self) -> None:
        self._rows("", depth="0")

    def is_about_a_folder(self, failed: SourceFailed) -> bool:
        return failed.code not in _GONE

    def read_folder(self, listing: Listing, folder: str, most: int) -> Iterable[str]:
        return self._add_all(listing, self._rows(folder, depth="1"), folder, most)

    @contextmanager
    def fetch(self, entry: Entry) -> Iterator[BinaryIO]:
        with self._fetcher.get(self._url(entry.key)) as reply:
            yield reply.file

    def _rows(self, folder: str, *, depth: str) -> list[dict[str, str]]:
        headers = {"depth": depth, "content-type": "application/xml; charset=utf-8"}
        with self._fetcher.send("PROPFIND", self._url(folder), headers=headers, body=_ASKED, limits=_FOLDER) as reply:
            if reply.status != 207:
                raise SourceFailed("not_understood", host=fetch.target_of(self._base).host)
            found = read_listing(reply, root="multistatus", row="response", names=_NAMES)
        return found["rows"]

    def _add_all(self, listing: Listing, rows: list[dict[str, str]], folder: str, most: int) -> Iterator[str]:
        """Add the files of a folder; the folders in it.

        Raises SourceFailed(`not_understood`) when the folder is not among them: every answer names what was asked for,
        and one that spells it in another way would make everything in it look gone.
        """
        found = [(self._below(row.get("href", ""), folder), row) for row in rows]
        if folder.rstrip("/") not in {path.rstrip("/") for path, _row in found if path is not None}:
            raise SourceFailed("not_understood", host=fetch.target_of(self._base).host)
        for path, row in found:
            if path is None:
                listing.cut()
                continue
            name = path.removeprefix(folder).rstrip("/")
            if path.rstrip("/") == folder.rstrip("/") or (_is_name(name) and name.startswith(".")):
                continue
            if not _is_name(name) or len(path) > LONGEST_PATH:
                listing.cut(path[:LONGEST_PATH] if path.isprintable() else "", SourceFailed("bad_name"))
            elif "collection" not in row:
                if len(listing.entries) >= most:
                    listing.cut()
                    return
                listing.entries.append(_entry(path, row))
            elif path.count("/") < MAX_DEPTH:
                yield f"{path.rstrip('/')}/"
            else:
                listing.cut(path, SourceFailed("unreadable"))

    def _below(self, href: str, folder: str) -> str | None:
        """Where something is below the first folder; None for what is neither in `folder` nor `folder` itself.

        The host that a server names is passed over: behind a proxy it is often another than the one that was asked.
        """
        above = unquote(urlsplit(self._base).path)
        try:
            path = unquote(urlsplit(href).path, errors="strict")
        except ValueError:
            return None
        if f"{path}/" == f"{above}{folder}":
            return folder
        path = path.removeprefix(above) if path.startswith(above) else "/"
        return path if path.startswith(folder) and not path.startswith("/") else None

    def _url(self, path: str) -> str:
        return f"{self._base}{quote(path, safe='/~')}"

    def _sign(self, outgoing: Outgoing) -> dict[str, str]:
        name = str(self.options.get("username") or "")
        if not name:
            return {"authorization": f"Bearer {self.secret}"}
        login = f"{name}:{self.secret}".encode()
        return {"authorization": f"Basic {base64.b64encode(login).decode()}"}


def _entry(path: str, row: dict[str, str]) -> Entry:
    length, changed = row.get("getcontentlength", ""), row.get("getlastmodified", "")
    tag = row.get("getetag") or (f"{changed}-{length}" if changed else "")
    return Entry(path, path, tag[:200], int(length) if length.isdigit() else None)


def _is_name(name: str) -> bool:
    return bool(name) and "/" not in name and name not in (".", "..") and name.isprintable()
