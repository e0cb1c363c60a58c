"""Every connector against a server that speaks its protocol: listed, fetched, synced twice, and what it refuses."""

import hashlib
import json
import re
import threading
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, make_server

import pytest

from documents import fetch
from documents.exceptions import SourceError, SourceFailed
from documents.models import Document, RunKind, RunState, Version
from documents.sources import CONNECTORS, git
from documents.sources.git_pack import require_modest
from documents.sources.keeping import Wish, change_source, create_source
from documents.sources.s3 import signed
from tests.documents.sources.servers import serving

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("root")]


def _paths(workspace: Any) -> list[str]:
    return sorted(Document.objects.filter(workspace=workspace, deleted_at=None).values_list("path", flat=True))


def _page(text: str, *links: str, head: str = "") -> tuple[int, dict[str, str], str]:
    anchors = "".join(f'<a href="{link}">x</a>' for link in links)
    body = f"<html><head><title>{text}</title>{head}</head><body><nav>{anchors}</nav><main><p>{text} is here."
    return 200, {"content-type": "text/html; charset=utf-8"}, f"{body}</main></body></html>"


# --- JSON feed ----------------------------------------------------------------------------------------------


@pytest.fixture
def feed() -> Iterator[Any]:
    with serving() as site:
        site.pages |= {
            "/list": json.dumps(
                {
                    "items": [
                        {
                            "id": 1,
                            "url": "/files/1",
                            "name": "Leave/one.md",
                            "version": "a",
                            "title": "Leave pay",
                        },
                        {"id": "2", "url": "/files/2.txt"},
                    ],
                    "next": "/list-2",
                }
            ),
            "/list-2": json.dumps({"items": [{"id": "3", "url": "files/3.md", "name": "../../3.md", "version": "a"}]}),
            "/files/1": b"# One",
            "/files/2.txt": b"Two",
            "/files/3.md": b"# Three",
        }
        yield site


def test_a_feed_is_followed_page_by_page_and_fetched_by_version(feed, make_source, policies, run):
    source = make_source("feed", {"url": feed.url("/list")}, secret="marker-token")

    first = run(source)
    feed.pages["/files/1"] = b"# One, changed without saying so"
    second = run(source)

    assert _paths(policies) == ["handbook/2.txt", "handbook/3.md", "handbook/Leave/one.md"]
    assert Document.objects.get(path="handbook/Leave/one.md").title == "Leave pay"
    assert (first.added, second.unchanged) == (3, 3)
    assert (feed.asked_for("/files/1"), feed.asked_for("/files/2.txt")) == (1, 2)
    assert all(headers["authorization"] == "Bearer marker-token" for _m, _p, headers in feed.asked)


@pytest.mark.parametrize(
    ("page", "code"),
    [
        ("[]", "not_understood"),
        ("{", "not_understood"),
        ("[" * 100_000, "not_understood"),
        ('{"items": 3}', "not_understood"),
        ('{"items": [], "next": "/list"}', "not_understood"),
        ('{"items": [], "next": "file:///etc/passwd"}', "not_understood"),
        ((401, {}, ""), "denied"),
    ],
)
def test_a_feed_that_is_none_is_named(feed, make_source, run, page, code):
    feed.pages["/list"] = page

    after = run(make_source("feed", {"url": feed.url("/list")}))

    assert (after.state, after.problem) == (RunState.FAILED, code)


def test_an_item_that_cannot_be_named_keeps_everything_from_being_deleted(feed, make_source, policies, run):
    source = make_source("feed", {"url": feed.url("/list")}, max_removed_percent=100)
    run(source)
    feed.pages["/list"] = json.dumps({"items": [{"name": "without an id"}]})

    after = run(source)

    assert (after.complete, after.removed) == (False, 0)
    assert len(_paths(policies)) == 3


