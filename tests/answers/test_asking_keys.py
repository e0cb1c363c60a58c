"""Keys of the asking page that no journey can press at the right moment."""

import pytest
from playwright.sync_api import expect

from answers import questions
from answers.models import Answer
from tests.leaks.browser import reading_as

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_escape_closes_what_is_open_first_and_then_stops_the_answer(policies, member, client_of):
    answer = questions.ask(workspace=policies, text="How many days of leave are there?", by=member)

    with reading_as(client_of(member)) as (reader,):
        page = reader.open("/w/policies/ask/")
        stop = page.locator("[data-stop]")
        expect(stop).to_be_visible()
        page.locator("h1").click()
        page.keyboard.press("?")
        page.keyboard.press("Escape")
        expect(page.locator("#ask-keys")).to_be_hidden()
        expect(stop).to_be_visible()

        page.keyboard.press("Escape")

        expect(page.locator("#latest .answer__state")).to_contain_text("You stopped", timeout=20_000)

    assert Answer.objects.get(pk=answer.pk).status == "stopped_by_asker"
