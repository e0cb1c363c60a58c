"""A receipt leaves the portal and is checked elsewhere; it cannot say anything the trail does not say."""

import io
import json
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.urls import reverse

from answers import review
from answers.exceptions import ReceiptError
from answers.models import Answer, Review
from answers.provenance import receipts
from answers.states import AnswerStatus
from audit import chain, signing, timeline
from audit.chain import digest
from audit.events import EventType
from audit.models import Checkpoint, Event
from audit.verifier import Verifier
from documents.access import restriction
from tests.answers import library
from tests.audit import vectors
from workspaces.classification import Classification
from workspaces.exceptions import Hidden
from workspaces.models import Workspace

pytestmark = pytest.mark.django_db

QUESTION = "How many days of paid parental leave does the second parent take?"


@pytest.fixture
def released(handbook: Any, policies: Any, member: Any, answered: Callable[..., Any]) -> Answer:
    answer = answered(policies, QUESTION, member)
    assert answer.status == AnswerStatus.ANSWERED
    return answer


@pytest.fixture
def approved(legal: Any, member: Any, reviewer: Any, second_reviewer: Any, answered: Callable[..., Any]) -> Answer:
    """Held by policy, edited by one reviewer, approved by the other."""
    library.add_document(legal, "employee-handbook.md", library.HANDBOOK)
    answer = answered(legal, QUESTION, member)
    draft = review.edit(answer.draft, text=f"{answer.text} See the handbook. [1]", by=second_reviewer)
    review.approve(draft, by=reviewer, seen_sha256=digest(draft.text))
    return Answer.objects.get(pk=answer.pk)


def checked(document: str, **options: Any) -> list[str]:
    """What the stand-alone verifier finds wrong."""
    report = Verifier(frozenset({signing.current_key().public}), **options).run(
        [("receipt", io.BytesIO(document.encode()))]
    )
    return [f"{fault['kind']}: {fault['sentence']}" for fault in report.faults]


def test_receipt_of_a_released_answer_holds_elsewhere(released: Answer, member: Any) -> None:
    document = receipts.issue(released, by=member)

    assert checked(document, text_sha256=digest(released.released_text)) == []
    said = json.loads(document)["signed"]
    assert said["text"] == {"sha256": released.released_sha256, "as_written": True}
    assert said["released"]["by"] == "policy"
    assert [one["quote"] for one in said["citations"]] == [one.quote for one in released.citations.all()]
    assert said["question"]["sha256"] == digest(QUESTION)


def test_receipt_of_an_approved_answer_names_the_reviewer_and_what_was_approved(
    approved: Answer, member: Any, reviewer: Any
) -> None:
    document = receipts.issue(approved, by=member)

    assert checked(document, text_sha256=digest(approved.released_text)) == []
    said = json.loads(document)["signed"]
    assert said["text"]["as_written"] is False
    assert [(one["decision"], one["by"]["username"]) for one in said["reviews"]] == [("approved", "reviewer")]
    assert said["reviews"][0]["text_sha256"] == approved.released_sha256


def test_receipt_carries_no_question_and_no_answer_text(approved: Answer, member: Any) -> None:
    document = receipts.issue(approved, by=member)

    assert QUESTION not in document
    assert "See the handbook." not in document


def test_receipt_carries_no_reason_of_a_reviewer_and_the_timeline_tells_it(
    legal: Any, member: Any, reviewer: Any, second_reviewer: Any, answered: Callable[..., Any]
) -> None:
    Workspace.objects.update(second_approver_from=Classification.INTERNAL)
    library.add_document(legal, "employee-handbook.md", library.HANDBOOK)
    draft = answered(legal, QUESTION, member).draft
    first, second = "Strike the bonus of 4.2 million.", "The bonus may stay."
    review.approve(draft, by=second_reviewer, seen_sha256=digest(draft.text), reason=first)
    review.approve(draft, by=reviewer, seen_sha256=digest(draft.text), reason=second)

    document = receipts.issue(Answer.objects.get(), by=member)

    assert checked(document) == []
    assert "bonus" not in document
    assert digest(first) in document
    entries = Event.objects.filter(type__in=["draft.approved_once", "draft.approved", "answer.released"]).order_by(
        "seq"
    )
    assert [timeline.reason(entry) for entry in entries] == [first, second, second]
    Review.objects.update(reason="Written into the review afterwards.")
    assert [timeline.reason(entry) for entry in entries] == ["", "", ""]


def test_issuing_is_recorded_and_the_chain_is_signed_when_it_was_not_yet(released: Answer, member: Any) -> None:
    receipts.issue(released, by=member)
    receipts.issue(released, by=member)

    assert Event.objects.filter(type=EventType.RECEIPT_ISSUED, object_id=str(released.pk)).count() == 2
    assert Checkpoint.objects.count() == 1


def test_receipt_after_the_key_was_replaced_needs_the_new_key_alone(
    released: Answer, member: Any, settings: Any
) -> None:
    receipts.issue(released, by=member)
    settings.INLOCK_SIGNING_KEY_BEFORE, settings.INLOCK_SIGNING_KEY = settings.INLOCK_SIGNING_KEY, vectors.KEY

    document = receipts.issue(released, by=member)

    assert checked(document) == []
    assert Checkpoint.objects.count() == 2


def test_another_text_is_not_the_one_of_the_receipt(released: Answer, member: Any) -> None:
    document = receipts.issue(released, by=member)

    assert checked(document, text_sha256=digest("another text")) == [
        "changed: The text you gave is not the one that was released."
    ]


