"""Questions and answers for programs: ask, read, follow. The pipeline, the rights and the release are everybody's."""

import asyncio
from datetime import date, datetime
from typing import Any
from uuid import UUID

import redis
from asgiref.sync import async_to_sync
from django.conf import settings
from django.core.paginator import Paginator
from django.db import close_old_connections
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import reverse
from ninja import Query, Router, Status
from pydantic import Field

from answers import endpoints, questions, reading, streaming
from answers.chat import cards
from answers.models import Answer, Conversation
from answers.querysets import answers_given_to
from answers.rag_templates import choosing
from answers.sse import event_stream
from answers.states import HELD, OPEN
from answers.suspension import suspended
from workspaces import access
from workspaces.api import Asked, Told, in_workspace, refuse_unknown
from workspaces.exceptions import Hidden
from workspaces.models import User, Workspace
from workspaces.roles import Action
from workspaces.tokens.credentials import credential_of

router = Router(tags=["Answers"])

#: Seconds a program may wait for an answer in the request that asks.
MOST_SECONDS = 30
_JSON, _EVENTS = "application/json", "text/event-stream"
#: Answers on a page of a list.
PER_PAGE = 50


class NewQuestion(Asked):
    question: str = Field(max_length=settings.MAX_QUESTION_CHARACTERS)
    model: str = Field("", max_length=100, description="The name of a model the workspace offers; empty: its default.")
    template: str = Field(
        "",
        max_length=40,
        description="The code of a template the workspace offers; empty: the conversation's, else the standard.",
    )
    conversation: UUID | None = Field(None, description="The conversation to go on with; none begins a new one.")
    wait: int = Field(0, ge=0, le=MOST_SECONDS, description="Seconds to wait for the answer before 202.")


class Citation(Told):
    n: int
    document: str
    title: str
    version: int
    sha256: str
    page: int | None
    locator: str
    quote: str
    start: int
    end: int
    #: The place in the portal, for a person's browser.
    url: str
    #: The last day the document holds, where one is known; an expired one is past it.
    valid_until: date | None
    is_expired: bool


class Reason(Told):
    code: str
    #: What it is about: a number, a date, a name.
    what: str
    #: What the source says instead, where that is known.
    instead: str = ""
    #: The same for a person.
    sentence: str


class Sentence(Told):
    text: str
    start: int
    end: int
    citations: list[int]
    #: Share of its content words that its quotes contain; None where that cannot be measured.
    grounding: float | None
    #: supported, partly or unsupported by what it cites; empty in answers from before this was checked.
    verdict: str
    #: Why, the weightiest first.
    reasons: list[Reason]


class SuspendedBy(Told):
    """What happened to a source since the answer was released."""

    #: deleted, replaced, expired or reclassified.
    reason: str
    #: The document; none where it may not be named to this person.
    document: UUID | None
    since: datetime
    sentence: str


class TemplateNamed(Told):
    code: str
    name: str
    number: int


class AnswerReading(Told):
    answer_id: UUID
    status: str
    #: What a person is told about the status.
    sentence: str
    #: Empty until it is released, and where a source is not open to this credential.
    text: str
    citations: list[Citation]
    sentences: list[Sentence]
    model: str
    #: The template it was asked with, with the number of its version; none for the workspace's plain way.
    template: TemplateNamed | None
    #: Step of the pipeline → seconds.
    seconds: dict[str, float]
    #: What a follow-up was understood as and searched for; empty where the question stands alone.
    asked_as: str
    #: Where a follow-up goes on; none for an answer that somebody else asked for.
    conversation: UUID | None
    #: Why a released answer is closed to everybody now; empty where it is not.
    suspended: list[SuspendedBy]
    #: Where this answer is read, and where its events are followed: empty for one that somebody else asked for.
    url: str
    events: str


class Paged(Asked):
    page: int = Field(1, ge=1)


class GivenAnswer(Told):
    answer_id: UUID
    question: str
    asked_by: str
    status: str
    released_at: datetime
    #: Where it is read.
    url: str


class GivenAnswers(Told):
    items: list[GivenAnswer]
    page: int
    pages: int
    per_page: int
    total: int


@router.post(
    "/workspaces/{slug:slug}/questions", response={200: AnswerReading, 202: AnswerReading}, summary="Ask a question"
)
@in_workspace(Action.ASK)
def ask(request: HttpRequest, slug: str, asked: NewQuestion, response: HttpResponse) -> Any:
    """Put a question in line. 200 with the ending if there is one within `wait` seconds, else 202: read it later.

    An answer that a reviewer holds is 202 as well: its text may still come. With `Accept: text/event-stream` the
    response is the answer's events, from the first one on, as following it gives them.
    """
    answer = _ask(request, asked)
    if request.get_preferred_type([_JSON, _EVENTS]) == _EVENTS:
        stream = event_stream(request, answer)
        stream["Location"] = _address(answer)
        return stream
    if asked.wait:
        # There are fewer connections than programs that may wait; the next statement takes one again.
        close_old_connections()
        async_to_sync(_ended)(answer.pk, within=asked.wait)
        body = _read_after_a_while(request, answer.pk)
    else:
        body = _as_told(reading.in_line(answer), by=request.user)
    response["Location"] = body["url"]
    return Status(202 if body["status"] in (*OPEN, *HELD) else 200, body)


