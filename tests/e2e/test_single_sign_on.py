"""Single sign-on in a real browser, between a portal and a provider that are processes of their own."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests import oidc_provider
from tests.oidc_provider import Provider
from tests.portal import Portal

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("single-sign-on")]
BOTH = {"groups": ["readers", "reviewers"], "preferred_username": "ada"}


@pytest.fixture(scope="module")
def portal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Portal]:
    """A portal of its own, whose settings name the provider, with one workspace and two rules."""
    portal = Portal(tmp_path_factory.mktemp("portal"))
    with oidc_provider.running(f"{portal.url}/sign-in/with/oidc/login/callback/") as provider:
        portal.provider = provider
        portal.extra = {
            "INLOCK_OIDC_ISSUER": provider.issuer,
            "INLOCK_OIDC_NAME": "our directory",
            "INLOCK_OIDC_CLIENT_ID": oidc_provider.CLIENT_ID,
            "INLOCK_OIDC_CLIENT_SECRET": oidc_provider.CLIENT_SECRET,
        }
        made = portal.run("workspace", "create", "policies", "--name", "Policies", "--manager", "manager")
        assert made.returncode == 0, made.stderr
        portal.start()
        _add_rule(portal, "readers", "member")
        _add_rule(portal, "reviewers", "reviewer")
        yield portal
        portal.stop()


@pytest.fixture
def provider(portal: Portal) -> Provider:
    return portal.provider


@pytest.fixture
def context(portal: Portal, browser: Browser) -> Iterator[BrowserContext]:
    """One person's browser, which fails on a script error or a refusal of the content security policy."""
    faults: list[str] = []
    context = browser.new_context(base_url=portal.url, viewport={"width": 1280, "height": 900})
    context.set_default_timeout(30_000)
    context.on("weberror", lambda error: faults.append(str(error.error)))
    context.on("console", lambda line: faults.append(line.text) if "Content Security Policy" in line.text else None)
    yield context
    context.close()
    assert faults == []


def _add_rule(portal: Portal, claim: str, role: str) -> None:
    rules, models = "__import__('workspaces.claim_rules').claim_rules", "__import__('workspaces.models').models"
    workspace = f"{models}.Workspace.objects.get(slug='policies')"
    made = f"{rules}.add_rule(provider='oidc', claim={claim!r}, workspace={workspace}, role={role!r}, by=None)"
    assert portal.evaluate(f"str({made}.pk)")


def _sign_in(page: Page, subject: str) -> None:
    page.goto("/sign-in/")
    page.click("button:has-text('Sign in with our directory')")
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
    provider.spoil()
