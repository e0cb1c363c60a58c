"""P10, for sources: the portal fetches only where the operator allows, whatever a manager types or a server answers.

Each form goes through the real ways in, setting a source up and running it, with every kind that takes an address,
beside a server on loopback that must not be reached.
"""

import json
import socket
from pathlib import Path
from typing import Any

import pytest

from documents import fetch
from documents.exceptions import SourceError, SourceFailed
from documents.fetch import Fetcher
from documents.models import RunKind, RunState, Source
from documents.sources import sync
from documents.sources.keeping import Wish, ask_run, create_source
from tests.documents.sources.servers import PUBLIC, serving, tell_names
from workspaces import hosts

pytestmark = pytest.mark.django_db

INSIDE = [
    *Path(__file__).with_name("addresses_inside.txt").read_text(encoding="utf-8").split(),
    "http://127.0.0.1:{p}/v1\r\nHost: good.example",
    "http://127.0.0.1 :{p}/v1",
    " http://127.0.0.1:{p}/v1",
    "http://127.0.0.1\t:{p}/v1",
    "http://loca\nlhost:{p}/v1",
    "http://localhost\xad:{p}/v1",
    "http://\u202elocalhost:{p}/v1",
    "http://127.0.0.1:{p}/sitemap.xml",
    "http://127.0.0.1:{p}/?x=http://good.example/",
    "file:///etc/passwd",
    "ftp://127.0.0.1:{p}/x",
    "gopher://127.0.0.1:{p}/_x",
    "unix:///var/run/x.sock",
    "//127.0.0.1:{p}/x",
    "http:/127.0.0.1:{p}/x",
    "http:127.0.0.1:{p}/x",
]

#: Every kind that takes an address, and its options with one.
WITH_ADDRESS: dict[str, Any] = {
    "website": lambda url: {"url": url, "pages": 5, "depth": 1},
    "feed": lambda url: {"url": url},
    "git": lambda url: {"url": url, "ref": "main"},
    "webdav": lambda url: {"url": url, "username": ""},
    "azure": lambda url: {"endpoint": url, "account": "books", "container": "books", "prefix": ""},
    "s3": lambda url: {"endpoint": url, "bucket": "books", "region": "us-east-1", "prefix": "", "access_key": ""},
}


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[list[str]]]:
    return tell_names(monkeypatch)


def _run(source: Source, by: Any) -> Any:
    run = ask_run(source, RunKind.SYNC, by=by)
    sync.work(run.pk)
    run.refresh_from_db()
    return run


def _forced(workspace: Any, by: Any, kind: str, url: str) -> Source:
    """A source with that address, whatever saving would have said."""
    source, _made = Source.objects.update_or_create(
        workspace=workspace, name=kind, folder=kind,
        defaults={"kind": kind, "options": WITH_ADDRESS[kind](url), "owner": by, "created_by": by},
    )  # fmt: skip
    return source


def test_there_are_enough_forms():
    assert len(set(INSIDE)) >= 120


@pytest.mark.parametrize("kind", WITH_ADDRESS)
def test_no_form_reaches_into_the_network_when_any_public_host_is_allowed(kind, policies, manager, settings):
    settings.SOURCE_HOSTS = ["*", "good.example"]
    with serving() as canary:
        for number, form in enumerate(INSIDE):
            url = form.replace("{p}", str(canary.port))
            try:
                wish = Wish(f"x{number}", WITH_ADDRESS[kind](url))
                saved = create_source(policies, kind, wish, by=manager)
            except SourceError:
                saved = None
            with pytest.raises(SourceFailed):
                _reach(kind, url)
            if saved is not None:
                # A name that nobody knows here may be saved: it is looked up again before each connection.
                assert hosts.literal_address(fetch.target_of(url).host) is None, form
                assert _run(saved, manager).state == RunState.FAILED, form

        assert canary.connections == 0


def _reach(kind: str, url: str) -> None:
    """List a source with that address as a run does, without what saving and starting check before."""
    from documents.sources import CONNECTORS

    with CONNECTORS[kind](WITH_ADDRESS[kind](url)) as connector:
        connector.test()
        connector.list(most=5)


@pytest.mark.parametrize("kind", WITH_ADDRESS)
def test_a_host_that_is_not_listed_is_refused_however_public(kind, policies, manager, settings, names):
    settings.SOURCE_HOSTS = ["docs.example"]
    names["other.example"] = [[PUBLIC]]

    with pytest.raises(SourceError, match="list of hosts"):
        create_source(policies, kind, Wish("x", WITH_ADDRESS[kind]("https://other.example/x")), by=manager)
    assert _run(_forced(policies, manager, kind, "https://other.example"), manager).problem == "host_unlisted"


