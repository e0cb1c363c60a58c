"""A website: the pages of its sitemap, or those that are linked from a first page and lie below it.

What robots are asked not to read is not read. A page counts as changed when its main text does, so that a clock in a
corner makes no new version. Each page is read in a child process, as an upload is.
"""

import time
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from tempfile import NamedTemporaryFile, TemporaryDirectory
from types import TracebackType
from typing import Any, BinaryIO
from urllib.parse import unquote, urlsplit
from urllib.robotparser import RobotFileParser

from django.utils.translation import gettext_lazy as _

from audit.chain import digest
from documents import fetch, sandbox
from documents.exceptions import SourceFailed
from documents.fetch import Fetcher, Limits, Reply
from documents.parse import FORMATS, ParseFailed
from documents.sources.connector import MOST_ENTRIES, Connector, Entry, Field, Listing
from workspaces.models import Workspace

_PAGE = Limits(total_seconds=60, total_bytes=10 * 1024 * 1024)
_SITEMAP = Limits(total_seconds=60, total_bytes=50 * 1024 * 1024)
_ROBOTS = Limits(total_seconds=30, total_bytes=512 * 1024)
_MOST_SITEMAPS = 200
_MOST_PAGES = 5000
_LONGEST_URL = 800
_PAGES = frozenset({"text/html", "application/xhtml+xml"})
#: A crawl that takes longer, keeps more on the disk or knows of more addresses is cut: then nothing counts as gone.
_CRAWL_SECONDS = 1200
_MOST_KEPT = 1024 * 1024 * 1024
_MOST_SEEN = 200_000
_LONGEST_PAUSE = 10.0
_NAME = "Inlock"


