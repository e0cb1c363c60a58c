"""`search` and `index` from a terminal."""

import io
import json

import numpy as np
import pytest
from django.core.management import CommandError, call_command

from documents import embeddings, index
from documents.embeddings import EmbeddingUnavailable
from documents.indexing import vectors
from documents.models import Embedding, Passage, Version
from documents.stages.embedded import embed_again
from tests.documents import shelf

pytestmark = pytest.mark.django_db


def run(*arguments: str) -> tuple[dict, int]:
    """What a command prints under --json, and its exit code."""
    out = io.StringIO()
    try:
        call_command(*arguments, "--json", stdout=out)
    except SystemExit as end:
        return json.loads(out.getvalue()), int(end.code or 0)
    return json.loads(out.getvalue()), 0


@pytest.fixture
def shelved(policies):
    shelf.put(policies, "people/leave policy.pdf", ["Annual leave is 25 days.", "Parental leave is 16 weeks."])
    shelf.put(policies, "travel.md", ["Hotel costs are reimbursed up to 120 EUR a night."])
    shelf.put(policies, "salary.md", ["The salary band for parental leave cover is 2,400 EUR."], restricted=True)
    return policies


def test_one_query_prints_passages_with_their_place(shelved, member):
    document, code = run("search", "policies", "How long is parental leave?", "--as", "member", "-k", "2")

    assert code == 0
    assert document["usable"]
    assert (document["hits"][0]["document"], document["hits"][0]["page"]) == ("people/leave policy.pdf", 2)
    assert len(document["hits"]) == 2


def test_the_same_is_printed_for_a_person(shelved, member, capsys):
    call_command("search", "policies", "parental leave", "--as", "member")

    assert "people/leave policy.pdf, 2" in capsys.readouterr().out


def test_a_file_of_queries_becomes_a_run_of_documents_and_a_list_of_pages(shelved, member, tmp_path):
    queries, out = tmp_path / "queries.jsonl", tmp_path / "out.trec"
    queries.write_text('{"id": "q1", "text": "leave days"}\n\n{"id": "q2", "text": "hotel costs"}\n')

    document, code = run("search", "policies", "--queries", str(queries), "--run", str(out), "--as", "member")

    rows = [line.split(" ") for line in out.read_text().splitlines()]
    assert code == 0
    assert [row[:4] for row in rows if row[3] == "1"] == [
        ["q1", "Q0", "people/leave%20policy.pdf", "1"],
        ["q2", "Q0", "travel.md", "1"],
    ]
    assert len({(row[0], row[2]) for row in rows}) == len(rows)
    assert all(len(row) == 6 for row in rows)
    first = document["queries"][0]["hits"]
    assert {"document": "people/leave policy.pdf", "page": 1} in first[:2]
    assert {"document": "people/leave policy.pdf", "page": 2} in first[:2]


def test_restricted_passages_are_in_no_run_of_those_who_may_not_open_them(shelved, member, tmp_path):
    queries, out = tmp_path / "queries.jsonl", tmp_path / "out.trec"
    queries.write_text('{"id": "q", "text": "salary band for parental leave cover"}\n')

    document, _code = run("search", "policies", "--queries", str(queries), "--run", str(out), "--as", "member")

    assert "salary" not in out.read_text()
    assert "salary.md" not in json.dumps(document)


def test_a_stranger_is_told_there_is_nothing(shelved, stranger):
    with pytest.raises(CommandError, match="nothing here") as refusal:
        call_command("search", "policies", "leave", "--as", "stranger")

    assert refusal.value.returncode == 2


@pytest.mark.parametrize(
    "arguments",
    [
        ["search", "policies", "--as", "member"],
        ["search", "policies", "leave", "--run", "out.trec", "--as", "member"],
        ["search", "policies", "--queries", "no-such-file", "--as", "member"],
        ["search", "policies", "leave", "-k", "0", "--as", "member"],
        ["search", "no-such-workspace", "leave", "--as", "member"],
    ],
)
def test_bad_usage_is_one_sentence_and_two(shelved, member, arguments):
    with pytest.raises(CommandError) as refusal:
        call_command(*arguments)

    assert refusal.value.returncode == 2


def test_a_line_that_is_no_query_is_named(shelved, member, tmp_path):
    queries = tmp_path / "queries.jsonl"
    queries.write_text('{"id": "q1", "text": "leave"}\n{"id": "q2"}\n')

    with pytest.raises(CommandError, match="line 2"):
        call_command("search", "policies", "--queries", str(queries), "--as", "member")


def test_an_index_that_agrees_is_verified(shelved):
    document, code = run("index", "verify", "policies")

    assert code == 0
    assert document["workspaces"][0] | {"ids": None} == {
        "workspace": "policies",
        "ok": True,
        "passages": 4,
        "missing": 0,
        "foreign": 0,
        "unembedded": 0,
        "partial": False,
        "ids": None,
        "damage": {"wrong": 0, "missed": 0, "unreadable": False},
    }


def test_an_index_left_half_made_does_not_verify_and_looking_leaves_it_so(shelved):
    held = sorted(index.ids(shelved.pk, shelf.SPACE))
    index.anew(shelved.pk, shelf.SPACE).__enter__()
    index.upsert(shelved.pk, shelf.SPACE, held, np.eye(len(held), shelf.SPACE.dimension, dtype="<f4"))

    for _again in range(2):
        document, code = run("index", "verify", "policies")
        assert (code, document["workspaces"][0]["missing"], document["workspaces"][0]["partial"]) == (1, 0, True)


