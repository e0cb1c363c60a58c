"""P2: a right taken away while an answer is being made counts at once, wherever the pipeline is.

The pipeline stands still at four points, as it may for any time in a worker: behind the search, behind the prompt,
before the model's first word and in the middle of its words.
"""

import os
from collections.abc import Callable
from typing import Any

import pytest

from answers import endings, pipeline, sse, streaming
from answers.governing import asking
from answers.models import Answer, Draft
from answers.states import AnswerStatus
from answers.steps import compose, retrieve, sending
from documents.models import Passage
from tests.answers import chat_server
from tests.leaks import pausing
from tests.leaks.pausing import FEW_WAYS, WAYS, Asker, Pause, Way, take_nothing
from workspaces import access
from workspaces.places import Places

GIVEN = {AnswerStatus.ANSWERED, AnswerStatus.HELD_FOR_REVIEW}


def _behind(module: Any, name: str) -> Callable[[Pause, chat_server.ChatServer, Any], None]:
    """Stand still when the function has returned."""

    def arm(pause: Pause, server: chat_server.ChatServer, monkeypatch: Any) -> None:
        real = getattr(module, name)

        def then_pause(*args: Any, **options: Any) -> Any:
            made = real(*args, **options)
            pause()
            return made

        monkeypatch.setattr(module, name, then_pause)

    return arm


def _in_the_model(pause: Pause, server: chat_server.ChatServer, monkeypatch: Any) -> None:
    server.pause = pause


#: Point → how the model behaves there, and what makes the pipeline stand still.
POINTS = {
    "behind the search": ("echo", _behind(retrieve, "_search")),
    "behind the prompt": ("echo", _behind(compose.prompts, "render")),
    "before the first word": ("echo-late", _in_the_model),
    "between two words": ("echo-slowly", _in_the_model),
}


#: Set by `make deep`: every way at every point. Otherwise all of them at the last, where words are already told.
DEEP = bool(os.environ.get("INLOCK_DEEP"))
TRIED = [(point, WAYS if DEEP or point == "between two words" else FEW_WAYS) for point in POINTS]


@pytest.fixture
def lose(transactional_db: None, make_workspace: Any, manager: Any, admin: Any, reviewer: Any, monkeypatch: Any) -> Any:
    """lose(point, ways) → the askers, each way's and one who loses nothing, once their pipelines came to an end.

    With `policy="review"` all of it happens where a reviewer has to approve. `prompts` are those the model got.
    """
    monkeypatch.setattr(streaming, "BEAT_SECONDS", 0.2)

    def run(point: str, ways: tuple[Way, ...], policy: str = "open") -> dict[Way, Asker]:
        places = {
            name: make_workspace(name, policy=policy, manager=manager, reviewer=reviewer) for name in ("one", "alone")
        }
        model, arm = POINTS[point]
        askers = pausing.cast((*ways, take_nothing), places, manager, reviewer, admin)
        with chat_server.serve() as server:
            endpoint, _same = [pausing.offer(place, server, model) for place in places.values()]
            pause = Pause(len(askers))
            # They stand still together, so each has a processor.
            processors = Places(len(askers))
            for module in (pipeline, asking):
                monkeypatch.setattr(module, "PLACES", processors)
            arm(pause, server, monkeypatch)
            pausing.lose_on_the_way(askers, pause, endpoint)
            run.prompts = str(server.requests)  # type: ignore[attr-defined]
        return askers

    return run


@pytest.mark.parametrize(("point", "ways"), TRIED, ids=POINTS)
def test_nothing_is_told_of_what_was_taken_on_the_way(lose: Any, point: str, ways: tuple[Way, ...]) -> None:
    askers = lose(point, ways)

    kept = askers.pop(take_nothing)
    assert kept.canary in kept.told()
    for way, asker in askers.items():
        answer = Answer.objects.get(pk=asker.answer.pk)
        assert answer.status not in GIVEN, way.__name__
        assert answer.text == answer.released_text == "", way.__name__
        assert asker.canary not in asker.watching.text, way.__name__
        assert asker.canary not in asker.told(), way.__name__
        if point == "behind the search":
            assert asker.canary not in lose.prompts, way.__name__


def test_a_stream_looks_at_rights_often_enough_to_stop_within_five_seconds() -> None:
    assert streaming.BEAT_SECONDS + streaming._TIMEOUT <= 5


def test_nobody_gets_to_review_what_its_asker_lost_on_the_way(lose: Any) -> None:
    askers = lose("between two words", (pausing.revoke, pausing.take_role), policy="review")

    assert [draft.answer_id for draft in Draft.objects.all()] == [askers[take_nothing].answer.pk]
    assert not any(asker.canary in asker.watching.text for asker in askers.values())


# --- Counter-proofs: without the look at rights that stands behind each point, the word comes out ---------------


def test_passages_that_are_not_authorised_again_would_reach_the_model(lose: Any, monkeypatch: Any) -> None:
    rule = access.visible
    monkeypatch.setattr(
        retrieve.access, "visible", lambda user, model: model.objects.all() if model is Passage else rule(user, model)
    )

    askers = lose("behind the search", (pausing.revoke,))

    assert askers[pausing.revoke].canary in lose.prompts


@pytest.mark.parametrize("point", ["behind the prompt", "before the first word"])
def test_an_ending_that_asks_for_no_right_would_keep_the_answer(lose: Any, monkeypatch: Any, point: str) -> None:
    monkeypatch.setattr(endings, "_is_open_to_asker", lambda *_of: True)
    # Between the prompt and the server it is asked once more.
    monkeypatch.setattr(sending.Sending, "_require_open", lambda self: None)

    askers = lose(point, (pausing.revoke,))

    assert askers[pausing.revoke].canary in Answer.objects.get(pk=askers[pausing.revoke].answer.pk).released_text


def test_a_stream_that_looks_at_rights_once_would_go_on_telling(lose: Any, monkeypatch: Any) -> None:
    real, known = sse._rights.func, {}

    def once(answer_id: Any, credential: Any) -> Any:
        if answer_id in known:
            return known[answer_id]
        rights = real(answer_id, credential)
        # Before a word is written nothing is said about words.
        if rights.words is not None:
            known[answer_id] = rights
        return rights

    monkeypatch.setattr(sse, "_rights", sse.sync_to_async(once))

    askers = lose("between two words", (pausing.revoke, pausing.take_role))

    assert all(asker.canary in asker.watching.text for asker in askers.values())
