"""The vector index door against a real Chroma server of the test's own, which the tests may wipe and stop."""

import dataclasses
import http.client
import os
import signal
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from documents import index
from documents.embeddings import Space
from documents.index import IndexDamaged, IndexUnavailable

SPACE = Space("test", "f" * 16, 8, 0.3, frozenset({"en"}))
START = "import sys, chromadb_rust_bindings; chromadb_rust_bindings.cli(['chroma', *sys.argv[1:]])"


class Server:
    """A Chroma server on a port of its own."""

    def __init__(self, home: Path) -> None:
        self.home = home
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, path: str = "data") -> None:
        where = ["--path", str(self.home / path), "--host", "127.0.0.1", "--port", str(self.port)]
        self.process = subprocess.Popen(
            [sys.executable, "-c", START, "run", *where],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={"PATH": os.environ["PATH"], "ANONYMIZED_TELEMETRY": "False"},
        )
        deadline = time.monotonic() + 60
        while not self.answers():
            assert time.monotonic() < deadline, "Chroma did not start"
            time.sleep(0.05)

    def answers(self) -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=2)
        try:
            connection.request("GET", "/api/v2/heartbeat")
            return connection.getresponse().status == 200
        except OSError:
            return False
        finally:
            connection.close()

    def stop(self) -> None:
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()


@pytest.fixture(scope="module")
def server(tmp_path_factory) -> Iterator[Server]:
    server = Server(tmp_path_factory.mktemp("chroma"))
    server.start()
    yield server
    server.stop()


@pytest.fixture
def workspace(server, settings) -> uuid.UUID:
    settings.CHROMA_URL = server.url
    return uuid.uuid4()


def vectors(count: int) -> np.ndarray:
    """Unit vectors that turn away from the first one step by step."""
    angles = np.linspace(0, np.pi / 2, count)
    turned = np.zeros((count, SPACE.dimension), dtype=np.float32)
    turned[:, 0], turned[:, 1] = np.cos(angles), np.sin(angles)
    return turned


def names(count: int) -> list[str]:
    return [f"{number:05}" for number in range(count)]


def test_the_nearest_come_first_with_their_cosine(workspace):
    index.upsert(workspace, SPACE, names(10), vectors(10))

    found = index.query(workspace, SPACE, vectors(10)[0], 3)

    assert [id for id, _ in found] == names(3)
    assert [cosine for _, cosine in found] == pytest.approx(list(vectors(10)[:3, 0]), abs=1e-4)


def test_asking_for_more_than_there_is_gives_what_there_is(workspace):
    index.upsert(workspace, SPACE, names(3), vectors(3))

    assert len(index.query(workspace, SPACE, vectors(3)[0], 50)) == 3


def test_a_workspace_never_indexed_is_empty_and_not_an_error(workspace):
    assert index.query(workspace, SPACE, vectors(1)[0], 5) == []
    assert index.ids(workspace, SPACE) == set()
    index.delete(workspace, SPACE, ["nothing"])
    index.drop(workspace, SPACE)


def test_workspaces_and_spaces_do_not_see_each_other(workspace):
    other_space = dataclasses.replace(SPACE, fingerprint="e" * 16)
    index.upsert(workspace, SPACE, ["ours"], vectors(1))

    assert index.query(uuid.uuid4(), SPACE, vectors(1)[0], 5) == []
    assert index.query(workspace, other_space, vectors(1)[0], 5) == []


def test_an_id_stored_again_is_overwritten(workspace):
    index.upsert(workspace, SPACE, ["a"], vectors(2)[:1])
    index.upsert(workspace, SPACE, ["a"], vectors(2)[1:])

    assert index.ids(workspace, SPACE) == {"a"}
    assert index.query(workspace, SPACE, vectors(2)[1], 1) == [("a", pytest.approx(1.0, abs=1e-4))]


def test_more_than_one_batch_arrives_whole_and_leaves_whole(workspace):
    count = 2500
    index.upsert(workspace, SPACE, names(count), vectors(count))

    assert index.ids(workspace, SPACE) == set(names(count))
    assert index.held(workspace, SPACE, [*names(count), "unknown"]) == set(names(count))

    index.delete(workspace, SPACE, [*names(count)[1:], "unknown"])

    assert index.ids(workspace, SPACE) == {"00000"}