@router.get("/workspaces/{slug:slug}/answers/shared", response=GivenAnswers, summary="Answers shared with you")
@in_workspace(Action.ASK)
def shared(request: HttpRequest, slug: str, asked: Query[Paged]) -> dict[str, Any]:
    """Others' released answers that were shared with this person or declassified for them, the newest first.

    As far as this credential goes: a token without `open_documents` is told of none of them.
    """
    refuse_unknown(request, Paged)
    page = Paginator(cards.given_to(request.user, request.workspace), PER_PAGE).get_page(asked.page)  # type: ignore[attr-defined]
    return {
        "items": [_given(answer) for answer in page.object_list],
        "page": page.number,
        "pages": page.paginator.num_pages,
        "per_page": PER_PAGE,
        "total": page.paginator.count,
    }


@router.get("/answers/{uuid:pk}", response=AnswerReading, summary="Read an answer", url_name="answer")
def answer(request: HttpRequest, pk: UUID) -> dict[str, Any]:
    """Where one's own answer stands, and its text once released and while every source is open to this credential.

    Others' answers are read here too once they were shared with this person or declassified for them.
    """
    return _read(request.user, pk)


@router.get("/answers/{uuid:pk}/events", summary="Follow an answer", url_name="events")
def events(request: HttpRequest, pk: UUID) -> HttpResponseBase:
    """Server-sent events of one's own answer (`status`, `step`, `token`, `end`), resumed by `Last-Event-ID`."""
    return event_stream(request, access.find(request.user, Action.ASK, Answer, pk=pk))


for _operation in (answer, events):
    _operation.required_action = Action.ASK  # type: ignore[attr-defined]


# --- Inside -------------------------------------------------------------------------------------------------


def _ask(request: HttpRequest, asked: NewQuestion) -> Answer:
    workspace: Workspace = request.workspace  # type: ignore[attr-defined]
    endpoint = endpoints.named(asked.model, workspace)
    thread = None
    if asked.conversation is not None:
        thread = access.find(request.user, Action.ASK, Conversation, pk=asked.conversation, workspace=workspace)
    return questions.ask(
        workspace=workspace,
        text=asked.question,
        by=request.user,
        endpoint=endpoint,
        conversation=thread,
        template=choosing.named(asked.template, workspace) if asked.template else None,
    )


async def _ended(answer_id: UUID, *, within: int) -> None:
    """Return when the answer has come to an ending or is held, and after `within` seconds at the latest."""
    try:
        async with asyncio.timeout(within):
            async for _id, kind, _data in streaming.follow(answer_id):
                if kind == streaming.END:
                    return
    except (TimeoutError, redis.RedisError):
        # The row tells how far it came.
        return


def _read_after_a_while(request: HttpRequest, pk: UUID) -> dict[str, Any]:
    """As `_read`, with the credential asked again: what let the request in may have ended while it waited."""
    with credential_of(request).in_use() as user:
        if user is None:
            raise Hidden(user=request.user, action=Action.ASK)
        return _read(user, pk)


def _read(user: User, pk: UUID) -> dict[str, Any]:
    found = access.find(user, Action.ASK, Answer, pk=pk)
    if found.asked_by_id != user.pk and not answers_given_to(user).filter(pk=pk).exists():
        # A reviewer's look at others' answers is recorded with the draft, in the admin.
        raise Hidden(user=user, workspace=found.workspace_id, action=Action.ASK, thing=found)
    return _as_told(reading.read(found, by=user), by=user)


def _as_told(shown: reading.Reading, *, by: User) -> dict[str, Any]:
    found = shown.answer
    is_mine = found.asked_by_id == by.pk
    return reading.as_document(shown) | {
        "asked_as": reading.asked_as(shown, by=by),
        "conversation": found.question.conversation_id if is_mine else None,
        "suspended": suspended.as_documents(found, to=by),
        "url": _address(found),
        "events": reverse("api:events", kwargs={"pk": found.pk}) if is_mine else "",
    }


def _given(answer: Answer) -> dict[str, Any]:
    return {
        "answer_id": answer.pk,
        "question": answer.question.text,
        "asked_by": answer.question.asked_by.username,
        "status": answer.status,
        "released_at": answer.released_at,
        "url": _address(answer),
    }


def _address(answer: Answer) -> str:
    return reverse("api:answer", kwargs={"pk": answer.pk})
