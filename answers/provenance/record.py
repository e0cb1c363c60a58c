"""Everything that says what an answer stands on, gathered from the rows that running it left behind."""

from collections.abc import Collection
from typing import Any
from uuid import UUID

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from answers.models import Answer, Reuse, Review, TemplateVersion
from answers.reading import place_in_words
from answers.states import RELEASED, AnswerStatus
from audit.chain import digest
from documents.models import Document

#: Among an answer's parameters, and told under names of their own.
_TOLD_APART = frozenset({"template_sha256", "passed_over"})


def record_of(answer: Answer, *, closed: Collection[UUID] = (), with_reasons: bool = True) -> dict[str, Any]:
    """The full record of one answer: who asked, with which rights, what was read, what wrote, who let it out.

    Plain data with ids, hashes and scores; the only texts are the question and the quotes. For people who may read
    the answer, and for reviewers. Of documents in `closed` it tells hashes alone: no title, place, quote or
    score; and no reviewer's reason then, which may say what stands in them.
    """
    steps = list(answer.steps.all())
    sources = ("document__deleted_by", "version")
    reviews = Review.objects.filter(draft__answer=answer).select_related("decided_by")
    return {
        "answer": str(answer.pk),
        "status": answer.status,
        "workspace": {"id": str(answer.workspace_id), "slug": answer.workspace.slug},
        "question": {
            "id": str(answer.question_id),
            "text": answer.question.text,
            "sha256": digest(answer.question.text),
            "language": answer.question.language,
            "asked_at": answer.question.asked_at,
        },
        "asker": {"id": str(answer.asked_by_id), "username": answer.asked_by.username, **_rights(answer, steps)},
        "policy": answer.policy,
        "prompt": {
            "version": answer.prompt_version,
            "sha256": answer.prompt_sha256,
            "template_sha256": answer.parameters.get("template_sha256", ""),
        },
        "template": _template(answer.template),
        "model": {
            "endpoint": answer.model_label,
            "parameters": {key: value for key, value in answer.parameters.items() if key not in _TOLD_APART},
            **({"passed_over": passed_over} if (passed_over := answer.parameters.get("passed_over")) else {}),
            "output_sha256": digest(answer.raw_output) if answer.raw_output else "",
        },
        "evidence": [_evidence(row, closed) for row in answer.evidence.select_related(*sources)],
        "citations": [_citation(row, closed) for row in answer.citations.select_related(*sources)],
        "dropped_citations": answer.dropped_citations,
        "steps": [
            {
                "attempt": run.attempt,
                "step": run.step,
                "outcome": run.outcome,
                "seconds": round(run.seconds, 4),
                "detail": run.detail,
            }
            for run in steps
        ],
        "attempts": answer.attempt,
        "created_at": answer.created_at,
        "ended_at": answer.ended_at,
        "failure": answer.failure_detail,
        "reviews": [_review(row, with_reason=with_reasons and not closed) for row in reviews],
        "release": _release(answer),
        "reused": _reused(answer.reuse) if hasattr(answer, "reuse") else None,
    }


def _template(version: TemplateVersion | None) -> dict[str, Any] | None:
    """The version it was made with; None: the built-in knowledge template, whose prompt is named above."""
    if version is None:
        return None
    return {
        "code": version.template.code,
        "name": version.name,
        "number": version.number,
        "sha256": version.sha256,
        "instructions_sha256": digest(version.instructions),
    }


def _rights(answer: Answer, steps: list[Any]) -> dict[str, Any]:
    """What the asker was allowed when the answer was made, as the first step noted it."""
    scoped = [run.detail for run in steps if run.step == "scope" and run.attempt == answer.attempt]
    detail = scoped[0] if scoped else {}
    return {"rights": detail.get("rights", []), "superuser": detail.get("superuser", False)}


def _evidence(row: Any, closed: Collection[UUID]) -> dict[str, Any]:
    return {
        "rank": row.rank,
        "passage": str(row.passage_id),
        "sha256": row.sha256,
        # How near a text is to the question tells of the text. Keyword weights count words over the whole workspace,
        # closed documents included.
        "scores": {} if row.document_id in closed else {key: n for key, n in row.scores.items() if key != "keywords"},
        **_place(row, closed),
    }


def _citation(row: Any, closed: Collection[UUID]) -> dict[str, Any]:
    quote = "" if row.document_id in closed else row.quote
    quoted = digest(row.quote) if row.quote else ""
    return {"number": row.number, "quote": quote, "quote_sha256": quoted, **_place(row, closed)}


def _place(row: Any, closed: Collection[UUID]) -> dict[str, Any]:
    if row.document_id in closed:
        untold = _deleted(row.document) or _("Not open to you")
        return {
            "document": {"id": str(row.document_id), "title": untold, "path": ""},
            "version": {"id": str(row.version_id), "number": row.version.number, "sha256": row.version.sha256},
            "page": None,
            "locator": "",
            "place": "–",
            "start": row.start,
            "end": row.end,
            "is_closed": True,
        }
    return {
        "document": {"id": str(row.document_id), "title": row.document.title, "path": row.document.path},
        "version": {"id": str(row.version_id), "number": row.version.number, "sha256": row.version.sha256},
        "page": row.page,
        "locator": row.locator,
        "place": place_in_words(row),
        "start": row.start,
        "end": row.end,
    }


def _deleted(document: Document) -> str:
    """That a source is gone, since when and by whom; "" while it is there."""
    if document.deleted_at is None:
        return ""
    when = date_format(timezone.localtime(document.deleted_at), "DATE_FORMAT")
    if document.deleted_by is None:
        return _("Deleted on %(when)s by the workspace's retention rules") % {"when": when}
    return _("Deleted on %(when)s by %(who)s") % {"when": when, "who": document.deleted_by.name}


def _review(review: Review, *, with_reason: bool) -> dict[str, Any]:
    return {
        "decision": review.decision,
        "by": review.decided_by.username,
        "at": review.decided_at,
        "reason": review.reason if with_reason else "",
        "text_sha256": review.text_sha256,
        "sources": review.sources,
    }


def _reused(reuse: Reuse) -> dict[str, Any]:
    """Which approved answer this one is, and who stood by it then."""
    return {
        "answer": str(reuse.approved_id),
        "verified_by": reuse.verified_by.username,
        "verified_at": reuse.verified_at,
        "similarity": reuse.similarity,
    }


def _release(answer: Answer) -> dict[str, Any] | None:
    if answer.status not in (*RELEASED, AnswerStatus.SUSPENDED):
        return None
    return {
        "at": answer.released_at,
        "by": answer.released_by.username if answer.released_by else "policy",
        "sha256": answer.released_sha256,
        "is_as_written": answer.released_text == answer.text,
    }