_PLACES = {
    "feed": (
        {"url": "https://a.example/list"},
        [{"url": "https://b.example/list"}, {"url": "https://a.example/other"}],
    ),
    "git": (
        {"url": "https://a.example/x.git", "ref": "main", "username": "u"},
        [{"url": "https://b.example/x.git"}, {"url": "https://a.example/y.git"}, {"username": "v"}],
    ),
    "s3": (
        {"endpoint": "https://a.example", "bucket": "b", "prefix": "p/", "access_key": "k", "region": "r"},
        [{"endpoint": "https://b.example"}, {"bucket": "c"}, {"prefix": ""}, {"access_key": "l"}],
    ),
    "sftp": (
        {"host": "a.example", "port": 22, "host_key": "SHA256:" + "A" * 43, "username": "u", "folder": "f"},
        [{"host": "b.example"}, {"port": 23}, {"host_key": "SHA256:" + "B" * 43}, {"username": "v"}, {"folder": ""}],
    ),
    "smb": (
        {"host": "a.example", "port": 445, "share": "Rules", "folder": "f", "username": "u", "encrypted": True},
        [
            {"host": "b.example"},
            {"port": 446},
            {"share": "Other"},
            {"folder": ""},
            {"username": "v"},
            {"encrypted": False},
        ],
    ),
    "webdav": (
        {"url": "https://a.example/dav/", "username": "u"},
        [{"url": "https://b.example/dav/"}, {"url": "https://a.example/"}, {"username": "v"}],
    ),
    "azure": (
        {"account": "books", "container": "abc", "prefix": "p/", "endpoint": "https://a.example/x"},
        [{"account": "other"}, {"container": "abd"}, {"prefix": ""}, {"endpoint": ""}],
    ),
    "gcs": (
        {"bucket": "b", "prefix": "p/", "access_key": "k"},
        [{"bucket": "c"}, {"prefix": ""}, {"access_key": "l"}],
    ),
    "imap": (
        {"host": "a.example", "port": 993, "username": "u", "folder": "INBOX"},
        [{"host": "b.example"}, {"port": 994}, {"username": "v"}, {"folder": "Other"}],
    ),
}


@pytest.mark.parametrize(("kind", "change"), [(kind, one) for kind, (_o, more) in _PLACES.items() for one in more])
def test_a_secret_is_sealed_and_dropped_when_what_it_opens_changes(kind, change, make_source, manager):
    options = _PLACES[kind][0]
    source = make_source(kind, options, secret="marker-token")
    assert "marker-token" not in source.sealed_secret

    assert change_source(source, Wish("Other name", options, include=["*.md"]), by=manager) is False
    source.refresh_from_db()
    assert source.sealed_secret
    assert change_source(source, Wish("Handbook", options | change), by=manager) is True
    source.refresh_from_db()
    assert source.sealed_secret == ""


@pytest.mark.parametrize(
    ("kind", "secret"),
    [("feed", "lozinka-č"), ("imap", "lozinka-é"), ("s3", "ключ"), ("feed", "a\nb"), ("git", "a\0b")],
)
def test_a_secret_that_cannot_be_sent_is_refused_when_it_is_entered(kind, secret, make_source):
    with pytest.raises(SourceError, match="cannot be sent"):
        make_source(kind, _PLACES[kind][0], secret=secret)


def test_a_stored_secret_that_cannot_be_sent_ends_a_run_in_words(feed, make_source, run, monkeypatch):
    monkeypatch.setattr(CONNECTORS["feed"], "secret_is_ascii", False)

    after = run(make_source("feed", {"url": feed.url("/list")}, secret="lozinka-č"))

    assert (after.state, after.problem) == (RunState.FAILED, "secret_letters")


def test_a_secret_outlives_the_key_it_was_sealed_with(feed, make_source, policies, run, settings):
    from cryptography.fernet import Fernet

    from workspaces.identity.resealing import reseal_all

    source = make_source("feed", {"url": feed.url("/list")}, secret="marker-token")
    old, new = settings.INLOCK_ENCRYPTION_KEYS[0], Fernet.generate_key().decode()
    settings.INLOCK_ENCRYPTION_KEYS = [new]
    assert run(source).problem == "secret_lost"

    settings.INLOCK_ENCRYPTION_KEYS = [new, old]
    assert reseal_all() == 1
    settings.INLOCK_ENCRYPTION_KEYS = [new]

    assert run(source).state == RunState.DONE