def test_more_ids_than_one_page_are_all_listed(workspace, monkeypatch):
    monkeypatch.setattr(index, "_PAGE", 7)
    index.upsert(workspace, SPACE, names(21), vectors(21))

    assert index.ids(workspace, SPACE) == set(names(21))


def test_a_dropped_collection_is_made_anew_by_the_next_write(workspace):
    index.upsert(workspace, SPACE, ["old"], vectors(1))

    index.drop(workspace, SPACE)

    assert index.query(workspace, SPACE, vectors(1)[0], 5) == []
    index.upsert(workspace, SPACE, ["new"], vectors(1))
    assert index.ids(workspace, SPACE) == {"new"}


def test_a_collection_made_anew_by_another_process_is_found_again(workspace, server):
    index.upsert(workspace, SPACE, ["old"], vectors(1))
    code = f"""
import uuid, numpy
from django.conf import settings
settings.configure(CHROMA_URL={server.url!r})
from documents import index
from documents.embedding.vector_space import Space
space = Space("test", "f" * 16, 8, 0.3, frozenset())
workspace = uuid.UUID({str(workspace)!r})
index.drop(workspace, space)
index.upsert(workspace, space, ["theirs"], numpy.eye(1, 8, dtype="float32"))
"""
    subprocess.run([sys.executable, "-c", code], check=True)

    assert [id for id, _ in index.query(workspace, SPACE, vectors(1)[0], 5)] == ["theirs"]


def test_an_index_that_is_made_anew_answers_once_it_is_whole(workspace):
    index.upsert(workspace, SPACE, names(3), vectors(3))

    with index.anew(workspace, SPACE):
        index.upsert(workspace, SPACE, names(1), vectors(1))
        with pytest.raises(IndexUnavailable, match="anew"):
            index.query(workspace, SPACE, vectors(3)[0], 3)
        index.upsert(workspace, SPACE, names(3), vectors(3))

    assert [id for id, _ in index.query(workspace, SPACE, vectors(3)[0], 3)] == names(3)


def test_an_index_whose_maker_died_answers_once_somebody_completed_it(workspace):
    # Entered and never left, as when the process is killed inside.
    index.anew(workspace, SPACE).__enter__()
    index.upsert(workspace, SPACE, names(1), vectors(1))
    with pytest.raises(IndexUnavailable, match="anew"):
        index.query(workspace, SPACE, vectors(3)[0], 3)
    assert index.made()[index.key(workspace, SPACE)] is False

    with index.completed(workspace, SPACE):
        index.upsert(workspace, SPACE, names(3)[1:], vectors(3)[1:])

    assert [id for id, _ in index.query(workspace, SPACE, vectors(3)[0], 3)] == names(3)
    assert index.made()[index.key(workspace, SPACE)] is True


def test_who_began_an_index_calls_no_other_whole(workspace):
    first, second = index.anew(workspace, SPACE), index.anew(workspace, SPACE)
    first.__enter__()
    index.upsert(workspace, SPACE, names(2), vectors(2))
    second.__enter__()
    index.upsert(workspace, SPACE, names(4)[2:], vectors(4)[2:])

    first.__exit__(None, None, None)

    with pytest.raises(IndexUnavailable, match="anew"):
        index.query(workspace, SPACE, vectors(4)[0], 4)
    index.upsert(workspace, SPACE, names(4), vectors(4))
    second.__exit__(None, None, None)
    assert [id for id, _ in index.query(workspace, SPACE, vectors(4)[0], 4)] == names(4)


def test_whether_there_is_an_index_is_known_also_after_its_files_were_lost(workspace):
    before = index.is_there(workspace, SPACE)
    index.upsert(workspace, SPACE, names(1), vectors(1))
    there = index.is_there(workspace, SPACE)
    remembered = dict(index._collections)

    index.drop(workspace, SPACE)
    # As in a process that was not told.
    index._collections.update(remembered)

    assert (before, there, index.is_there(workspace, SPACE)) == (False, True, False)
    assert not index.is_whole(workspace, SPACE)


def test_the_server_says_its_version(workspace):
    assert index.version()[0].isdigit()


