"""The keyword replica: right answers, exact contents, and every way of losing it."""

import multiprocessing
import os
import signal
from collections.abc import Iterable, Sequence
from pathlib import Path

import pytest

from documents import keywords
from documents.keywords import Replica, ReplicaDamaged

TEXTS = {
    "leave": {"leave-1": "annual leave days year", "leave-2": "parental leave weeks parental"},
    "travel": {"travel-1": "travel expenses hotel limit", "travel-2": "train year ticket"},
    "safety": {"safety-1": "forklift inspection morning"},
}


def loader(asked: list[set[str]] | None = None):
    """A `load` over TEXTS that notes what it was asked for."""

    def load(versions: set[str]) -> Iterable[tuple[str, str, Sequence[str]]]:
        if asked is not None:
            asked.append(set(versions))
        for version in sorted(versions):
            for passage, text in TEXTS[version].items():
                yield passage, version, text.split()

    return load


@pytest.fixture
def replica(tmp_path: Path) -> Replica:
    replica = Replica(tmp_path / "workspace")
    replica.sync(1, {"leave", "travel"}, loader())
    return replica


def found(replica: Replica, *words, **options) -> list[str]:
    return [passage for passage, _ in replica.search(words, 10, **options)]


def test_the_passage_with_more_of_the_rare_words_comes_first(replica):
    assert found(replica, "parental", "leave") == ["leave-2", "leave-1"]


def test_any_word_may_match(replica):
    assert set(found(replica, "hotel", "parental", "unknown")) == {"travel-1", "leave-2"}


def test_the_forms_of_a_word_count_once(replica):
    (both,) = replica.search([("hotel", "limit")], 10)
    (one,) = replica.search(["hotel"], 10)

    assert both == one


def test_nothing_asked_or_nothing_matching_is_an_empty_answer(replica):
    assert replica.search([], 10) == replica.search(["zebra"], 10) == replica.search(["leave"], 0) == []


def test_a_search_can_be_kept_to_some_versions(replica):
    assert found(replica, "year", versions={"travel"}) == ["travel-2"]
    assert found(replica, "year", versions=set()) == []
    scores = dict(replica.search(["year"], 10))
    assert dict(replica.search(["year"], 10, versions={"travel"}))["travel-2"] == pytest.approx(scores["travel-2"])


def test_a_rare_word_weighs_more_than_a_common_one_and_a_form_stands_for_its_word(replica):
    hotel, year, either = replica.weights(["hotel", "year", ("nonsense", "year")])

    assert hotel > year == either


def test_sync_loads_what_is_missing_and_forgets_what_is_gone(replica):
    asked: list[set[str]] = []

    replica.sync(2, {"travel", "safety"}, loader(asked))

    assert asked == [{"safety"}]
    assert found(replica, "forklift", "leave", "hotel") == ["safety-1", "travel-1"]
    assert replica.revision == 2


def test_a_replica_at_the_revision_is_left_alone(replica):
    asked: list[set[str]] = []

    replica.sync(1, {"leave", "travel"}, loader(asked))

    assert asked == []


def test_a_revision_that_went_back_is_followed_too(replica):
    replica.sync(2, {"travel"}, loader())

    replica.sync(1, {"leave"}, loader())

    assert found(replica, "leave", "hotel") == ["leave-1", "leave-2"]


def files_of(replica: Replica) -> set[Path]:
    return set(replica.directory.glob("index-*/*"))


def test_a_rebuilt_replica_keeps_no_file_that_held_what_is_gone_and_readers_notice_nothing(replica):
    reader = Replica(replica.directory)
    assert found(reader, "leave")
    before = files_of(replica)

    replica.rebuild(2, {"travel"}, loader())

    assert before
    assert not before & files_of(replica)
    assert found(reader, "leave", "hotel") == ["travel-1"]


def test_a_workspace_without_passages_is_an_empty_replica(tmp_path):
    replica = Replica(tmp_path / "empty")

    replica.sync(0, set(), loader())

    assert replica.revision == 0
    assert replica.search(["leave"], 10) == []


