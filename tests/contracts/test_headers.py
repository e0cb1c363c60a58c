"""Every answer of every address carries the headers that keep a page at home, and no page needs them weaker."""

import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from inlock.headers import ADMIN_POLICY, PERMISSIONS, PORTAL_POLICY
from tests.answers.review_scene import a_held_answer

ROOT = Path(__file__).resolve().parent.parent.parent
ARGUMENT = re.compile(r"<(?:\w+:)?(\w+)>")
#: Data in a script element runs nothing.
INLINE = re.compile(
    r"<script(?![^>]*(?:\bsrc=|\btype=\"application/json\"))|<style|\sstyle\s*=|\son[a-z]+\s*=\s*[\"']|javascript:",
    re.IGNORECASE,
)


def _patterns(resolver: URLResolver, route: str = "", app: str = "") -> Iterator[tuple[str, str, URLPattern]]:
    for entry in resolver.url_patterns:
        if isinstance(entry, URLResolver):
            yield from _patterns(entry, route + str(entry.pattern), entry.app_name or app)
        else:
            yield route + str(entry.pattern), app, entry


PATTERNS = list(_patterns(get_resolver()))
DEEP = bool(os.environ.get("INLOCK_DEEP"))
#: part → who goes there in turn, until somebody is not refused; with `make deep` everybody goes everywhere.
VISITORS = {"portal": ["manager", "reviewer", "superuser"], "admin": ["superuser", "reviewer"]}
EVERYBODY = ["manager", "reviewer", "member", "auditor", "admin", "superuser", "stranger"]
REFUSED = {403, 404}


@pytest.fixture
def scene(policies: Any, member: Any) -> dict[str, str]:
    """What the names in an address stand for: rows that exist."""
    draft = a_held_answer(policies, member)
    citation = draft.answer.citations.get(number=1)
    return {
        "answers": str(draft.answer_id),
        "documents": str(citation.document_id),
        "draft": str(draft.pk),
        "version": str(citation.version_id),
    }


def _address(route: str, app: str, scene: dict[str, str]) -> str:
    known = {"slug": "policies", "number": "1", "version": scene["version"], "object_id": scene["draft"]}
    known["pk"] = scene.get(app, scene["draft"])
    plain = re.sub(r"\(\?P<\w+>[^)]*\)", "x", route).replace("^", "").replace("$", "").replace("\\Z", "")
    return "/" + ARGUMENT.sub(lambda name: known.get(name[1], "x"), plain)


def _assert_kept_at_home(response: HttpResponse, address: str) -> None:
    headers = response.headers
    policy = headers["Content-Security-Policy"]
    if address.startswith("/admin/"):
        assert policy == ADMIN_POLICY
    elif "attachment" not in headers.get("Content-Disposition", ""):
        assert policy == PORTAL_POLICY
    assert headers["Permissions-Policy"] == PERMISSIONS
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"
    assert {"private", "no-store"} <= {part.strip() for part in headers["Cache-Control"].split(",")}
    assert "Access-Control-Allow-Origin" not in headers


def test_the_sweep_sees_portal_and_admin():
    routes = {route for route, _app, _pattern in PATTERNS}

    assert len(routes) > 60
    assert {"admin/answers/draft/", "w/<slug:slug>/documents/"} <= routes


def _look(client: Client, address: str) -> int:
    """Open the address and check what comes; the status."""
    client.raise_request_exception = False
    response = client.get(address)
    _assert_kept_at_home(response, address)
    if not address.startswith("/admin/") and "html" in response.headers.get("Content-Type", ""):
        assert INLINE.findall(response.content.decode()) == [], address
    return response.status_code


@pytest.mark.parametrize("part", VISITORS)
def test_every_answer_keeps_the_browser_at_home(part, request, scene, client_of, break_glass, policies):
    break_glass(policies)  # to the superuser every page opens
    people = {who: request.getfixturevalue(who) for who in (EVERYBODY if DEEP else VISITORS[part])}
    clients = {who: client_of(person) for who, person in people.items()}
    seen: set[int] = set()

    for route, app, _pattern in PATTERNS:
        address = _address(route, app, scene)
        if address.startswith("/admin/") is not (part == "admin"):
            continue
        for who in people:
            status = _look(clients[who], address)
            seen.add(status)
            if address == "/sign-out/":
                clients[who] = client_of(people[who])
            if status not in REFUSED and not DEEP:
                break

    assert 500 not in seen
    assert {200, 302, *REFUSED} <= seen


def test_what_nobody_is_answered_keeps_the_browser_at_home_too(scene):
    seen = {_look(Client(), _address(route, app, scene)) for route, app, _pattern in PATTERNS}

    assert 500 not in seen
    assert {200, 302} <= seen


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("address", "status"), [("/nowhere/", 404), ("/w/x%00y/", 400), ("/sign-in", 301), ("/admin/nowhere/", 404)]
)
def test_answers_that_reach_no_view_carry_them_too(address, status, client_of, admin):
    client = client_of(admin)

    response = client.get(address)

    assert response.status_code == status
    _assert_kept_at_home(response, address)


@pytest.mark.django_db
def test_a_host_name_that_is_not_ours_gets_them_too():
    response = Client().get("/sign-in/", headers={"host": "evil.example"})

    assert response.status_code == 400
    assert "default-src 'none'" in response.headers["Content-Security-Policy"]


@pytest.mark.django_db
def test_static_files_may_be_cached_and_are_kept_at_home_all_the_same():
    response = Client().get("/static/js/ask.js")

    assert response.status_code == 200
    assert "no-store" not in response.headers["Cache-Control"]
    assert response.headers["Content-Security-Policy"] == PORTAL_POLICY
    assert response.headers["X-Content-Type-Options"] == "nosniff"


def test_a_stream_of_an_answer_is_not_cached(scene, client_of, member):
    response = client_of(member).get(f"/w/policies/answers/{scene['answers']}/events/")

    assert response.headers["Content-Type"] == "text/event-stream"
    _assert_kept_at_home(response, "/w/")


def test_the_portal_allows_nothing_inline_and_the_admin_no_inline_script():
    assert "unsafe" not in PORTAL_POLICY
    assert "'unsafe-inline'" not in re.search(r"script-src [^;]*", ADMIN_POLICY)[0]
    assert "http" not in ADMIN_POLICY + PORTAL_POLICY
    assert "*" not in ADMIN_POLICY + PORTAL_POLICY


def _without_comments(template: Path) -> str:
    return re.sub(r"{%\s*comment.*?endcomment\s*%}", "", template.read_text(), flags=re.DOTALL)


def _is_forbidden_in(template: Path) -> Callable[[str], bool]:
    """A mail program loads no stylesheet of ours: there, and only there, an element says itself how it looks."""
    return lambda found: template.parent.name != "mail" or found.strip().lower() != "style="


def test_no_template_of_ours_has_an_inline_script_style_or_handler():
    faults = {
        str(file.relative_to(ROOT)): found
        for file in sorted((ROOT / "templates").rglob("*.html"))
        if (found := [*filter(_is_forbidden_in(file), INLINE.findall(_without_comments(file)))])
    }

    assert faults == {}


def test_a_page_with_an_inline_script_would_be_found():
    """The counter-proof of the search itself."""
    for page in ("<script>x</script>", "<p style='a'>", '<p onclick="x">', "<style>", "<a href='javascript:x'>"):
        assert INLINE.search(page), page
    assert not INLINE.search('<script src="/static/x.js"></script><p class="style">on = off</p>')
    assert not INLINE.search('<script id="x" type="application/json">{}</script>')
