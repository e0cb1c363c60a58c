"""Chroma keeps the vectors it was told to delete; a collection made anew, and a tidied directory, do not."""

import uuid

import numpy as np
import pytest

from documents import index
from documents.embeddings import default_space
from documents.indexing import files as index_files

#: Chroma writes an index to its files after a thousand changes.
MANY = 1200


@pytest.fixture
def collection():
    workspace, space = uuid.uuid4(), default_space()
    numbers = np.random.default_rng(7)
    # Around a few centres, as texts are.
    matrix = (
        numbers.normal(size=(12, 1, space.dimension)) + 0.2 * numbers.normal(size=(12, 100, space.dimension))
    ).reshape(MANY, space.dimension)
    matrix = (matrix / np.linalg.norm(matrix, axis=1, keepdims=True)).astype("<f4")
    ids = [str(uuid.uuid4()) for _ in range(MANY)]
    index.upsert(workspace, space, ids, matrix)
    yield workspace, space, ids, matrix
    index.drop(workspace, space)


def files_with(text: str) -> list[str]:
    place = index_files.directory()
    return [file.name for file in place.rglob("*") if file.is_file() and text.encode() in file.read_bytes()]


def test_what_was_deleted_is_in_no_file_any_more_and_the_rest_is_found(collection):
    workspace, space, ids, matrix = collection
    gone, kept = [matrix[3].tobytes()], list(range(4, MANY))

    index.delete(workspace, space, [ids[3]])
    # The counter-proof: deleting alone leaves both the vector and the id in Chroma's files.
    assert index_files.vectors_held(gone) == gone
    assert files_with(ids[3])

    assert index.remake(workspace, space, [([ids[row] for row in kept], matrix[kept])])
    index_files.tidy()

    assert index_files.vectors_held(gone) == []
    assert files_with(ids[3]) == []
    assert index_files.vectors_held([matrix[9].tobytes()]) == [matrix[9].tobytes()]
    assert index.ids(workspace, space) == {ids[row] for row in kept}
    assert index.query(workspace, space, matrix[700], 1)[0][0] == ids[700]


def test_a_workspace_without_an_index_is_not_given_one():
    assert index.remake(uuid.uuid4(), default_space(), []) is False


def test_a_server_elsewhere_has_no_directory_of_ours(settings):
    settings.EMBEDDED_CHROMA = False

    assert index_files.directory() is None
    assert (index_files.tidy(), index_files.vectors_held([b"\0" * 64])) == (0, [])
