"""Two spaces compared on the workspace's own questions: what is counted, and what nobody is told by it."""

import pytest

from audit.events import EventType
from audit.models import Event
from documents.models import Document, SpaceComparison, SpaceMigration
from documents.reembedding import comparing, questions, steering
from documents.reembedding.comparing import summarise
from documents.reembedding.problems import ReembeddingError
from tests.documents import shelf
from tests.documents.reembedding.scene import QUESTIONS
from workspaces.exceptions import Refused
from workspaces.models import User

pytestmark = pytest.mark.django_db

SET = "\n".join(f"{text} | {path}" for text, path in QUESTIONS.items())


def compared(migration, person, written=SET):
    comparison = steering.compare(migration, by=person, written=written)
    while (outcome := comparing.work(comparison.pk)) in ("more", "waiting"):
        if outcome == "waiting":
            # As where a question was not embedded in time on a busy machine: it is asked again, as often as by workers.
            SpaceComparison.objects.filter(pk=comparison.pk).update(retry_at=None)
    comparison.refresh_from_db()
    return comparison


def test_a_set_of_ones_own_says_overlap_and_recall_and_opens_the_switch(built, manager):
    migration = built("wide")
    with pytest.raises(ReembeddingError, match="Built, to be compared"):
        steering.switch(migration, by=manager)

    comparison = compared(migration, manager)

    summary = comparison.summary
    assert comparison.state == "done"
    assert (summary["questions"], summary["overlap"], summary["same_first"]) == (5, 100, 5)
    assert summary["recall"] == [100, 100]
    assert (summary["better"], summary["worse"], summary["by_chance"], summary["few"]) == (0, 0, 100, True)
    migration.refresh_from_db()
    assert migration.state == "ready"
    entry = Event.objects.get(type=EventType.EMBEDDING_COMPARED)
    assert '"overlap":100' in entry.body
    assert "parental" not in entry.body


def test_a_worse_model_shows(built, manager, server):
    """A server whose passages and questions come from two models: nearness means nothing then."""
    migration = built()
    server.exchanged_for = "other"

    summary = compared(migration, manager).summary

    assert summary["overlap"] <= 100
    assert summary["same_first"] <= 5
    ranks = [one["found"] for one in SpaceComparison.objects.get().results]
    assert all(before == after for before, after in ranks)


def test_what_is_closed_to_whoever_compares_is_found_in_neither_space(built, shelved, manager):
    migration = built()
    shelf.take_away(Document.objects.get(path="leave.md"), restricted=True)

    with pytest.raises(ReembeddingError, match="not open to you"):
        steering.compare(migration, by=manager, written=SET)
    comparison = compared(migration, manager, "How long does parental leave last?")

    assert [one["found"] for one in comparison.results] == [[8, 8]]


def test_only_whoever_manages_compares_and_the_right_is_asked_again(built, manager, member, stranger):
    migration = built()
    for person in (member, stranger):
        with pytest.raises(Refused):
            steering.compare(migration, by=person, written=SET)
    comparison = steering.compare(migration, by=manager, written=SET)
    User.objects.filter(pk=manager.pk).update(is_active=False)

    assert comparing.work(comparison.pk) == "stopped"

    comparison.refresh_from_db()
    assert (comparison.state, comparison.problem, comparison.results) == ("failed", "not_allowed", [])
    assert SpaceMigration.objects.get(pk=migration.pk).state == "comparing"


def test_a_provider_that_fails_makes_a_comparison_wait_and_never_lie(built, manager, server):
    migration = built()
    server.refusals[:] = [(503, "")]
    comparison = steering.compare(migration, by=manager, written=SET)

    assert comparing.work(comparison.pk) == "waiting"

    comparison.refresh_from_db()
    assert (comparison.results, comparison.state) == ([], "running")
    SpaceComparison.objects.update(retry_at=None)
    assert comparing.work(comparison.pk) == "done"


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ('{"text": 5}', "Line 1"),
        ('{"documents": []}', "Line 1"),
        ("Fine?\n{nonsense", "Line 2"),
        ("Why? | nowhere.md", "not here"),
        ("x" * 1001, "between 1 and 1000"),
        ("\n".join(f"Question {n}?" for n in range(101)), "More than 100"),
    ],
)
def test_a_set_that_cannot_be_read_is_refused_with_its_line(built, manager, written, said):
    with pytest.raises(ReembeddingError, match=said):
        steering.compare(built(), by=manager, written=written)


def test_lines_and_json_may_be_mixed(shelved, manager):
    read = questions.read_set('Why?\n\n{"text": "How long?", "documents": ["leave.md"]}', shelved, by=manager)

    assert read == [{"text": "Why?", "documents": []}, {"text": "How long?", "documents": ["leave.md"]}]


def one(found=(10, 10), overlap=10, first=True, usable=(True, True), cited=None, recall=None):
    return {
        "found": list(found), "overlap": overlap, "same_first": first, "usable": list(usable), "cited": cited,
        "recall": recall,
    }  # fmt: skip


def test_the_figures_are_what_they_say():
    results = [
        one(overlap=5, cited=[1, 3]), one(overlap=10, cited=[None, 2]), one(recall=[0.5, 1.0]),
        one(found=(0, 0), overlap=0),
        {}, one(first=False, usable=(True, False), cited=[4, 4]),
    ]  # fmt: skip

    assert summarise(results) == {
        "questions": 5, "overlap": 88, "same_first": 4, "usable": [5, 4], "known": 4, "cited": 3,
        "cited_in_top": [2, 3], "recall": [50, 100], "better": 2, "worse": 1, "by_chance": 100, "few": True,
    }  # fmt: skip


@pytest.mark.parametrize(("better", "worse", "chance"), [(0, 0, 100), (5, 0, 6), (6, 0, 3), (10, 2, 4), (5, 5, 100)])
def test_the_sign_test_says_how_often_chance_does_that(better, worse, chance):
    results = [one(cited=[2, 1])] * better + [one(cited=[1, 2])] * worse

    assert summarise(results)["by_chance"] == chance
