"""All that answers questions stands in one line for the processor, a row once."""

from collections.abc import Callable
from functools import partial
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import connections

from answers import pipeline
from answers.draft_review import run as examining
from answers.evaluation import working as evaluating
from answers.rag_templates import previewing
from answers.replays import run as replaying
from tests.portal import within
from tests.threads import threads
from workspaces.places import Places

WORK: dict[str, tuple[Any, Callable[[UUID], object]]] = {
    "a question": (pipeline, pipeline.run),
    "a run of a question set": (evaluating, evaluating.work),
    "an examined draft": (examining, examining.run),
    "a preview of a template": (previewing, previewing.run),
    "a replay": (replaying, replaying.run),
}


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("module", "work"), WORK.values(), ids=WORK)
def test_it_waits_for_a_place_and_once_however_often_it_is_rung_for(
    module: Any, work: Callable[[UUID], object], monkeypatch: pytest.MonkeyPatch
) -> None:
    places, row, ended = Places(1), uuid4(), []
    monkeypatch.setattr(module, "PLACES", places)

    def take_up(name: str) -> None:
        try:
            work(row)
            ended.append(name)
        finally:
            connections.close_all()

    with threads(60) as start:
        with places.taken():
            start(partial(take_up, "rung for"))
            within(60, lambda: places.waiting == 1)
            start(partial(take_up, "rung for again")).join(60)
            assert (ended, places.waiting) == (["rung for again"], 1)
        within(60, lambda: ended == ["rung for again", "rung for"])
