"""A receipt of a deletion is signed when nothing of the document is found any more, and names the place where it is."""

import json
import uuid
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import redis
from django.conf import settings
from django.core.files.base import ContentFile
from django.utils import timezone

from answers.models import Answer, Draft, Question
from answers.states import AnswerStatus
from audit import verifier
from audit.events import EventType
from audit.models import Event
from documents import index, library
from documents.deletion import erasing as deletion
from documents.deletion import holds, proving, retention, traces, traces_in_words
from documents.deletion import receipts as deletion_receipts
from documents.deletion.probes import Probes
from documents.embedding import spaces
from documents.indexing import files as index_files
from documents.indexing import vectors
from documents.models import Deletion, Document, LegalHold, RetentionRules, original_path
from documents.states import VersionState
from tests.answers import library as shelf
from tests.documents.proofs import MARK, assert_proven, found, marked
from workspaces.models import Workspace

pytestmark = pytest.mark.django_db

QUESTION = "How many days of annual leave does an employee have?"
#: Stands in the answer's quote and in the question that repeats it.
CANARY = f"{MARK} Every employee has 25 working days of annual leave a year."
HANDBOOK = marked(shelf.HANDBOOK)


@pytest.fixture
def gone(policies, member, manager, answered, django_capture_on_commit_callbacks):
    """A deletion that was carried out, of a document that an answer quoted; another document stays."""
    shelf.add_document(policies, "purchasing-policy.md", shelf.PURCHASING)
    version = shelf.add_document(policies, "employee-handbook.md", HANDBOOK)
    answer = answered(policies, QUESTION, member)
    assert CANARY.split(".")[0] in answer.released_text
    repeated = answered(policies, f"Is it true? {CANARY}", member)
    deleted = library.delete(version.document, by=manager, reason="Out of date.")
    # What was streamed of an answer goes once its erasure is committed.
    with django_capture_on_commit_callbacks(execute=True):
        deletion.erase(version.document_id)
    return deleted.deletion, answer, repeated


def test_nothing_is_left_and_the_receipt_holds_elsewhere(gone, tmp_path, manager):
    gone, answer, repeated = gone

    assert_proven(gone)

    gone.refresh_from_db()
    assert found(gone) == {}
    assert gone.sealed_probes == ""
    answer.refresh_from_db()
    repeated.question.refresh_from_db()
    assert (answer.status, answer.text, answer.released_text, answer.raw_output) == (AnswerStatus.SUSPENDED, "", "", "")
    assert answer.released_sha256
    assert repeated.question.text == ""
    assert set(answer.citations.values_list("quote", flat=True)) == {""}
    file = tmp_path / "receipt.json"
    file.write_text(gone.receipt, encoding="utf-8")
    assert verifier.main([str(file)]) == 0
    said = json.loads(gone.receipt)["signed"]
    assert said["deleted"]["by"]["username"] == "manager"
    assert said["searched"]["probes"]["phrases"] >= 3
    assert {one["place"]: one["found"] for one in said["searched"]["places"]} == dict.fromkeys(
        ("database", "originals", "index", "keywords", "broker_files", "logs", "other_files", "broker"), 0
    )
    assert CANARY not in gone.receipt
    assert not Event.objects.filter(body__contains=CANARY).exists()
    assert Event.objects.filter(type=EventType.ERASURE_RECEIPTED, object_id=str(gone.document_id)).count() == 1


@pytest.mark.usefixtures("engines_elsewhere")
def test_one_copy_that_was_left_anywhere_keeps_the_receipt_back_and_is_named(gone, policies):
    gone, _answer, _repeated = gone
    log = Path(settings.VAR) / "log" / "planted.log"
    log.parent.mkdir(exist_ok=True)
    original = Path(settings.MEDIA_ROOT) / "thumbnails" / "planted.txt"
    original.parent.mkdir(parents=True)
    client = redis.Redis.from_url(settings.REDIS_URL)
    space = spaces.space_of(policies.pk)

    try:
        Workspace.objects.filter(pk=policies.pk).update(description=f"As we know: {CANARY}")
        log.write_text(f'{{"message": "{CANARY}"}}', encoding="utf-8")
        original.write_text(CANARY, encoding="utf-8")
        client.xadd("answer:forgotten", {"data": json.dumps({"text": CANARY})})
        assert proving.prove(gone.pk) is False
    finally:
        log.unlink()
        client.delete("answer:forgotten")
        client.close()

    traced = found(gone)
    assert traced["database"] == {"workspaces_workspace.description": 1}
    assert traced["logs"] == {"log/planted.log": 1}
    assert list(traced["originals"]) == ["thumbnails/planted.txt"]
    assert traced["broker"] == {"answer:forgotten": 1}
    assert (gone.receipt, gone.receipt_issued_at) == ("", None)
    assert index.ids(policies.pk, space)
    assert vectors.stored([], space) is not None


