"""Azure Blob Storage against a store of a few lines that checks each signature with the maker's own library."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape

import pytest

from documents.exceptions import SourceError
from documents.models import Document, RunKind, RunState
from documents.sources import CONNECTORS
from documents.sources.gcs import GcsConnector
from tests.documents.sources.servers import Site, serving

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("root")]

KEY = "bWFya2VyLWtleQ=="
TOKEN = "sv=2020-10-02&sp=rl&sig=a%2Bb%3D"


@dataclass
class Store:
    site: Site
    blobs: dict[str, bytes] = field(default_factory=dict)
    a_page: int = 5000
    #: Addresses that were asked, with their query.
    asked: list[str] = field(default_factory=list)

    @property
    def options(self) -> dict[str, Any]:
        endpoint = self.site.url("/books")
        return {"account": "books", "container": "rules", "prefix": "handbook/", "endpoint": endpoint}

    def answer(self, handler: Any) -> Any:
        self.asked.append(handler.path)
        parts = urlsplit(handler.path)
        asked = {name: values[0] for name, values in parse_qs(parts.query).items()}
        if asked.get("sig") != "a+b=" and not _is_signed(handler):
            return 403, {}, b""
        if asked.get("comp") == "list":
            return 200, {"content-type": "application/xml"}, self._listed(asked)
        blob = self.blobs.get(unquote(parts.path).removeprefix("/books/rules/"))
        if blob is None:
            return 404, {}, b""
        if handler.headers.get("If-Match") != f'"{_etag(blob)}"':
            return 412, {}, b""
        return 200, {}, blob

    def _listed(self, asked: dict[str, str]) -> str:
        names = sorted(name for name in self.blobs if name.startswith(asked.get("prefix", "")))
        start, size = int(asked.get("marker", 0)), min(self.a_page, int(asked["maxresults"]))
        rows = "".join(
            f"<Blob><Name>{escape(name)}</Name><Properties><Etag>{_etag(self.blobs[name])}</Etag>"
            f"<Content-Length>{len(self.blobs[name])}</Content-Length></Properties></Blob>"
            for name in names[start : start + size]
        )
        following = str(start + size) if start + size < len(names) else ""
        return f"<EnumerationResults><Blobs>{rows}</Blobs><NextMarker>{following}</NextMarker></EnumerationResults>"


def _etag(blob: bytes) -> str:
    return f"0x{hash(blob) & 0xFFFFFFFF:X}"


def _is_signed(handler: Any) -> bool:
    """Whether the request carries the signature that the maker's library gives for it."""
    from azure.storage.blob._shared.authentication import SharedKeyCredentialPolicy

    headers = {name: value for name, value in handler.headers.items() if name.lower() != "authorization"}
    query = dict(pair.split("=", 1) for pair in urlsplit(handler.path).query.split("&") if pair)
    asked = SimpleNamespace(method="GET", url=f"http://127.0.0.1{handler.path}", headers=headers, query=query)
    request = SimpleNamespace(http_request=asked, context=SimpleNamespace(transport=None))
    SharedKeyCredentialPolicy("books", KEY).on_request(request)
    return bool(headers["Authorization"] == handler.headers.get("Authorization"))


@pytest.fixture
def store() -> Iterator[Store]:
    class Everything(dict[str, Any]):
        def get(self, path: str, default: Any = None) -> Any:
            return made.answer

    with serving(Everything()) as site:
        made = Store(site)
        for name in ("handbook/leave/a b+c.md", "handbook/ž.txt", "handbook/", "handbook/../up.md", "other/x.md"):
            made.blobs[name] = f"About {name}".encode()
        yield made


def _paths() -> list[str]:
    return sorted(Document.objects.filter(deleted_at=None).values_list("path", flat=True))


@pytest.mark.parametrize("secret", [KEY, TOKEN, f"?{TOKEN}"])
def test_a_container_is_read_by_prefix_and_again_only_where_it_changed(secret, store, make_source, run):
    source = make_source("azure", store.options, secret=secret)

    assert run(source, RunKind.TEST).state == RunState.DONE
    first = run(source)
    store.blobs["handbook/ž.txt"] = b"Changed"
    second = run(source)

    assert _paths() == ["handbook/leave/a b+c.md", "handbook/up.md", "handbook/ž.txt"]
    assert (first.added, second.changed, second.unchanged) == (3, 1, 2)
    assert all(("sig=" in asked) == ("sig=" in secret) for asked in store.asked)


def test_a_container_is_listed_page_after_page(store):
    store.blobs |= {f"many/{number}.md": b"x" for number in range(7)}
    store.a_page = 3

    with CONNECTORS["azure"](store.options | {"prefix": "many/"}, secret=KEY) as connector:
        listing = connector.list()

    assert [entry.path for entry in listing.entries] == [f"{number}.md" for number in range(7)]
    assert listing.complete


@pytest.mark.parametrize(
    ("secret", "problem"), [("b3RoZXI=", "denied"), ("no key", "key_bad"), ("", "denied"), ("sig=x", "denied")]
)
def test_a_secret_that_opens_nothing_is_named(secret, problem, store, make_source, run):
    after = run(make_source("azure", store.options, secret=secret))

    assert (after.state, after.problem) == (RunState.FAILED, problem)


def test_a_token_goes_to_its_own_host_alone_and_into_no_sentence(store, make_source, run):
    class Moved(dict[str, Any]):
        def get(self, path: str, default: Any = None) -> Any:
            return 302, {"location": store.site.url("/books/rules").replace("127.0.0.1", "127.0.0.9")}, b""

    store.site.pages = Moved()
    after = run(make_source("azure", store.options, secret=TOKEN))

    assert (after.problem, "sig" in str(after.problem_detail)) == ("unreachable", False)
    assert [path for _method, path, _headers in store.site.asked if "sig=" in path] == [
        path for _method, path, _headers in store.site.asked
    ]


@pytest.mark.parametrize(
    "change",
    [
        {"account": "a.b"},
        {"account": "evil@x"},
        {"container": "../x"},
        {"container": "A"},
        {"endpoint": "https://a/?b"},
    ],
)
def test_names_that_would_be_other_addresses_are_refused(change, store, make_source):
    with pytest.raises(SourceError):
        make_source("azure", store.options | change)


def test_the_endpoint_follows_from_the_account():
    place = AZURE.destination({"account": "books", "container": "rules", "prefix": "", "endpoint": ""})

    assert place == "https://books.blob.core.windows.net:443/rules/ books"


AZURE = CONNECTORS["azure"]


def test_a_bucket_of_google_is_read_as_one_of_s3(make_source, run, monkeypatch):
    """By its S3-compatible interface, so a bucket of S3 at another address stands for one."""
    pages = {
        "/rules": "<ListBucketResult><IsTruncated>false</IsTruncated><Contents><Key>a.md</Key><Size>3</Size>"
        '<ETag>"1"</ETag></Contents></ListBucketResult>',
        "/rules/a.md": "# A",
    }
    with serving(pages) as site:
        monkeypatch.setattr(GcsConnector, "endpoint", classmethod(lambda cls, options: site.url("")))
        source = make_source("gcs", {"bucket": "rules", "prefix": "", "access_key": "GOOG1"}, secret="marker")

        assert run(source).added == 1
        assert all("/auto/s3/aws4_request" in headers["authorization"] for _m, _p, headers in site.asked)


def test_a_bucket_of_google_is_asked_of_google_alone():
    assert GcsConnector.endpoint({"endpoint": "https://other.example"}) == "https://storage.googleapis.com"