def test_what_is_missing_and_what_does_not_belong_is_named_and_repaired_without_embedding(shelved, monkeypatch):
    held = sorted(index.ids(shelved.pk, shelf.SPACE))
    index.delete(shelved.pk, shelf.SPACE, held[:1])
    index.upsert(shelved.pk, shelf.SPACE, ["foreign"], shelf.embed_passages(["x"], shelf.SPACE))
    index.upsert(shelved.pk, shelf.SPACE, held[1:2], shelf.embed_passages(["y"], shelf.SPACE))

    before, code_before = run("index", "verify", "policies")
    monkeypatch.setattr("documents.embeddings._load_minilm", None)
    after, code_after = run("index", "rebuild", "policies")

    assert (code_before, code_after) == (1, 0)
    assert before["workspaces"][0]["ids"]["missing"] == held[:1]
    assert before["workspaces"][0]["ids"]["foreign"] == ["foreign"]
    assert before["workspaces"][0]["damage"]["wrong"] == 1
    assert after["workspaces"][0]["ok"]
    assert sorted(index.ids(shelved.pk, shelf.SPACE)) == held


def test_a_wiped_index_is_rebuilt_for_every_workspace(shelved, legal, member):
    shelf.put(legal, "nda.md", ["The notice period is ninety days."])
    golden = run("search", "policies", "parental leave", "--as", "member")[0]["hits"]
    for workspace in (shelved, legal):
        index.drop(workspace.pk, shelf.SPACE)

    assert run("index", "verify")[1] == 1
    assert run("index", "rebuild")[1] == 0

    assert run("search", "policies", "parental leave", "--as", "member")[0]["hits"] == golden


def test_lost_vectors_are_named_with_what_to_do_and_doing_it_makes_them_again(shelved):
    lost = Embedding.objects.filter(passage__text__contains="Hotel")
    before = bytes(lost.get().vector)
    golden = run("search", "policies", "hotel nights", "--as", "member")[0]["hits"]
    lost.delete()
    index.drop(shelved.pk, shelf.SPACE)

    document, code = run("index", "verify", "policies")
    said = io.StringIO()
    with pytest.raises(SystemExit):
        call_command("index", "verify", "policies", stdout=said)
    rebuilt, code_rebuilt = run("index", "rebuild", "policies")

    assert (code, document["workspaces"][0]["unembedded"]) == (1, 1)
    assert "Passages without a stored vector: 1" in said.getvalue()
    assert "index rebuild policies" in said.getvalue()
    assert (code_rebuilt, rebuilt["workspaces"][0]["ok"]) == (0, True)
    assert bytes(lost.get().vector) == before
    assert run("search", "policies", "hotel nights", "--as", "member")[0]["hits"] == golden


def test_only_lost_vectors_are_made_again(shelved, monkeypatch):
    embedded: list[str] = []
    real = embeddings.embed_passages
    monkeypatch.setattr(
        embeddings, "embed_passages", lambda texts, space, **_how: embedded.extend(texts) or real(texts, space)
    )
    Embedding.objects.filter(passage__text__contains="Hotel").delete()

    run("index", "rebuild", "policies")

    assert len(embedded) == 1
    assert "Hotel" in embedded[0]


def test_a_model_that_is_away_leaves_all_other_passages_in_the_index(shelved, monkeypatch):
    def away(texts, space, **_how):
        raise EmbeddingUnavailable("The model is away.")

    monkeypatch.setattr(embeddings, "embed_passages", away)
    Embedding.objects.filter(passage__text__contains="Hotel").delete()
    index.drop(shelved.pk, shelf.SPACE)

    with pytest.raises(CommandError, match="away"):
        call_command("index", "rebuild", "policies")

    assert len(index.ids(shelved.pk, shelf.SPACE)) == 3


def test_a_passage_deleted_while_it_is_embedded_gets_no_vector(shelved, monkeypatch):
    lost = Embedding.objects.filter(passage__text__contains="Hotel")
    passage = lost.get().passage
    lost.delete()
    real = embeddings.embed_passages

    def meanwhile(texts, space, **_how):
        Passage.objects.filter(pk=passage.pk).delete()
        return real(texts, space)

    monkeypatch.setattr(embeddings, "embed_passages", meanwhile)

    assert embed_again(passage.version) == 0
    assert not Embedding.objects.filter(passage_id=passage.pk).exists()


def test_vectors_made_again_are_found_by_the_exact_search_of_a_process_that_missed_them(shelved):
    version = Version.objects.get(passages__text__contains="Hotel")
    lost = Embedding.objects.filter(passage__text__contains="Hotel")
    passage = str(lost.get().passage_id)
    lost.delete()
    query = embeddings.embed_query("hotel nights", shelf.SPACE)
    before = vectors.nearest([version.pk], shelf.SPACE, query, 10)

    embed_again(version)

    assert passage not in dict(before)
    assert passage in dict(vectors.nearest([version.pk], shelf.SPACE, query, 10))


def test_an_index_that_does_not_answer_is_one_sentence(shelved, settings):
    settings.CHROMA_URL = "http://127.0.0.1:9"

    with pytest.raises(CommandError, match="does not answer"):
        call_command("index", "verify", "policies")