@pytest.mark.usefixtures("engines_elsewhere")
def test_answers_that_a_workspace_keeps_stay_closed_and_keep_the_receipt_back(
    policies, manager, member, answered, client_of
):
    retention.change(policies, by=manager, keeps_answers=True)
    version = shelf.add_document(policies, "employee-handbook.md", HANDBOOK)
    answer = answered(policies, QUESTION, member)

    gone = library.delete(version.document, by=manager).deletion
    deletion.erase(version.document_id)

    assert proving.prove(gone.pk) is False
    assert "answers_answer.released_text" in found(gone)["database"]
    answer.refresh_from_db()
    assert answer.released_text
    page = client_of(member).get(f"/w/policies/answers/{answer.pk}/").content.decode()
    assert CANARY not in page


def test_a_draft_and_every_form_history_kept_of_it_go_with_the_document(legal, member, manager, answered):
    version = shelf.add_document(legal, "employee-handbook.md", HANDBOOK)
    held = answered(legal, QUESTION, member)
    assert CANARY.split(".")[0] in held.draft.text

    library.delete(version.document, by=manager)
    deletion.erase(version.document_id)

    assert set(Draft.history.values_list("text", flat=True)) == {""}
    assert set(Answer.objects.values_list("text", "raw_output")) == {("", "")}
    assert Question.objects.get().text == QUESTION


def erased(document, manager):
    """The deletion of a document that was carried out."""
    gone = library.delete(document, by=manager).deletion
    deletion.erase(document.pk)
    return gone


@pytest.mark.usefixtures("engines_elsewhere")
@pytest.mark.parametrize("kept_in", ["title", "filename"])
def test_a_heading_that_is_its_name_too_is_set_aside_and_keeps_no_receipt_back(policies, manager, kept_in):
    heading = "Travel Expense Policy for Employees"
    version = shelf.add_document(
        policies,
        f"{heading}.md" if kept_in == "filename" else "travel.md",
        f"# {heading}\n\nEvery traveller hands in receipts within thirty days of the journey.\n",
    )
    Document.objects.filter(pk=version.document_id).update(title=heading if kept_in == "title" else "Travel")
    version.document.refresh_from_db()
    gone = erased(version.document, manager)

    assert_proven(gone)
    gone.refresh_from_db()
    assert gone.search["set_aside"] == 1
    assert gone.search["probes"]["phrases"] >= 1


def test_a_question_keeps_the_words_that_a_document_which_stays_has_too(policies, manager, member, answered):
    heading = "Terms of employment in Serbia"
    gone = shelf.add_document(policies, "a.md", f"# {heading}\n\nThe canteen opens at noon for all in the house.\n")
    shelf.add_document(policies, "b.md", f"# {heading}\n\n{CANARY}\n")
    common = answered(policies, f"What are the {heading}?", member).question
    repeating = answered(policies, "Is it so? The canteen opens at noon for all in the house.", member).question

    erased(gone.document, manager)

    common.refresh_from_db()
    assert common.text == f"What are the {heading}?"
    repeating.refresh_from_db()
    assert repeating.text == ""
    entry = Event.objects.get(type=EventType.REPETITIONS_ERASED)
    assert str(repeating.pk) in entry.body
    assert str(common.pk) not in entry.body


@pytest.fixture
def twin(policies, manager):
    """A deletion that was carried out, and the document that stays and was brought in with the same bytes."""
    first = shelf.add_document(policies, "old/employee-handbook.md", HANDBOOK)
    second = shelf.add_document(policies, "new/employee-handbook.md", HANDBOOK)
    assert first.sha256 == second.sha256
    return erased(first.document, manager), second


@pytest.mark.usefixtures("engines_elsewhere")
def test_the_same_bytes_in_a_document_that_stays_keep_no_receipt_back(twin, tmp_path):
    gone, stays = twin

    assert_proven(gone)

    said = json.loads(gone.receipt)["signed"]["searched"]
    assert said["set_aside"] >= 3
    assert (said["probes"]["phrases"], said["probes"]["file_parts"]) == (0, 1)
    assert deletion_receipts.SHARED in json.loads(gone.receipt)["signed"]["limits"]
    assert stays.file.storage.exists(str(stays.file))
    file = tmp_path / "receipt.json"
    file.write_text(gone.receipt, encoding="utf-8")
    assert verifier.main([str(file)]) == 0


