"""An answer's happenings as server-sent events (HTML standard, section 9.2), for as long as the watcher may watch."""

import json
import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import redis
from asgiref.sync import sync_to_async
from django.db import close_old_connections, connection
from django.db.models import QuerySet
from django.http import HttpRequest, StreamingHttpResponse

from answers import streaming
from answers.chat import waiting
from answers.language import speaking
from answers.models import Answer
from answers.querysets import sources_open
from answers.states import OPEN, AnswerStatus
from workspaces import access
from workspaces.compiled import Compiled
from workspaces.exceptions import Hidden
from workspaces.models import User
from workspaces.roles import Action
from workspaces.tokens.credentials import Credential, credential_of

logger = logging.getLogger(__name__)

#: After a fault of the broker the browser comes back this much later.
RETRY_MILLISECONDS = 3000


@dataclass(frozen=True, slots=True)
class _Rights:
    """What the watcher may have now: the stream at all, and the words of an answer that is still being made."""

    watch: bool
    #: None while no word of it is written yet.
    words: bool | None
    #: Where a question that waits stands in the line, as a sentence in its language.
    line: str = ""


_NONE = _Rights(watch=False, words=False)


def event_stream(request: HttpRequest, answer: Answer) -> StreamingHttpResponse:
    """The response that follows one's own answer, behind the last event the client saw. Raises Hidden to others."""
    if answer.asked_by_id != request.user.pk:
        raise Hidden(user=request.user, workspace=answer.workspace_id, action=Action.ASK, thing=answer)
    frames = stream_of(answer.pk, credential_of(request), request.headers.get("Last-Event-ID", ""))
    response = StreamingHttpResponse(frames, content_type="text/event-stream")
    response.headers["X-Accel-Buffering"] = "no"
    return response


async def stream_of(answer_id: UUID, credential: Credential, after: str) -> AsyncIterator[str]:
    """The answer's events behind `after` (an event id, "" for all); ends when the watcher may no longer watch.

    For a watcher whose right was looked at just now: it is looked at again before the first word and with each beat.
    Words are passed on only while the answer is being made and all its sources are open to the watcher; afterwards
    its page shows the text, under the same rights. A broker that is gone ends the stream; the browser reconnects.
    """
    rights: _Rights | None = None
    # What looked at the right goes back to the pool: until the first look here nothing is asked of the database.
    await sync_to_async(close_old_connections)()
    yield f"retry: {RETRY_MILLISECONDS}\n\n"
    try:
        async for event_id, kind, data in streaming.follow(answer_id, after=_id(after)):
            has_words = kind in streaming.WORDS
            if kind == streaming.BEAT or (has_words and (rights is None or rights.words is None)):
                # Beats come whatever else does, so a stream outlives a right that was taken by one of them at most.
                rights = await _rights(answer_id, credential)
                if not rights.watch:
                    return
            if has_words and not (rights and rights.words):
                continue
            if kind != streaming.BEAT:
                yield _frame(event_id, kind, json.dumps(data))
            elif rights and rights.line:
                yield _frame("", streaming.LINE, json.dumps({"sentence": rights.line}))
            else:
                yield ": still here\n\n"
    except redis.RedisError as error:
        logger.warning("Answer %s cannot be followed: %s", answer_id, error)


def _frame(event_id: str, kind: str, data: str) -> str:
    id_line = f"id: {event_id}\n" if event_id else ""
    return f"{id_line}event: {kind}\ndata: {data}\n\n"


def _id(given: str) -> str:
    """A stream position as Redis writes it, or the beginning: the header comes from the browser."""
    parts = given.split("-")
    return given if len(parts) == 2 and all(part.isdigit() and len(part) < 20 for part in parts) else "0"


def _of(answer_id: UUID, person: UUID) -> QuerySet[Any]:
    held = access.held_by("asked_by", "workspace")
    return (
        Answer.objects.filter(pk=answer_id, asked_by=person)
        .select_related("workspace", "question")
        .order_by()
        .annotate(held=held)
    )


#: The answer, while it is the person's own, and what they hold where it was asked.
_own = Compiled(_of, UUID, UUID)


def _may_ask(user: User, answer: Any) -> bool:
    return {Action.ENTER, Action.ASK} <= access.actions_as_read(user, answer.workspace, answer.held)


@sync_to_async
def _rights(answer_id: UUID, credential: Credential) -> _Rights:
    """Asked of the database anew, with the credential and the person as they are now."""
    try:
        with credential.in_use() as user:
            if user is None:
                return _NONE
            found = _own(answer_id, user.pk)
            # Of one's own answer one may know wherever one may ask.
            if not found or not _may_ask(user, found[0]):
                return _NONE
            [answer] = found
            if answer.status == AnswerStatus.WAITING:
                with speaking(answer.question.language):
                    return _Rights(watch=True, words=None, line=waiting.sentence(answer))
            return _Rights(watch=True, words=answer.status in OPEN and sources_open(user, answer))
    finally:
        # Hundreds may watch at once, each in a thread of its own: none keeps a database connection between looks.
        connection.close()
