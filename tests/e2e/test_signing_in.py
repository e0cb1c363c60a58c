"""Second factors in a real browser: an authenticator app, a recovery code, and a passkey on a virtual device."""

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e.conftest import PASSWORD, WINDOW
from tests.portal import Portal
from tests.workspaces.sign_in_scene import code_of

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("portal")]


@pytest.fixture
def new_page(portal: Portal, browser: Browser) -> Iterator[Callable[[], Page]]:
    """new_page() → a page in a browser of its own, which fails on a script error."""
    contexts, faults = [], []

    def make() -> Page:
        context = browser.new_context(base_url=portal.url, **WINDOW)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(20_000)
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("console", lambda line: faults.append(line.text) if "Content Security Policy" in line.text else None)
        return page

    yield make
    for context in contexts:
        context.close()
    assert faults == []


def sign_in(page: Page, name: str) -> None:
    page.goto("/sign-in/")
    page.fill("[name=username]", name)
    page.fill("[name=password]", PASSWORD)
    page.click("button:has-text('Sign in') >> nth=0")


def confirm(page: Page) -> None:
    page.fill("[name=password]", PASSWORD)
    page.click("button:has-text('Continue')")


def set_up_app(page: Page) -> tuple[str, list[str]]:
    """The secret and the recovery codes that the pages show."""
    page.goto("/account/")
    page.click("text=Set up an app")
    confirm(page)
    expect(page.locator(".qr svg")).to_be_visible()
    secret = page.locator("#totp-key").inner_text()
    page.fill("[name=code]", code_of(secret))
    page.click("button:has-text('Set up')")
    expect(page.locator("#recovery-codes li")).to_have_count(10)
    return secret, page.locator("#recovery-codes li").all_inner_texts()


def virtual_device(page: Page) -> Any:
    """A device that holds passkeys and always recognises its owner."""
    session = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }
    session.send("WebAuthn.addVirtualAuthenticator", {"options": options})
    return session


def test_an_app_is_set_up_and_asked_for_and_a_recovery_code_stands_in(new_page, person):
    page = new_page()
    sign_in(page, person)
    page.wait_for_url(re.compile(r"^(?!.*sign-in)"))
    secret, codes = set_up_app(page)

    # The next sign-in wants the code that the app shows then.
    later = new_page()
    sign_in(later, person)
    expect(later.locator("h1")).to_have_text("One more step")
    later.goto("/account/")
    expect(later).to_have_url(re.compile("/sign-in/code/"))
    later.fill("[name=code]", code_of(secret, steps=1))
    later.click("button:has-text('Sign in') >> nth=0")
    later.wait_for_url(re.compile(r"^(?!.*sign-in)"))

    # A recovery code opens it once.
    for opens in (True, False):
        lost = new_page()
        sign_in(lost, person)
        lost.fill("[name=code]", codes[0])
        lost.click("button:has-text('Sign in') >> nth=0")
        if opens:
            lost.wait_for_url(re.compile(r"^(?!.*sign-in)"))
        else:
            expect(lost.get_by_role("alert").or_(lost.locator(".field__error")).first).to_contain_text("not right")
    page.goto("/account/")
    expect(page.locator("main")).to_contain_text("9 codes are left")


def test_a_passkey_is_registered_and_signs_in_alone(new_page, person):
    page = new_page()
    virtual_device(page)
    sign_in(page, person)
    page.wait_for_url(re.compile(r"^(?!.*sign-in)"))
    page.goto("/account/")
    page.click("text=Add a passkey")
    confirm(page)
    page.fill("[name=name]", "Key on the desk")
    page.click("button:has-text('Add the passkey')")
    expect(page.locator("#recovery-codes li")).to_have_count(10)
    page.goto("/account/passkeys/")
    expect(page.locator("table")).to_contain_text("Key on the desk")
    expect(page.locator("table")).to_contain_text("signs in alone")

    # Out, and in again with the device alone, back to the page that was asked for.
    page.context.clear_cookies()
    page.goto("/account/sessions/")
    page.click("button:has-text('Sign in with a passkey')")
    page.wait_for_url(re.compile("/account/sessions/"))
    expect(page.locator("table")).to_contain_text("now, in this browser")

    # As a second step after the password too.
    page.context.clear_cookies()
    sign_in(page, person)
    page.click("button:has-text('Use a passkey')")
    page.wait_for_url(re.compile(r"^(?!.*sign-in)"))


def test_a_device_without_the_key_does_not_sign_in(new_page):
    page = new_page()
    virtual_device(page)
    page.goto("/sign-in/")

    page.click("button:has-text('Sign in with a passkey')")

    expect(page.locator("#passkey-failed")).to_be_visible()


def test_a_session_is_signed_out_from_another_browser(new_page, person):
    here, there = new_page(), new_page()
    for page in (here, there):
        sign_in(page, person)
        page.wait_for_url(re.compile(r"^(?!.*sign-in)"))

    here.goto("/account/sessions/")
    here.click("button:has-text('Sign out there')")
    expect(here.locator("tbody tr")).to_have_count(1)

    there.goto("/account/")
    expect(there).to_have_url(re.compile("/sign-in/"))
