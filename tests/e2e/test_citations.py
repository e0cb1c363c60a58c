"""The evidence of an answer in a real browser, with the keyboard alone: walking through it, copying, taking a file."""

import pytest
from playwright.sync_api import expect

from tests.e2e.axe import grave_findings

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("portal")]


def test_citations_are_walked_through_and_taken_along_with_the_keyboard(signed_in):
    page = signed_in("member")
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.goto("/w/policies/ask/new/?text=How many days of annual leave does an employee have%3F")
    page.locator("#id_text").press("Enter")
    marks = page.locator("#latest .answer__text .cite")
    expect(marks.first).to_be_visible(timeout=30_000)
    assert marks.count() > 1

    marks.first.focus()
    page.keyboard.press("Enter")
    evidence = page.locator("#panel .evidence")
    expect(evidence).to_have_attribute("data-citation", "1")
    expect(evidence.locator(".evidence__supports")).to_be_visible()
    assert grave_findings(page) == []
    page.keyboard.press("ArrowRight")
    expect(evidence).to_have_attribute("data-citation", "2")
    expect(page.locator(".cite[aria-current]")).to_have_text("2")
    page.keyboard.press("ArrowLeft")
    expect(evidence).to_have_attribute("data-citation", "1")
    page.keyboard.press("Escape")
    expect(page.locator("#panel")).to_be_hidden()
    expect(marks.first).to_be_focused()
    assert grave_findings(page) == []

    copy = page.locator("#latest [data-copy-answer]")
    copy.focus()
    page.keyboard.press("Enter")
    expect(page.locator("#news")).to_have_text("Copied with its sources")
    expect(copy).to_have_text("Copy")
    copied = _clipboard(page)
    assert "[1]" in copied.partition("Sources:")[0]
    assert "\n[1] " in copied.partition("Sources:")[2]

    link = page.locator("#latest [data-copy]")
    link.click()
    expect(link).to_have_text("Copied")
    expect(link).to_have_text("Copy link")
    # At an address that is not secure there is no clipboard to write to; the older way works, unless it is refused too.
    page.evaluate("() => Object.defineProperty(navigator, 'clipboard', { value: undefined })")
    link.click()
    expect(link).to_have_text("Copied")
    page.evaluate("() => { document.execCommand = () => false }")
    link.click()
    expect(link).to_have_text("Could not be copied")
    expect(page.locator("#news")).to_have_text("Could not be copied")

    page.locator("#latest summary", has_text="Export").press("Enter")
    expect(page.locator("#latest .menu__item", has_text="DOCX")).to_be_visible()
    assert grave_findings(page) == []
    with page.expect_download() as download:
        page.locator("#latest .menu__item", has_text="DOCX").press("Enter")
    assert download.value.suggested_filename.endswith(".docx")


def _clipboard(page) -> str:
    """What stands in the clipboard; the browser hands it to the system after it told the page that it is done."""
    for _attempt in range(50):
        if copied := page.evaluate("() => navigator.clipboard.readText()"):
            return copied
        page.wait_for_timeout(100)
    return ""
