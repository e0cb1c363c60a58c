"""One portal for all tests that want a serving one, filled by `demo`, and a browser that looks at it."""

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from tests import oidc_provider
from tests.browsing import chromium
from tests.oidc_provider import Provider
from tests.portal import Portal

PASSWORD = "inlock-demo-only"
#: Nothing moves: what turns and slides is drawn sixty times a second, and proves nothing.
WINDOW: dict[str, Any] = {"viewport": {"width": 1280, "height": 900}, "reduced_motion": "reduce"}
#: Accounts that no other journey uses. A second factor that one journey sets up would meet the next.
UNUSED = [f"person-{number}" for number in range(1, 9)]
#: The demo as a person types it, and in the same process, which takes two seconds to start, who else there is:
#: a superuser without any role, people of no workspace, and what the provider's groups give.
FILL = f"""
from django.core.management import call_command
from workspaces import claim_rules, members
from workspaces.models import User, Workspace

call_command("demo", "--no-serve", "--json")
for name in ("root", "bea", "second-reviewer", *{UNUSED!r}):
    members.create_user(username=name, by=None)
# Whoever edits no longer decides: with one reviewer alone there is no form to edit in.
second = User.objects.get(username="second-reviewer")
members.change_roles(Workspace.objects.get(slug="legal"), second, {{"reviewer"}}, by=None)
User.objects.filter(username="root").update(is_superuser=True)
# Theirs is the same, and to hash it takes half a second.
User.objects.filter(password__startswith="!").update(password=User.objects.get(username="member").password)
for group, role in (("readers", "member"), ("reviewers", "reviewer")):
    policies = Workspace.objects.get(slug="policies")
    claim_rules.add_rule(provider="oidc", claim=group, workspace=policies, role=role, by=None)
"""


def pytest_itemcollected(item: pytest.Item) -> None:
    """The first test also makes and starts the portal, with everything else of the run beside it."""
    item.add_marker(pytest.mark.timeout(400))


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory, provider_process: Provider) -> tuple[Portal, dict[str, Any]]:
    """A portal that `demo` filled, not yet serving, with an identity provider beside it; and what `demo` printed."""
    # Fewer connections than requests that come at once: some of every page wait for one.
    portal = Portal(tmp_path_factory.mktemp("portal"), INLOCK_WEB_CONNECTIONS="4")
    provider_process.serves(portal.url)
    portal.extra |= {
        "INLOCK_OIDC_ISSUER": provider_process.issuer,
        "INLOCK_OIDC_NAME": "our directory",
        "INLOCK_OIDC_CLIENT_ID": oidc_provider.CLIENT_ID,
        "INLOCK_OIDC_CLIENT_SECRET": oidc_provider.CLIENT_SECRET,
    }
    finished = portal.run("shell", "--verbosity", "0", "-c", FILL)
    assert finished.returncode == 0, finished.stdout + finished.stderr
    return portal, json.loads(finished.stdout)


@pytest.fixture(scope="session")
def portal(demo: tuple[Portal, dict[str, Any]]) -> Iterator[Portal]:
    """The same portal, serving."""
    portal, _printed = demo
    portal.start()
    yield portal
    # Asked to stop as by a service manager, it ends all it started, and has printed nothing but that it was ready.
    portal.stop()
    assert portal.process.returncode == 0
    assert portal.process.stdout.read() == ""
    assert portal.processes() == []


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """For a module: while it is in use, Playwright's event loop runs in this thread."""
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="session")
def sessions() -> dict[str, Any]:
    """Who has signed in, and the cookies of their session."""
    return {}


@pytest.fixture
def signed_in(portal: Portal, browser: Browser, sessions: dict[str, Any]) -> Iterator[Callable[[str], Page]]:
    """signed_in("member") → a page of that person's own browser, which fails on a script error or a foreign request.

    A session goes on where that person has one: checking a password takes half a second of processor time.
    """
    contexts, faults = [], []

    def sign_in(username: str) -> Page:
        context = browser.new_context(base_url=portal.url, storage_state=sessions.get(username), **WINDOW)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(20_000)
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("request", lambda request: faults.append(request.url) if _is_foreign(request.url) else None)
        page.goto("/")
        if "/sign-in/" in page.url:
            page.fill("[name=username]", username)
            page.fill("[name=password]", PASSWORD)
            page.press("[name=password]", "Enter")
            page.wait_for_url(re.compile(r"^(?!.*sign-in)"))
            sessions[username] = context.storage_state()
        return page

    def _is_foreign(url: str) -> bool:
        return not url.startswith((portal.url, "data:", "blob:"))

    yield sign_in
    for context in contexts:
        context.close()
    assert faults == []


@pytest.fixture(scope="session")
def _unused() -> Iterator[str]:
    return iter(UNUSED)


@pytest.fixture
def person(portal: Portal, _unused: Iterator[str]) -> str:
    """An account of the test's own, with the password `PASSWORD`, that has never signed in."""
    return next(_unused)