def test_another_reader_sees_the_new_contents_without_reopening(replica):
    reader = Replica(replica.directory)
    assert found(reader, "forklift") == []

    replica.sync(2, {"safety"}, loader())

    assert found(reader, "forklift") == ["safety-1"]
    assert found(reader, "leave") == []


def test_a_missing_replica_says_so_and_is_built_by_sync(tmp_path):
    replica = Replica(tmp_path / "never")
    assert replica.revision is None
    with pytest.raises(ReplicaDamaged):
        replica.search(["leave"], 10)

    replica.sync(1, {"leave"}, loader())

    assert found(replica, "parental") == ["leave-2"]


def cut_segment(directory: Path) -> None:
    segment = max((file for file in directory.glob("index-*/*") if file.suffix), key=lambda file: file.stat().st_size)
    segment.write_bytes(segment.read_bytes()[:-20])


def remove_segment(directory: Path) -> None:
    next(directory.glob("index-*/*.store")).unlink()


def garble_state(directory: Path) -> None:
    (directory / "state.json").write_text("{")


def state_of_another_shape(directory: Path) -> None:
    (directory / "state.json").write_text("{}")


@pytest.mark.parametrize("damage", [cut_segment, remove_segment, garble_state, state_of_another_shape])
def test_a_damaged_replica_is_noticed_and_rebuilt(replica, damage):
    damage(replica.directory)
    reopened = Replica(replica.directory)
    with pytest.raises(ReplicaDamaged):
        reopened.search(["leave"], 10)

    reopened.sync(1, {"leave", "travel"}, loader())

    assert found(reopened, "parental") == ["leave-2"]
    assert len(list(replica.directory.glob("index-*"))) == 1


def test_a_replica_made_by_another_analyser_is_rebuilt(replica, monkeypatch):
    monkeypatch.setattr(keywords, "_MAKER", "another")
    asked: list[set[str]] = []

    Replica(replica.directory).sync(1, {"leave", "travel"}, loader(asked))

    assert asked == [{"leave", "travel"}]


def killed_half_way(directory: Path) -> None:
    def load(versions: set[str]) -> Iterable[tuple[str, str, Sequence[str]]]:
        yield "safety-1", "safety", ["forklift"]
        os.kill(os.getpid(), signal.SIGKILL)

    Replica(directory).sync(2, {"leave", "travel", "safety"}, load)


def test_a_writer_killed_half_way_leaves_the_old_contents_and_blocks_nobody(replica):
    child = multiprocessing.get_context("fork").Process(target=killed_half_way, args=(replica.directory,))
    child.start()
    child.join()

    assert found(replica, "leave", "forklift") == ["leave-1", "leave-2"]
    replica.sync(2, {"leave", "travel", "safety"}, loader())
    assert found(replica, "forklift") == ["safety-1"]


def killed_before_the_state_is_written(directory: Path) -> None:
    replica = Replica(directory)
    replica._publish = lambda state: os.kill(os.getpid(), signal.SIGKILL)
    replica.sync(2, {"leave", "travel", "safety"}, loader())


def test_passages_added_by_a_writer_that_died_are_not_doubled(replica):
    child = multiprocessing.get_context("fork").Process(
        target=killed_before_the_state_is_written, args=(replica.directory,)
    )
    child.start()
    child.join()

    after = Replica(replica.directory)
    after.sync(2, {"leave", "travel", "safety"}, loader())

    assert found(after, "forklift") == ["safety-1"]
    assert found(after, "leave") == ["leave-1", "leave-2"]


def sync_and_report(directory: Path, asked) -> None:
    def load(versions: set[str]):
        asked.put(sorted(versions))
        yield from loader()(versions)

    Replica(directory).sync(2, {"leave", "travel", "safety"}, load)


def test_of_many_processes_that_find_it_old_one_does_the_work(replica):
    context = multiprocessing.get_context("fork")
    asked = context.Queue()
    workers = [context.Process(target=sync_and_report, args=(replica.directory, asked)) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()

    assert [worker.exitcode for worker in workers] == [0] * 4
    assert asked.get(timeout=10) == ["safety"]
    assert asked.empty()
    assert found(replica, "forklift") == ["safety-1"]
