"""An officer's morning in a real browser: two drafts, no mouse, and pages that a screen reader can follow."""

import re

import pytest
from django.conf import settings
from playwright.sync_api import expect

from tests.e2e.axe import grave_findings

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("portal")]

QUESTIONS = ("How can we end the carrier agreement?", "When are carriers\u2019 invoices due?")


def test_an_officer_works_two_drafts_with_the_keyboard_alone(signed_in):
    # Two questions wait where every answer is held.
    asker = signed_in("member")
    for question in QUESTIONS:
        asker.goto("/w/legal/ask/")
        asker.fill("textarea#id_text", question)
        asker.keyboard.press("Enter")
        expect(asker.locator("#latest .badge").first).to_contain_text("Awaiting review", timeout=30_000)

    # From the queue to the first of them.
    page = signed_in("reviewer")
    page.goto("/admin/answers/draft/")
    assert grave_findings(page) == []
    page.get_by_role("button", name="Read the next one").press("Enter")
    expect(page.locator("#draft")).to_contain_text("You are reading it")
    first = page.url
    assert grave_findings(page) == []

    # A sentence shows its passage beside it; its source is lit and in view.
    page.keyboard.press("j")
    page.keyboard.press("j")
    sentence = page.locator("#sentences > .rv-sentence:focus")
    number = (sentence.get_attribute("data-citations") or "").split()[0]
    lit = page.locator(f"#source-{number}")
    expect(lit).to_have_class(re.compile("rv-lit"))
    expect(lit.locator("mark").first).to_be_in_viewport()

    # The keys are told, and what is typed is checked without being kept.
    page.keyboard.press("?")
    expect(page.locator("#keys")).to_be_visible()
    assert grave_findings(page, "#keys") == []
    page.keyboard.press("Escape")
    page.keyboard.press("e")
    page.keyboard.press("Control+End")
    page.keyboard.type(" It costs 7777 euros. [1]")
    expect(page.locator("#live-difference ins")).to_contain_text("7777")
    expect(page.locator("#live-sentences")).to_contain_text("7777")
    page.locator("#text").evaluate("field => { field.value = field.defaultValue; }")
    page.keyboard.press("Escape")

    # Approve and next; the other one is returned with a reason.
    page.keyboard.press("a")
    page.keyboard.press("Enter")
    expect(page.locator("body")).to_contain_text("Approved.")
    expect(page.locator("#draft")).to_contain_text("You are reading it")
    assert page.url != first
    page.keyboard.press("r")
    page.keyboard.type("This is not what was asked.")
    page.keyboard.press("Escape")
    page.keyboard.press("x")
    page.keyboard.press("Enter")
    expect(page.locator("body")).to_contain_text("Rejected. This answer will not be released.")

    # The same page in Serbian on a telephone: the passage opens under its sentence.
    page.set_viewport_size({"width": 390, "height": 844})
    page.context.add_cookies([{"name": "django_language", "value": "sr", "url": page.evaluate("location.origin")}])
    page.go_back()
    page.reload()
    expect(page.locator("html")).to_have_attribute("lang", "sr")
    page.keyboard.press("j")
    expect(page.locator(".rv-sentence .rv-peek mark").first).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert grave_findings(page) == []


def test_an_audit_that_finds_nothing_anywhere_would_be_seen(browser):
    page = browser.new_page()
    page.set_content("<main><img src='data:,'><button></button></main>")

    findings = " ".join(grave_findings(page))

    page.close()
    assert "image-alt" in findings
    assert "button-name" in findings


def test_between_what_was_removed_and_added_there_is_no_more_room_than_between_words(browser):
    styles = "".join((settings.BASE_DIR / "static/css" / name).read_text() for name in ("tokens.css", "content.css"))
    page = browser.new_page()
    page.set_content(f"<style>{styles}</style><p><del>paid</del> <ins>leave</ins> <b>a</b> <b>b</b></p>")

    def gap(before: str, after: str) -> float:
        sides = "[s.getBoundingClientRect().right, t.getBoundingClientRect().left]"
        of = f"(([s, t]) => {sides})(['{before}', '{after}'].map(one => document.querySelector(one)))"
        left, right = page.evaluate(of)
        return right - left

    between_words, between_changes = gap("b", "b + b"), gap("del", "ins")
    page.close()
    assert 0 < between_changes <= between_words + 0.01
