"""One signed archive for an auditor, checked without the portal; it opens no content to whoever may read the trail."""

import io
import json
import zipfile
from collections.abc import Callable
from datetime import timedelta
from hashlib import sha256
from io import StringIO
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.core.management import CommandError, call_command
from django.urls import reverse
from django.utils import timezone

from answers.models import Answer, Question
from answers.provenance import receipts
from audit import signing
from audit.events import EventType
from audit.models import Event
from audit.verifier import Verifier
from documents import library as library_of_documents
from documents.deletion import erasing as deletion
from tests.answers import library
from workspaces import members
from workspaces.auditing import evidence_pack, trail
from workspaces.auditing.evidence_pack import Period
from workspaces.exceptions import Forbidden, Hidden, PortalError
from workspaces.models import User

pytestmark = pytest.mark.django_db

QUESTION = "How many days of paid parental leave does the second parent take?"


@pytest.fixture
def answer(policies: Any, member: Any) -> Answer:
    from answers import pipeline
    from answers.questions import ask

    library.add_document(policies, "employee-handbook.md", library.HANDBOOK)
    asked = ask(workspace=policies, text=QUESTION, by=member)
    pipeline.run(asked.pk)
    return Answer.objects.get(pk=asked.pk)


def always() -> Period:
    return evidence_pack.period_of("", "")


def packed(*chains: trail.Chain, by: Any = None, period: Period | None = None) -> bytes:
    with evidence_pack.make(chains, period or always(), by=by) as pack:
        return pack.read()


def files(pack: bytes) -> dict[str, str]:
    with zipfile.ZipFile(io.BytesIO(pack)) as archive:
        return {name: archive.read(name).decode() for name in archive.namelist()}


def checked(pack: bytes) -> list[str]:
    """What the stand-alone verifier finds wrong."""
    report = Verifier(frozenset({signing.current_key().public})).run([("pack.zip", io.BytesIO(pack))])
    return [f"{fault['where']} {fault['seq']} {fault['kind']}" for fault in report.faults]


def rewritten(pack: bytes, change: Callable[[dict[str, str]], Any]) -> bytes:
    content = files(pack)
    change(content)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, text in content.items():
            archive.writestr(name, text)
    return out.getvalue()


def test_pack_holds_what_an_auditor_asks_for_and_checks_elsewhere(policies: Any, answer: Answer, auditor: Any) -> None:
    pack = packed(trail.Chain(policies), by=auditor)

    assert checked(pack) == []
    content = files(pack)
    chain = f"workspace-{policies.pk}"
    assert {
        "manifest.json",
        "roles.json",
        f"rights/{chain}.json",
        f"trail/{chain}.jsonl",
        f"receipts/{answer.pk}.json",
        "verification.json",
        "sbom.cdx.json",
        "verifier.py",
        "README.txt",
    } < set(content)
    assert any(name.startswith(f"checkpoints/{chain}-") for name in content)
    assert json.loads(content["verification.json"])["chains"][0]["holds"]


def test_pack_shows_no_text_of_documents_answers_or_questions(policies: Any, answer: Answer, auditor: Any) -> None:
    content = "\n".join(files(packed(trail.Chain(policies), by=auditor)).values())

    for citation in answer.citations.all():
        assert citation.quote not in content
    assert answer.released_text not in content
    assert QUESTION not in content


def test_rights_are_told_as_they_were_after_each_change(policies: Any, manager: Any, member: Any) -> None:
    before = timezone.now()
    members.add_member(policies, member, "reviewer", by=manager)
    members.remove_member(policies, member, "member", by=manager)

    content = files(packed(trail.Chain(policies), period=Period(before, timezone.now())))

    rights = json.loads(content[f"rights/workspace-{policies.pk}.json"])
    mine = f"person:{member.pk}"
    assert [right["what"] for right in rights["before"] if right["holder"] == mine] == ["member"]
    held = [[right["what"] for right in change["held_after"][mine]] for change in rights["changes"]]
    assert held == [["member", "reviewer"], ["reviewer"]]
    assert [one["by"] for one in rights["changes"]] == ["manager", "manager"]
    assert rights["differences"] == []
    assert {one["person"] for one in rights["now"]["members"]} >= {"manager", "member", "auditor"}


