"""Attempts to sign in are counted for everybody at once, and stop where they should."""

import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from django.contrib.auth import hashers
from django.db import connections
from django.test import Client

from audit.events import EventType
from audit.models import Event
from tests.conftest import PASSWORD
from tests.workspaces.sign_in_scene import browser, code_of, give_app, is_signed_in, sign_in
from workspaces.identity import throttle

pytestmark = pytest.mark.django_db
ROOT = Path(__file__).resolve().parents[3]
#: How many attempts one account and one address get here.
ACCOUNT, ADDRESS = 3, 8


@pytest.fixture(autouse=True)
def _few_attempts(settings):
    settings.ATTEMPTS_PER_ACCOUNT = ACCOUNT
    settings.ATTEMPTS_PER_ADDRESS = ADDRESS


def guess(username: str = "member", typed: str = "not-it", **options) -> int:
    return Client().post("/sign-in/", {"username": username, "password": typed}, **options).status_code


def test_guesses_at_one_account_stop_at_the_limit_and_say_how_long(member):
    answers = [guess() for _ in range(ACCOUNT + 2)]
    refused = sign_in(Client(), "member")

    assert answers == [200] * ACCOUNT + [429] * 2
    assert 0 < int(refused["Retry-After"]) <= throttle.WINDOW_SECONDS
    assert "about 15 minutes" in refused.content.decode()
    assert "Too many attempts" in refused.content.decode()


def test_the_right_password_is_not_looked_at_beyond_the_limit(member):
    for _ in range(ACCOUNT):
        guess()
    client = Client()

    assert sign_in(client, "member").status_code == 429
    assert not is_signed_in(client)


def test_an_account_that_does_not_exist_is_held_back_the_same(member):
    known = [guess("member") for _ in range(ACCOUNT + 1)]
    unknown = [guess("nobody-here") for _ in range(ACCOUNT + 1)]

    assert known == unknown


def test_writing_the_name_otherwise_does_not_open_another_count(member):
    names = ("member", "MEMBER", "Member", " member", "member ", "mEmBeR")

    assert [guess(name) for name in names] == [200] * ACCOUNT + [429] * (len(names) - ACCOUNT)


def test_guesses_from_one_address_stop_whatever_the_accounts(member):
    answers = [guess(f"somebody-{n}", REMOTE_ADDR="192.0.2.7") for n in range(ADDRESS + 2)]

    assert answers == [200] * ADDRESS + [429] * 2
    assert guess("somebody-else", REMOTE_ADDR="192.0.2.8") == 200


def test_addresses_of_one_ipv6_network_count_as_one(member):
    answers = [guess(f"somebody-{n}", REMOTE_ADDR=f"2001:db8:1:2::{n:x}") for n in range(ADDRESS + 1)]

    assert answers[-1] == 429


def test_a_forwarded_address_counts_only_from_a_trusted_proxy(member, settings):
    spoofed = [
        guess(f"a-{n}", HTTP_X_FORWARDED_FOR=f"198.51.100.{n}", REMOTE_ADDR="10.0.0.1") for n in range(ADDRESS + 1)
    ]
    settings.TRUSTED_PROXIES = ["10.0.0.0/8"]
    relayed = [
        guess(f"b-{n}", HTTP_X_FORWARDED_FOR=f"198.51.100.{n}", REMOTE_ADDR="10.0.0.2") for n in range(ADDRESS + 1)
    ]

    assert spoofed[-1] == 429
    assert set(relayed) == {200}


def test_what_a_client_writes_before_the_proxys_own_entry_is_not_believed(member, settings):
    settings.TRUSTED_PROXIES = ["10.0.0.0/8"]

    answers = [
        guess(f"c-{n}", HTTP_X_FORWARDED_FOR=f"203.0.113.{n}, 198.51.100.9, 10.0.0.3", REMOTE_ADDR="10.0.0.2")
        for n in range(ADDRESS + 1)
    ]

    assert answers[-1] == 429


def test_signing_in_uses_nothing_up(member):
    for _ in range(ADDRESS + 1):
        assert sign_in(Client(), "member").status_code == 302


