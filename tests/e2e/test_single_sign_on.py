"""Single sign-on in a real browser, between a portal and a provider that are processes of their own."""

import re
from collections.abc import Iterator

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.e2e.conftest import PASSWORD, WINDOW
from tests.oidc_provider import Provider
from tests.portal import Portal

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("portal")]
BOTH = {"groups": ["readers", "reviewers"], "preferred_username": "ada"}


@pytest.fixture
def provider(portal: Portal, provider_process: Provider) -> Iterator[Provider]:
    provider_process.spoil()
    yield provider_process
    provider_process.spoil()


@pytest.fixture
def context(portal: Portal, browser: Browser) -> Iterator[BrowserContext]:
    """One person's browser, which fails on a script error or a refusal of the content security policy."""
    faults: list[str] = []
    context = browser.new_context(base_url=portal.url, **WINDOW)
    context.set_default_timeout(30_000)
    context.on("weberror", lambda error: faults.append(str(error.error)))
    context.on("console", lambda line: faults.append(line.text) if "Content Security Policy" in line.text else None)
    yield context
    context.close()
    assert faults == []


def _sign_in(page: Page, subject: str) -> None:
    page.goto("/sign-in/")
    page.click("button:has-text('Sign in with our directory')")
    _answer_the_provider(page, subject)


def _answer_the_provider(page: Page, subject: str) -> None:
    page.wait_for_url(re.compile(r"/authorize\?"))
    page.fill("[name=subject]", subject)
    page.click("button")


def test_groups_open_a_workspace_and_their_end_closes_it_on_a_page_that_is_open(
    portal: Portal, provider: Provider, context: BrowserContext, browser: Browser
) -> None:
    provider.knows({"ada": BOTH})
    page = context.new_page()
    _sign_in(page, "ada")
    page.wait_for_url(re.compile(rf"^{portal.url}/(?!sign-in)"))

    page.goto("/w/policies/ask/")
    expect(page.locator("textarea")).to_be_visible()
    page.goto("/admin/answers/draft/")
    expect(page.locator("h1, h2").first).to_be_visible()
    assert "/admin/answers/draft/" in page.url

    # Another sign-in of the same person, after the directory took both groups away.
    provider.knows({"ada": {"groups": [], "preferred_username": "ada"}})
    other = browser.new_context(base_url=portal.url)
    _sign_in(other.new_page(), "ada")
    other.pages[0].wait_for_url(re.compile(rf"^{portal.url}/(?!sign-in)"))
    other.close()

    assert page.reload().status == 404
    assert page.goto("/w/policies/ask/").status == 404
    assert page.goto("/account/").status == 200


def test_a_forged_token_leaves_the_browser_outside(portal: Portal, provider: Provider, context: BrowserContext) -> None:
    provider.knows({"ada": BOTH})
    provider.spoil(key="foreign")
    page = context.new_page()

    _sign_in(page, "ada")

    expect(page.get_by_text("could not be verified")).to_be_visible()
    page.goto("/account/")
    assert "/sign-in/" in page.url


def test_a_person_links_their_account_signs_out_in_both_places_and_is_signed_out_from_there(
    portal: Portal, provider: Provider, context: BrowserContext
) -> None:
    provider.knows({"bea": {}})
    page = context.new_page()
    page.goto("/sign-in/")
    page.fill("[name=username]", "bea")
    page.fill("[name=password]", PASSWORD)
    page.press("[name=password]", "Enter")
    page.wait_for_url(re.compile(rf"^{portal.url}/(?!sign-in)"))

    page.goto("/account/")
    page.click("button:has-text('Link')")
    page.fill("[name=password]", PASSWORD)
    page.click("button:has-text('Continue')")
    _answer_the_provider(page, "bea")
    expect(page.get_by_text("Your account is linked")).to_be_visible()

    page.goto("/sign-out/")
    page.click("main button:has-text('Sign out')")
    page.wait_for_url(f"{portal.url}/sign-in/")
    _sign_in(page, "bea")
    page.wait_for_url(re.compile(rf"^{portal.url}/(?!sign-in)"))
    page.goto("/sign-out/")
    with page.expect_request(re.compile(r"/end-session\?.*id_token_hint=")):
        page.click("main button:has-text('Sign out')")
    page.wait_for_url(f"{portal.url}/sign-in/")

    _sign_in(page, "bea")
    page.wait_for_url(re.compile(rf"^{portal.url}/(?!sign-in)"))
    told = provider.logout_token(claims={"sub": "bea"})
    assert httpx.post(f"{portal.url}/sign-in/with/oidc/logout/", data={"logout_token": told}).status_code == 200
    page.goto("/account/")
    assert "/sign-in/" in page.url
