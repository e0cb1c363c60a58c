"""The admin's content security policy is as strict as its theme allows, measured in a browser."""

from typing import Any

import pytest

from inlock import headers
from tests.answers.review_scene import a_held_answer
from tests.leaks.browser import reading_as

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

#: Each kind of page the theme draws: lists with filters and actions, forms with widgets, histories, pages of our own.
PAGES = {
    "reviewer": (
        "answers/draft/",
        "answers/draft/{draft}/change/",
        "answers/draft/{draft}/history/",
        "answers/answer/",
    ),
    "admin": (
        "workspaces/user/",
        "workspaces/user/add/",
        "workspaces/user/{user}/change/",
        "answers/modelendpoint/",
        "answers/modelendpoint/add/",
        "answers/modelendpoint/{endpoint}/change/",
        "answers/modelendpoint/{endpoint}/history/",
        "password_change/",
        "audit/event/",
    ),
    "manager": ("workspaces/workspace/", "workspaces/workspace/{workspace}/change/", "documents/document/"),
}


@pytest.fixture
def scene(legal: Any, member: Any) -> dict[str, str]:
    from answers.models import ModelEndpoint

    return {
        "draft": str(a_held_answer(legal, member).pk),
        "user": str(member.pk),
        "endpoint": str(ModelEndpoint.objects.get().pk),
        "workspace": str(legal.pk),
    }


@pytest.mark.parametrize("who", PAGES)
def test_no_page_of_the_admin_needs_more_than_its_policy(who, request, scene, client_of):
    with reading_as(client_of(request.getfixturevalue(who))) as (reader,):
        for page in PAGES[who]:
            answer = reader.page.goto(f"{reader.base}/admin/{page.format(**scene)}")
            reader.look()

            assert answer is not None
            assert answer.status == 200, page
            assert (page, reader.noted.stopped) == (page, [])
        assert reader.noted.requests == []
        # The theme is alive: its own switch works.
        assert reader.page.evaluate("() => typeof window.Alpine") == "object"


@pytest.mark.parametrize("without", ["'unsafe-eval'", "'unsafe-inline'"])
def test_what_the_policy_allows_beyond_the_portals_is_needed(without, scene, client_of, admin, monkeypatch):
    """Once the theme needs less, this fails, and the policy can be made stricter."""
    monkeypatch.setattr(headers, "ADMIN_POLICY", headers.ADMIN_POLICY.replace(f" {without}", ""))

    with reading_as(client_of(admin)) as (reader,):
        reader.open("/admin/answers/modelendpoint/")

        assert reader.noted.stopped


def test_an_inline_script_does_not_run_in_the_admin(scene, client_of, reviewer):
    with reading_as(client_of(reviewer)) as (reader,):
        page = reader.open("/admin/answers/draft/")
        page.evaluate(
            """() => {
                const script = document.createElement("script");
                script.textContent = "window.ran = 1";
                document.body.append(script);
                document.body.insertAdjacentHTML("beforeend", '<img src="x" onerror="window.ran = 1">');
            }"""
        )
        page.wait_for_function("() => window.stopped.length >= 2")

        assert page.evaluate("() => window.ran") is None