# --- Website ------------------------------------------------------------------------------------------------


@pytest.fixture
def website() -> Iterator[Any]:
    with serving() as site:
        site.pages |= {
            "/docs/": _page(
                "Start", "leave.html", "/docs/travel/", "/private/x.html", "https://other.example/", "b.pdf"
            ),
            "/docs/leave.html": _page("Leave", "leave.html#top", "/docs/hidden.html", "/docs/gone.html"),
            "/docs/travel/": _page("Travel", "?page=2", "?clock=1"),
            "/docs/travel/?page=2": _page("Travel two"),
            "/docs/travel/?clock=1": _page("Travel", head='<link rel="canonical" href="/docs/travel/">'),
            "/docs/hidden.html": _page("Hidden", head='<meta name="robots" content="noindex">'),
            "/docs/b.pdf": (200, {"etag": '"1"'}, b"%PDF-1.4"),
            "/private/x.html": _page("Private"),
        }
        yield site


def test_a_website_is_read_below_its_first_page_and_by_its_text(website, make_source, policies, run):
    website.pages["/docs/travel/?page=2"] = _page("Travel two")
    source = make_source("website", {"url": website.url("/docs/"), "pages": 50, "depth": 5})

    first = run(source)
    status, headers, body = website.pages["/docs/leave.html"]
    website.pages["/docs/leave.html"] = (status, headers, body.replace("<nav>", "<nav>clock 12:01"))
    website.pages["/docs/"] = _page("Start again", "leave.html", "/docs/travel/", "b.pdf")
    second = run(source)

    assert [re.sub("-[0-9a-f]{8}", "-N", path.removeprefix("handbook/")) for path in _paths(policies)] == [
        "docs.html",
        "docs/b.pdf",
        "docs/leave.html",
        "docs/travel-N.html",
        "docs/travel.html",
    ]
    assert first.complete
    assert (second.changed, second.added, second.removed) == (1, 0, 0)
    assert not any("rivate" in path or "idden" in path for path in _paths(policies))
    assert website.asked_for("/private/x.html") == 0


@pytest.mark.parametrize("forged", ["/wiki/policy", "/wiki/?title=policy", "/wiki/later"])
def test_a_page_cannot_call_itself_another_page(forged, make_source, policies, run):
    forger = _page("Approve everything", head=f'<link rel="canonical" href="{forged}">')
    pages = {
        "/wiki/": _page("Start", "/wiki/?title=forger", "/wiki/forger", "/wiki/policy", "/wiki/?title=policy", "later"),
        "/wiki/?title=forger": forger,
        "/wiki/forger": forger,
        "/wiki/policy": _page("Policy"),
        "/wiki/?title=policy": _page("Policy"),
        "/wiki/later": (404, {}, b""),
    }
    with serving(pages) as site, _listed(site.url("/wiki/")) as (connector, entries):
        for entry in entries:
            with connector.fetch(entry) as file:
                assert (b"Approve" in file.read()) == ("forger" in entry.key), entry.key
    assert {site.url("/wiki/policy"), site.url("/wiki/?title=policy")} <= {entry.key for entry in entries}
    assert site.url("/wiki/later") not in {entry.key for entry in entries}


@contextmanager
def _listed(url: str) -> Iterator[Any]:
    with CONNECTORS["website"]({"url": url, "pages": 50, "depth": 3}) as connector:
        yield connector, connector.list().entries


def test_a_file_is_asked_for_where_a_server_does_not_answer_about_it(website, make_source, policies, run):
    def only_get(handler: Any) -> Any:
        return (405, {}, b"") if handler.command == "HEAD" else (200, {"etag": '"1"'}, b"%PDF-1.4")

    website.pages["/docs/b.pdf"] = only_get
    after = run(make_source("website", {"url": website.url("/docs/"), "pages": 50, "depth": 5}))

    assert "handbook/docs/b.pdf" in _paths(policies)
    assert after.failed == 0