def test_a_success_clears_ones_own_failures_and_nobody_elses(member, stranger):
    for _ in range(ACCOUNT - 1):
        guess("member", REMOTE_ADDR="192.0.2.7")
        guess("stranger", REMOTE_ADDR="192.0.2.7")
    sign_in(Client(), "member")

    assert [guess("member") for _ in range(ACCOUNT - 1)] == [200] * (ACCOUNT - 1)
    assert [guess("stranger") for _ in range(2)] == [200, 429]


def test_guesses_at_the_code_stop_although_the_password_is_right(member):
    secret = give_app(member)
    client = browser("member")

    answers = [client.post("/sign-in/code/", {"code": f"{n:06}"}).status_code for n in range(ACCOUNT + 1)]
    right = browser("member").post("/sign-in/code/", {"code": code_of(secret, steps=1)})

    assert answers == [200] * ACCOUNT + [429]
    assert right.status_code == 429


def test_a_flood_leaves_one_entry_in_the_trail(member):
    for _ in range(ACCOUNT + 3):
        guess()

    (entry,) = Event.objects.filter(type=EventType.SIGN_IN_THROTTLED)
    assert (entry.object_id, entry.object_label) == (str(member.pk), "member")
    assert Event.objects.filter(type=EventType.SIGN_IN_FAILED).count() == ACCOUNT


@pytest.mark.django_db(transaction=True)
def test_of_thirty_guesses_at_once_exactly_as_many_as_allowed_get_through(member, monkeypatch):
    looked_at = []
    lock = threading.Lock()
    check = hashers.check_password

    def counted(*args, **kwargs):
        with lock:
            looked_at.append(1)
        return check(*args, **kwargs)

    monkeypatch.setattr("django.contrib.auth.base_user.check_password", counted)
    together = threading.Barrier(10)

    def guesses(thread: int) -> list[int]:
        together.wait()
        try:
            return [guess(HTTP_X_FORWARDED_FOR=f"198.51.100.{thread}") for _ in range(3)]
        finally:
            connections.close_all()

    with ThreadPoolExecutor(10) as pool:
        answers = [status for batch in pool.map(guesses, range(10)) for status in batch]

    assert sorted(answers) == [200] * ACCOUNT + [429] * (30 - ACCOUNT)
    assert len(looked_at) == ACCOUNT


def test_processes_share_one_count(settings):
    script = (
        "import django; django.setup()\n"
        "from django.conf import settings\n"
        "settings.REDIS_URL, settings.SECRET_KEY = {url!r}, {key!r}\n"
        "settings.ATTEMPTS_PER_ACCOUNT = 5\n"
        "from workspaces.exceptions import TooManyAttempts\n"
        "from workspaces.identity import throttle\n"
        "throttle._record_once = lambda counter: None\n"
        "got = 0\n"
        "for _ in range(10):\n"
        "    try:\n"
        "        throttle.Attempt(throttle.by_account('shared')); got += 1\n"
        "    except TooManyAttempts:\n"
        "        pass\n"
        "print(got)\n"
    )
    filled = script.format(url=settings.REDIS_URL, key=settings.SECRET_KEY)
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "inlock.settings"}
    running = [
        subprocess.Popen([sys.executable, "-c", filled], cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]

    got = [int(process.communicate(timeout=60)[0].strip().splitlines()[-1]) for process in running]

    assert sum(got) == 5


def test_without_the_counter_nobody_signs_in_and_who_is_in_stays(member, settings, tmp_path):
    inside = browser("member")
    settings.REDIS_URL = f"unix://{tmp_path}/nobody-listens?db=0"
    client = Client()

    refused = sign_in(client, "member")

    assert refused.status_code == 503
    assert "cannot count attempts" in refused.content.decode()
    assert not is_signed_in(client)
    assert is_signed_in(inside)


def test_without_the_throttle_every_guess_would_get_through(member, monkeypatch):
    class Uncounted:
        def __init__(self, *counters):
            pass

        def succeeded(self):
            pass

    monkeypatch.setattr(throttle, "Attempt", Uncounted)

    assert {guess(typed=f"{PASSWORD}{n}") for n in range(ADDRESS + 1)} == {200}
