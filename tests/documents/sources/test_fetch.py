"""The door for outgoing requests: what it follows, what it stops, and what it never sends along."""

import gzip
import time
import zlib
from typing import Any

import pytest

from documents import fetch
from documents.exceptions import SourceFailed
from documents.fetch import Fetcher, Limits
from tests.documents.sources.servers import LOOPBACK, PUBLIC, serving, tell_names

SMALL = Limits(connect_seconds=2, read_seconds=2, total_seconds=4, total_bytes=100_000)


@pytest.fixture(autouse=True)
def _loopback_is_allowed(settings):
    settings.SOURCE_HOSTS = LOOPBACK


@pytest.fixture
def names(monkeypatch):
    return tell_names(monkeypatch)


def _failure(url: str, **options: Any) -> SourceFailed:
    with Fetcher(limits=SMALL, **options) as fetcher, pytest.raises(SourceFailed) as failed:
        fetcher.get(url)
    return failed.value


def test_a_page_arrives_with_its_headers_and_its_final_address():
    pages = {"/a": (302, {"location": "b?x=1#part"}, b""), "/b": (200, {"etag": '"7"'}, b"hello")}

    with serving(pages) as site, Fetcher() as fetcher, fetcher.get(site.url("/a")) as reply:
        assert (reply.read(), reply.size, reply.headers["etag"]) == (b"hello", 5, '"7"')
        assert reply.url == site.url("/b?x=1")


def test_a_packed_body_is_unpacked_once():
    pages = {"/": (200, {"content-encoding": "gzip"}, gzip.compress(b"x" * 5000))}

    with serving(pages) as site, Fetcher() as fetcher, fetcher.get(site.url()) as reply:
        assert reply.read() == b"x" * 5000


@pytest.mark.parametrize("method", ["HEAD", "GET"])
def test_an_empty_answer_that_calls_itself_packed_is_empty(method):
    with serving({"/": (200, {"content-encoding": "gzip"}, b"")}) as site, Fetcher() as fetcher:
        assert fetcher.send(method, site.url()).size == 0


@pytest.mark.parametrize(
    ("page", "code"),
    [
        (b"x" * 100_001, "too_large"),
        ((200, {"content-encoding": "gzip"}, gzip.compress(b"0" * 50_000_000)), "too_large"),
        ((200, {"content-encoding": "gzip"}, zlib.compress(b"0" * 500)), "packing"),
        ((200, {"content-encoding": "gzip"}, gzip.compress(b"0" * 500)[:-9]), "packing"),
        ((200, {"content-encoding": "br"}, b"0" * 500), "packing"),
        ((401, {}, b""), "denied"),
        ((403, {}, b""), "denied"),
        ((404, {}, b""), "missing"),
        ((500, {}, b""), "status"),
        ((302, {"location": "/"}, b""), "redirects"),
        ((302, {"location": "file:///etc/passwd"}, b""), "redirected"),
        ((302, {"location": "gopher://127.0.0.1/"}, b""), "redirected"),
        ((302, {"location": "http://user:word@127.0.0.1/"}, b""), "redirected"),
        ((302, {}, b""), "redirects"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_bad_answer_is_named(page, code):
    with serving({"/": page}) as site:
        assert _failure(site.url()).code == code


@pytest.mark.parametrize("part", ["headers", "body"])
def test_a_server_that_trickles_is_left_when_the_time_is_over(part):
    def trickle(handler: Any) -> None:
        handler.wfile.write(b"HTTP/1.1 200 OK\r\n" + (b"content-length: 9999\r\n\r\n" if part == "body" else b""))
        for _ in range(100):
            handler.wfile.write(b"x")
            handler.wfile.flush()
            time.sleep(0.05)

    with serving({"/": trickle}) as site, Fetcher() as fetcher, pytest.raises(SourceFailed) as failed:
        fetcher.get(site.url(), limits=Limits(read_seconds=2, total_seconds=0.4))

    assert failed.value.code == "too_slow"


def test_what_proves_who_asks_goes_home_and_nowhere_else():
    def sign(outgoing: Any) -> dict[str, str]:
        return {"authorization": "Bearer marker"}

    with (
        serving({"/": b"other"}) as other,
        serving({"/": (302, {"location": other.url()}, b"")}) as home,
        Fetcher(home=home.url(), sign=sign) as fetcher,
        fetcher.get(home.url()) as reply,
    ):
        assert reply.read() == b"other"

    assert home.asked[0][2]["authorization"] == "Bearer marker"
    assert "authorization" not in other.asked[0][2]


def test_no_secret_leaves_the_listed_networks_unencrypted(names):
    names["feed.example"] = [[PUBLIC]]

    failed = _failure("http://feed.example/", home="http://feed.example/", sign=lambda outgoing: {"x": "marker"})

    assert failed.code == "host_plain"


def test_a_body_is_not_sent_on_to_where_a_server_points():
    with serving({"/": b""}) as other, serving({"/": (307, {"location": other.url()}, b"")}) as home:
        with Fetcher() as fetcher, pytest.raises(SourceFailed, match="redirected"):
            fetcher.send("POST", home.url(), body=b"secret question")

        assert other.connections == 0


def test_no_cookie_of_one_answer_is_sent_with_the_next_request():
    with serving({"/": (200, {"set-cookie": "a=1"}, b"")}) as site, Fetcher() as fetcher:
        for _ in range(2):
            fetcher.get(site.url()).file.close()

    assert all("cookie" not in headers for _method, _path, headers in site.asked)


@pytest.mark.parametrize(
    ("link", "base", "expected"),
    [
        ("b.html#part", "https://site.example/a/", "https://site.example/a/b.html"),
        ("//Site.Example:443", "https://x.example/", "https://site.example/"),
        ("/a b?q=ž", "https://site.example/", "https://site.example/a%20b?q=%C5%BE"),
        ("/a%20b", "https://site.example/", "https://site.example/a%20b"),
        ("mailto:a@b.example", "https://site.example/", ""),
        ("javascript:alert(1)", "https://site.example/", ""),
        ("https://a@b.example/", "", ""),
        ("https://b.example:99999/", "", ""),
        ("https://b.example\\@c.example/", "", ""),
        ("https://[::1", "", ""),
        ("", "", ""),
    ],
)
def test_a_link_has_one_spelling(link, base, expected):
    assert fetch.canonical(link, base) == expected
