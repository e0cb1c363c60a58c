"""Tell whoever watches an answer what is happening, through a stream in Redis that can be resumed.

The row is the truth and the stream only its news: what cannot be written here is logged and lost, and a follower
who misses the end learns it from the row.

Events: `status` {status, label, sentence, tone, family} · `step` {step, label} · `asked` {text} (what a follow-up is
understood as) · `reset` {} (what was streamed so far is void) · `token` {text} · `end` {status}. Followers also get
`beat` {}, which stands in no stream; whoever watches a question that waits is told `line` {sentence} in its place.
"""

import json
import logging
import time
from collections.abc import AsyncIterator, Iterable
from functools import cache
from typing import Any
from uuid import UUID

import redis
import redis.asyncio
from asgiref.sync import sync_to_async
from django.conf import settings
from django.db import connection

from answers.language import speaking
from answers.models import Answer
from answers.states import HELD, OPEN, WORDING, AnswerStatus

logger = logging.getLogger(__name__)

STATUS, STEP, ASKED, RESET, TOKEN, END, BEAT = "status", "step", "asked", "reset", "token", "end", "beat"
LINE = "line"
#: They carry words, which are for whoever may open every source of the answer.
WORDS = frozenset({ASKED, TOKEN})

KEPT_SECONDS = 24 * 3600
#: The row then holds the text, under the rights of whoever reads it; what was streamed is gone from the broker.
KEPT_AFTER_END_SECONDS = 60
#: Far more than an answer has; a runaway model cannot fill the broker.
MOST_EVENTS = 20_000
#: Followers look at the rights of whoever watches at each beat, and must be done within five seconds.
BEAT_SECONDS = 3.0
_TIMEOUT = 2.0
_BATCH = 200

Event = tuple[str, str, dict[str, Any]]


def append(answer_id: UUID, kind: str, data: dict[str, Any], *, kept: int = KEPT_SECONDS) -> None:
    """Add one event to the answer's stream."""
    _append(answer_id, [(kind, data)], kept)


def _append(answer_id: UUID, events: list[tuple[str, dict[str, Any]]], kept: int) -> None:
    client, key = _client(settings.REDIS_URL), _key(answer_id)
    try:
        with client.pipeline(transaction=False) as pipe:
            for kind, data in events:
                pipe.xadd(key, {"kind": kind, "data": json.dumps(data)}, maxlen=MOST_EVENTS, approximate=True)
            pipe.expire(key, kept)
            pipe.execute()
    except (redis.RedisError, OSError) as error:
        kinds = ", ".join(kind for kind, _data in events)
        logger.warning("Answer %s: %s was not streamed: %s", answer_id, kinds, error)


def announce(answer: Answer) -> None:
    """Say where the answer stands, and that it ended if it did. Call after commit."""
    events: list[tuple[str, dict[str, Any]]] = [(STATUS, dict(status_data(answer.status, answer.question.language)))]
    if answer.status in OPEN:
        _append(answer.pk, events, KEPT_SECONDS)
    else:
        events.append((END, {"status": str(answer.status)}))
        _append(answer.pk, events, KEPT_AFTER_END_SECONDS)


def forget(answer_ids: Iterable[UUID]) -> None:
    """Remove what was streamed of these answers; a broker that is gone is logged, and found by whoever looks later."""
    keys = [_key(answer_id) for answer_id in answer_ids]
    try:
        if keys:
            _client(settings.REDIS_URL).delete(*keys)
    except (redis.RedisError, OSError) as error:
        logger.warning("Streams of %s answers stay until they expire: %s", len(keys), error)


def status_data(status: str, language: str) -> dict[str, str]:
    """What a badge shows for `status`, in the asker's language."""
    status, wording = AnswerStatus(status), WORDING[status]
    with speaking(language):
        return {
            "status": status.value,
            "label": str(status.label),
            "sentence": str(wording.sentence),
            "tone": wording.tone,
            "family": status.family,
        }


def read(answer_id: UUID, after: str = "0") -> list[Event]:
    """The events after the one called `after`, without waiting."""
    client = _client(settings.REDIS_URL)
    return [_event(id, fields) for id, fields in client.xrange(_key(answer_id), f"({after}" if after != "0" else "-")]


async def follow(answer_id: UUID, after: str = "0") -> AsyncIterator[Event]:
    """The events after the one called `after`, as (event id, kind, data), as they happen.

    A `beat` with an empty id comes every three seconds, whatever else happens. Goes on past the end of a held answer,
    for the reviewer's decision, and finishes when nothing more can come. Raises redis.RedisError when Redis is gone.
    """
    client = redis.asyncio.Redis.from_url(
        settings.REDIS_URL,
        socket_connect_timeout=_TIMEOUT,
        socket_timeout=BEAT_SECONDS + _TIMEOUT,
        decode_responses=True,
        # It would look for the version of its own package with each connection, which takes longer than connecting.
        driver_info=None,
    )
    key = _key(answer_id)
    beat_at = time.monotonic() + BEAT_SECONDS
    try:
        while True:
            left = beat_at - time.monotonic()
            found = await client.xread({key: after}, count=_BATCH, block=max(1, int(left * 1000)))
            for id, fields in found[0][1] if found else ():
                after = id
                event = _event(id, fields)
                yield event
                if event[1] == END and event[2]["status"] not in HELD:
                    return
            if time.monotonic() < beat_at:
                continue
            if not found:
                status = await _status(answer_id)
                if status not in (*OPEN, *HELD):
                    # The end was never streamed, or its stream is gone.
                    yield "", END, {"status": status}
                    return
            yield "", BEAT, {}
            beat_at = time.monotonic() + BEAT_SECONDS
    finally:
        await client.aclose()


@sync_to_async
def _status(answer_id: UUID) -> str:
    try:
        return str(Answer.objects.values_list("status", flat=True).get(pk=answer_id))
    finally:
        # Hundreds may follow at once, each in a thread of its own: none keeps a database connection between beats.
        connection.close()


def _event(id: Any, fields: dict[Any, Any]) -> Event:
    return str(id), str(fields["kind"]), json.loads(fields["data"])


def _key(answer_id: UUID) -> str:
    return f"answer:{answer_id}"


@cache
def _client(url: str) -> "redis.Redis":
    return redis.Redis.from_url(url, socket_timeout=_TIMEOUT, socket_connect_timeout=_TIMEOUT, decode_responses=True)