def test_what_robots_are_asked_to_leave_is_left(website, make_source, policies, run):
    website.pages["/robots.txt"] = "User-agent: *\nDisallow: /docs/leave.html\n"

    run(make_source("website", {"url": website.url("/docs/"), "pages": 50, "depth": 5}))

    assert website.asked_for("/docs/leave.html") == 0
    website.pages["/robots.txt"] = "User-agent: *\nDisallow: /\n"
    after = run(make_source("website", {"url": website.url("/docs/"), "pages": 50, "depth": 5}, name="Other"))
    assert after.problem == "robots"


def test_a_website_that_cannot_say_what_robots_may_do_is_not_read(website, make_source, run):
    website.pages["/robots.txt"] = (500, {}, b"")

    after = run(make_source("website", {"url": website.url("/docs/"), "pages": 50, "depth": 5}))

    assert (after.state, after.problem) == (RunState.FAILED, "status")
    assert website.asked_for("/docs/") == 0


def test_a_trap_without_an_end_stops_at_the_number_of_pages_and_deletes_nothing(make_source, policies, run):
    def endless(handler: Any) -> Any:
        number = int(handler.path.rpartition("/")[2] or 0)
        return _page(f"Day {number}", f"/calendar/{number + 1}", f"/calendar/{number + 2}")

    class Everything(dict[str, Any]):
        def get(self, path: str, default: Any = None) -> Any:
            return endless if path.startswith("/calendar/") else default

    with serving(Everything()) as site:
        after = run(make_source("website", {"url": site.url("/calendar/"), "pages": 6, "depth": 50}), RunKind.PREVIEW)

    assert (after.listed, after.complete) == (6, False)


@pytest.mark.parametrize(("limit", "value"), [("_MOST_KEPT", 100), ("_MOST_SEEN", 3), ("_CRAWL_SECONDS", -1)])
@pytest.mark.parametrize("start", ["/docs/", "/sitemap.xml"])
def test_a_crawl_that_takes_too_much_is_cut_and_deletes_nothing(
    limit, value, start, website, make_source, run, monkeypatch
):
    urls = "".join(
        f"<url><loc>{website.url(path)}</loc></url>" for path in website.pages if path.endswith((".html", "/"))
    )
    website.pages["/sitemap.xml"] = f'<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{urls}</urlset>'
    source = make_source("website", {"url": website.url(start), "pages": 50, "depth": 5}, max_removed_percent=100)
    assert run(source).complete
    monkeypatch.setattr(f"documents.sources.website.{limit}", value)

    after = run(source)

    assert (after.state, after.complete, after.removed) == (RunState.DONE, False, 0)


def test_a_page_that_does_not_answer_keeps_its_document(website, make_source, policies, run):
    source = make_source("website", {"url": website.url("/docs/"), "pages": 50, "depth": 5}, max_removed_percent=100)
    run(source)
    website.pages["/docs/leave.html"] = (503, {}, b"")

    after = run(source)

    assert (after.complete, after.removed) == (False, 0)
    assert any("leave" in path for path in _paths(policies))


def test_a_sitemap_says_what_there_is_and_what_changed(website, make_source, policies, run):
    website.pages["/sitemap.xml"] = (
        '<sitemapindex xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">'
        "<sitemap><loc>/one.xml</loc></sitemap></sitemapindex>"
    )
    website.pages["/one.xml"] = (
        '<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">'
        f"<url><loc>{website.url('/docs/leave.html')}</loc><lastmod>2026-01-01</lastmod></url>"
        f"<url><loc>{website.url('/private/x.html')}</loc></url>"
        "<url><loc>https://other.example/x.html</loc></url></urlset>"
    )
    source = make_source("website", {"url": website.url("/sitemap.xml"), "pages": 50, "depth": 0})

    first, second = run(source), run(source)

    assert _paths(policies) == ["handbook/docs/leave.html", "handbook/private/x.html"]
    assert (first.added, second.unchanged) == (2, 2)
    assert website.asked_for("/docs/leave.html") == 1


