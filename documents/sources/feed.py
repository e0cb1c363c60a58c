"""A feed over HTTP: JSON pages that list documents, each with an address to fetch it from.

    {"items": [{"id": "17", "url": "https://…/17.pdf", "name": "Leave/2026.pdf", "version": "3", "title": "…"}],
     "next": "https://…?page=2"}

`id` and `url` are needed. `version` changes when the content does; without it each sync fetches the item to see.
`name` is its path, whose ending says the format. `next` is the address of the following page; a last page has none. A
page with `"complete": false` says that the listing is not whole: then nothing is taken for gone. A token is sent to
the feed's own host as `Authorization: Bearer …`, and to no other.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import PurePosixPath
from types import TracebackType
from typing import Any, BinaryIO
from urllib.parse import unquote, urlsplit

from django.utils.translation import gettext_lazy as _

from documents import fetch
from documents.exceptions import SourceFailed
from documents.fetch import Fetcher, Limits, Outgoing
from documents.sources.connector import MOST_ENTRIES, Connector, Entry, Field, Listing
from workspaces.models import Workspace

_PAGE = Limits(total_seconds=60, total_bytes=10 * 1024 * 1024)
_MOST_PAGES = 2000
_LONGEST = 900


class FeedConnector(Connector):
    kind = "feed"
    label = _("JSON feed")
    purpose = _("An address that lists documents as JSON, page by page, as your own programs can.")
    fields = (Field("url", _("Address"), _("The first page of the list, as in https://docs.example/api/documents.")),)
    secret_label = _("Token")
    secret_help = _("Sent as a bearer token, to this host alone.")

    def __init__(self, options: Mapping[str, Any], **given: Any) -> None:
        super().__init__(options, **given)
        self._fetcher = Fetcher(home=self.options["url"], sign=self._sign if self.secret else None)
        self._urls: dict[str, str] = {}

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._fetcher.__exit__(kind, error, trace)

    @classmethod
    def check(cls, options: Mapping[str, Any], workspace: Workspace) -> None:
        fetch.require_allowed(str(options["url"]))

    @classmethod
    def destination(cls, options: Mapping[str, Any]) -> str:
        target = fetch.target_of(str(options["url"]))
        return f"{target.scheme}://{target.host}:{target.port}{target.rest}"

    def test(self) -> None:
        self._page(self.options["url"])

    def list(self, *, most: int = MOST_ENTRIES) -> Listing:
        listing = Listing()
        url, seen = self.options["url"], set()
        while url:
            if url in seen or len(seen) >= _MOST_PAGES:
                raise SourceFailed("not_understood", host=fetch.target_of(url).host)
            seen.add(url)
            page = self._page(url)
            for item in page["items"]:
                if len(listing.entries) >= most:
                    listing.cut()
                    return listing
                self._add(listing, item, url)
            if page.get("complete") is False:
                listing.cut()
            following = page.get("next") or ""
            url = fetch.canonical(str(following), url) if following else ""
            if following and not url:
                raise SourceFailed("not_understood", host=fetch.target_of(self.options["url"]).host)
            self.beat()
        return listing

    @contextmanager
    def fetch(self, entry: Entry) -> Iterator[BinaryIO]:
        with self._fetcher.get(self._urls[entry.key]) as reply:
            yield reply.file

    def _page(self, url: str) -> dict[str, Any]:
        with self._fetcher.get(url, headers={"accept": "application/json"}, limits=_PAGE) as reply:
            try:
                page = json.loads(reply.read())
            except (ValueError, RecursionError) as error:
                raise SourceFailed("not_understood", host=fetch.target_of(url).host) from error
        if not isinstance(page, dict) or not isinstance(page.get("items"), list):
            raise SourceFailed("not_understood", host=fetch.target_of(url).host)
        return page

    def _add(self, listing: Listing, item: Any, base: str) -> None:
        if not isinstance(item, dict) or not isinstance(item.get("id"), str | int) or not item.get("url"):
            # Something is there that we cannot name: what we know may be it.
            listing.cut("", SourceFailed("not_understood", host=fetch.target_of(base).host))
            return
        key = str(item["id"])[:2000]
        url = fetch.canonical(str(item["url"]), base)
        name = str(item.get("name") or PurePosixPath(unquote(urlsplit(url).path)).name)
        path = "/".join(part for part in name.split("/") if part not in ("", ".", ".."))
        if not url or not path.isprintable() or not 0 < len(path) <= _LONGEST:
            listing.cut(path[:_LONGEST] if path.isprintable() else "", SourceFailed("bad_name"))
            return
        self._urls[key] = url
        version = str(item.get("version") or "")[:200]
        listing.entries.append(Entry(key, path, version, title=str(item.get("title") or "")))

    def _sign(self, outgoing: Outgoing) -> dict[str, str]:
        return {"authorization": f"Bearer {self.secret}"}
