"""Many ask in one instant: each hears at once that the question is in line, whatever is being answered meanwhile."""

import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial
from threading import Thread
from typing import Any

import pytest
from asgiref.sync import async_to_sync, sync_to_async
from django.db import connection, connections
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from answers import pipeline, questions, sse, streaming
from answers.governing import asking
from answers.models import Answer
from answers.states import AnswerStatus
from audit.events import EventType
from audit.models import Event
from tests.portal import within
from tests.threads import threads
from workspaces import members
from workspaces.places import Places
from workspaces.tokens import keeping as tokens
from workspaces.tokens.credentials import Credential

QUESTION = "How many days of paid parental leave does the second parent take?"
ASK = "/api/v1/workspaces/policies/questions"
EVENTS = "text/event-stream"


@pytest.fixture
def program(policies: Any, member: Any, client: Any) -> Callable[..., Any]:
    """program("text/event-stream") → the response to a program of `member` that asks, and wants that."""
    _token, text = tokens.create(by=member, name="A program", workspaces=[policies], actions=["ask_questions"])

    def ask(accept: str = "application/json", **given: Any) -> Any:
        headers = {"Authorization": f"Bearer {text}", "Accept": accept}
        return client.post(ASK, {"question": QUESTION, **given}, content_type="application/json", headers=headers)

    return ask


@pytest.fixture
def one_place(monkeypatch: pytest.MonkeyPatch) -> Places:
    """A machine with one processor."""
    places = Places(1)
    for module in (pipeline, asking):
        monkeypatch.setattr(module, "PLACES", places)
    return places


@pytest.fixture
def pooled(monkeypatch: pytest.MonkeyPatch) -> None:
    """A connection is another request's once it is let go, as in the web process."""
    connection.close()
    monkeypatch.setitem(connection.settings_dict, "CONN_MAX_AGE", 0)


@pytest.fixture
def answering() -> Iterator[Callable[[Any], Thread]]:
    """answering(answer) → a worker's thread that answers it; all have ended when the test has."""

    def run(answer: Any) -> None:
        try:
            pipeline.run(answer.pk)
        finally:
            connections.close_all()

    with threads(60) as start:
        yield lambda answer: start(partial(run, answer))


def statements(act: Callable[[], Any]) -> list[str]:
    with CaptureQueriesContext(connection) as captured:
        act()
    return [query["sql"] for query in captured.captured_queries]


async def _first_event(frames: Any) -> str:
    async for frame in frames:
        if "event: " in frame:
            await frames.aclose()
            return frame
    return ""


def first_event(response: Any) -> str:
    """The first event of a stream, after which its reader goes away."""
    return async_to_sync(_first_event)(frame.decode() async for frame in response.streaming_content)


@pytest.mark.parametrize("accept", ["application/json", EVENTS])
def test_asking_as_a_program_takes_few_statements(accept, program):
    program()  # the first use of a token is recorded

    taken = statements(lambda: program(accept))

    # Token, person's places, links of a provider, scope; workspace and right; five rows and their transaction.
    assert len(taken) <= 15, taken


def test_asking_on_the_page_takes_few_statements(policies, member, client_of):
    client = client_of(member)

    def ask() -> None:
        sent = {"text": QUESTION}
        response = client.post(reverse("answers:ask", args=["policies"]), sent, headers={"HX-Request": "true"})
        assert response.status_code == 200

    ask()
    taken = statements(ask)

    assert len(taken) <= 18, taken


@pytest.mark.django_db(transaction=True)
def test_the_first_event_comes_before_an_answer_under_way_has_ended(program, one_place):
    with one_place.taken():
        response = program(EVENTS)

        assert response["Content-Type"] == EVENTS
        assert '"status": "waiting"' in first_event(response)
        assert Answer.objects.get().status == AnswerStatus.WAITING
        assert response["Location"] == reverse("api:answer", kwargs={"pk": Answer.objects.get().pk})


@pytest.mark.django_db(transaction=True)
def test_a_stream_in_which_nothing_happens_keeps_no_connection_to_the_database(program, one_place, pooled):
    with one_place.taken():
        response = program(EVENTS)

        assert first_event(response)
        assert connection.connection is None


@pytest.mark.django_db(transaction=True)
def test_a_program_that_waits_for_its_answer_keeps_no_connection_to_the_database(program, pooled, monkeypatch):
    kept = []

    async def follow(_answer_id: Any) -> Any:
        kept.append(await sync_to_async(lambda: connection.connection)())
        yield "1-1", streaming.END, {}

    monkeypatch.setattr(streaming, "follow", follow)

    response = program(wait=1)

    assert response.status_code == 202
    assert kept == [None]


def test_a_program_that_takes_anything_gets_a_document(program):
    response = program("*/*")

    assert response.status_code == 202
    assert response.json() == {
        "answer_id": str(Answer.objects.get().pk),
        "status": "waiting",
        "sentence": "Your question is in line.",
        "text": "",
        "citations": [],
        "sentences": [],
        "model": "",
        "template": None,
        "seconds": {},
        "asked_as": "",
        "conversation": str(Answer.objects.get().question.conversation_id),
        "suspended": [],
        "url": response["Location"],
        "events": f"{response['Location']}/events",
    }


