"""A conversation in a real browser with the keyboard alone: asking, following up, editing, and the way on."""

import os
import re

import pytest
from playwright.sync_api import Page, Route, expect

from tests.e2e.axe import grave_findings

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("portal")]

#: Where pictures of the pages go, for whoever wants to look at them.
SHOTS = os.environ.get("SHOTS", "")


def test_a_conversation_is_held_with_the_keyboard_alone(signed_in):
    page = signed_in("member")
    page.goto("/w/policies/ask/new/")
    expect(page.locator(".suggestion").first).to_be_visible()
    _shoot(page, "empty")
    assert grave_findings(page) == []

    # The turn is there before the server has heard of it.
    held: list[Route] = []
    page.route("**/w/policies/ask/", lambda route: held.append(route))
    page.keyboard.press("/")
    page.keyboard.type("How many days of paid parental leave does the second parent take?")
    page.keyboard.press("Enter")
    expect(page.locator("#thread .bubble")).to_contain_text("second parent")
    expect(page.locator("textarea#id_text")).to_have_value("")
    _shoot(page, "sending", wide_only=True)
    held[0].continue_()
    page.unroute("**/w/policies/ask/")
    card = page.locator("#latest .answer")
    expect(card).to_contain_text("20 working days", timeout=30_000)
    expect(page.locator(".turn")).to_have_count(1)
    expect(page).to_have_url(re.compile(r"/ask/[0-9a-f-]{36}/$"))

    # A follow-up is understood, and says as what.
    page.keyboard.type("And within how many months?")
    page.keyboard.press("Enter")
    asked_as = page.locator("#latest .asked-as")
    expect(asked_as).to_contain_text("parental leave", timeout=30_000)
    expect(card.locator(".badge")).to_contain_text("Released automatically", timeout=30_000)
    _shoot(page, "follow-up")
    assert grave_findings(page) == []

    # ↑ puts the last question differently; the first form is kept.
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ControlOrMeta+a")
    page.keyboard.type("Within how many months of the birth is the second parent's leave taken?")
    _shoot(page, "editing")
    assert grave_findings(page) == []
    page.keyboard.press("Enter")
    expect(page.locator("#latest .bubble")).to_contain_text("of the birth", timeout=30_000)
    expect(card).to_contain_text("12 months", timeout=30_000)
    expect(page.locator("#latest .turn__earlier").first).to_contain_text("Put differently once")
    expect(page.locator(".turn")).to_have_count(2)

    # A reload finds the same conversation, under its first question.
    page.reload()
    expect(page.locator(".turn")).to_have_count(2, timeout=30_000)
    page.locator("h1").click()
    page.keyboard.press("?")
    expect(page.locator("#ask-keys")).to_be_visible()
    _shoot(page, "keys")
    assert grave_findings(page, "#ask-keys") == []
    page.keyboard.press("Escape")
    expect(page.locator("#ask-keys")).to_be_hidden()


def _shoot(page: Page, name: str, *, wide_only: bool = False) -> None:
    if not SHOTS:
        return
    for width in (1280,) if wide_only else (1280, 390):
        page.set_viewport_size({"width": width, "height": 900})
        page.screenshot(path=f"{SHOTS}/{name}-{width}.png")
    page.set_viewport_size({"width": 1280, "height": 900})
