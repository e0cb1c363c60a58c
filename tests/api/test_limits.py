"""How often a token may be used: counted for each token, for all processes at once, and never without a counter."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from limits.strategies import MovingWindowRateLimiter

from workspaces.exceptions import TooManyAttempts
from workspaces.tokens import limits as token_limits

pytestmark = pytest.mark.django_db


def test_too_many_requests_of_a_token_are_told_when_to_come_back(
    program: Any, member: Any, policies: Any, settings: Any
) -> None:
    settings.TOKEN_REQUESTS_PER_MINUTE = 3
    busy, other = program(member, policies), program(member, policies)

    answers = [busy.get("me") for _ in range(4)]

    assert [response.status_code for response in answers] == [200, 200, 200, 429]
    assert answers[-1]["Content-Type"] == "application/problem+json"
    assert 1 <= int(answers[-1]["Retry-After"]) <= 60
    assert other.get("me").status_code == 200


def test_of_many_requests_at_the_same_moment_exactly_the_allowed_number_gets_through(
    program: Any, member: Any, policies: Any, settings: Any
) -> None:
    settings.TOKEN_REQUESTS_PER_MINUTE = 10
    token = program(member, policies).token

    def spend(_: int) -> bool:
        try:
            token_limits.spend(token)
        except TooManyAttempts:
            return False
        return True

    with ThreadPoolExecutor(20) as threads:
        passed = list(threads.map(spend, range(50)))

    assert passed.count(True) == 10


def test_wrong_tokens_from_one_address_are_told_to_wait(client: Any, settings: Any) -> None:
    settings.ATTEMPTS_PER_ADDRESS = 3

    said = [
        client.get("/api/v1/me", headers={"Authorization": f"Bearer inl_{number}"}).status_code for number in range(4)
    ]

    assert said == [401, 401, 401, 429]


def test_without_a_counter_no_token_is_taken(program: Any, member: Any, policies: Any, monkeypatch: Any) -> None:
    import redis

    def gone(*args: Any) -> bool:
        raise redis.ConnectionError

    monkeypatch.setattr(MovingWindowRateLimiter, "hit", gone)

    response = program(member, policies).get("me")

    assert response.status_code == 503
    assert response["Retry-After"] == "30"
    assert response["Content-Type"] == "application/problem+json"
