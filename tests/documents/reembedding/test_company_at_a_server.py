"""Small files whose vectors a server makes: it is asked for several at once, and each file's fate stays its own."""

import pytest

from documents import library
from documents.embedding import spaces
from documents.ingest import ingest_version
from documents.ingestion import company, leases
from documents.models import Document, Embedding, Version, WorkspaceSpace
from documents.stages import embedded
from tests.documents.arrivals import Killed, Killer, again, let_lease_expire, receive

pytestmark = pytest.mark.django_db

PROBE = "Whoever finds a key"


@pytest.fixture
def at_a_server(policies, endpoint):
    """at_a_server(batch=2) → `policies`, whose vectors the server makes from now on."""

    def searched_in(**settings):
        WorkspaceSpace.objects.create(workspace=policies, space=spaces.row_of(spaces.of_endpoint(endpoint(**settings))))
        return policies

    return searched_in


def bring(workspace, by, count=5):
    texts = [f"Leave of kind {number} is paid after {number + 3} days." for number in range(1, count + 1)]
    return [receive(workspace, by, text, f"{number}.txt").version for number, text in enumerate(texts)]


def asked(server) -> list[int]:
    """How many passages each request held, without the sentence that tells one model from another."""
    inputs = [request["input"] for request in server.requests]
    return [len(texts) for texts in inputs if not texts[0].startswith(PROBE)]


def sent(server) -> list[str]:
    return [text for text in server.texts if not text.startswith(PROBE)]


def outcomes(results) -> dict[object, str]:
    return {result.version_id: result.outcome for result in results}


def states(versions) -> list[str]:
    return [again(version).state for version in versions]


def refuse(server, word: str, status: int = 400) -> None:
    """Have the server refuse whatever holds a text with this word."""

    def before(texts):
        if any(word in text for text in texts):
            server.refusals.append((status, ""))

    server.before = before


def test_the_passages_of_several_files_are_one_request(at_a_server, contributor, server):
    versions = bring(at_a_server(), contributor)

    results = company.ingest_waiting(versions[0].pk)

    assert outcomes(results) == {version.pk: "ready" for version in versions}
    assert asked(server) == [5]
    assert len([texts for texts in server.texts if texts.startswith(PROBE)]) == 1


def test_a_request_is_no_larger_than_the_server_takes(at_a_server, contributor, server):
    versions = bring(at_a_server(batch=2), contributor)

    company.ingest_waiting(versions[0].pk)

    assert set(states(versions)) == {"ready"}
    assert asked(server) == [2, 2, 1]


@pytest.mark.parametrize("number", [1, 3, 5])
def test_a_text_that_the_server_refuses_fails_its_file_alone_and_no_other_is_paid_twice(
    at_a_server, contributor, server, number
):
    versions = bring(at_a_server(), contributor)
    refuse(server, f"kind {number} ")

    results = company.ingest_waiting(versions[0].pk)
    ends = [ingest_version(version.pk).outcome for version in versions]

    assert set(outcomes(results).values()) == {company.ALONE}
    assert ends == ["failed" if at == number else "ready" for at in range(1, 6)]
    assert again(versions[number - 1]).failure_code == "embedding_unavailable"
    assert len(sent(server)) == len(set(sent(server))) == 4


def test_a_document_above_the_ceiling_is_not_sent_and_the_others_are(at_a_server, contributor, server):
    versions = bring(at_a_server(ceiling="internal"), contributor)
    Document.objects.filter(pk=versions[2].document_id).update(classification="confidential")

    results = company.ingest_waiting(versions[0].pk)

    assert outcomes(results)[versions[2].pk] == company.ALONE
    assert states(versions).count("ready") == 4
    assert not any("kind 3 " in text for text in server.texts)
    assert ingest_version(versions[2].pk).outcome == "failed"
    assert again(versions[2]).failure_code == "above_ceiling"
    assert not any("kind 3 " in text for text in server.texts)