@pytest.mark.usefixtures("engines_elsewhere")
def test_a_stored_file_that_another_document_has_too_is_said_to_be_set_aside(policies):
    shelf.add_document(policies, "employee-handbook.md", HANDBOOK)

    search = traces.search(Probes(blobs=(HANDBOOK[:200].encode(),)))

    assert (search.is_clean, search.set_aside, search.probes["file_parts"]) == (True, 1, 1)


def put_into_the_bin(version, manager):
    RetentionRules.objects.create(workspace=version.document.workspace, bin_days=30)
    return library.delete(version.document, by=manager, reason="Perhaps.").deletion


def put_under_a_hold_and_deleted(version, manager):
    deleted = library.delete(version.document, by=manager, reason="Out of date.").deletion
    holds.place(version.document.workspace, version.document, by=manager, reason="A lawsuit.")
    assert deletion.erase(version.document_id) is None
    return deleted


@pytest.mark.usefixtures("engines_elsewhere")
@pytest.mark.parametrize("kept", [put_into_the_bin, put_under_a_hold_and_deleted])
def test_the_same_bytes_in_the_bin_or_under_a_legal_hold_keep_no_receipt_back(kept, twin, manager):
    gone, stays = twin
    waiting = kept(stays, manager)

    assert_proven(gone)

    said = json.loads(gone.receipt)["signed"]["searched"]
    assert said["set_aside"] >= 3
    assert stays.file.storage.exists(str(stays.file))
    # The same text is looked for once more when the other is erased, and then nobody has it by right.
    Deletion.objects.filter(pk=waiting.pk).update(erase_after=timezone.now())
    for hold in LegalHold.objects.all():
        holds.lift(hold, by=manager, reason="Settled.")
    deletion.erase(stays.document_id)
    waiting.refresh_from_db()
    assert_proven(waiting)
    assert json.loads(waiting.receipt)["signed"]["searched"]["probes"]["phrases"] >= 3


@pytest.mark.usefixtures("engines_elsewhere")
def test_the_same_bytes_half_erased_keep_the_receipt_back(twin, manager, monkeypatch):
    gone, stays = twin
    library.delete(stays.document, by=manager, reason="Out of date.")
    # Killed when it had begun, and before anything went.
    monkeypatch.setattr(deletion.indexing, "remove", stopped)
    with pytest.raises(KeyboardInterrupt):
        deletion.erase(stays.document_id)

    assert proving.prove(gone.pk) is False
    monkeypatch.undo()
    deletion.erase(stays.document_id)

    assert_proven(gone)


def stopped(*_about):
    raise KeyboardInterrupt


@pytest.mark.usefixtures("engines_elsewhere")
def test_a_leftover_is_found_beside_a_document_with_the_same_bytes(twin):
    gone, stays = twin
    own = str(stays.document.versions.get().file)
    storage = stays.file.storage
    content = storage.open(own).read()
    left = f"{original_path(gone.document.versions.get(), '')}"
    log = Path(settings.VAR) / "log" / "planted.log"
    log.parent.mkdir(exist_ok=True)

    log.write_bytes(b"received: " + content)
    # What an erasure that missed the file would leave, and a copy beside the file of the document that stays.
    storage.save(left, ContentFile(content))
    storage.save(f"{own}.copy", ContentFile(content))

    assert proving.prove(gone.pk) is False
    assert found(gone) == {"originals": {left: 1, f"{own}.copy": 1}, "logs": {"log/planted.log": 1}}

    log.unlink()
    storage.delete(left)
    storage.delete(f"{own}.copy")
    assert_proven(gone)


@pytest.mark.usefixtures("engines_elsewhere")
def test_a_leftover_in_the_place_of_a_file_that_stays_is_found(twin):
    gone, stays = twin
    kept = Path(stays.file.path)
    content = kept.read_bytes()

    kept.write_bytes(content + b"\nWritten behind it.\n")

    assert proving.prove(gone.pk) is False
    assert found(gone) == {"originals": {str(stays.file): 1}}


@pytest.mark.usefixtures("engines_elsewhere")
def test_the_same_bytes_that_could_not_be_read_elsewhere_keep_no_receipt_back(twin):
    gone, stays = twin
    # As for a version that failed: it has its file, and no text by which phrases would be set aside.
    unread = {"state": VersionState.FAILED, "failure_sentence": "Damaged.", "text": "", "sections": []}
    type(stays).objects.filter(pk=stays.pk).update(**unread)
    stays.passages.all().delete()

    assert_proven(gone)


