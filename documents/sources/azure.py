"""A container of Azure Blob Storage, through our own door.

Two requests of the protocol are all it takes, listing and getting. They carry a SAS token in their query, or are signed
with the account's key (Shared Key); both go to the account's own host alone.
"""

import base64
import binascii
import hmac
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from email.utils import format_datetime
from types import TracebackType
from typing import Any, BinaryIO
from urllib.parse import parse_qsl, quote, urlencode

from django.utils.translation import gettext_lazy as _

from documents import fetch
from documents.exceptions import SourceFailed
from documents.fetch import Fetcher, Limits, Outgoing
from documents.sources.connector import MOST_ENTRIES, Connector, Entry, Field, Listing
from documents.sources.object_keys import add_object
from documents.sources.xml_rows import read_listing
from workspaces.models import Workspace

_PAGE = Limits(total_seconds=60, total_bytes=50 * 1024 * 1024)
_MOST_A_PAGE = 5000
#: Later versions may write names in a second spelling.
_VERSION = "2020-10-02"
_NAMES = ("Name", "Etag", "Content-Length", "ResourceType", "NextMarker")
_ACCOUNT = re.compile(r"[a-z0-9]{3,24}")
_CONTAINER = re.compile(r"\$root|\$web|[a-z0-9](?:-?[a-z0-9]){2,62}")
#: The headers that a signature covers by their place, in their order.
_SIGNED = (
    "content-encoding",
    "content-language",
    "content-length",
    "content-md5",
    "content-type",
    "date",
    "if-modified-since",
    "if-match",
    "if-none-match",
    "if-unmodified-since",
    "range",
)


class AzureConnector(Connector):
    kind = "azure"
    label = _("Azure container")
    purpose = _("A container of Azure Blob Storage.")
    fields = (
        Field("account", _("Storage account"), most=24),
        Field("container", _("Container"), most=63),
        Field("prefix", _("Prefix"), _("Only names that begin with this."), required=False, most=500),
        Field(
            "endpoint",
            _("Endpoint"),
            _("Empty: https://ACCOUNT.blob.core.windows.net. Others for national clouds and stores of your own."),
            required=False,
        ),
    )
    secret_label = _("SAS token or account key")
    secret_help = _("Better a SAS token that may list and read this container, and nothing else.")

    def __init__(self, options: Mapping[str, Any], **given: Any) -> None:
        super().__init__(options, **given)
        self._base = f"{_endpoint(options)}/{options['container']}"
        token = self.secret.lstrip("?") if "sig=" in self.secret else ""
        signs = bool(self.secret) and not token
        self._fetcher = Fetcher(home=self._base, sign=self._sign if signs else None, token=token)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._fetcher.__exit__(kind, error, trace)

    @classmethod
    def check(cls, options: Mapping[str, Any], workspace: Workspace) -> None:
        if not _ACCOUNT.fullmatch(str(options["account"])):
            raise SourceFailed("settings_bad", field="account")
        if not _CONTAINER.fullmatch(str(options["container"])):
            raise SourceFailed("settings_bad", field="container")
        if "?" in fetch.require_allowed(_endpoint(options)).rest:
            raise SourceFailed("host_form")

    @classmethod
    def destination(cls, options: Mapping[str, Any]) -> str:
        target = fetch.target_of(_endpoint(options))
        place = f"{target.scheme}://{target.host}:{target.port}{target.rest}/{options['container']}"
        return f"{place}/{options.get('prefix', '')} {options['account']}"

    def test(self) -> None:
        self._page("", most=1)

    def list(self, *, most: int = MOST_ENTRIES) -> Listing:
        listing = Listing()
        prefix, after = str(self.options.get("prefix") or ""), ""
        while True:
            page = self._page(after, most=min(_MOST_A_PAGE, most))
            for row in page["rows"]:
                if len(listing.entries) >= most:
                    listing.cut()
                    return listing
                if row.get("ResourceType") != "directory":
                    add_object(
                        listing,
                        row.get("Name", ""),
                        prefix=prefix,
                        tag=row.get("Etag", ""),
                        size=row.get("Content-Length", ""),
                    )
            before, after = after, page["about"].get("NextMarker", "")
            if not after:
                return listing
            if after == before:
                raise SourceFailed("not_understood", host=fetch.target_of(self._base).host)
            self.beat()

    @contextmanager
    def fetch(self, entry: Entry) -> Iterator[BinaryIO]:
        # The very blob that was listed: one that was replaced meanwhile is taken by the next sync.
        headers = self._version() | ({"if-match": f'"{entry.tag}"'} if entry.tag else {})
        try:
            reply = self._fetcher.get(f"{self._base}/{quote(entry.key, safe='/~')}", headers=headers)
        except SourceFailed as failed:
            if failed.detail.get("status") == 412:
                raise SourceFailed("changed_meanwhile") from failed
            raise
        with reply:
            yield reply.file

    def _page(self, after: str, *, most: int) -> dict[str, Any]:
        asked = {"restype": "container", "comp": "list", "maxresults": str(most)}
        asked |= {"prefix": str(self.options.get("prefix") or ""), "marker": after}
        url = f"{self._base}?{urlencode({k: v for k, v in sorted(asked.items()) if v}, quote_via=quote)}"
        with self._fetcher.get(url, headers=self._version(), limits=_PAGE) as reply:
            return read_listing(reply, root="EnumerationResults", row="Blob", names=_NAMES)

    def _version(self) -> dict[str, str]:
        return {"x-ms-version": _VERSION}

    def _sign(self, outgoing: Outgoing) -> dict[str, str]:
        return signed(outgoing, account=str(self.options["account"]), key=self.secret, at=datetime.now(UTC))


def _endpoint(options: Mapping[str, Any]) -> str:
    told = str(options.get("endpoint") or "").rstrip("/")
    return told or f"https://{options['account']}.blob.core.windows.net"


def signed(outgoing: Outgoing, *, account: str, key: str, at: datetime) -> dict[str, str]:
    """The headers of a Shared Key signature of a request without a body. Raises SourceFailed where `key` is none."""
    try:
        secret = base64.b64decode(key, validate=True)
    except (binascii.Error, ValueError) as error:
        raise SourceFailed("key_bad") from error
    told = {name.lower(): value for name, value in outgoing.headers.items()}
    told["x-ms-date"] = format_datetime(at, usegmt=True)
    path, _mark, query = outgoing.target.rest.partition("?")
    pairs: dict[str, list[str]] = {}
    for name, value in parse_qsl(query, True):
        pairs.setdefault(name.lower(), []).append(value)
    text = "\n".join(
        [
            outgoing.method,
            *(told.get(name, "") for name in _SIGNED),
            *(f"{name}:{told[name].strip()}" for name in sorted(told) if name.startswith("x-ms-")),
            f"/{account}{path or '/'}",
            *(f"{name}:{','.join(sorted(pairs[name]))}" for name in sorted(pairs)),
        ]
    )
    signature = base64.b64encode(hmac.digest(secret, text.encode(), "sha256")).decode()
    return {"x-ms-date": told["x-ms-date"], "authorization": f"SharedKey {account}:{signature}"}
