"""Checkpoints of the trail in a bucket of an S3-compatible store: each object is put once, and put again never.

The request itself says so (`If-None-Match: *`), so that two processes cannot both write a name. That the store lets
nobody overwrite or remove an object afterwards is for the store to be told (versions and a lock on the bucket).
"""

import ipaddress
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote

from django.conf import settings
from django.utils.translation import gettext as _

from audit import outside
from documents import fetch
from documents.exceptions import SourceFailed
from documents.fetch import Fetcher, Limits
from documents.sources.problems import sentence
from documents.sources.s3 import S3Connector
from workspaces.hosts import HostList

_LIMITS = Limits(total_seconds=30, total_bytes=1024 * 1024, redirects=0)
#: The operator wrote the one address there is: it may be inside, and unencrypted only there.
_INSIDE = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "127.0.0.0/8", "fc00::/7", "::1/128")
_LIST = HostList(frozenset(), tuple(ipaddress.ip_network(each) for each in _INSIDE), any_name=True)
#: The name is there already, or somebody is putting it there.
_TAKEN = (409, 412)


class Bucket:
    """The bucket that INLOCK_CHECKPOINTS_BUCKET names, as an `audit.outside.Place`."""

    def __str__(self) -> str:
        return str(settings.CHECKPOINTS_BUCKET)

    def names(self, prefix: str) -> list[str]:
        with _told(), self._objects(prefix) as objects:
            listing = objects.list()
            if not listing.complete:
                # Part of it would make the others look lost.
                raise SourceFailed("not_understood", host=fetch.target_of(settings.CHECKPOINTS_BUCKET).host)
            return [entry.path for entry in listing.entries]

    def read(self, name: str) -> str:
        with _told(), self._objects(name) as objects:
            return objects.text(name)

    def write(self, name: str, text: str) -> None:
        with _told(), self._objects(name) as objects:
            objects.put(name, text.encode("utf-8"))

    def _objects(self, prefix: str) -> "_Objects":
        endpoint, name, folder = _address()
        options = {
            "endpoint": endpoint,
            "bucket": name,
            "prefix": f"{folder}{prefix}",
            "region": settings.CHECKPOINTS_REGION,
            "access_key": settings.CHECKPOINTS_ACCESS_KEY,
        }
        return _Objects(options, secret=settings.CHECKPOINTS_SECRET_KEY)


def _address() -> tuple[str, str, str]:
    """Endpoint, bucket, and what stands before each name. Raises SourceFailed."""
    target = fetch.target_of(settings.CHECKPOINTS_BUCKET)
    name, _slash, folder = target.rest.strip("/").partition("/")
    if not name:
        raise SourceFailed("settings_bad", field="bucket")
    host = f"[{target.host}]" if ":" in target.host else target.host
    return f"{target.scheme}://{host}:{target.port}", name, f"{folder}/" if folder else ""


class _Fetcher(Fetcher):
    def hosts(self) -> HostList:
        return _LIST


class _Objects(S3Connector):
    """What lies in the bucket below a prefix."""

    def __init__(self, options: dict[str, Any], **given: Any) -> None:
        super().__init__(options, **given)
        self._fetcher = _Fetcher(home=self._base, sign=self._sign, limits=_LIMITS)

    def text(self, name: str) -> str:
        with self._fetcher.get(self._url(name)) as reply:
            return reply.read().decode("utf-8", errors="replace")

    def put(self, name: str, content: bytes) -> None:
        try:
            with self._fetcher.send("PUT", self._url(name), headers={"if-none-match": "*"}, body=content):
                return
        except SourceFailed as failed:
            if failed.detail.get("status") not in _TAKEN:
                raise

    def _url(self, name: str) -> str:
        prefix = str(self.options["prefix"])
        return f"{self._base}/{quote(prefix[: prefix.rfind('/') + 1] + name, safe='/~')}"


@contextmanager
def _told() -> Iterator[None]:
    """What goes wrong outside becomes the OSError that the trail expects."""
    try:
        yield
    except SourceFailed as failed:
        why = sentence(failed.code, failed.detail)
        raise OSError(_("The bucket for checkpoints: %(why)s") % {"why": why}) from failed


outside.bucket.append(Bucket)
