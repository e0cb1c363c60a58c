"""Tell whoever watches an answer what happens to it, over a Redis stream per answer.

The row is the truth: a stream that cannot be written is logged, and the page catches up from the database.
"""

import json
import logging
from functools import cache
from typing import Any

import redis
from django.conf import settings

from answers.models import Answer
from answers.states import WORDING, AnswerStatus

log = logging.getLogger(__name__)

#: Longest stream kept, and for how long after its last event.
_MAX_EVENTS, _SECONDS = 20_000, 24 * 3600


def append(answer_id: object, kind: str, data: dict[str, Any]) -> None:
    """Add one event to the answer's stream. Never raises for an unreachable Redis."""
    key = f"answer:{answer_id}"
    try:
        with _redis(settings.REDIS_URL).pipeline() as pipe:
            pipe.xadd(key, {"kind": kind, "data": json.dumps(data)}, maxlen=_MAX_EVENTS, approximate=True)
            pipe.expire(key, _SECONDS)
            pipe.execute()
    except redis.RedisError as error:
        log.warning("answer %s: event %s could not be streamed: %s", answer_id, kind, type(error).__name__)


def announce(answer: Answer) -> None:
    """Tell the asker's page where the answer stands now, after a decision was committed."""
    status = AnswerStatus(answer.status)
    wording = WORDING[status]
    append(
        answer.pk,
        "status",
        {
            "status": status.value,
            "label": str(status.label),
            "sentence": str(wording.sentence),
            "tone": wording.tone,
            "family": status.family,
        },
    )
    append(answer.pk, "end", {"status": status.value})


@cache
def _redis(url: str) -> redis.Redis:
    return redis.Redis.from_url(url)
