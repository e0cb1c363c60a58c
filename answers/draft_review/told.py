"""An examined draft as programs and terminals are told of it, with the entry that it was read."""

from typing import Any

from django.urls import reverse

from answers.draft_review import reading
from answers.draft_review.reading import Shown
from answers.models import Examination
from workspaces.models import User


def as_document(examination: Examination, *, by: User) -> dict[str, Any]:
    """Where it stands, and what `by` may read of the findings now; none before they are released to them."""
    reading.note_read(examination, by=by)
    template = examination.template
    return {
        "examination_id": examination.pk,
        "title": examination.title,
        "state": examination.state,
        "sentence": examination.problem or examination.reason or str(examination.get_state_display()),
        "classification": examination.classification,
        "model": examination.endpoint_label,
        "template": {"code": template.template.code, "number": template.number} if template else None,
        "text_sha256": examination.text_sha256,
        "findings_sha256": examination.findings_sha256,
        "clauses_without_model": examination.unread,
        "claims_left_out": examination.dropped,
        "findings": [_finding(one) for one in reading.findings_of(examination, by)],
        "page": reverse("answers:examination", args=[examination.workspace.slug, examination.pk]),
    }


def _finding(shown: Shown) -> dict[str, Any]:
    finding = shown.finding
    return {
        "n": shown.number,
        "severity": finding.severity,
        "category": finding.category,
        "start": finding.start,
        "end": finding.end,
        "words": shown.words,
        "explanation": finding.explanation,
        "suggestion": finding.suggestion,
        "by_model": finding.by_model,
        "document": finding.document_id,
        "title": shown.title,
        "quote": shown.quote,
        "decision": finding.decision,
    }