def test_a_forked_worker_opens_its_own_connection(workspace):
    index.upsert(workspace, SPACE, ["a"], vectors(1))

    child = os.fork()
    if child == 0:
        os._exit(0 if index.query(workspace, SPACE, vectors(1)[0], 1)[0][0] == "a" else 1)
    _, status = os.waitpid(child, 0)

    assert os.waitstatus_to_exitcode(status) == 0
    assert index.ids(workspace, SPACE) == {"a"}


def test_nobody_listening_is_unavailable(settings):
    settings.CHROMA_URL = "http://127.0.0.1:9"

    with pytest.raises(IndexUnavailable):
        index.query(uuid.uuid4(), SPACE, vectors(1)[0], 5)


def test_something_that_is_not_chroma_is_unavailable(settings):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        settings.CHROMA_URL = f"http://127.0.0.1:{listener.getsockname()[1]}"
        proxy = subprocess.Popen([sys.executable, "-c", PROXY, str(listener.fileno())], pass_fds=[listener.fileno()])
        try:
            with pytest.raises(IndexUnavailable, match="not Chroma"):
                index.query(uuid.uuid4(), SPACE, vectors(1)[0], 5)
        finally:
            proxy.kill()
            proxy.wait()


PROXY = """
import socket, sys
listener = socket.socket(fileno=int(sys.argv[1]))
while True:
    connection, _ = listener.accept()
    connection.recv(65536)
    connection.sendall(b"HTTP/1.1 502 Bad Gateway\\r\\nContent-Length: 3\\r\\nConnection: close\\r\\n\\r\\nbad")
    connection.close()
"""


def test_a_server_that_hangs_is_waited_for_once_and_its_keeper_told(server, workspace, settings, tmp_path, monkeypatch):
    settings.CHROMA_COMPLAINT = tmp_path / "complaint"
    monkeypatch.setattr(index, "_ANSWER_SECONDS", 0.5)
    monkeypatch.setattr(index, "_resting_until", 0.0)
    index.upsert(workspace, SPACE, ["a"], vectors(1))
    os.kill(server.process.pid, signal.SIGSTOP)
    try:
        with pytest.raises(IndexUnavailable, match="in time"):
            index.query(workspace, SPACE, vectors(1)[0], 5)
        with pytest.raises(IndexUnavailable, match="a moment ago"):
            index.query(workspace, SPACE, vectors(1)[0], 5)
        assert settings.CHROMA_COMPLAINT.read_text() == index._name(workspace, SPACE)
        with pytest.raises(IndexUnavailable, match="in time"):
            index.version()
        assert settings.CHROMA_COMPLAINT.read_text() == ""
    finally:
        os.kill(server.process.pid, signal.SIGCONT)

    monkeypatch.setattr(index, "_resting_until", 0.0)
    assert [id for id, _ in index.query(workspace, SPACE, vectors(1)[0], 5)] == ["a"]


def test_a_server_that_hangs_where_nobody_can_be_told_is_unavailable_all_the_same(
    server, workspace, settings, tmp_path, monkeypatch, caplog
):
    settings.CHROMA_COMPLAINT = tmp_path / "nowhere" / "complaint"
    monkeypatch.setattr(index, "_ANSWER_SECONDS", 0.5)
    monkeypatch.setattr(index, "_resting_until", 0.0)
    os.kill(server.process.pid, signal.SIGSTOP)
    try:
        with pytest.raises(IndexUnavailable, match="in time"):
            index.is_whole(workspace, SPACE)
    finally:
        os.kill(server.process.pid, signal.SIGCONT)

    assert "cannot be told" in caplog.text


# --- Files that lost bytes ----------------------------------------------------------------------------------

#: Chroma writes an index to its files after a thousand changes.
MANY = 1032
#: Of each vector's record: how many neighbours it has, and room for 32 of them.
LINKS = 4 + 32 * 4


