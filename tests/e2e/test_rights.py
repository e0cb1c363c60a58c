"""Rights under rule in a real browser: a review that is worked through by keyboard, and a look as somebody else."""

import re

import pytest
from playwright.sync_api import expect

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("portal")]


def test_a_manager_reviews_who_holds_what_and_the_removed_are_out(signed_in):
    # A workspace of the manager's own, with two people in it.
    page = signed_in("manager")
    page.goto("/workspaces/new/")
    page.fill("[name=name]", "Harbour works")
    page.fill("[name=slug]", "harbour")
    page.get_by_role("button", name="Create workspace").click()
    for name in ("member", "contributor"):
        page.goto("/w/harbour/people/")
        page.get_by_role("link", name="Add a person").click()
        page.locator("dialog[open] [name=username]").fill(name)
        page.locator("dialog[open]").get_by_role("button", name="Add").click()
        expect(page.locator("table.people")).to_contain_text(name)

    # The review lists all three; the keyboard alone decides: tab into the verdict, arrow to the other one.
    page.get_by_role("link", name="Access review").click()
    page.get_by_role("button", name="Start a review").click()
    expect(page.locator("table.review")).to_contain_text("By hand by Knowledge manager")
    sign = page.get_by_role("button", name="Sign the review")
    expect(sign).to_be_disabled()
    page.locator("input[type=radio]").first.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Tab")
    page.keyboard.type("Has left the project")
    page.get_by_role("button", name="Save, and keep all the rest").click()
    expect(page.locator(".review__progress")).to_contain_text("3 decided, 0 to go")

    # Signed, it says what was decided; whom it removed is out at once.
    page.fill("[name=statement]", "I looked at everybody.")
    page.get_by_role("button", name="Sign the review").click()
    table = page.locator("table.review")
    expect(table).to_contain_text("Removed")
    expect(table).to_contain_text("Has left the project")
    expect(page.locator(".facts")).to_contain_text(re.compile(r"[0-9a-f]{64}"))
    page.goto("/w/harbour/people/")
    expect(page.locator("table.people")).not_to_contain_text("contributor")
    response = signed_in("contributor").goto("/w/harbour/people/")
    assert response is not None
    assert response.status == 404


def test_an_administrator_sees_the_portal_as_somebody_else_and_can_do_nothing_there(signed_in):
    page = signed_in("admin")
    page.goto("/admin/workspaces/user/")
    page.locator("table a", has_text="member").first.click()
    page.get_by_role("link", name="See the portal as this person").click()
    page.fill("[name=reason]", "They cannot find the travel rules")
    page.get_by_role("button", name="Begin").click()

    # The member's workspaces, under a bar that stays on every page.
    bar = page.locator(".viewing")
    expect(bar).to_contain_text("You see the portal as Member")
    page.get_by_role("link", name="Company policies").first.click()
    expect(bar).to_be_visible()
    page.goto("/w/policies/people/")
    expect(bar).to_be_visible()
    expect(page.locator(".account")).to_contain_text("Member")

    # Nothing is asked in the member's name, no text is read, and the administration is shut.
    page.goto("/w/policies/ask/")
    page.fill("textarea", "May I travel first class?")
    page.keyboard.press("Enter")
    page.goto("/w/policies/documents/")
    page.locator("tbody a").first.click()
    expect(page.locator("main")).to_contain_text("You may not yourself, so its text is not shown")
    response = page.goto("/admin/")
    assert response is not None
    assert response.status == 403
    expect(bar).to_be_visible()

    # Ended, the administrator is back where they came from; the member asked nothing.
    bar.get_by_role("button", name="End").click()
    page.wait_for_url(re.compile("/admin/workspaces/user/"))
    page.goto("/")
    expect(page.locator(".viewing")).to_have_count(0)
    member = signed_in("member")
    member.goto("/w/policies/questions/")
    expect(member.locator("main")).not_to_contain_text("first class")
