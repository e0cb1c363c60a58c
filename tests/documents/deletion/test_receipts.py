"""What the stand-alone verifier says of a deletion receipt that tells another story than the trail it carries."""

import copy
import io
import json
from datetime import UTC, datetime, timedelta

import pytest

from audit import signing, verifier
from documents import library
from documents.deletion import erasing as deletion
from documents.deletion import receipts as deletion_receipts
from documents.ingest import ingest_version
from documents.models import Deletion
from tests.documents.arrivals import SHORT, receive
from tests.documents.proofs import assert_proven
from workspaces.auditing.evidence_pack import Period

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("engines_elsewhere")]


@pytest.fixture
def receipt(policies, contributor, manager):
    version = receive(policies, contributor, SHORT).version
    ingest_version(version.pk)
    library.delete(version.document, by=manager, reason="Out of date.")
    deletion.erase(version.document_id)
    assert_proven(Deletion.objects.get())
    return json.loads(Deletion.objects.get().receipt)["signed"]


def verdict(content: dict) -> verifier.Report:
    """What the verifier says of this content, signed with the portal's own key."""
    document = signing.sign({name: value for name, value in content.items() if name != "key"})
    return verifier.Verifier(frozenset()).run([("receipt.json", io.BytesIO(document.encode()))])


LIES = {
    "another file": lambda said: said["versions"][0].update(sha256="0" * 64),
    "a version less": lambda said: said["versions"].clear(),
    "another document": lambda said: said["document"].update(id="00000000-0000-0000-0000-000000000000"),
    "another person": lambda said: said["deleted"]["by"].update(id="00000000-0000-0000-0000-000000000000"),
    "another reason": lambda said: said["deleted"].update(reason="Asked for by its subject."),
    "more removed": lambda said: said["erased"]["removed"].update(files=7),
    "a place that was not searched": lambda said: said["searched"]["places"].append(
        {"place": "backups", "looked_at": 3, "found": 0}
    ),
    "a find": lambda said: said["searched"]["places"][0].update(found=1),
    "more probes": lambda said: said["searched"]["probes"].update(phrases=64),
    "phrases set aside unsaid": lambda said: said["searched"].update(set_aside=9),
    "no search": lambda said: said["events"].pop(),
    "another deletion": lambda said: said.update(deletion="00000000-0000-0000-0000-000000000000"),
}


def test_the_receipt_holds_and_no_lie_in_it_does(receipt):
    assert verdict(receipt).faults == []

    for name, tell in LIES.items():
        told = copy.deepcopy(receipt)
        tell(told)
        assert [fault["kind"] for fault in verdict(told).faults] == ["contradicted"] * len(verdict(told).faults), name
        assert verdict(told).faults, name


def test_a_receipt_says_nothing_of_the_text_and_what_it_cannot_show(receipt):
    assert "Parental leave" not in json.dumps(receipt)
    assert receipt["limits"] == list(deletion_receipts.LIMITS)
    assert receipt["versions"][0]["bytes"] == len(SHORT)
    assert [event["seq"] for event in receipt["events"]] == sorted(event["seq"] for event in receipt["events"])


def test_an_evidence_pack_carries_the_receipts_of_its_period(receipt, policies):
    now = datetime.now(UTC)
    this_hour = Period(now - timedelta(hours=1), now + timedelta(hours=1))

    assert [name for name, _text in deletion_receipts.receipts_of(policies, this_hour)] == [
        f"receipts/deletion-{receipt['deletion']}.json"
    ]
    assert not list(deletion_receipts.receipts_of(policies, Period(now + timedelta(hours=1), now + timedelta(hours=2))))
