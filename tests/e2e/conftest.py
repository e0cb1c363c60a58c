"""One portal for all browser tests, filled by `demo`, and a browser that looks at it."""

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


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> tuple[Portal, dict[str, Any]]:
    """A portal that `demo` filled, not yet serving, and what `demo` printed."""
    portal = Portal(tmp_path_factory.mktemp("portal"), INLOCK_SWEEP_SECONDS="2", INLOCK_LEASE_SECONDS="6")
    finished = portal.run("demo", "--no-serve", "--json")
    assert finished.returncode == 0, finished.stdout + finished.stderr
    return portal, json.loads(finished.stdout)


@pytest.fixture(scope="session")
def portal(demo: tuple[Portal, dict[str, Any]], provider_process: Provider) -> Iterator[Portal]:
    """The same portal, serving, with an identity provider beside it."""
    portal, _printed = demo
    provider_process.serves(portal.url)
    portal.extra |= {
        "INLOCK_OIDC_ISSUER": provider_process.issuer,
        "INLOCK_OIDC_NAME": "our directory",
        "INLOCK_OIDC_CLIENT_ID": oidc_provider.CLIENT_ID,
        "INLOCK_OIDC_CLIENT_SECRET": oidc_provider.CLIENT_SECRET,
    }
    portal.start()
    yield portal
    portal.stop()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """For a module: while it is in use, Playwright's event loop runs in this thread."""
    with chromium() as browser:
        yield browser


@pytest.fixture
def signed_in(portal: Portal, browser: Browser) -> Iterator[Callable[[str], Page]]:
    """signed_in("member") → a page of that person's own browser, which fails on a script error or a foreign request."""
    contexts, faults = [], []

    def sign_in(username: str) -> Page:
        context = browser.new_context(base_url=portal.url, viewport={"width": 1280, "height": 900})
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(20_000)
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("request", lambda request: faults.append(request.url) if _is_foreign(request.url) else None)
        page.goto("/sign-in/")
        page.fill("[name=username]", username)
        page.fill("[name=password]", PASSWORD)
        page.press("[name=password]", "Enter")
        page.wait_for_url(re.compile(r"^(?!.*sign-in)"))
        return page

    def _is_foreign(url: str) -> bool:
        return not url.startswith((portal.url, "data:", "blob:"))

    yield sign_in
    for context in contexts:
        context.close()
    assert faults == []