@pytest.mark.django_db(transaction=True)
def test_a_question_that_waits_for_a_place_can_be_stopped(policies, member, one_place, answering):
    answer = questions.ask(workspace=policies, text=QUESTION, by=member)
    with one_place.taken():
        waits = answering(answer)
        within(30, lambda: one_place.waiting == 1)
        answer.refresh_from_db()
        assert answer.status == AnswerStatus.WAITING

        questions.stop(answer, by=member)
    waits.join(60)

    answer.refresh_from_db()
    assert answer.status == AnswerStatus.STOPPED
    assert not answer.steps.exists()
    assert [kind for _id, kind, _data in streaming.read(answer.pk)] == ["status", "status", "end"]
    assert not Event.objects.filter(type=EventType.ANSWER_RELEASED).exists()


@pytest.fixture
def waited(policies: Any, member: Any, manager: Any) -> Callable[..., Any]:
    """waited(minutes=3) → a question that has waited so long; of `member`, or of somebody else in another workspace."""

    def ask(minutes: float, *, by: Any = member, workspace: Any = policies) -> Any:
        answer = questions.ask(workspace=workspace, text=QUESTION, by=by)
        Answer.objects.filter(pk=answer.pk).update(created_at=timezone.now() - timedelta(minutes=minutes))
        answer.refresh_from_db()
        return answer

    return ask


def test_whoever_waits_is_told_how_many_are_before_them_wherever_they_asked(
    waited, legal, policies, member, reviewer, client_of
):
    members.add_member(legal, reviewer, "member", by=None)
    first, second, own = waited(3), waited(2, by=reviewer, workspace=legal), waited(1)
    waited(0.5)

    def page() -> str:
        return client_of(member).get(reverse("answers:card", args=[policies.slug, own.pk])).content.decode()

    assert "Your question is in line: 2 others are before it." in page()
    lease = timezone.now() + timedelta(minutes=1)
    Answer.objects.filter(pk=first.pk).update(status=AnswerStatus.WORKING, lease_until=lease)
    assert "Your question is in line: 1 other is before it." in page()
    Answer.objects.filter(pk=second.pk).update(status=AnswerStatus.WORKING)
    assert "Your question is next: it is taken up once an answer that is being written is done." in page()
    # Whoever wrote them is gone, and nobody writes.
    Answer.objects.filter(pk=first.pk).update(lease_until=timezone.now() - timedelta(minutes=1))
    assert "Your question is in line." in page()


@pytest.mark.django_db(transaction=True)
def test_whoever_watches_a_question_that_waits_is_told_where_it_stands(waited, member, client_of, monkeypatch):
    monkeypatch.setattr(streaming, "BEAT_SECONDS", 0.2)
    waited(3)
    own = waited(1)
    credential = Credential(member.pk, None, client_of(member).session.session_key)

    async def told() -> str:
        async for frame in sse.stream_of(own.pk, credential, "0"):
            if "event: line" in frame:
                return frame
        return ""

    frame = async_to_sync(told)()

    assert json.loads(frame.partition("data: ")[2]) == {"sentence": "Your question is in line: 1 other is before it."}
    assert "id:" not in frame


@pytest.mark.django_db(transaction=True)
def test_a_slow_model_server_keeps_no_question_waiting(
    policies, member, handbook, one_place, answering, endpoint_of, chat_server
):
    slow = questions.ask(workspace=policies, text=QUESTION, by=member, endpoint=endpoint_of("pauses"))
    waits = answering(slow)
    within(60, lambda: any(kind == streaming.TOKEN for _id, kind, _data in streaming.read(slow.pk)))

    other = questions.ask(workspace=policies, text=QUESTION, by=member)
    pipeline.run(other.pk)

    other.refresh_from_db()
    assert other.status == AnswerStatus.ANSWERED
    assert waits.is_alive()
    chat_server.go_on.set()


@pytest.mark.django_db(transaction=True)
def test_an_answer_outlives_the_reader_of_the_stream_it_was_asked_with(program, handbook, member):
    seen = first_event(program(EVENTS)).partition("id: ")[2].split("\n")[0]
    answer = Answer.objects.get()

    pipeline.run(answer.pk)

    answer.refresh_from_db()
    assert answer.status == AnswerStatus.ANSWERED
    credential = Credential(member.pk, tokens.own(member).get().pk, "")
    rest = async_to_sync(_all)(sse.stream_of(answer.pk, credential, seen))
    assert '"status": "waiting"' not in rest
    assert '"status": "working"' in rest
    assert rest.rstrip().endswith('{"status": "answered"}')


async def _all(frames: Any) -> str:
    return "".join([frame async for frame in frames])


@pytest.mark.django_db(transaction=True)
def test_a_stream_ends_before_its_first_word_when_the_right_was_taken_after_it_began(program, handbook, member):
    """What opens the stream is looked at when it is opened, and again before anything of the answer is told."""
    frames = program(EVENTS).streaming_content
    answer = Answer.objects.get()
    pipeline.run(answer.pk)
    tokens.revoke_all(member, by=member)

    said = b"".join(async_to_sync(_parts)(frames)).decode()

    assert "event: token" not in said
    assert "event: end" not in said


async def _parts(frames: Any) -> list[bytes]:
    return [frame async for frame in frames]
