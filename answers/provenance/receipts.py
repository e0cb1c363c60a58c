"""A signed receipt of one answer: everything needed to check elsewhere what was released, on what it stands, and who
let it out. docs/receipts.md describes it; `audit/verifier.py` checks it without the portal.
"""

from collections.abc import Iterable
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from answers.exceptions import ReceiptError
from answers.models import Answer, Citation, Draft, Reuse
from answers.provenance.record import record_of
from answers.reading import read
from audit import detached, signing
from audit.chain import digest, workspace_chain
from audit.events import EventType
from audit.exceptions import Unprovable
from audit.export import content_of
from audit.models import Event
from audit.receipts import Prover
from audit.record import record
from workspaces.models import User

FORMAT = "inlock-receipt-1"
#: The entries of the trail a receipt carries: what the model was given, how it ended, and who released it.
PROVEN = (
    EventType.EVIDENCE_SENT,
    EventType.ANSWER_HELD,
    EventType.DRAFT_APPROVED_ONCE,
    EventType.DRAFT_APPROVED,
    EventType.ANSWER_REUSED,
    EventType.ANSWER_RELEASED,
)


def issue(answer: Answer, *, by: User) -> str:
    """A signed receipt of `answer` for somebody who may read it, as text; reading and issuing are recorded.

    Raises Hidden or Forbidden as reading does, and ReceiptError for an answer that is not released, that is closed to
    `by`, or when its chain cannot be signed.
    """
    reading = read(answer, by=by)
    if not reading.text or reading.closed:
        raise ReceiptError(_("There is a receipt of an answer that was released and that you may read."))
    if is_archived(answer):
        raise ReceiptError(_("The entries about this answer are in an archive of the trail, which proves them."))
    events = proven_events(answer)
    try:
        prover = Prover(workspace_chain(answer.workspace_id), upto=events[-1].seq if events else 1)
        document = receipt(answer, prover, citations=reading.citations, events=events)
    except Unprovable as error:
        raise ReceiptError(str(error)) from error
    # Last, because an entry about a receipt that could not be signed would not be so; and without it there is none.
    with transaction.atomic():
        record(
            EventType.RECEIPT_ISSUED,
            on=answer,
            workspace=answer.workspace_id,
            by=by,
            text_sha256=answer.released_sha256,
            receipt_sha256=digest(document),
        )
    return document


def receipt(
    answer: Answer,
    prover: Prover,
    *,
    citations: Iterable[Citation],
    events: Iterable[Event],
    with_quotes: bool = True,
) -> str:
    """The signed document; who may have it is the caller's question. Without quotes it names their hashes alone."""
    events = list(events)
    said = _with_erased(record_of(answer), answer, events)
    release = said["release"] or {}
    return signing.sign(
        {
            "format": FORMAT,
            "answer": said["answer"],
            "status": said["status"],
            "workspace": said["workspace"],
            "question": _exact(said["question"], "id", "sha256", "asked_at"),
            "asker": _exact(said["asker"], "id", "username", "rights"),
            "policy": said["policy"],
            "text": {"sha256": answer.released_sha256, "as_written": release.get("is_as_written", False)},
            "released": {"at": _plain(release.get("at")), "by": release.get("by", "")},
            "model": _plain(said["model"]),
            "prompt": said["prompt"],
            **({"template": said["template"]} if said["template"] else {}),
            "evidence": [_evidence(row) for row in said["evidence"]],
            "citations": [_citation(row, with_quotes=with_quotes) for row in citations],
            "reviews": [_review(row) for row in draft.reviews.all()] if (draft := _draft_of(answer)) else [],
            **({"reused": _reused(answer.reuse)} if hasattr(answer, "reuse") else {}),
            **prover.proof(events),
            "issued_at": timezone.now().isoformat(),
        }
    )


def _with_erased(said: dict[str, Any], answer: Answer, events: Iterable[Event]) -> dict[str, Any]:
    """`said`, with the hashes that the trail kept of a question or an output that was erased since."""
    made = [details for event in events if "question_sha256" in (details := content_of(event).get("details", {}))]
    kept = made[-1] if made else {}
    if not answer.question.text and "question_sha256" in kept:
        said["question"]["sha256"] = kept["question_sha256"]
    if not answer.text and said["release"]:
        said["release"]["is_as_written"] = kept.get("text_sha256") == answer.released_sha256
    if not answer.raw_output and kept.get("output_sha256"):
        said["model"]["output_sha256"] = kept["output_sha256"]
    return said


def proven_events(answer: Answer) -> list[Event]:
    """The entries a receipt of `answer` carries, in their order."""
    draft = _draft_of(answer)
    about = [str(answer.pk), *([str(draft.pk)] if draft else [])]
    chain = workspace_chain(answer.workspace_id)
    return list(Event.objects.filter(chain=chain, object_id__in=about, type__in=PROVEN).order_by("seq"))


def is_archived(answer: Answer) -> bool:
    """Whether entries about the answer left the database for an archive."""
    chain = workspace_chain(answer.workspace_id)
    if detached.beginning(chain) is None:
        return False
    first = Event.objects.filter(chain=chain).order_by("seq").values_list("at", flat=True).first()
    if hasattr(answer, "reuse"):
        # The approval under which it was given stands with the first of them.
        answer = answer.reuse.approved
    return first is not None and answer.question.asked_at <= first


def _draft_of(answer: Answer) -> Draft | None:
    """The draft whose approval let the text out; of one that was given again, that of the approved answer."""
    approved = answer.reuse.approved if hasattr(answer, "reuse") else answer
    return approved.draft if hasattr(approved, "draft") else None


def _reused(reuse: Reuse) -> dict[str, Any]:
    return {
        "answer": str(reuse.approved_id),
        "verified_at": reuse.verified_at.isoformat(),
        "verified_by": {"id": str(reuse.verified_by_id), "username": reuse.verified_by.get_username()},
    }


def _evidence(row: dict[str, Any]) -> dict[str, Any]:
    return {"rank": row["rank"], "passage": row["passage"], "sha256": row["sha256"], "version": row["version"]["id"]}


def _citation(citation: Citation, *, with_quotes: bool) -> dict[str, Any]:
    quote = {"quote": citation.quote} if with_quotes else {}
    return {
        "number": citation.number,
        **quote,
        "quote_sha256": digest(citation.quote),
        "document": str(citation.document_id),
        "version": {
            "id": str(citation.version_id),
            "number": citation.version.number,
            "sha256": citation.version.sha256,
        },
        "page": citation.page,
        "start": citation.start,
        "end": citation.end,
    }


def _review(review: Any) -> dict[str, Any]:
    return {
        "decision": review.decision,
        "by": {"id": str(review.decided_by_id), "username": review.decided_by.get_username()},
        "at": review.decided_at.isoformat(),
        "text_sha256": review.text_sha256,
        "sources": review.sources,
    }


def _exact(row: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: _plain(row[name]) for name in names}


def _plain(value: Any) -> Any:
    """`value` as a signed document can carry it: times and fractions become text."""
    if isinstance(value, dict):
        return {str(key): _plain(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(part) for part in value]
    if value is None or isinstance(value, bool | int | str):
        return value
    return value.isoformat() if hasattr(value, "isoformat") else str(value)
