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


#: A workspace that holds findings for review, and four drafts of somebody that wait in it; one is late, one is taken.
WAITING = f"""
from datetime import timedelta
from django.utils import timezone
from answers.draft_review import desk
from answers.draft_review.bringing import bring, read_text
from answers.models import Examination
from answers.queue import order
from answers.tasks import examine_draft
from workspaces import members
from workspaces.models import User

member, reviewer, bea = (User.objects.get(username=name) for name in ("member", "reviewer", "bea"))
workspace = members.create_workspace(slug="drafting", name="Drafting", by=None, manager=bea, policy="review")
for person, role in ((member, "member"), (reviewer, "reviewer"), (bea, "reviewer")):
    members.add_member(workspace, person, role, by=None)
made = {{}}
for title in ("Leave rules", "Notice", "Supplies", "Travel"):
    made[title] = bring(workspace, read_text(title, {DRAFT!r} + title), by=member)
    examine_draft(str(made[title].pk))
Examination.objects.filter(title="Notice").update(due_at=timezone.now() - timedelta(hours=5), priority=4)
order.claim(made["Supplies"], by=bea)
desk.assign(made["Travel"], to=bea, by=bea)
"""


def test_a_reviewer_sees_who_has_which_findings_and_goes_from_one_to_the_next_with_the_keyboard(portal, signed_in):
    filled = portal.run("shell", "--verbosity", "0", "-c", WAITING)
    assert filled.returncode == 0, filled.stdout + filled.stderr
    page = signed_in("reviewer")
    page.goto("/w/drafting/draft-review/")
    waiting = page.locator(".examinations li")
    expect(waiting).to_have_count(4)
    expect(waiting.first).to_contain_text("Notice")
    expect(waiting.first).to_contain_text("overdue by 5")
    expect(waiting.filter(has_text="Supplies")).to_contain_text("is reading it")
    expect(waiting.filter(has_text="Travel")).to_contain_text("On the desk of")
    _look(page, "waiting")

    page.get_by_role("button", name="Read the next one").click()
    expect(page.locator("h1")).to_have_text("Notice")
    expect(page.get_by_text("You are reading it, the others see")).to_be_visible()
    _look(page, "reading")
    page.get_by_role("button", name="Let it go").click()
    page.locator("h1").click()
    page.keyboard.press("c")
    expect(page.get_by_text("You are reading it, the others see")).to_be_visible()
    page.get_by_label("Then read the next one").check()
    page.get_by_role("button", name="Release the findings").click()
    # The other two are somebody else's.
    expect(page.locator("h1")).to_have_text("Leave rules")
    page.locator("h1").click()
    page.keyboard.press("n")
    expect(page.get_by_text("Nothing is left here that waits for you.")).to_be_visible()

    page.goto("/admin/answers/examination/?state=all&workspace=drafting")
    expect(page.locator("#result_list, table").first).to_contain_text("Travel")
    # A claim on what was decided tells nobody anything, and what somebody passed over is free again.
    expect(page.locator("tr").filter(has_text="Notice")).not_to_contain_text("is reading it")
    expect(page.locator("tr").filter(has_text="Leave rules")).not_to_contain_text("is reading it")
    expect(page.locator("tr").filter(has_text="Supplies")).to_contain_text("is reading it")
    _look(page, "queue")

    # One is returned with a question, which whoever brought it answers.
    page.goto("/w/drafting/draft-review/")
    page.get_by_role("link", name="Leave rules").click()
    returned = page.url
    page.get_by_label("Or ask whoever brought it").fill("Which office is this for?")
    page.get_by_role("button", name="Return with questions").press("Enter")
    owner = signed_in("member")
    owner.goto(returned)
    expect(owner.get_by_text("A reviewer wants to know something")).to_be_visible()
    _look(owner, "asked")
    owner.get_by_label("Your reply").fill("The one in Graz.")
    owner.get_by_role("button", name="Send the reply").press("Enter")
    expect(owner.get_by_text("Sent to the reviewer.")).to_be_visible()

    # The reviewer reads the reply and changes a finding, which another one has to let out.
    page.goto(returned)
    expect(page.get_by_text("The one in Graz.")).to_be_visible()
    changed = page.locator(".finding").first
    changed.get_by_text("Change it or leave it out").press("Enter")
    changed.get_by_label("What was found").fill("The handbook says otherwise.")
    changed.get_by_label("Reason").fill("It said too much.")
    _look(page, "changing")
    changed.get_by_role("button", name="Change the finding").press("Enter")
    expect(page.get_by_text("You changed these findings, so another reviewer lets them out.")).to_be_visible()
    expect(page.get_by_role("button", name="Release the findings")).to_have_count(0)
    page.locator(".finding").filter(has_text="otherwise").get_by_text("Every form of it").press("Enter")
    _look(page, "changed")


def _look(page: Page, name: str) -> None:
    assert grave_findings(page) == []
    for width, height in ((390, 844), (1280, 900)):
        page.set_viewport_size({"width": width, "height": height})
        # Nothing is wider than the window.
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
        if SHOTS:
            page.screenshot(path=f"{SHOTS}/{name}-{width}.png", full_page=True)
