"""The main job in a real browser: from a file to a cited answer, and from a held answer to an approved one."""

import re

import pytest
from playwright.sync_api import expect

from tests.documents import samples

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("portal")]


def test_the_demo_answers_refuses_holds_and_verifies(demo):
    _portal, printed = demo

    assert {row["state"] for row in printed["documents"]} == {"ready"}
    assert [row["status"] for row in printed["answers"]] == [
        "answered",
        "answered",
        "answered",
        "refused_no_evidence",
        "answered_approved",
    ]
    assert all(chain["holds"] for chain in printed["trail"])


def test_a_file_becomes_a_cited_answer_whose_page_is_marked(signed_in, tmp_path):
    pages = [
        [["Canteen rules"], ["Lunch is served from eleven to two on working days."]],
        [["The annual harbour regatta of the company takes place on the second Saturday of June."]],
    ]
    file = samples.pdf(tmp_path / "canteen-and-regatta.pdf", pages)

    # The contributor drops a file and watches it become ready, without a reload.
    page = signed_in("contributor")
    page.goto("/w/policies/documents/")
    page.evaluate("window.stillTheSamePage = true")
    page.set_input_files("input[name=files]", file)
    row = page.locator("tr", has_text="canteen-and-regatta").first
    expect(row).to_contain_text("Ready", timeout=60_000)
    assert page.evaluate("window.stillTheSamePage") is True

    # The member asks; the answer streams in and cites.
    page = signed_in("member")
    page.goto("/w/policies/ask/")
    page.keyboard.press("/")
    page.keyboard.type("When does the annual harbour regatta take place?")
    page.keyboard.press("Enter")
    card = page.locator("#latest .answer")
    expect(card).to_contain_text("second Saturday of June", timeout=30_000)
    expect(card.locator(".badge")).to_contain_text("Released automatically")

    # The citation opens the page beside the answer, with the passage marked.
    # By key: the page is still scrolling to its end, and a pointer would miss the mark.
    card.locator(".answer__text .cite").first.press("Enter")
    panel = page.locator("#panel")
    expect(panel.locator("mark")).to_contain_text("second Saturday of June")
    image = panel.locator("img")
    expect(image).to_be_visible()
    expect(image).to_have_js_property("complete", True)
    assert _yellow_pixels(page, "#panel img") > 100

    # And from there the document itself, on page 2.
    panel.locator("a", has_text="Open in the document").click()
    expect(page.locator("mark#cited")).to_contain_text("second Saturday of June")
    assert page.locator("#page").input_value() == "2"


def test_a_folder_keeps_its_tree_leaves_out_what_is_hidden_and_sends_all_at_the_level_that_was_chosen(
    signed_in, tmp_path
):
    handbook = tmp_path / "handbook"
    names = ["travel.md", "leave/parental.md", "leave/sick.md", "leave/unpaid/long.md", "leave/unpaid/short.md"]
    for name in (*names, "leave/tool.exe", ".git/config", "leave/.draft.md"):
        (handbook / name).parent.mkdir(parents=True, exist_ok=True)
        (handbook / name).write_text("Some words.")
    page, sent = signed_in("manager"), []

    def answer(route):
        body = route.request.post_data_buffer.decode()
        field = re.compile(r'name="(paths|classification)"\r\n\r\n(.*?)\r\n')
        sent.append(dict(field.findall(body)))
        route.fulfill(
            json={"files": [{"name": "x", "outcome": "added", "sentence": "Received.", "url": "/w/policies/"}]}
        )

    page.route("**/documents/upload/", answer)
    page.clock.install()
    page.goto("/w/policies/documents/")
    page.select_option("#upload-level", "restricted")
    page.set_input_files("[data-upload-folder]", handbook)

    refused = page.locator(".upload__file.is-refused")
    expect(refused).to_have_count(2)
    expect(refused.first).to_contain_text("handbook/leave/tool.exe")
    expect(refused.last).to_contain_text("Hidden files, left out: 2")
    expect(refused.last).to_contain_text("handbook/leave/.draft.md")
    expect(page.locator(".upload__file.is-done")).to_have_count(len(names))
    # The last ones too: a manager's choice for a folder must not end with the first two files.
    assert sorted(each["paths"] for each in sent) == sorted(f"handbook/{name}" for name in names)
    assert {each["classification"] for each in sent} == {"restricted"}
    # The list is in order of titles and may go on for pages: what has just arrived stays above it, with its address.
    page.clock.fast_forward(60_000)
    expect(page.locator(".upload__file.is-done a[href='/w/policies/']")).to_have_count(len(names))


def test_a_held_answer_reaches_its_asker_once_the_officer_approves(signed_in):
    # The member asks where every answer is held, and sees a state instead of a text.
    asker = signed_in("member")
    asker.goto("/w/legal/ask/")
    asker.fill(".composer textarea", "How many years are supplier contracts kept after they end?")
    asker.keyboard.press("Enter")
    card = asker.locator("#latest .answer")
    expect(card.locator(".badge")).to_contain_text("Awaiting review", timeout=30_000)
    expect(card.locator(".cite")).to_have_count(0)
    asker.evaluate("window.stillTheSamePage = true")

    # The officer opens the draft from the queue, reads it beside its page, and approves.
    officer = signed_in("reviewer")
    officer.goto("/admin/answers/draft/")
    officer.locator("a", has_text="supplier contracts kept").first.click()
    expect(officer.locator("body")).to_contain_text("How many years are supplier contracts kept")
    officer.get_by_role("button", name=re.compile("Approve")).first.click()
    officer.wait_for_load_state()
    expect(officer.locator("body")).to_contain_text("Approved")

    # The asker sees the text without having reloaded.
    expect(card.locator(".badge")).to_contain_text("Approved by a reviewer", timeout=30_000)
    expect(card.locator(".cite").first).to_be_visible()
    assert asker.evaluate("window.stillTheSamePage") is True

    # The queue itself stays closed to them.
    response = asker.goto("/admin/answers/draft/")
    assert response is not None
    assert response.status in {403, 404}


def _yellow_pixels(page, selector: str) -> int:
    """How many pixels of an image on the page are as yellow as the marker."""
    return page.evaluate(
        """selector => {
            const image = document.querySelector(selector);
            const canvas = document.createElement("canvas");
            canvas.width = image.naturalWidth; canvas.height = image.naturalHeight;
            const context = canvas.getContext("2d");
            context.drawImage(image, 0, 0);
            const data = context.getImageData(0, 0, canvas.width, canvas.height).data;
            let count = 0;
            for (let i = 0; i < data.length; i += 4) {
                if (data[i] > 220 && data[i + 1] > 180 && data[i + 2] < 160) count += 1;
            }
            return count;
        }""",
        selector,
    )
