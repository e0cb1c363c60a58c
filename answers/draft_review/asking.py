"""Ask a model about one clause; what it says is taken only where every word it names is where it says."""

from collections.abc import Callable, Sequence

from answers import governing
from answers.draft_review.found import Found
from answers.draft_review.sending import sending
from answers.models import Clause, EndpointKind, Examination, FindingCategory, Purpose, Severity
from answers.prompts import draft_reviewing
from answers.steps.compose import spoken
from answers.steps.state import Source


def has_a_model(examination: Examination) -> bool:
    """Whether a chat model reads the clauses; otherwise the built-in checks alone do."""
    return examination.endpoint is not None and examination.endpoint.kind != EndpointKind.EXTRACTIVE


def ask(
    examination: Examination, clause: Clause, sources: Sequence[Source], should_stop: Callable[[], bool]
) -> tuple[list[Found], int]:
    """What the model found in the clause and could be verified, and how many of its claims were dropped.

    Raises ModelFailed, also where the policy lets it have none of this, EndpointError, Closed and LeaseLost.
    """
    assert examination.endpoint is not None  # noqa: S101  (has_a_model)
    words = examination.text[clause.start : clause.end]
    reply = governing.ask(
        examination.endpoint,
        draft_reviewing.render(clause.label, words, sources),
        purpose=Purpose.DRAFT_REVIEW,
        workspace=examination.workspace,
        by=examination.asked_by,
        documents={source.document_id for source in sources},
        classification=examination.classification,
        should_stop=should_stop,
        sending=sending(examination, clause, sources),
    )
    verified, dropped = draft_reviewing.taken(spoken("".join(reply)).replace("\0", ""), words, sources)
    numbered = {source.number: source for source in sources}
    return [_found(one, clause, numbered[one.number]) for one in verified], dropped


def _found(verified: draft_reviewing.Verified, clause: Clause, source: Source) -> Found:
    claim = verified.claim
    start, end = (clause.start + place for place in verified.draft)
    return Found(
        Severity(claim.severity),
        FindingCategory(claim.category),
        start,
        end,
        " ".join(claim.explanation.split()),
        suggestion=claim.suggestion.strip(),
        source=source,
        cited=verified.quote,
        by_model=True,
    )
