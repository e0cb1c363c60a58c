"""A draft is brought, read while one waits, decided on with the keyboard alone and taken away, in a real browser."""

import os
import re

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.axe import grave_findings

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("portal")]

#: Where pictures of the pages go, for whoever wants to look at them.
SHOTS = os.environ.get("SHOTS", "")
DRAFT = """# Leave rules for the new office

1. Parental leave
The second parent takes 30 working days of paid parental leave. “Carry-over” means days that are taken later.

2. Notice
Leave is asked for 14 days ahead. For every leave that is asked for, it is asked for 30 days ahead.
"""


def test_a_draft_is_examined_and_decided_on_with_the_keyboard(signed_in):
    page = signed_in("member")
    page.goto("/w/policies/draft-review/")
    _look(page, "bring")
    page.get_by_label("Title of the pasted text").fill("Leave rules")
    page.get_by_label("Or paste the text").fill(DRAFT)
    page.get_by_role("button", name="Examine it").click()

    finding = page.locator(".finding").filter(has_text="the guidance says")
    expect(finding.first).to_be_visible(timeout=40_000)
    expect(page.locator("#work")).to_contain_text("No chat model judged it")
    _look(page, "findings")

    page.locator("h1").click()
    conflict = finding.first.get_attribute("id")
    for _each in range(page.locator(".finding").count()):
        page.keyboard.press("j")
        if page.evaluate("document.activeElement.id") == conflict:
            break
    page.keyboard.press("a")
    expect(page.locator(".examination__text ins").first).to_have_text("20")
    _look(page, "accepted")
    page.keyboard.press("u")
    expect(page.locator(".examination__text ins")).to_have_count(0)
    page.keyboard.press("r")
    expect(page.locator(".finding.is-decided")).to_have_count(1)

    with page.expect_download() as download:
        page.get_by_role("link", name="Word, with comments").click()
    assert re.fullmatch(r"leave-rules\.docx", download.value.suggested_filename)


def _look(page: Page, name: str) -> None:
    assert grave_findings(page) == []
    for width, height in ((390, 844), (1280, 900)):
        page.set_viewport_size({"width": width, "height": height})
        # Nothing is wider than the window.
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
        if SHOTS:
            page.screenshot(path=f"{SHOTS}/{name}-{width}.png", full_page=True)
