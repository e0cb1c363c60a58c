"""An officer's morning in a real browser: two drafts, no mouse, and pages that a screen reader can follow.

In English on a desk, and in Serbian on a telephone, where a passage opens under its sentence instead of beside it.
"""

import re

import pytest
from django.conf import settings
from playwright.sync_api import expect

from tests.e2e.axe import grave_findings
from tests.e2e.screens import EACH, WIDE

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("portal")]

QUESTIONS = ("How can we end the carrier agreement?", "When are carriers\u2019 invoices due?")


@pytest.mark.parametrize("screen", EACH.values(), ids=EACH)
def test_an_officer_works_two_drafts_with_the_keyboard_alone(signed_in, screen):
    # Two questions wait where every answer is held.
    asker = signed_in("member")
    for question in QUESTIONS:
        asker.goto("/w/legal/ask/")
        asker.fill("textarea#id_text", question)
        asker.keyboard.press("Enter")
        expect(asker.locator("#latest .badge").first).to_contain_text("Awaiting review", timeout=30_000)

    # From the queue to the first of them.
    page = screen.show(signed_in("reviewer"))
    page.goto("/admin/answers/draft/")
    screen.look(page, "drafts")
    page.get_by_role("button", name=screen.says("Read the next one")).press("Enter")
    reading = screen.says("You are reading it, the others see that until %(when)s").partition("%(when)s")[0]
    expect(page.locator("#draft")).to_contain_text(reading)
    first = page.url
    screen.look(page, "draft")

    # A sentence shows its passage: its source is lit and in view beside it, or opens under it.
    page.keyboard.press("j")
    page.keyboard.press("j")
    sentence = page.locator("#sentences > .rv-sentence:focus")
    if screen is WIDE:
        number = (sentence.get_attribute("data-citations") or "").split()[0]
        passage = page.locator(f"#source-{number}")
        expect(passage).to_have_class(re.compile("rv-lit"))
    else:
        passage = sentence.locator(".rv-peek")
    expect(passage.locator("mark").first).to_be_in_viewport()
    screen.look(page, "draft-passage")

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
    screen.look(page, "draft-edited")
    page.locator("#text").evaluate("field => { field.value = field.defaultValue; }")
    page.keyboard.press("Escape")

    # Approve and next; the other one is rejected with a reason.
    page.keyboard.press("a")
    page.keyboard.press("Enter")
    expect(page.locator("body")).to_contain_text(screen.says("Approved. The asker can read exactly this text now."))
    expect(page.locator("#draft")).to_contain_text(reading)
    assert page.url != first
    page.keyboard.press("r")
    page.keyboard.type("This is not what was asked.")
    screen.look(page, "draft-reason")
    page.keyboard.press("Escape")
    page.keyboard.press("x")
    page.keyboard.press("Enter")
    expect(page.locator("body")).to_contain_text(screen.says("Rejected. This answer will not be released."))
    screen.look(page, "drafts-done")

    # What was decided stays readable, and the asker has an ending for each.
    page.goto(first)
    screen.look(page, "draft-decided")
    screen.show(asker).goto("/w/legal/questions/")
    screen.look(asker, "questions-decided")


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
