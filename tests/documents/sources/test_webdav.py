"""WebDAV against wsgidav over a real folder, and against a server that says what no server should."""

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, make_server

import pytest

from documents.models import Document, RunKind, RunState
from documents.sources import webdav
from tests.documents.sources.servers import serving

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("root")]


class _Quiet(WSGIRequestHandler):
    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """The address of a share with a password, and the folder it shows."""
    from wsgidav.wsgidav_app import WsgiDAVApp

    place = tmp_path / "cloud"
    (place / "Rules" / "Leave 2026 & more").mkdir(parents=True)
    (place / "Rules" / "travel.md").write_text("# Travel")
    (place / "Rules" / "Leave 2026 & more" / "odsustvo č 100%.md").write_text("# Leave")
    (place / "Rules" / ".hidden.md").write_text("x")
    (place / "beside.md").write_text("not below")
    app = WsgiDAVApp(
        {
            "provider_mapping": {"/dav": {"root": str(place), "readonly": True}},
            "http_authenticator": {"accept_basic": True, "accept_digest": False, "default_to_digest": False},
            "simple_dc": {"user_mapping": {"*": {"reader": {"password": "marker-word"}}}},
            "verbose": 0,
            "logging": {"enable": False},
        }
    )
    server = make_server("127.0.0.1", 0, app, handler_class=_Quiet)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/dav/Rules", place / "Rules"
    server.shutdown()
    server.server_close()


def _paths() -> list[str]:
    return sorted(Document.objects.filter(deleted_at=None).values_list("path", flat=True))


def test_a_share_is_read_folder_by_folder_and_again_only_where_it_changed(cloud, make_source, run):
    url, place = cloud
    source = make_source("webdav", {"url": url, "username": "reader"}, secret="marker-word", max_removed_percent=100)

    assert run(source, RunKind.TEST).state == RunState.DONE
    first = run(source)
    (place / "travel.md").write_text("# Travel, changed")
    (place / "Leave 2026 & more" / "odsustvo č 100%.md").unlink()
    second = run(source)

    assert (first.added, second.changed, second.removed) == (2, 1, 1)
    assert _paths() == ["handbook/travel.md"]
    deleted = Document.objects.get(deleted_at__isnull=False)
    assert deleted.path == "handbook/Leave 2026 & more/odsustvo č 100%.md"


def test_a_wrong_password_is_named(cloud, make_source, run):
    after = run(make_source("webdav", {"url": cloud[0], "username": "reader"}, secret="other"))

    assert (after.state, after.problem) == (RunState.FAILED, "denied")


# --- A server that is none ----------------------------------------------------------------------------------


def _answer(*rows: str) -> tuple[int, dict[str, str], str]:
    body = "".join(rows)
    return 207, {"content-type": "application/xml"}, f'<d:multistatus xmlns:d="DAV:">{body}</d:multistatus>'


def _row(href: str, *, folder: bool = False, etag: str = '"1"') -> str:
    kind = "<d:collection/>" if folder else ""
    props = f"<d:resourcetype>{kind}</d:resourcetype><d:getetag>{etag}</d:getetag>"
    return f"<d:response><d:href>{href}</d:href><d:propstat><d:prop>{props}</d:prop></d:propstat></d:response>"


@pytest.mark.parametrize(
    ("href", "taken"),
    [
        ("/dav/a.md", True),
        ("http://other.example/dav/a.md", True),  # the host is passed over: the path is asked of the one we know
        ("/etc/a.md", False),
        ("/dav/../etc/a.md", False),
        ("/dav/%2e%2e/a.md", False),
        ("/dav/below/a.md", False),
        ("/dav/a%00b.md", False),
        ("/dav/%ff.md", False),
        ("/dav/..", False),
        ("", False),
    ],
)
def test_only_what_lies_in_the_folder_that_was_asked_about_is_listed(href, taken, make_source, run):
    with serving({"/dav/": _answer(_row("/dav/", folder=True), _row(href)), "/dav/a.md": "# A"}) as site:
        after = run(make_source("webdav", {"url": site.url("/dav/"), "username": ""}))

        assert (after.state, after.added, after.complete) == (RunState.DONE, int(taken), taken)
        assert {path for _method, path, _headers in site.asked} <= {"/dav/", "/dav/a.md"}


