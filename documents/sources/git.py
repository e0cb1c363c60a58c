"""A Git repository over HTTPS at one branch or tag: its files, read from the objects themselves.

No working copy is made and no git program runs, so there is nothing for hooks, filters, links, submodules or options
in an address to act on. Every request goes through `documents/fetch.py`.
"""

import base64
import functools
import io
import logging
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from types import TracebackType
from typing import TYPE_CHECKING, Any, BinaryIO, TypeVar

from django.conf import settings
from django.utils.translation import gettext_lazy as _

from documents import fetch
from documents.exceptions import SourceFailed
from documents.fetch import Fetcher, Limits, Outgoing
from documents.sources.connector import MOST_ENTRIES, STUMBLES, Connector, Entry, Field, Listing
from documents.sources.git_pack import require_modest
from workspaces.models import Workspace

if TYPE_CHECKING:
    from dulwich.repo import Repo

logger = logging.getLogger(__name__)

T = TypeVar("T")

_MAX_PACK = 500 * 1024 * 1024
_LIMITS = Limits(total_seconds=240, read_seconds=60, total_bytes=_MAX_PACK)
_MAX_DEPTH = 50
_WALK_SECONDS = 600
_LONGEST = 900
_FILE, _FOLDER = 0o100000, 0o040000


class GitConnector(Connector):
    kind = "git"
    label = _("Git repository")
    purpose = _("The files of a Git repository at a branch or tag, over HTTPS.")
    fields = (
        Field("url", _("Address"), _("As in https://git.example/team/handbook.git.")),
        Field("ref", _("Branch or tag"), default="main", most=200),
        Field("username", _("User name"), required=False, most=200),
    )
    secret_label = _("Token or password")
    secret_help = _("One that may only read this repository.")
    secret_is_ascii = False

    def __init__(self, options: Mapping[str, Any], **given: Any) -> None:
        super().__init__(options, **given)
        self._fetcher = Fetcher(home=str(options["url"]), sign=self._sign if self.secret else None, limits=_LIMITS)
        self._directory = tempfile.TemporaryDirectory(prefix="inlock-git-")
        self._repository: Repo | None = None
        self._walked = 0
        self._until = time.monotonic() + _WALK_SECONDS

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._repository is not None:
            self._repository.close()
        self._fetcher.__exit__(kind, error, trace)
        self._directory.cleanup()

    @classmethod
    def check(cls, options: Mapping[str, Any], workspace: Workspace) -> None:
        if "?" in fetch.require_allowed(str(options["url"])).rest:
            raise SourceFailed("host_form")
        if not _is_ref(str(options["ref"])):
            raise SourceFailed("settings_bad", field="ref")

    @classmethod
    def destination(cls, options: Mapping[str, Any]) -> str:
        target = fetch.target_of(str(options["url"]))
        return f"{target.scheme}://{target.host}:{target.port}{target.rest} {options.get('username', '')}"

    def test(self) -> None:
        self._in_words(lambda: self._wanted(self._client().get_refs(self._place).refs))

    def list(self, *, most: int = MOST_ENTRIES) -> Listing:
        return self._in_words(lambda: self._listed(most))

    @contextmanager
    def fetch(self, entry: Entry) -> Iterator[BinaryIO]:
        content = self._in_words(lambda: self._content(entry))
        yield io.BytesIO(content)

    def _listed(self, most: int) -> Listing:
        listing = Listing()
        repository, commit = self._fetched()
        self._walk(listing, repository, repository[commit].tree, "", most, 0)
        return listing

    def _content(self, entry: Entry) -> bytes:
        if self._repository is None:
            raise SourceFailed("unreadable")
        blob = self._repository[entry.tag.encode()]
        limit = settings.MAX_UPLOAD_BYTES
        if blob.raw_length() > limit:
            raise SourceFailed("too_large", megabytes=limit // 1024**2)
        return blob.as_raw_string()

    @property
    def _place(self) -> bytes:
        return fetch.target_of(self.options["url"]).rest.encode() or b"/"

    def _fetched(self) -> "tuple[Repo, bytes]":
        """The objects of the one commit, in a temporary repository without a working copy."""
        from dulwich.repo import Repo

        self._repository = repository = Repo.init_bare(self._directory.name)
        found: list[bytes] = []

        def wanted(refs: Mapping[bytes, bytes], depth: int | None = None) -> list[bytes]:
            found[:] = [self._wanted(refs)]
            return found

        with tempfile.TemporaryFile(dir=self._directory.name) as pack:
            self._take_in(self._client(), repository, pack, wanted)
        self.beat()
        commit = repository[found[0]]
        while commit.type_name == b"tag":
            commit = repository[commit.object[1]]
        if commit.type_name != b"commit":
            raise SourceFailed("not_understood", host=self._host)
        return repository, commit.id

    def _take_in(self, client: Any, repository: "Repo", pack: BinaryIO, wanted: Callable[..., Any]) -> None:
        """Bring the objects over, and unpack them once it is known how large they get."""

        def asked(refs: Mapping[bytes, bytes], depth: int | None = None) -> Any:
            # A server without the protocol would have us open object by object, with nothing measured before.
            if getattr(client, "dumb", False):
                raise SourceFailed("not_understood", host=self._host)
            return wanted(refs, depth)

        client.fetch_pack(self._place, asked, repository.get_graph_walker(), pack.write, depth=1)
        pack.seek(0)
        require_modest(pack)
        pack.seek(0)
        file, commit, abort = repository.object_store.add_pack()
        try:
            shutil.copyfileobj(pack, file)
        except BaseException:
            abort()
            raise
        commit()

    def _wanted(self, refs: Mapping[bytes, bytes | None]) -> bytes:
        name = str(self.options["ref"]).encode()
        for ref in (b"refs/heads/" + name, b"refs/tags/" + name):
            if refs.get(ref):
                return refs[ref]  # type: ignore[return-value]
        raise SourceFailed("ref_missing", name=str(self.options["ref"]))

    def _walk(self, listing: Listing, repository: "Repo", tree: bytes, prefix: str, most: int, depth: int) -> None:
        self._walked += 1
        if depth > _MAX_DEPTH:
            listing.cut(prefix, SourceFailed("unreadable"))
            return
        for entry in repository[tree].items():
            # A few objects may name each other so that they make millions of folders.
            seen = self._walked + len(listing.entries) + len(listing.problems)
            if len(listing.entries) >= most or seen > MOST_ENTRIES or time.monotonic() > self._until:
                listing.cut()
                return
            path = prefix + entry.path.decode("utf-8", "replace")
            kind = entry.mode & 0o170000
            if kind == _FOLDER:
                self._walk(listing, repository, entry.sha, f"{path}/", most, depth + 1)
            elif kind == _FILE and path.isprintable() and "�" not in path and len(path) <= _LONGEST:
                listing.entries.append(Entry(path, path, entry.sha.decode()))
            elif kind == _FILE:
                listing.problems.append((path[:_LONGEST], SourceFailed("bad_name")))
        self.beat()

    def _client(self) -> Any:
        return _client(self._fetcher, self.options["url"])

    def _in_words(self, act: Callable[[], T]) -> T:
        """Do something with what the server gave, and name in our words what of it cannot be used."""
        try:
            return act()
        except _their_errors() as error:
            logger.warning("A repository gave what cannot be read: %s", type(error).__name__)
            raise SourceFailed("not_understood", host=self._host) from error

    @property
    def _host(self) -> str:
        return fetch.target_of(self.options["url"]).host

    def _sign(self, outgoing: Outgoing) -> dict[str, str]:
        login = f"{self.options.get('username') or 'git'}:{self.secret}".encode()
        return {"authorization": f"Basic {base64.b64encode(login).decode()}"}


@functools.cache
def _their_errors() -> tuple[type[Exception], ...]:
    """What the library raises about an answer, a pack, or an object of it; few of them have a parent in common."""
    from dulwich import client, errors, object_store, objects, pack

    return (
        *STUMBLES,
        client.HTTPUnauthorized,
        client.InvalidWants,
        errors.ApplyDeltaError,
        errors.ChecksumMismatch,
        errors.FileFormatException,
        errors.GitProtocolError,
        errors.MissingCommitError,
        errors.NotGitRepository,
        errors.ObjectMissing,
        errors.RefFormatError,
        errors.WrongObjectException,
        object_store.MaxTreeDepthExceeded,
        objects.SubmoduleEncountered,
        pack.PackFileDisappeared,
        pack.UnresolvedDeltas,
    )


def _is_ref(name: str) -> bool:
    plain = name.replace("-", "").replace("_", "").replace("/", "").replace(".", "")
    return bool(plain) and plain.isalnum() and ".." not in name and name[0] not in "-/."


def _client(fetcher: Fetcher, url: str) -> Any:
    """A client of the smart protocol whose every request is one of `fetcher`."""
    from dulwich.client import AbstractHttpGitClient

    class Answer:
        """What the client wants to know of a reply."""

        def __init__(self, reply: fetch.Reply, asked: str) -> None:
            self.status = reply.status
            self.headers = reply.headers
            self.content_type = reply.headers.get("content-type")
            self.redirect_location = reply.url if reply.url != asked else ""
            self.close = reply.file.close

    class Client(AbstractHttpGitClient):
        def _http_request(
            self,
            url: str,
            headers: Mapping[str, str] | None = None,
            data: Any = None,
            raise_for_status: bool = True,
        ) -> tuple[Any, Callable[[int], bytes]]:
            body = data if isinstance(data, bytes) else b"".join(data or ())
            reply = fetcher.send("POST" if body else "GET", url, headers=headers, body=body)
            return Answer(reply, url), reply.file.read

    target = fetch.target_of(url)
    host = f"[{target.host}]" if ":" in target.host else target.host
    return Client(f"{target.scheme}://{host}:{target.port}", quiet=True)
