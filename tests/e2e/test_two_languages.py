"""Who asks and who keeps the documents help each other on, in English on a desk and in Serbian on a telephone.

Without a pointer, on pages that a screen reader can follow and that are no wider than the window.
"""

import os
from dataclasses import dataclass

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.screens import NARROW, WIDE, Screen

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("portal")]

DEEP = bool(os.environ.get("INLOCK_DEEP"))
#: What a knowledge manager looks after, each on a page of its own: half in each language, all in `make deep`.
DESK = (
    "documents/",
    "documents/sources/",
    "documents/coverage/",
    "people/",
    "evaluation/",
    "fine-tuning/",
    "readiness/",
    "cockpit/",
    "settings/",
    "settings/templates/",
    "settings/release/",
    "settings/models/",
)


@dataclass(frozen=True)
class Spoken:
    """At a screen: what is asked, what answers, how it goes on, and what no document speaks of."""

    screen: Screen
    question: str
    says: str
    further: str
    understood: str
    unknown: str
    closed: str


ENGLISH = Spoken(
    WIDE,
    "How many days of paid parental leave does the second parent take?",
    "20 working days",
    "And within how many months?",
    "parental leave",
    "Which colour has a dandelion on Mars?",
    "Closed",
)
SERBIAN = Spoken(
    NARROW,
    "Koliko časova traje obuka za viljuškariste?",
    "16",
    "A kada se ponavlja?",
    "viljuškariste",
    "Које је боје маслачак на Марсу?",
    "Затворена",
)


@pytest.mark.parametrize("spoken", [ENGLISH, SERBIAN], ids=["English, wide", "Serbian, narrow"])
def test_what_nobody_could_answer_comes_back_to_who_asked(signed_in, spoken):
    # A member gets an answer, looks at the page it stands on, and asks on.
    asker = spoken.screen.show(signed_in("member"))
    asker.goto("/w/policies/ask/new/")
    spoken.screen.look(asker, "new")
    _ask(asker, spoken.question)
    card = asker.locator("#latest .answer")
    expect(card).to_contain_text(spoken.says, timeout=30_000)
    card.locator(".answer__text .cite").last.press("Enter")
    expect(asker.locator("#panel mark")).to_contain_text(spoken.says)
    spoken.screen.look(asker, "cited")
    asker.keyboard.press("Escape")
    expect(asker.locator("#panel")).to_be_hidden()
    _ask(asker, spoken.further)
    expect(asker.locator("#latest .asked-as")).to_contain_text(spoken.understood, timeout=30_000)

    # Where the documents say nothing they are told so, and send the question on.
    asker.goto("/w/policies/ask/new/")
    _ask(asker, spoken.unknown)
    expect(card.locator(".tone--none")).to_be_visible(timeout=30_000)
    expect(card.locator(".way-out > *").first).to_be_visible(timeout=30_000)
    spoken.screen.look(asker, "refused")
    card.locator(".gap-out button").press("Enter")
    expect(card.locator(".gap-out button")).to_have_count(0)

    # The knowledge manager looks after the workspace, finds it among the gaps, and names the document that answers.
    manager = spoken.screen.show(signed_in("manager"))
    for page in DESK if DEEP else DESK[spoken is SERBIAN :: 2]:
        manager.goto(f"/w/policies/{page}")
        spoken.screen.look(manager, page)
    manager.goto("/w/policies/gaps/")
    spoken.screen.look(manager, "gaps")
    manager.locator("a", has_text=spoken.unknown).press("Enter")
    expect(manager.locator("h1")).to_contain_text(spoken.unknown)
    spoken.screen.look(manager, "gap")
    manager.locator("summary:has(+ form [name=document])").press("Enter")
    manager.locator("[name=document]").press("ArrowDown")
    manager.locator("form:has([name=document]) [type=submit]").press("Enter")
    expect(manager.locator("main .badge").first).to_contain_text(spoken.closed)

    # Who asked is told, and finds the question among the earlier ones.
    asker.goto("/account/notifications/")
    spoken.screen.look(asker, "told")
    asker.locator(".notice-row__open", has_text=spoken.unknown).first.press("Enter")
    expect(asker.locator(".gap-out .answer__state")).to_be_visible()
    asker.goto("/w/policies/questions/")
    past = asker.locator(".past")
    expect(past.filter(has_text=spoken.unknown)).not_to_have_count(0)
    spoken.screen.look(asker, "history")
    asker.fill("[type=search]", spoken.understood)
    asker.keyboard.press("Enter")
    expect(past.filter(has_text=spoken.unknown)).to_have_count(0)
    expect(past.filter(has_text=spoken.question)).not_to_have_count(0)


def _ask(page: Page, question: str) -> None:
    page.locator("#id_text").focus()
    page.keyboard.type(question)
    page.keyboard.press("Enter")