def test_content_and_names_that_are_erased_break_neither_chain_nor_receipt_nor_pack(
    policies: Any, answer: Answer, member: Any, manager: Any
) -> None:
    """What is personal or long lies in rows of its own, of which trail and receipts hold hashes."""
    receipt = receipts.issue(answer, by=member)
    (document,) = {citation.document for citation in answer.citations.all()}
    library_of_documents.delete(document, by=manager)
    deletion.erase(document.pk)
    Question.objects.filter(pk=answer.question_id).update(text="")
    User.objects.filter(pk=member.pk).update(username="erased-1", first_name="", email="erased@example.invalid")

    pack = packed(trail.Chain(policies))

    key = frozenset({signing.current_key().public})
    assert Verifier(key).run([("receipt", io.BytesIO(receipt.encode()))]).faults == []
    assert checked(pack) == []
    content = files(pack)
    assert json.loads(content["verification.json"])["chains"][0]["holds"]
    assert json.loads(content[f"rights/workspace-{policies.pk}.json"])["differences"] == []
    assert f"receipts/{answer.pk}.json" in content
    assert "parental leave" not in "\n".join(content.values())


def test_period_bounds_the_trail_and_the_receipts(policies: Any, answer: Answer) -> None:
    now = timezone.now()

    content = files(packed(trail.Chain(policies), period=Period(now, now + timedelta(days=1))))

    header, *entries = content[f"trail/workspace-{policies.pk}.jsonl"].splitlines()
    assert json.loads(header)["after"] > 0
    assert entries == []
    assert not any(name.startswith("receipts/") for name in content)
    assert checked(packed(trail.Chain(policies), period=Period(now, now + timedelta(days=1)))) == []


def test_touched_pack_does_not_hold(policies: Any, subtests: Any) -> None:
    touches: dict[str, Callable[[dict[str, str]], Any]] = {
        "changed": lambda files: files.update({"roles.json": "{}"}),
        "missing": lambda files: files.pop("sbom.cdx.json"),
        "inserted": lambda files: files.update({"more.txt": "more"}),
        "unsigned": lambda files: files.update(
            {"manifest.json": files["manifest.json"].replace("operator", "somebody")}
        ),
    }
    pack = packed(trail.Chain(policies))

    for kind, touch in touches.items():
        with subtests.test(kind):
            assert f"pack.zip 0 {kind}" in checked(rewritten(pack, touch))


def test_making_a_pack_is_recorded_in_each_chain_it_covers(policies: Any, legal: Any, auditor: Any) -> None:
    pack = packed(trail.Chain(policies), trail.Chain(legal), trail.Chain(policies), by=auditor)

    events = Event.objects.filter(type=EventType.TRAIL_PACKED, actor_id=str(auditor.pk))
    assert {event.chain for event in events} == {f"workspace:{policies.pk}", f"workspace:{legal.pk}"}
    assert {json.loads(event.body)["details"]["pack_sha256"] for event in events} == {sha256(pack).hexdigest()}


def test_whoever_may_not_read_one_of_the_chains_gets_no_pack(
    policies: Any, legal: Any, member: Any, auditor: Any, stranger: Any
) -> None:
    members.remove_member(legal, auditor, "auditor", by=None)

    for somebody, refused in ((member, Forbidden), (stranger, Hidden), (auditor, Hidden)):
        with pytest.raises(refused):
            packed(trail.Chain(policies), trail.Chain(legal), by=somebody)

    assert not Event.objects.filter(type=EventType.TRAIL_PACKED).exists()


@pytest.mark.django_db(transaction=True)
def test_pack_about_a_damaged_chain_is_made_and_says_so(
    policies: Any, answer: Answer, as_superuser: psycopg.Connection
) -> None:
    as_superuser.execute("SET session_replication_role = replica")
    as_superuser.execute("UPDATE audit_event SET body = replace(body, 'manager', 'nobody') WHERE seq = 2")

    pack = packed(trail.Chain(policies))

    assert not json.loads(files(pack)["verification.json"])["chains"][0]["holds"]
    assert f"workspace:{policies.pk} 2 changed" in checked(pack)


