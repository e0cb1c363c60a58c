"""Findings as rows, and the hash by which the trail knows them."""

from collections.abc import Iterator, Sequence

import rfc8785

from answers.draft_review.found import Found
from answers.models import Clause, Examination, Finding
from audit.chain import digest

#: What a hash of findings covers, in this order; what their owner decides later is no part of it.
_HASHED = ("severity", "category", "start", "end", "source_sha256", "explanation", "suggestion", "left_out")


def rows_of(found: Sequence[Found], examination: Examination, clause: Clause | None) -> Iterator[Finding]:
    """Unsaved rows. The words of the draft and of the passage are ranges of what is stored, never copies."""
    for one in found:
        source, cited = one.source, one.cited
        rests = {}
        if source is not None and cited is not None:
            rests = {
                "document_id": source.document_id,
                "version_id": source.version_id,
                "source_start": source.start + cited[0],
                "source_end": source.start + cited[1],
                "source_sha256": digest(source.text[slice(*cited)]),
            }
        yield Finding(
            examination=examination,
            clause=clause,
            severity=one.severity,
            category=one.category,
            by_model=one.by_model,
            start=one.start,
            end=one.end,
            other_start=one.other[0] if one.other else None,
            other_end=one.other[1] if one.other else None,
            explanation=one.explanation,
            suggestion=one.suggestion,
            **rests,
        )


def digest_of(examination: Examination) -> str:
    """The hash over all findings in the order of the draft."""
    rows = examination.findings.order_by(*_HASHED).values_list(*_HASHED)
    return digest(rfc8785.dumps([list(row) for row in rows]).decode())
