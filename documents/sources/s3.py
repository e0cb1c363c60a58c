"""A bucket of an S3-compatible store (AWS, MinIO, Ceph, R2, Google Cloud Storage), through our own door.

Two requests of the protocol are all it takes, listing and getting, signed by `_signed`. An SDK would make connections
of its own, past the operator's list of hosts. Keys never become places on a disk.
"""

import hashlib
import hmac
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
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

_PAGE = Limits(total_seconds=60, total_bytes=20 * 1024 * 1024)


class S3Connector(Connector):
    kind = "s3"
    label = _("S3 bucket")
    purpose = _("A bucket of Amazon S3, MinIO, Ceph, Cloudflare R2 or another store that speaks S3.")
    fields = (
        Field("endpoint", _("Endpoint"), _("As in https://s3.eu-central-1.amazonaws.com.")),
        Field("region", _("Region"), default="us-east-1", most=60),
        Field("bucket", _("Bucket"), most=100),
        Field("prefix", _("Prefix"), _("Only keys that begin with this."), required=False, most=500),
        Field("access_key", _("Access key ID"), required=False, most=200),
    )
    secret_label = _("Secret access key")
    secret_help = _("A key that may list and read this bucket, and nothing else.")

    def __init__(self, options: Mapping[str, Any], **given: Any) -> None:
        super().__init__(options, **given)
        self._base = f"{self.endpoint(options)}/{options['bucket']}"
        signs = bool(self.secret and options.get("access_key"))
        self._fetcher = Fetcher(home=self._base, sign=self._sign if signs else None)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._fetcher.__exit__(kind, error, trace)

    @classmethod
    def endpoint(cls, options: Mapping[str, Any]) -> str:
        """The address that the bucket's name follows."""
        return str(options["endpoint"]).rstrip("/")

    @classmethod
    def check(cls, options: Mapping[str, Any], workspace: Workspace) -> None:
        target = fetch.require_allowed(cls.endpoint(options))
        if target.rest not in ("", "/"):
            raise SourceFailed("settings_bad", field="endpoint")
        bucket = str(options["bucket"])
        if not bucket.replace("-", "").replace(".", "").replace("_", "").isalnum() or not bucket.isascii():
            raise SourceFailed("settings_bad", field="bucket")
        # Both go into a header as they are.
        for name in ("region", "access_key"):
            told = str(options.get(name) or "")
            if not (told.isascii() and told.isprintable()):
                raise SourceFailed("settings_bad", field=name)

    @classmethod
    def destination(cls, options: Mapping[str, Any]) -> str:
        target = fetch.target_of(cls.endpoint(options))
        place = f"{target.scheme}://{target.host}:{target.port}/{options['bucket']}/{options.get('prefix', '')}"
        return f"{place} {options.get('access_key', '')}"

    def test(self) -> None:
        self._page("", most=1)

    def list(self, *, most: int = MOST_ENTRIES) -> Listing:
        listing = Listing()
        prefix, after = str(self.options.get("prefix") or ""), ""
        while True:
            page = self._page(after, most=min(1000, most))
            for row in page["rows"]:
                if len(listing.entries) >= most:
                    listing.cut()
                    return listing
                add_object(
                    listing, row.get("Key", ""), prefix=prefix, tag=row.get("ETag", ""), size=row.get("Size", "")
                )
            if page["about"].get("IsTruncated", "false") != "true":
                return listing
            before, after = after, page["about"].get("NextContinuationToken", "")
            if not after or after == before:
                raise SourceFailed("not_understood", host=fetch.target_of(self._base).host)
            self.beat()

    @contextmanager
    def fetch(self, entry: Entry) -> Iterator[BinaryIO]:
        # The very object that was listed: one that was replaced meanwhile is taken by the next sync.
        headers = {"if-match": f'"{entry.tag}"'} if entry.tag else {}
        url = f"{self._base}/{quote(entry.key, safe='/~')}"
        try:
            reply = self._fetcher.get(url, headers=headers)
        except SourceFailed as failed:
            if failed.detail.get("status") == 412:
                raise SourceFailed("changed_meanwhile") from failed
            raise
        with reply:
            yield reply.file

    def _page(self, after: str, *, most: int) -> dict[str, Any]:
        asked = {"list-type": "2", "max-keys": str(most), "prefix": str(self.options.get("prefix") or "")}
        if after:
            asked["continuation-token"] = after
        url = f"{self._base}?{urlencode(sorted(asked.items()), quote_via=quote)}"
        with self._fetcher.get(url, limits=_PAGE) as reply:
            return read_listing(reply, root="ListBucketResult", row="Contents", names=_NAMES)

    @property
    def region(self) -> str:
        return str(self.options["region"])

    def _sign(self, outgoing: Outgoing) -> dict[str, str]:
        return signed(
            outgoing,
            access_key=str(self.options["access_key"]),
            secret=self.secret,
            region=self.region,
            at=datetime.now(UTC),
        )


_NAMES = ("Key", "ETag", "Size", "IsTruncated", "NextContinuationToken")


def signed(outgoing: Outgoing, *, access_key: str, secret: str, region: str, at: datetime) -> dict[str, str]:
    """The headers of AWS Signature Version 4."""
    content = hashlib.sha256(outgoing.body).hexdigest()
    stamp, day = at.strftime("%Y%m%dT%H%M%SZ"), at.strftime("%Y%m%d")
    target = outgoing.target
    host = f"[{target.host}]" if ":" in target.host else target.host
    port = "" if target.port == {"http": 80, "https": 443}[target.scheme] else f":{target.port}"
    path, _mark, query = target.rest.partition("?")
    headers = {"host": f"{host}{port}", "x-amz-content-sha256": content, "x-amz-date": stamp}
    names = ";".join(sorted(headers))
    pairs = sorted((quote(name, safe="-_.~"), quote(value, safe="-_.~")) for name, value in parse_qsl(query, True))
    request = "\n".join(
        [
            outgoing.method,
            path or "/",
            "&".join(f"{name}={value}" for name, value in pairs),
            *(f"{name}:{headers[name]}" for name in sorted(headers)),
            "",
            names,
            content,
        ]
    )
    scope = f"{day}/{region}/s3/aws4_request"
    text = "\n".join(["AWS4-HMAC-SHA256", stamp, scope, hashlib.sha256(request.encode()).hexdigest()])
    key = f"AWS4{secret}".encode()
    for part in (day, region, "s3", "aws4_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    signature = hmac.new(key, text.encode(), "sha256").hexdigest()
    credential = f"AWS4-HMAC-SHA256 Credential={access_key}/{scope}, SignedHeaders={names}, Signature={signature}"
    return {"x-amz-content-sha256": content, "x-amz-date": stamp, "authorization": credential}