def test_without_the_look_at_the_ceiling_nothing_at_all_is_sent(at_a_server, contributor, server, monkeypatch):
    """The policy above looks at every document of a request."""
    versions = bring(at_a_server(ceiling="internal"), contributor)
    Document.objects.filter(pk=versions[2].document_id).update(classification="confidential")
    monkeypatch.setattr(company, "above_ceiling", lambda space: Document.objects.none())

    results = company.ingest_waiting(versions[0].pk)

    assert set(outcomes(results).values()) == {company.ALONE}
    assert server.texts == []
    assert [ingest_version(version.pk).outcome for version in versions].count("ready") == 4
    assert not any("kind 3 " in text for text in server.texts)


def test_a_server_that_is_busy_is_said_of_each(at_a_server, contributor, server):
    versions = bring(at_a_server(), contributor)
    server.refusals += [(503, "")] * 6

    results = company.ingest_waiting(versions[0].pk)

    assert set(outcomes(results).values()) == {company.ALONE}
    assert [ingest_version(version.pk).outcome for version in versions] == ["failed"] * 5
    assert {again(version).failure_code for version in versions} == {"embedding_unavailable"}


def test_vectors_of_a_model_that_was_exchanged_are_not_kept(at_a_server, contributor, server):
    workspace = at_a_server()
    assert (
        ingest_version(receive(workspace, contributor, "Badges are worn.", "first.txt").version.pk).outcome == "ready"
    )
    versions = bring(workspace, contributor)
    server.exchanged_for = "other"

    results = company.ingest_waiting(versions[0].pk)

    assert set(outcomes(results).values()) == {company.ALONE}
    assert not Embedding.objects.filter(passage__version__in=versions).exists()
    assert ingest_version(versions[0].pk).outcome == "failed"


def test_vectors_that_came_before_a_refusal_are_not_kept_of_an_exchanged_model(at_a_server, contributor, server):
    workspace = at_a_server(batch=2)
    assert (
        ingest_version(receive(workspace, contributor, "Badges are worn.", "first.txt").version.pk).outcome == "ready"
    )
    versions = bring(workspace, contributor)
    server.exchanged_for = "other"
    refuse(server, "kind 5 ")

    company.ingest_waiting(versions[0].pk)

    assert not Embedding.objects.filter(passage__version__in=versions).exists()


@pytest.mark.parametrize(
    "point", ["company_read", "company_split", "embedding_batch", "company_embedded", "upserted", "company_indexed"]
)
def test_killed_anywhere_no_text_is_paid_twice(at_a_server, contributor, server, monkeypatch, point):
    versions = bring(at_a_server(), contributor)
    killer = Killer(monkeypatch)
    killer.at(point)
    with pytest.raises(Killed):
        company.ingest_waiting(versions[0].pk)

    killer.never()
    for version in versions:
        let_lease_expire(version)
    ends = [ingest_version(version.pk).outcome for version in versions]

    assert ends == ["ready"] * 5
    assert len(sent(server)) == len(set(sent(server))) == 5


def test_one_that_was_deleted_while_the_server_was_asked_gets_no_vector(at_a_server, manager, contributor, server):
    versions = bring(at_a_server(), contributor)
    server.before = lambda texts: None
    real = embedded.text_of

    def deleting(document, passage):
        if document.pk == versions[1].document_id:
            library.delete(document, by=manager)
        return real(document, passage)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(embedded, "text_of", deleting)
        company.ingest_waiting(versions[0].pk)

    assert states(versions) == ["ready", "deleted", "ready", "ready", "ready"]
    assert Embedding.objects.filter(passage__version__in=versions).count() == 4


def test_they_are_held_for_as_long_as_the_server_may_take(at_a_server, contributor, server, monkeypatch):
    versions = bring(at_a_server(seconds=300), contributor)
    held = []
    server.before = lambda texts: None
    real = leases.until
    monkeypatch.setattr(leases, "until", lambda seconds: held.append(seconds) or real(seconds))

    company.ingest_waiting(versions[0].pk)

    assert 600 in held
    assert not Version.objects.exclude(lease_until=None).exists()