def scattered() -> np.ndarray:
    """Unit vectors around a few centres, as texts are."""
    chance = np.random.default_rng(11)
    found = np.repeat(chance.normal(size=(MANY // 12, SPACE.dimension)), 12, axis=0)
    found += 0.3 * chance.normal(size=found.shape)
    return (found / np.linalg.norm(found, axis=1, keepdims=True)).astype(np.float32)


def written(server: Server) -> Iterator[Path]:
    return (file.parent for file in (server.home / "data").glob("*/index_metadata.pickle"))


def halved(folder: Path) -> None:
    file = folder / "data_level0.bin"
    os.truncate(file, file.stat().st_size // 2)


def unlinked(folder: Path) -> None:
    """Every vector is there, and none leads to another."""
    file = folder / "data_level0.bin"
    records = bytearray(file.read_bytes())
    size = LINKS + 4 * SPACE.dimension + 8
    for start in range(0, len(records) // size * size, size):
        records[start : start + LINKS] = bytes(LINKS)
    file.write_bytes(records)


def beheaded(folder: Path) -> None:
    os.truncate(folder / "header.bin", 0)


def blotted(folder: Path, dimension: int = SPACE.dimension) -> None:
    """Every seventh vector is bits that are all set, which as numbers are none."""
    file = folder / "data_level0.bin"
    records = bytearray(file.read_bytes())
    size = LINKS + 4 * dimension + 8
    for start in range(0, len(records) // size * size, 7 * size):
        records[start + LINKS : start + size - 8] = b"\xff" * 4 * dimension
    file.write_bytes(records)


def test_damage_is_seen_by_the_vectors_or_by_asking_for_them_and_ends_with_the_emptying(server, workspace):
    damages = {uuid.uuid4(): act for act in (halved, unlinked, beheaded)}
    matrix = scattered()
    folders = {}
    for each in damages:
        before = set(written(server))
        index.upsert(each, SPACE, names(MANY), matrix)
        deadline = time.monotonic() + 30
        while not (new := set(written(server)) - before):
            assert time.monotonic() < deadline, "Chroma wrote no files"
            time.sleep(0.05)
        [folders[each]] = new
    server.stop()
    for each, act in damages.items():
        act(folders[each])
    server.start()

    seen = {}
    for each, act in damages.items():
        # Ids alone say nothing of it, where they can be read at all.
        if act is not beheaded:
            assert index.ids(each, SPACE) == set(names(MANY))
        seen[act] = damage(each, matrix)
        index.empty(each, SPACE)
        with pytest.raises(IndexUnavailable, match="anew"):
            index.query(each, SPACE, matrix[0], 1)
        with index.completed(each, SPACE):
            index.upsert(each, SPACE, names(MANY), matrix)

    assert seen[halved] is IndexDamaged
    assert seen[unlinked] > MANY // 2
    assert seen[beheaded] is IndexDamaged
    assert [damage(each, matrix) for each in damages] == [0, 0, 0]


def damage(workspace: uuid.UUID, matrix: np.ndarray) -> int | type:
    """How many passages are not found by their own vector, or what the index says instead."""
    try:
        held = index.vectors(workspace, SPACE, names(MANY))
        assert np.allclose([held[name] for name in names(MANY)], matrix, atol=1e-5)
        return sum(cosine < 0.999 for cosine in index.best_cosines(workspace, SPACE, matrix))
    except IndexDamaged as error:
        return type(error)


def test_vectors_that_are_no_numbers_are_damage_and_no_error_of_ours(server, workspace):
    matrix, before = scattered(), set(written(server))
    index.upsert(workspace, SPACE, names(MANY), matrix)
    deadline = time.monotonic() + 30
    while not (new := set(written(server)) - before):
        assert time.monotonic() < deadline, "Chroma wrote no files"
        time.sleep(0.05)
    server.stop()
    blotted(*new)
    server.start()

    held = index.vectors(workspace, SPACE, names(MANY))

    assert 0 < sum(bool(np.isnan(vector).all()) for vector in held.values()) <= MANY // 7 + 1
    with pytest.raises(IndexDamaged):
        index.query(workspace, SPACE, matrix[0], MANY)
    with pytest.raises(IndexDamaged):
        index.best_cosines(workspace, SPACE, matrix[:64])


def test_vectors_survive_a_killed_server_and_a_wiped_one_is_simply_empty(server, workspace):
    index.upsert(workspace, SPACE, ["a"], vectors(1))

    server.stop()
    with pytest.raises(IndexUnavailable):
        index.query(workspace, SPACE, vectors(1)[0], 5)
    server.start()
    assert index.ids(workspace, SPACE) == {"a"}

    server.stop()
    server.start(path="wiped")
    assert index.query(workspace, SPACE, vectors(1)[0], 5) == []
    index.upsert(workspace, SPACE, ["b"], vectors(1))
    assert index.ids(workspace, SPACE) == {"b"}