class WebsiteConnector(Connector):
    kind = "website"
    label = _("Website")
    purpose = _("The pages of a website, by its sitemap or by following links below an address.")
    fields = (
        Field("url", _("Address"), _("A sitemap ending in .xml, or the first page: what lies below it counts.")),
        Field("pages", _("At most so many pages"), kind="number", default=200),
        Field("depth", _("Links followed one after another"), kind="number", default=5),
    )

    def __init__(self, options: Mapping[str, Any], **given: Any) -> None:
        super().__init__(options, **given)
        self._start = fetch.canonical(str(options["url"]))
        self._fetcher = Fetcher(limits=_PAGE)
        self._spool = TemporaryDirectory(prefix="inlock-crawl-")
        self._kept = 0
        self._loaded: dict[str, Path] = {}
        self._urls: dict[str, str] = {}
        #: Pages that call themselves another spelling of one without their query, as (page, url, what they say).
        self._spellings: list[tuple[dict[str, Any], str, str]] = []
        self._robots: RobotFileParser | None = None
        self._until = time.monotonic() + _CRAWL_SECONDS

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._fetcher.__exit__(kind, error, trace)
        self._spool.cleanup()

    @classmethod
    def check(cls, options: Mapping[str, Any], workspace: Workspace) -> None:
        fetch.require_allowed(str(options["url"]))
        if not 1 <= int(options["pages"]) <= _MOST_PAGES:
            raise SourceFailed("settings_bad", field="pages")
        if not 0 <= int(options["depth"]) <= 50:
            raise SourceFailed("settings_bad", field="depth")

    def test(self) -> None:
        if not self._may_read(self._start):
            raise SourceFailed("robots")

    def list(self, *, most: int = MOST_ENTRIES) -> Listing:
        self.test()
        listing = Listing()
        most = min(most, int(self.options["pages"]))
        if urlsplit(self._start).path.lower().endswith(".xml"):
            self._read_sitemaps(listing, most)
        else:
            self._crawl(listing, most)
        self._add_spellings(listing, most)
        return listing

    @contextmanager
    def fetch(self, entry: Entry) -> Iterator[BinaryIO]:
        if entry.key in self._loaded:
            with self._loaded[entry.key].open("rb") as file:
                yield file
            return
        self._pause()
        with self._fetcher.get(self._urls[entry.key], limits=fetch.DEFAULT) as reply:
            if not self._is_inside(reply.url):
                raise SourceFailed("redirected", host=fetch.target_of(self._start).host)
            yield reply.file

    # --- By links -------------------------------------------------------------------------------------------

    def _crawl(self, listing: Listing, most: int) -> None:
        waiting = deque([(self._start, 0)])
        seen = {self._start}
        while waiting:
            if len(listing.entries) >= most or self._is_spent(len(seen)):
                listing.cut()
                return
            url, depth = waiting.popleft()
            for link in self._visit(listing, url):
                if link not in seen and self._is_inside(link) and len(link) <= _LONGEST_URL:
                    if len(seen) >= _MOST_SEEN:
                        break
                    seen.add(link)
                    if depth < int(self.options["depth"]):
                        waiting.append((link, depth + 1))
            self.beat()

    def _visit(self, listing: Listing, url: str) -> Iterator[str]:
        """Add what is at `url` to the listing; the links it holds."""
        if not self._may_read(url):
            return
        try:
            if _ending(url) in FORMATS and _ending(url) not in ("html", "htm"):
                self._add_file(listing, url)
                return
            page, final = self._load(url)
        except SourceFailed as failed:
            if url == self._start:
                raise
            # A link that leads nowhere is no page; one that does not answer now may be one tomorrow.
            if failed.code != "missing":
                listing.cut(url, failed)
            return
        if page is None:
            return
        self._add_page(listing, page, final)
        if "nofollow" not in page["robots"]:
            base = fetch.canonical(page["base"], final) if page["base"] else final
            yield from filter(None, (fetch.canonical(link, base or final) for link in page["links"]))

    def _load(self, url: str) -> tuple[dict[str, Any] | None, str]:
        """A page and where it was in the end; None for what is no page or leads out. Keeps its bytes."""
        self._pause()
        with self._fetcher.get(url, headers={"accept": "text/html"}) as reply:
            if reply.media_type not in _PAGES or not self._is_inside(reply.url) or not self._may_read(reply.url):
                return None, reply.url
            path = self._keep(reply)
        try:
            return sandbox.read_page(path) | {"file": path}, reply.url
        except ParseFailed as failure:
            raise SourceFailed("unreadable") from failure

    def _keep(self, reply: Reply) -> Path:
        path = Path(self._spool.name) / digest(reply.url)
        with path.open("wb") as out:
            while chunk := reply.file.read(1024 * 1024):
                out.write(chunk)
                self._kept += len(chunk)
        return path

    def _add_page(self, listing: Listing, page: dict[str, Any], url: str) -> None:
        if "noindex" in page["robots"] or not page["text"].strip():
            return
        told = fetch.canonical(page["canonical"], url) if page["canonical"] else ""
        if told and told != url and _bare(told) == _bare(url):
            self._spellings.append((page, url, told))
        else:
            self._add_text(listing, page, url)

    def _add_spellings(self, listing: Listing, most: int) -> None:
        """Add those whose other spelling was not found. What a page says of itself never makes it another page."""
        found = set(self._loaded)
        for page, url, told in self._spellings:
            if told in found:
                continue
            if len(listing.entries) >= most:
                listing.cut()
                return
            self._add_text(listing, page, url)

    def _add_text(self, listing: Listing, page: dict[str, Any], url: str) -> None:
        if url in self._loaded:
            return
        self._loaded[url] = page["file"]
        listing.entries.append(Entry(url, _path_of(url), digest(page["text"]), title=page["title"]))

    def _add_file(self, listing: Listing, url: str) -> None:
        """A document that a page links to: asked about now, fetched when it is wanted."""
        self._pause()
        with self._asked_about(url) as reply:
            if not self._is_inside(reply.url):
                return
            tag = reply.headers.get("etag") or reply.headers.get("last-modified") or ""
        self._urls[url] = url
        listing.entries.append(Entry(url, _path_of(url), tag[:200]))

    def _asked_about(self, url: str) -> Reply:
        try:
            return self._fetcher.send("HEAD", url)
        except SourceFailed as failed:
            if failed.detail.get("status") not in (405, 501):
                raise
        return self._fetcher.get(url, limits=fetch.DEFAULT)

    # --- By sitemap -----------------------------------------------------------------------------------------

    def _read_sitemaps(self, listing: Listing, most: int) -> None:
        waiting, seen = deque([self._start]), {self._start}
        while waiting:
            if self._is_spent(len(seen)):
                listing.cut()
                return
            found = self._sitemap(waiting.popleft())
            for row in found["rows"]:
                url = fetch.canonical(row.get("loc", ""), self._start)
                if not url or not self._is_of_this_host(url) or url in seen or len(url) > _LONGEST_URL:
                    continue
                seen.add(url)
                if found["root"] == "sitemapindex":
                    waiting.append(url)
                elif len(listing.entries) >= most or self._is_spent(len(seen)):
                    listing.cut()
                    return
                else:
                    self._add_listed(listing, url, row.get("lastmod", ""))
            if len(seen) > _MOST_SITEMAPS and found["root"] == "sitemapindex":
                listing.cut()
                return

    def _sitemap(self, url: str) -> dict[str, Any]:
        self._pause()
        host = fetch.target_of(url).host
        with self._fetcher.get(url, limits=_SITEMAP) as reply, NamedTemporaryFile() as file:
            body = reply.read()
            file.write(body)
            file.flush()
            try:
                row = "sitemap" if b"<sitemapindex" in body[:4096] else "url"
                found = sandbox.read_rows(Path(file.name), row=row, names=("loc", "lastmod"))
            except ParseFailed as failure:
                raise SourceFailed("not_understood", host=host) from failure
        if found["root"] not in ("urlset", "sitemapindex"):
            raise SourceFailed("not_understood", host=host)
        self.beat()
        return found

    def _add_listed(self, listing: Listing, url: str, changed_at: str) -> None:
        if not self._may_read(url):
            return
        if changed_at:
            self._urls[url] = url
            listing.entries.append(Entry(url, _path_of(url), changed_at[:200]))
            return
        # The sitemap does not say when it changed: its text does.
        for _link in self._visit(listing, url):
            break

    # --- Inside ---------------------------------------------------------------------------------------------

    def _is_of_this_host(self, url: str) -> bool:
        return fetch.target_of(url) == fetch.target_of(self._start)

    def _is_inside(self, url: str) -> bool:
        """Whether `url` is of the host of the start, and below it; of a sitemap the whole host counts."""
        if not self._is_of_this_host(url):
            return False
        above = urlsplit(self._start).path
        if above.lower().endswith(".xml"):
            return True
        return urlsplit(url).path.startswith(above[: above.rfind("/") + 1])

    def _may_read(self, url: str) -> bool:
        if self._robots is None:
            self._robots = self._read_robots()
        return self._robots.can_fetch(_NAME, url)

    def _read_robots(self) -> RobotFileParser:
        robots = RobotFileParser()
        try:
            with self._fetcher.get(fetch.canonical("/robots.txt", self._start), limits=_ROBOTS) as reply:
                robots.parse(reply.read().decode("utf-8", "replace").splitlines())
        except SourceFailed as failed:
            if failed.code not in ("missing", "denied"):
                # Who cannot say what they ask of us is not read: that is the rule for robots.
                raise
            robots.parse([])
        return robots

    def _is_spent(self, seen: int) -> bool:
        """Whether this crawl has taken what it may."""
        return time.monotonic() > self._until or self._kept > _MOST_KEPT or seen >= _MOST_SEEN

    def _pause(self) -> None:
        """As long as the website asks for between two requests, up to a limit of ours."""
        asked = self._robots.crawl_delay(_NAME) if self._robots is not None else None
        if asked:
            time.sleep(min(float(asked), _LONGEST_PAUSE))


def _bare(url: str) -> str:
    return url.partition("?")[0]


def _ending(url: str) -> str:
    return PurePosixPath(urlsplit(url).path).suffix.lower().removeprefix(".")


def _path_of(url: str) -> str:
    """A readable path for a page: `/leave/` becomes `leave.html`; a query is told apart by its hash."""
    parts = urlsplit(url)
    named = "/".join(part for part in unquote(parts.path).split("/") if part not in ("", ".", ".."))
    named = "".join(letter for letter in named if letter.isprintable()) or "index"
    ending = _ending(url)
    stem = named[: -len(ending) - 1] if ending in FORMATS else named
    if parts.query:
        stem += f"-{digest(parts.query)[:8]}"
    return f"{stem[:700]}.{ending if ending in FORMATS else 'html'}"