@pytest.mark.parametrize(
    "body", ["<html></html>", "<urlset><url>", '<!DOCTYPE x [<!ENTITY a "b">]><urlset>&a;</urlset>']
)
def test_a_sitemap_that_is_none_is_named(website, make_source, run, body):
    website.pages["/sitemap.xml"] = body

    after = run(make_source("website", {"url": website.url("/sitemap.xml"), "pages": 50, "depth": 0}))

    assert after.problem == "not_understood" or (after.listed == 0 and "<!DOCTYPE" in body)


# --- Git ----------------------------------------------------------------------------------------------------


class _Quiet(WSGIRequestHandler):
    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def repository(tmp_path: Path) -> Iterator[Any]:
    """A repository with a working copy, and its address over HTTP."""
    from dulwich import porcelain
    from dulwich.server import DictBackend
    from dulwich.web import make_wsgi_chain

    place = tmp_path / "repository"
    place.mkdir()
    repo = porcelain.init(place)
    (place / "deep").mkdir()
    (place / "deep" / "a.md").write_text("# A")
    (place / "b.md").write_text("# B")
    (place / "link.md").symlink_to("/etc/hostname")
    (place / ".gitattributes").write_text("* filter=evil")

    def commit() -> None:
        porcelain.add(repo, [str(path) for path in place.rglob("*") if ".git/" not in f"{path}/"])
        porcelain.commit(repo, message=b"x", author=b"A <a@a.example>", committer=b"A <a@a.example>")

    commit()
    repo.refs[b"refs/heads/main"] = repo.head()
    server = make_server("127.0.0.1", 0, make_wsgi_chain(DictBackend({"/team/book.git": repo})), handler_class=_Quiet)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/team/book.git", place, repo, commit
    server.shutdown()
    server.server_close()


def test_a_repository_is_read_at_a_branch_and_again_only_where_it_changed(repository, make_source, policies, run):
    url, place, repo, commit = repository
    source = make_source("git", {"url": url, "ref": "main"})

    assert run(source, RunKind.TEST).state == RunState.DONE
    first = run(source)
    (place / "b.md").write_text("# B, second")
    commit()
    repo.refs[b"refs/heads/main"] = repo.head()
    second = run(source)

    assert _paths(policies) == ["handbook/b.md", "handbook/deep/a.md"]
    assert (first.added, second.changed, second.unchanged) == (2, 1, 1)
    assert not (place / "evil").exists()


def test_a_branch_that_is_not_there_is_named(repository, make_source, run):
    after = run(make_source("git", {"url": repository[0], "ref": "nowhere"}))

    assert (after.problem, after.problem_detail) == ("ref_missing", {"name": "nowhere"})


@contextmanager
def _crafted(build: Any, place: Path) -> Iterator[str]:
    """The address of a repository whose one tree `build(store)` makes."""
    from dulwich.objects import Commit
    from dulwich.repo import Repo
    from dulwich.server import DictBackend
    from dulwich.web import make_wsgi_chain

    repo = Repo.init_bare(place, mkdir=True)
    commit = Commit()
    commit.tree, commit.message, commit.encoding = build(repo.object_store), b"x", b"utf-8"
    commit.author = commit.committer = b"A <a@a.example>"
    commit.author_time = commit.commit_time = 1
    commit.author_timezone = commit.commit_timezone = 0
    repo.object_store.add_object(commit)
    repo.refs[b"refs/heads/main"] = commit.id
    server = make_server("127.0.0.1", 0, make_wsgi_chain(DictBackend({"/x": repo})), handler_class=_Quiet)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/x"
    server.shutdown()
    server.server_close()


def _folders_of_folders(store: Any) -> bytes:
    from dulwich.objects import Tree

    tree = Tree()
    store.add_object(tree)
    for _level in range(20):
        above = Tree()
        above.add(b"a", 0o040000, tree.id)
        above.add(b"b", 0o040000, tree.id)
        store.add_object(above)
        tree = above
    return tree.id


def _one_large_file(store: Any) -> bytes:
    from dulwich.objects import Blob, Tree

    blob, tree = Blob.from_string(b"\0" * 3_000_000), Tree()
    tree.add(b"x.txt", 0o100644, blob.id)
    store.add_object(blob)
    store.add_object(tree)
    return tree.id


