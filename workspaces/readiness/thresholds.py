"""Every figure that decides between good, doubtful and bad, in one table; an operator may set others."""

from django.conf import settings

from workspaces.readiness.registry import Found, blocked, passed, warned

#: Name → figure. `INLOCK_READINESS` in the environment replaces single ones, as `failed_percent_warn=2`.
DEFAULTS: dict[str, int] = {
    # a pilot that lost its go
    "pilot_grace_days": 7,
    # people and rights
    "managers_warn": 3,
    "reviewers_percent_warn": 50,
    "reviewers_from_people": 4,
    "access_review_days_warn": 180,
    "probed_things": 20,
    "probed_people": 12,
    # data, in percent of the documents
    "documents_block": 1,
    "failed_percent_warn": 2,
    "failed_percent_block": 20,
    "stale_percent_warn": 5,
    "stale_percent_block": 40,
    "ownerless_percent_warn": 20,
    "ownerless_percent_block": 101,
    "unreviewed_percent_warn": 20,
    "waiting_hours_warn": 1,
    "waiting_hours_block": 24,
    "expected_percent_warn": 100,
    "expected_percent_block": 50,
    "gaps_warn": 1,
    "gaps_overdue_block": 20,
    # connectors
    "sources_looked_at": 20,
    "late_sync_hours": 1,
    # models and answers
    "failed_answers_percent_warn": 5,
    "failed_answers_percent_block": 50,
    "budget_percent_warn": 80,
    # review
    "overdue_drafts_warn": 1,
    "overdue_drafts_block": 20,
    # trail and operations
    "checkpoint_hours_warn": 24,
    "backup_hours_warn": 26,
    "backup_hours_block": 168,
    "worker_seconds_block": 1200,
}


def of(name: str) -> int:
    """The figure of that name."""
    return int(settings.READINESS.get(name, DEFAULTS[name]))


def percent(part: int, whole: int) -> int:
    """The share in whole percent, rounded up, so that one of many is not none."""
    return -(-100 * part // whole) if whole else 0


def by_share(name: str, part: int, whole: int, sentence: str) -> Found:
    """Passed, warned or blocked by the share against `NAME_percent_warn` and `NAME_percent_block`."""
    share = percent(part, whole)
    rate = passed
    if share >= of(f"{name}_percent_block"):
        rate = blocked
    elif part and share >= of(f"{name}_percent_warn"):
        rate = warned
    return rate(sentence, part=part, whole=whole, percent=share)