def test_a_vector_that_a_passage_which_stays_has_too_is_set_aside(policies, manager):
    """Only where nothing else in the index has it: the vectors are compared, and not the documents."""
    goes = shelf.add_document(policies, "old/employee-handbook.md", HANDBOOK)
    stays = shelf.add_document(policies, "new/employee-handbook.md", HANDBOOK)
    space = spaces.space_of(policies.pk)
    [(_version, _ids, matrix)] = vectors.stored([goes.pk], space)
    common = matrix[0].astype("<f4").tobytes()
    unshared = np.random.default_rng(3).normal(size=(1200, space.dimension))
    unshared = (unshared / np.linalg.norm(unshared, axis=1, keepdims=True)).astype("<f4")
    # Chroma writes an index to its files after a thousand changes.
    elsewhere = uuid.uuid4()
    index.upsert(elsewhere, space, [str(uuid.uuid4()) for _ in range(1201)], np.concatenate([matrix[:1], unshared]))
    try:
        both = traces.search(Probes(vectors=(common, unshared[0].tobytes())), but=[str(goes.pk)])
        neither = traces.search(Probes(vectors=(common,)), but=[str(goes.pk), str(stays.pk)])
    finally:
        index.drop(elsewhere, space)
        index_files.tidy()

    assert [one.found for one in both.places if one.place == "index"] == [{"vectors": 1}]
    assert (both.set_aside, both.probes["vectors"]) == (1, 1)
    assert [one.found for one in neither.places if one.place == "index"] == [{"vectors": 1}]
    assert (neither.set_aside, neither.probes["vectors"]) == (0, 1)


@pytest.mark.usefixtures("engines_elsewhere")
def test_a_search_that_takes_longer_than_a_lease_is_not_taken_over(gone, monkeypatch):
    gone, _answer, _repeated = gone
    database, broker = traces._database, traces._broker
    taken = []

    def slowly(*args):
        Deletion.objects.filter(pk=gone.pk).update(lease_until=timezone.now() - timedelta(hours=1))
        return database(*args)

    def last(*args):
        taken.append(proving._take(gone.pk))
        return broker(*args)

    monkeypatch.setattr(proving, "_RENEWALS", 10**9)
    monkeypatch.setattr(traces, "_database", slowly)
    monkeypatch.setattr(traces, "_broker", last)

    assert_proven(gone)
    assert set(taken) == {None}


@pytest.mark.usefixtures("engines_elsewhere")
def test_a_search_that_was_taken_over_says_nothing(gone, monkeypatch):
    gone, _answer, _repeated = gone
    database = traces._database

    def taken_over(*args):
        Deletion.objects.filter(pk=gone.pk).update(attempt=99)
        return database(*args)

    monkeypatch.setattr(proving, "_RENEWALS", 10**9)
    monkeypatch.setattr(traces, "_database", taken_over)

    assert proving.prove(gone.pk) is None
    gone.refresh_from_db()
    assert (gone.searched_at, gone.receipt) == (None, "")


def test_what_valkey_wrote_into_its_file_is_seen_there(gone):
    gone, _answer, _repeated = gone
    with redis.Redis.from_url(settings.REDIS_URL) as client:
        try:
            # Three times: what is said again is what a compression leaves out.
            client.set("answer:forgotten", f"{CANARY} " * 3)
            assert proving.prove(gone.pk) is False
        finally:
            client.delete("answer:forgotten")

    # Not equal: the index is every test's, and may still hold the vectors of the same text of the test before.
    assert {"broker", "broker_files"} <= found(gone).keys()


def test_a_store_elsewhere_is_named_as_out_of_reach(gone, monkeypatch):
    monkeypatch.setattr(traces, "default_storage", SimpleNamespace(location="originals"))

    assert traces.search(Probes()).beyond == ["object_store"]


@pytest.mark.usefixtures("engines_elsewhere")
def test_a_text_too_short_to_be_looked_for_is_not_called_proven(policies, manager, tmp_path, capsys):
    version = shelf.add_document(policies, "short.md", "Leave: 25 days.\n")
    gone = erased(version.document, manager)

    assert_proven(gone)

    gone.refresh_from_db()
    said = json.loads(gone.receipt)["signed"]
    assert said["limits"][-1] == deletion_receipts.UNTOLD
    assert "could be looked for" in traces_in_words.standing_of(gone, held=False).sentence
    file = tmp_path / "receipt.json"
    file.write_text(gone.receipt, encoding="utf-8")
    assert verifier.main([str(file)]) == 0
    assert "nothing of the text could be looked for" in capsys.readouterr().out