def test_a_few_folders_that_make_a_million_are_cut(tmp_path, make_source, run, monkeypatch):
    monkeypatch.setattr("documents.sources.git.MOST_ENTRIES", 200)
    with _crafted(_folders_of_folders, tmp_path / "bomb") as url:
        after = run(make_source("git", {"url": url, "ref": "main"}))

    assert (after.state, after.complete) == (RunState.DONE, False)


def test_what_a_repository_names_and_does_not_hold_ends_a_run_in_words(tmp_path, make_source, run):
    def absent(store: Any) -> bytes:
        from dulwich.objects import Tree

        tree = Tree()
        tree.add(b"below", 0o040000, b"1" * 40)
        store.add_object(tree)
        return tree.id

    with _crafted(absent, tmp_path / "absent") as url:
        after = run(make_source("git", {"url": url, "ref": "main"}))

    assert (after.state, after.problem) == (RunState.FAILED, "not_understood")


def test_every_error_of_the_git_library_is_told_in_words():
    from dulwich import errors

    about_here = {errors.CommitError, errors.HookError, errors.NoIndexPresent, errors.WorkingTreeModifiedError}
    theirs = {one for one in vars(errors).values() if isinstance(one, type) and issubclass(one, Exception)}

    assert [one for one in theirs - about_here if not issubclass(one, git._their_errors())] == []


@pytest.mark.parametrize("limit", ["LARGEST_OBJECT", "LARGEST_TOTAL"])
def test_a_pack_that_unpacks_to_too_much_is_not_unpacked(limit, tmp_path, make_source, run, monkeypatch):
    from dulwich.object_store import DiskObjectStore

    unpacked = []
    real = DiskObjectStore.add_pack
    with _crafted(_one_large_file, tmp_path / "large") as url:
        source = make_source("git", {"url": url, "ref": "main"})
        monkeypatch.setattr(DiskObjectStore, "add_pack", lambda self: unpacked.append(1) or real(self))
        assert run(source).state == RunState.DONE
        monkeypatch.setattr(f"documents.sources.git_pack.{limit}", 2_000_000)
        assert run(source).problem == "too_large"

    assert len(unpacked) == 1


def test_a_delta_is_measured_by_what_it_makes():
    from io import BytesIO

    made = bytes([0xFF, 0xFF, 0xFF, 0x7F])  # 2**28 - 1 bytes
    delta = b"\x05" + made + b"\x90\x05"
    body = bytes([0x70 | len(delta)]) + b"n" * 20 + zlib.compress(delta)
    with pytest.raises(SourceFailed, match="too_large"):
        require_modest(BytesIO(b"PACK" + (2).to_bytes(4, "big") + (1).to_bytes(4, "big") + body))


@pytest.mark.parametrize(
    "url",
    [
        "ext::sh -c touch% /tmp/x", "EXT::x", "file:///etc", "ssh://git@127.0.0.1/x", "git@127.0.0.1:x", "git://127.0.0.1/x",
        "--upload-pack=touch", "-u", "/etc", "../x", "https://user:word@git.example/x", "https://git.example/x?y",
    ],
)  # fmt: skip
def test_no_other_way_into_git_is_taken(url, policies, manager):
    with pytest.raises(SourceError):
        create_source(policies, "git", Wish("x", {"url": url, "ref": "main"}), by=manager)


@pytest.mark.parametrize("ref", ["--upload-pack=x", "a..b", "/x", "a b", "a\nb", "@{-1}", "HEAD~1"])
def test_a_ref_is_a_plain_name(ref, policies, manager):
    with pytest.raises(SourceError):
        create_source(policies, "git", Wish("x", {"url": "https://git.example/x", "ref": ref}), by=manager)


# --- S3 -----------------------------------------------------------------------------------------------------


#: Loading what plays the store takes six seconds: one worker does.
one_store = pytest.mark.xdist_group("store")