#: What somebody who holds the signing key could try to say against the trail.
LIES: dict[str, Callable[[dict[str, Any]], Any]] = {
    "the text": lambda said: said["text"].update(sha256=digest("another")),
    "the question": lambda said: said["question"].update(sha256=digest("another")),
    "the model": lambda said: said["model"].update(endpoint="another"),
    "the output": lambda said: said["model"].update(output_sha256=digest("another")),
    "the prompt": lambda said: said["prompt"].update(sha256=digest("another")),
    "a quote": lambda said: said["citations"][0].update(quote="another"),
    "a quote and its hash": lambda said: said["citations"][0].update(quote="a", quote_sha256=digest("a")),
    "a place": lambda said: said["citations"][0].update(start=said["citations"][0]["start"] + 1),
    "a file": lambda said: said["citations"][0]["version"].update(sha256=digest("another")),
    "a reviewer": lambda said: said["reviews"][0]["by"].update(id="somebody else"),
    "a reviewed text": lambda said: said["reviews"][0].update(text_sha256=digest("another")),
    "another answer": lambda said: said.update(answer="00000000-0000-4000-8000-000000000000"),
    "no entries": lambda said: said["events"].clear(),
    "an entry": lambda said: said["events"][0].update(body=said["events"][0]["body"].replace("answer", "anzwer")),
    "an entry's number": lambda said: said["events"][0].update(seq=said["events"][0]["seq"] + 1),
    "an entry's way": lambda said: said["events"][0]["path"].reverse(),
    "the root": lambda said: said["checkpoint"]["signed"].update(root="0" * 64),
}


@pytest.mark.parametrize("lie", LIES)
def test_receipt_that_says_what_the_trail_does_not_say_is_contradicted(approved: Answer, member: Any, lie: str) -> None:
    said = json.loads(receipts.issue(approved, by=member))["signed"]
    assert checked(signing.sign(said)) == []

    LIES[lie](said)

    assert checked(signing.sign(said)) != []


def test_touched_receipt_is_unsigned(released: Answer, member: Any) -> None:
    document = receipts.issue(released, by=member)

    assert "unsigned" in checked(document.replace('"policy": "open"', '"policy": "none"'))[0]


def test_answer_that_is_not_released_has_no_receipt(
    legal: Any, handbook: Any, member: Any, answered: Callable[..., Any]
) -> None:
    library.add_document(legal, "employee-handbook.md", library.HANDBOOK)

    with pytest.raises(ReceiptError, match="released"):
        receipts.issue(answered(legal, QUESTION, member), by=member)

    assert not Event.objects.filter(type=EventType.RECEIPT_ISSUED).exists()


def test_reader_who_lost_a_source_gets_no_receipt(released: Answer, member: Any, manager: Any) -> None:
    restriction.restrict(released.citations.first().document, by=manager)

    with pytest.raises(ReceiptError):
        receipts.issue(released, by=member)


def test_installation_that_cannot_sign_tells_the_reader_whom_to_ask_and_the_operator_why(
    released: Answer, member: Any, settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    settings.INLOCK_SIGNING_KEY = ""

    with pytest.raises(ReceiptError, match="operates"):
        receipts.issue(released, by=member)

    assert "INLOCK_SIGNING_KEY" in caplog.text
    assert not Event.objects.filter(type=EventType.RECEIPT_ISSUED).exists()


def test_no_receipt_is_handed_out_when_the_trail_cannot_say_so(
    released: Answer, member: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = chain._write

    def refuse(name: str, events: Any) -> None:
        if events[0].type == EventType.RECEIPT_ISSUED:
            raise RuntimeError("no trail")
        write(name, events)

    monkeypatch.setattr("audit.chain._write", refuse)

    with pytest.raises(RuntimeError, match="no trail"):
        receipts.issue(released, by=member)


def test_stranger_and_colleague_get_no_receipt(released: Answer, stranger: Any, contributor: Any) -> None:
    for somebody in (stranger, contributor):
        with pytest.raises(Hidden):
            receipts.issue(released, by=somebody)


def test_page_offers_the_receipt_and_hands_out_a_file(released: Answer, member: Any, client_of: Any) -> None:
    client = client_of(member)
    address = reverse("answers:receipt", kwargs={"slug": "policies", "pk": released.pk})
    page = reverse("answers:provenance", kwargs={"slug": "policies", "pk": released.pk})
    assert address in client.get(page).content.decode()

    response = client.post(address)

    assert response["Content-Disposition"] == f'attachment; filename="receipt-{released.pk}.json"'
    assert checked(response.content.decode()) == []
    assert client.get(address).status_code == 405


def test_page_of_a_held_answer_offers_none_and_says_why_when_asked(
    legal: Any, member: Any, client_of: Any, answered: Callable[..., Any]
) -> None:
    library.add_document(legal, "employee-handbook.md", library.HANDBOOK)
    held, client = answered(legal, QUESTION, member), client_of(member)
    address = reverse("answers:receipt", kwargs={"slug": "legal", "pk": held.pk})
    page = reverse("answers:provenance", kwargs={"slug": "legal", "pk": held.pk})

    assert address not in client.get(page).content.decode()
    assert "There is a receipt" in client.post(address, follow=True).content.decode()


def test_command_prints_the_receipt_or_writes_a_file(released: Answer, tmp_path: Path) -> None:
    out = StringIO()
    call_command("receipt", str(released.pk), "--as", "member", "--json", stdout=out)
    call_command("receipt", str(released.pk), "--as", "member", "--out", str(tmp_path / "r.json"), stdout=StringIO())

    assert checked(out.getvalue()) == []
    assert checked((tmp_path / "r.json").read_text()) == []


def test_command_refuses_a_stranger_in_one_line(released: Answer, stranger: Any) -> None:
    with pytest.raises(CommandError) as refused:
        call_command("receipt", str(released.pk), "--as", "stranger")

    assert refused.value.returncode == 2