@pytest.mark.parametrize("kind", WITH_ADDRESS)
@pytest.mark.parametrize("second", ["127.0.0.1", "169.254.169.254", "::ffff:127.0.0.1"])
def test_a_name_that_changes_its_address_after_the_check_gets_nowhere(kind, second, policies, manager, settings, names):
    settings.SOURCE_HOSTS = ["rebinds.example"]
    with serving() as canary:
        names["rebinds.example"] = [[second]]
        source = _forced(policies, manager, kind, f"http://rebinds.example:{canary.port}")

        assert _run(source, manager).problem == "host_inside"
        assert canary.connections == 0


def test_the_address_that_was_checked_is_the_one_that_is_connected_to(settings, names, monkeypatch):
    settings.SOURCE_HOSTS = ["rebinds.example"]
    names["rebinds.example"] = [[PUBLIC], ["127.0.0.1"]]
    asked = []

    def refuse(address: Any, *_args: Any, **_options: Any) -> Any:
        asked.append(address)
        raise OSError("nothing answers")

    monkeypatch.setattr(socket, "create_connection", refuse)
    with Fetcher() as fetcher, pytest.raises(SourceFailed, match="unreachable"):
        fetcher.get("https://rebinds.example/")

    assert asked == [(PUBLIC, 443)]


@pytest.mark.parametrize("addresses", [[PUBLIC, "127.0.0.1"], ["127.0.0.1", PUBLIC], [PUBLIC, "fd00::1"]])
def test_a_name_with_one_address_outside_and_one_inside_is_refused(addresses, settings, names):
    settings.SOURCE_HOSTS = ["both.example"]
    names["both.example"] = [addresses]

    with Fetcher() as fetcher, pytest.raises(SourceFailed, match="host_inside"):
        fetcher.get("https://both.example/")


@pytest.mark.parametrize("kind", WITH_ADDRESS)
def test_a_listed_server_that_points_inside_is_not_followed(kind, policies, manager, settings):
    settings.SOURCE_HOSTS = ["127.0.0.1/32"]
    with serving() as inside, serving() as outside:
        # The operator opened one address; another on the same machine stands for the network inside.
        target = f"http://127.0.0.2:{inside.port}/x"
        moved = (302, {"location": target}, b"")

        class Everything(dict[str, Any]):
            def get(self, path: str, default: Any = None) -> Any:
                return default if path == "/robots.txt" else moved

        outside.pages = Everything()
        run = _run(_forced(policies, manager, kind, outside.url("")), manager)

        # A request with a body follows nowhere at all.
        assert (run.state, run.problem) == (RunState.FAILED, "redirected" if kind == "webdav" else "host_unlisted")
        assert outside.connections >= 1
        assert inside.connections == 0


def test_what_a_feed_and_a_page_list_is_asked_about_like_an_address_of_their_own(policies, manager, settings):
    settings.SOURCE_HOSTS = ["127.0.0.1/32"]
    with serving() as inside, serving() as outside:
        forms = [form.replace("{p}", str(inside.port)).replace("127.0.0.1", "127.0.0.2") for form in INSIDE]
        elsewhere = [form for form in forms if "127.0.0.2" in form or "localhost" in form]
        items = [{"id": str(n), "url": form, "name": f"{n}.md"} for n, form in enumerate(elsewhere)]
        outside.pages["/list"] = json.dumps({"items": items})
        anchors = "".join(f'<a href="{form}">x</a>' for form in elsewhere)
        page = f"<html><body><main>Here. {anchors}</main></body></html>"
        outside.pages["/"] = (200, {"content-type": "text/html"}, page)

        fed = _run(_forced(policies, manager, "feed", outside.url("/list")), manager)
        crawled = _run(_forced(policies, manager, "website", outside.url("/")), manager)

        assert fed.added == 0
        assert fed.state == crawled.state == RunState.DONE
        assert inside.connections == 0


def test_no_proxy_of_the_environment_is_asked(settings, names, monkeypatch):
    settings.SOURCE_HOSTS = ["docs.example"]
    names["docs.example"] = [["127.0.0.1"]]
    with serving() as canary:
        for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
            monkeypatch.setenv(name, canary.url(""))
        with Fetcher() as fetcher, pytest.raises(SourceFailed):
            fetcher.get("http://docs.example/")

        assert canary.connections == 0


@pytest.mark.parametrize("kind", WITH_ADDRESS)
def test_without_the_check_the_canary_is_hit(kind, policies, manager, settings, monkeypatch):
    """The counter-proof: what keeps the forms out is the check of addresses, and nothing else."""
    settings.SOURCE_HOSTS = ["*"]
    monkeypatch.setattr(hosts.HostList, "require_addresses", lambda self, found, target, **_: found[0])
    with serving() as canary:
        _run(_forced(policies, manager, kind, canary.url("")), manager)

        assert canary.connections >= 1