@pytest.mark.parametrize(
    ("base", "inside", "state"),
    [
        ("/DAV/", "/DAV/in/", RunState.FAILED),  # in other letters
        ("/proxied/dav/", "/proxied/dav/in/", RunState.FAILED),  # at another place than the one that was asked
        ("/dav/", "/dav/IN/", RunState.DONE),
        ("/dav", "/dav/./in/", RunState.DONE),
        ("/dav/", "/proxied/dav/in/", RunState.DONE),
    ],
)
def test_a_folder_spelled_in_another_way_keeps_its_documents(base, inside, state, make_source, run):
    pages: dict[str, Any] = {
        "/dav/": _answer(_row("/dav/", folder=True), _row("/dav/in/", folder=True)),
        "/dav/in/": _answer(_row("/dav/in", folder=True), _row("/dav/in/a.md")),
        "/dav/in/a.md": "# A",
    }
    with serving(pages) as site:
        source = make_source("webdav", {"url": site.url("/dav/"), "username": ""}, max_removed_percent=100)
        assert (run(source).added, run(source).complete) == (1, True)
        pages["/dav/"] = _answer(
            _row(base, folder=True), _row("/dav/in/" if inside == "/dav/IN/" else inside, folder=True)
        )
        pages["/dav/in/"] = _answer(_row(inside, folder=True), _row(f"{inside}a.md"))
        after = run(source)

    assert (after.state, after.removed) == (state, 0)
    assert after.problem == "not_understood" if state == RunState.FAILED else not after.complete
    assert _paths() == ["handbook/in/a.md"]


def test_folders_that_hold_themselves_come_to_an_end(make_source, run, monkeypatch):
    monkeypatch.setattr(webdav, "MAX_DEPTH", 5)

    class Deeper(dict[str, Any]):
        def get(self, path: str, default: Any = None) -> Any:
            return _answer(_row(path, folder=True), _row(f"{path}a/", folder=True)) if path.endswith("/") else default

    with serving(Deeper()) as site:
        after = run(make_source("webdav", {"url": site.url("/dav/"), "username": ""}))

        assert (after.state, after.complete, len(site.asked)) == (RunState.DONE, False, 5)


def test_a_folder_that_does_not_answer_keeps_its_documents(make_source, run):
    pages: dict[str, Any] = {
        "/dav/": _answer(_row("/dav/", folder=True), _row("/dav/in/", folder=True)),
        "/dav/in/": _answer(_row("/dav/in/", folder=True), _row("/dav/in/a.md")),
        "/dav/in/a.md": "# A",
    }
    with serving(pages) as site:
        source = make_source("webdav", {"url": site.url("/dav/"), "username": ""}, max_removed_percent=100)
        run(source)
        pages["/dav/in/"] = (500, {}, "")
        after = run(source)

    assert (after.complete, after.removed, after.problems[0]["code"]) == (False, 0, "status")
    assert _paths() == ["handbook/in/a.md"]


@pytest.mark.parametrize(
    "page",
    [(200, {}, "<html/>"), (207, {}, "<html/>"), (207, {}, "{"), (207, {}, '<!DOCTYPE x [<!ENTITY a "b">]><x>&a;</x>')],
)
def test_what_does_not_speak_the_protocol_is_named(page, make_source, run):
    with serving({"/dav/": page}) as site:
        after = run(make_source("webdav", {"url": site.url("/dav/"), "username": ""}))

    assert (after.state, after.problem) == (RunState.FAILED, "not_understood")
