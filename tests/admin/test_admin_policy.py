"""The admin's content security policy is as strict as its theme allows, measured in a browser."""

import os
from typing import Any

import pytest
from django.conf import settings

from inlock import headers
from tests.answers.review_scene import a_held_answer
from tests.leaks.browser import reading_as

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

#: Each kind of page the theme draws: lists with filters and actions, forms with widgets, histories, pages of our own.
PAGES = {
    "reviewer": ["answers/draft/", "answers/draft/{draft}/change/", "answers/draft/{draft}/history/"],
    "admin": ["workspaces/user/{user}/change/", "answers/modelendpoint/add/", "audit/event/"],
    "manager": ["workspaces/workspace/{workspace}/change/"],
}
#: More of the same kinds, which `make deep` opens too.
MORE = {
    "reviewer": ["answers/answer/"],
    "admin": [
        "workspaces/user/",
        "workspaces/user/add/",
        "answers/modelendpoint/",
        "answers/modelendpoint/{endpoint}/change/",
        "answers/modelendpoint/{endpoint}/history/",
        "password_change/",
    ],
    "manager": ["workspaces/workspace/", "documents/document/"],
}
if os.environ.get("INLOCK_DEEP"):
    PAGES = {who: MORE[who] + pages for who, pages in PAGES.items()}


@pytest.fixture
def scene(legal: Any, member: Any) -> dict[str, str]:
    from answers.models import ModelEndpoint

    return {
        "draft": str(a_held_answer(legal, member).pk),
        "user": str(member.pk),
        "endpoint": str(ModelEndpoint.objects.get().pk),
        "workspace": str(legal.pk),
    }


def test_no_page_of_the_admin_needs_more_than_its_policy(request, scene, client_of):
    clients = {who: client_of(request.getfixturevalue(who)) for who in PAGES}

    with reading_as(clients["reviewer"]) as (reader,):
        for who, pages in PAGES.items():
            # One browser, which has the files of the theme already.
            cookie = clients[who].cookies[settings.SESSION_COOKIE_NAME]
            reader.page.context.add_cookies([{"name": cookie.key, "value": cookie.value, "url": reader.base}])
            for page in pages:
                answer = reader.page.goto(f"{reader.base}/admin/{page.format(**scene)}")
                reader.look()

                assert answer is not None
                assert answer.status == 200, page
                assert (page, reader.noted.stopped) == (page, [])
            # The theme is alive: its own switch works.
            assert reader.page.evaluate("() => typeof window.Alpine") == "object"
        assert reader.noted.requests == []


def test_what_the_policy_allows_beyond_the_portals_is_needed(scene, client_of, admin, monkeypatch):
    """Once the theme needs less, this fails, and the policy can be made stricter."""
    with reading_as(client_of(admin)) as (reader,):
        for without in ("'unsafe-eval'", "'unsafe-inline'"):
            with monkeypatch.context() as patch:
                patch.setattr(headers, "ADMIN_POLICY", headers.ADMIN_POLICY.replace(f" {without}", ""))
                reader.open("/admin/answers/modelendpoint/")

            assert reader.noted.stopped, without
            reader.noted.stopped.clear()


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