def test_bill_of_materials_names_what_is_installed(policies: Any) -> None:
    bill = json.loads(files(packed(trail.Chain(policies)))["sbom.cdx.json"])

    by_name = {one["name"].lower(): one for one in bill["components"]}
    assert (bill["bomFormat"], bill["specVersion"]) == ("CycloneDX", "1.6")
    assert by_name["django"]["purl"].startswith("pkg:pypi/django@5.2")
    references = {one["bom-ref"] for one in bill["components"]}
    assert len(references) == len(bill["components"])
    assert all(set(one["dependsOn"]) <= references for one in bill["dependencies"])


@pytest.mark.parametrize(
    ("since", "until"),
    [
        ("tomorrow", ""),
        ("", "2026-13-01"),
        ("2026-02-01", "2026-01-01"),
        ("", "9999-12-31"),
        ("0001-01-01T00:00:00+14:00", ""),
    ],
)
def test_period_that_is_none_is_refused_in_words(policies: Any, since: str, until: str) -> None:
    with pytest.raises(PortalError, match=r"date|ends before"):
        packed(trail.Chain(policies), period=evidence_pack.period_of(since, until))


def test_pack_that_cannot_be_filled_is_refused_in_words_and_no_chain_says_it_was_made(
    policies: Any, auditor: Any, client_of: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_arguments: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("workspaces.auditing.evidence_pack.sbom.bill_of_materials", full)

    response = client_of(auditor).post(reverse("admin:audit_event_pack"), {"chain": "policies"})

    assert "cannot be written at the moment" in response.content.decode()
    assert not Event.objects.filter(type=EventType.TRAIL_PACKED).exists()


def test_pack_is_made_and_calls_its_checkpoint_lost_where_the_directory_outside_cannot_be_written(
    policies: Any, answer: Answer, settings: Any, tmp_path: Path
) -> None:
    settings.CHECKPOINTS = tmp_path / "outside"
    settings.CHECKPOINTS.write_text("a file in the directory's place")

    pack = packed(trail.Chain(policies))

    assert checked(pack) == []
    told = json.loads(files(pack)["verification.json"])["chains"][0]
    assert [fault["kind"] for fault in told["faults"]] == ["lost"]
    assert any(name.startswith("receipts/") for name in files(pack))


def test_command_writes_the_pack(policies: Any, legal: Any, tmp_path: Path) -> None:
    out = StringIO()
    call_command("audit", "pack", "--out", str(tmp_path / "pack.zip"), "--json", stdout=out)

    assert json.loads(out.getvalue())["chains"] == ["platform", "legal", "policies"]
    assert checked((tmp_path / "pack.zip").read_bytes()) == []
    with pytest.raises(CommandError):
        call_command("audit", "pack")


def test_auditor_makes_a_pack_in_the_admin(client_of: Any, policies: Any, legal: Any, auditor: Any) -> None:
    client, page = client_of(auditor), reverse("admin:audit_event_pack")
    assert client.get(f"{page}?of=policies").status_code == 200

    response = client.post(page, {"chain": ["policies", "legal"], "since": "2026-01-01", "until": ""})

    assert response["Content-Type"] == "application/zip"
    assert checked(b"".join(response.streaming_content)) == []
    assert "Choose at least one chain" in client.post(page, {}).content.decode()
    assert "is not a date" in client.post(page, {"chain": "policies", "since": "x"}).content.decode()


def test_nobody_else_makes_one_in_the_admin(client_of: Any, policies: Any, reviewer: Any, auditor: Any) -> None:
    page = reverse("admin:audit_event_pack")

    assert client_of(reviewer).post(page, {"chain": "policies"}).status_code == 403
    assert client_of(auditor).post(page, {"chain": "platform"}).status_code == 403
    assert client_of(auditor).post(page, {"chain": "nowhere"}).status_code == 404


@pytest.mark.parametrize(("kind", "begins"), [("jsonl", '{"format"'), ("csv", "seq,at"), ("ocsf", '{"category_uid"')])
def test_auditor_exports_each_format_in_the_admin(
    client_of: Any, policies: Any, auditor: Any, kind: str, begins: str
) -> None:
    client, page = client_of(auditor), reverse("admin:audit_event_export")

    response = client.post(page, {"chain": "policies", "kind": kind, "after": "2"})

    assert b"".join(response.streaming_content).decode().startswith(begins)
    assert "beyond" in client.post(page, {"chain": "policies", "after": "9999"}, follow=True).content.decode()
    assert "Choose a format" in client.post(page, {"chain": "policies", "kind": "x"}, follow=True).content.decode()
