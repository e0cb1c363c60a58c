"""A person makes a token in the browser, a program asks with it over the wire, and the token's end reaches both."""

import json
import re
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from threading import Thread
from typing import Any

import pytest
from playwright.sync_api import expect

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("portal")]


class Program:
    """Speaks HTTP as any program does, without this project's code."""

    def __init__(self, url: str, token: str) -> None:
        self.url, self.token = url, token

    def call(self, path: str, sent: Any = None) -> tuple[int, Any]:
        try:
            with self._open(path, sent) as response:
                return response.status, json.load(response)
        except urllib.error.HTTPError as error:
            return error.code, json.load(error)

    def send(self, path: str, name: str, content: bytes, **given: str) -> tuple[int, Any]:
        """A file as a browser's form sends it."""
        before = "--part\r\nContent-Disposition: form-data; name="
        parts = [f'{before}"{key}"\r\n\r\n{value}' for key, value in given.items()]
        parts.append(f'{before}"file"; filename="{name}"\r\n\r\n')
        body = "\r\n".join(parts).encode() + content + b"\r\n--part--\r\n"
        request = urllib.request.Request(self.url + path, body, self._headers("multipart/form-data; boundary=part"))  # noqa: S310 (our own portal)
        with urllib.request.urlopen(request, timeout=60) as response:  # noqa: S310
            return response.status, json.load(response)

    def follow(self, path: str) -> Iterator[str]:
        with self._open(path) as response:
            for line in response:
                yield line.decode()

    def _open(self, path: str, sent: Any = None) -> Any:
        body = None if sent is None else json.dumps(sent).encode()
        request = urllib.request.Request(self.url + path, body, self._headers("application/json"))  # noqa: S310 (our own portal)
        return urllib.request.urlopen(request, timeout=60)  # noqa: S310

    def _headers(self, type: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}", "Content-Type": type}


def test_a_program_asks_in_a_persons_name_until_the_person_revokes_it(portal: Any, signed_in: Any) -> None:
    page = signed_in("member")
    page.get_by_text("Member", exact=True).last.click()
    page.get_by_role("link", name="Your account").click()
    page.get_by_role("link", name="Tokens", exact=True).click()
    expect(page.get_by_role("heading", name="No API tokens")).to_be_visible()
    page.fill("[name=name]", "Reporting")
    page.get_by_label("Company policies").check()
    page.get_by_label("Legal and contracts").check()
    page.get_by_role("button", name="Make the token").click()
    page.get_by_role("button", name="Copy").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    token = page.input_value("#made-text")
    program = Program(portal.url, token)

    # An open workspace answers within the request.
    status, answer = program.call(
        "/api/v1/workspaces/policies/questions",
        {"question": "How many working days of paid annual leave does a full-time employee have?", "wait": 30},
    )
    assert (status, answer["status"]) == (200, "answered")
    assert "25 working days" in answer["text"]
    assert answer["citations"][0]["document"] == "employee-handbook.pdf"

    # One that holds answers says so and gives no text; its stream stays open for the reviewer's decision.
    status, held = program.call(
        "/api/v1/workspaces/legal/questions",
        {"question": "What notice is needed to end the carrier agreement?", "wait": 30},
    )
    assert (status, held["text"], held["citations"]) == (202, "", [])
    heard: list[str] = []
    follower = Thread(target=lambda: heard.extend(program.follow(held["events"])), daemon=True)
    follower.start()

    # The page no longer shows the token, and ends it.
    page.goto("/account/tokens/")
    assert not re.search(r"inl_[\w-]{43}", page.content())
    page.get_by_role("link", name="Revoke Reporting").click()
    page.get_by_role("dialog").get_by_role("button", name="Revoke").click()
    expect(page.get_by_text("is revoked and opens nothing any more")).to_be_visible()

    status, problem = program.call("/api/v1/me")
    assert (status, problem["title"]) == (401, "Unauthorized")
    follower.join(10)
    assert not follower.is_alive()
    assert not any(line.startswith("event: token") for line in heard)


def test_a_program_brings_a_document_over_the_wire_and_waits_until_it_is_ready(portal: Any, signed_in: Any) -> None:
    page = signed_in("contributor")
    page.goto("/account/tokens/")
    page.fill("[name=name]", "Scanner")
    page.get_by_label("Company policies").check()
    page.get_by_label("Ask questions").uncheck()
    page.get_by_label("Bring documents").check()
    page.get_by_role("button", name="Make the token").click()
    program = Program(portal.url, page.input_value("#made-text"))
    text = b"# Bicycles\n\nVisitors park their bicycles in the northern yard, beside the gate.\n"

    status, taken = program.send("/api/v1/workspaces/policies/documents", "bicycles.md", text, tags="visitors")
    assert (status, taken["outcome"]) == (202, "added")
    deadline = time.monotonic() + 180
    while (told := program.call(taken["document"]["url"])[1])["newest"]["state"] not in ("ready", "failed"):
        assert time.monotonic() < deadline, told["newest"]
        time.sleep(0.5)
    assert (told["newest"]["state"], told["answering"], told["tags"]) == ("ready", 1, ["visitors"])
    status, again = program.send("/api/v1/workspaces/policies/documents", "bicycles.md", text)
    assert (status, again["outcome"], again["document"]["id"]) == (200, "same", told["id"])
    # The token was not given to ask.
    assert program.call("/api/v1/workspaces/policies/questions", {"question": "Where?"})[0] == 403