@pytest.fixture(scope="module")
def store() -> Iterator[Any]:
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def bucket(store: str) -> Any:
    import boto3

    resource = boto3.resource(
        "s3", endpoint_url=store, region_name="us-east-1", aws_access_key_id="key", aws_secret_access_key="secret"
    )
    name = f"books-{time.monotonic_ns()}"
    made = resource.create_bucket(Bucket=name)
    for key in ("handbook/leave/a b+c.md", "handbook/ž.txt", "handbook/", "handbook/../up.md", "other/x.md"):
        made.put_object(Key=key, Body=f"About {key}".encode())
    return made


@one_store
def test_a_bucket_is_read_by_prefix_and_again_only_where_it_changed(bucket, store, make_source, policies, run):
    options = {
        "endpoint": store,
        "bucket": bucket.name,
        "prefix": "handbook/",
        "access_key": "key",
        "region": "us-east-1",
    }
    source = make_source("s3", options, secret="secret")

    assert run(source, RunKind.TEST).state == RunState.DONE
    first = run(source)
    bucket.put_object(Key="handbook/ž.txt", Body=b"Changed")
    bucket.Object("handbook/leave/a b+c.md").delete()
    second = run(source)

    assert _paths(policies) == ["handbook/leave/a b+c.md", "handbook/up.md", "handbook/ž.txt"]
    assert (first.added, second.changed, second.unchanged, second.held) == (3, 1, 1, 1)
    assert Version.objects.get(document__path="handbook/ž.txt", number=2).size == 7


@one_store
def test_a_bucket_is_listed_page_after_page(bucket, store, monkeypatch):
    for number in range(7):
        bucket.put_object(Key=f"many/{number}.md", Body=b"x")
    options = {"endpoint": store, "bucket": bucket.name, "prefix": "many/", "access_key": "key", "region": "us-east-1"}
    monkeypatch.setattr(CONNECTORS["s3"], "_page", _three_a_page(CONNECTORS["s3"]._page))

    with CONNECTORS["s3"](options, secret="secret") as connector:
        listing = connector.list()

    assert [entry.path for entry in listing.entries] == [f"{number}.md" for number in range(7)]
    assert listing.complete


def _three_a_page(real: Any) -> Any:
    return lambda self, after, *, most: real(self, after, most=3)


@one_store
def test_a_bucket_that_is_not_there_is_named(store, make_source, run):
    options = {"endpoint": store, "bucket": "nowhere", "prefix": "", "access_key": "key", "region": "us-east-1"}

    after = run(make_source("s3", options, secret="secret"))

    assert (after.state, after.problem) == (RunState.FAILED, "missing")


def test_the_signature_is_the_one_that_the_makers_library_gives():
    from botocore.auth import S3SigV4Auth
    from botocore.awsrequest import AWSRequest
    from botocore.credentials import Credentials

    url = "https://s3.example/books?list-type=2&max-keys=9&prefix=a%2Fb%20%C5%BE&continuation-token=1%2B%2F%3D"
    at = datetime.now(UTC)
    ours = signed(
        fetch.Outgoing("GET", fetch.target_of(url), {}, b""),
        access_key="AKEY", secret="s3cr3t", region="eu-central-1", at=at,
    )  # fmt: skip
    theirs = AWSRequest(method="GET", url=url)
    theirs.headers["x-amz-content-sha256"] = hashlib.sha256(b"").hexdigest()
    theirs.context["timestamp"] = at.strftime("%Y%m%dT%H%M%SZ")
    auth = S3SigV4Auth(Credentials("AKEY", "s3cr3t"), "s3", "eu-central-1")
    theirs.headers["X-Amz-Date"] = theirs.context["timestamp"]
    expected = auth.signature(auth.string_to_sign(theirs, auth.canonical_request(theirs)), theirs)

    assert ours["authorization"].endswith(f"Signature={expected}")


def test_what_a_connector_is_told_of_its_secret_shows_nowhere():
    outgoing = fetch.Outgoing("GET", fetch.target_of("https://a.example/"), {}, b"marker")

    assert "marker" not in repr(outgoing)
    assert "marker" not in repr(Wish("x", {}, secret="marker"))
    assert "marker" not in str(SourceFailed("denied", host="a.example", status=403))
