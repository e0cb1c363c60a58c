"""Exceptions to what roles give, in a real browser: a superuser who breaks the glass, and a never rule."""

import re

import pytest
from playwright.sync_api import expect

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("portal")]


def test_a_superuser_reads_a_document_only_after_saying_why(signed_in):
    page = signed_in("root")

    # What has no role of theirs asks for a reason first, and leads back afterwards.
    page.goto("/w/legal/documents/")
    expect(page).to_have_url(re.compile("/glass/legal/"))
    page.fill("[name=reason]", "Look into ticket 4711")
    page.locator("form:has([name=reason]) button[type=submit]").click()
    page.wait_for_url(re.compile("/w/legal/documents/"))
    page.locator("tbody a").first.click()
    expect(page.locator("main")).to_contain_text("SHA-256")
    expect(page.locator(".glass")).to_contain_text("Look into ticket 4711")

    # Ended, it is shut again, and the workspace's auditor reads the reason beside each use.
    page.locator(".glass").get_by_role("button").click()
    page.goto("/w/legal/documents/")
    expect(page).to_have_url(re.compile("/glass/legal/"))
    auditor = signed_in("auditor")
    auditor.goto("/admin/audit/event/?of=legal&q=root")
    expect(auditor.locator("#content")).to_contain_text("Look into ticket 4711")


def test_a_never_rule_shuts_out_whom_a_role_lets_in_until_it_is_lifted(signed_in):
    page, barred = signed_in("manager"), signed_in("contributor")
    barred.goto("/w/policies/documents/")
    expect(barred.locator("tbody a").first).to_be_visible()

    page.goto("/w/policies/people/never/")
    page.fill("[name=username]", "contributor")
    page.fill("[name=reason]", "Party to the case")
    page.get_by_role("button", name="Make the rule").click()
    expect(page.locator("table")).to_contain_text("Party to the case")

    # The role is still there, and nothing of the workspace is.
    response = barred.goto("/w/policies/documents/")
    assert response is not None
    assert response.status == 404

    page.get_by_role("link", name="Lift the rule").click()
    page.locator("dialog[open] [name=reason]").fill("The case is closed")
    page.locator("dialog[open] button[type=submit]").click()
    expect(page.locator("main")).to_contain_text("Nobody is kept from a role here")
    barred.goto("/w/policies/documents/")
    expect(barred.locator("tbody a").first).to_be_visible()
