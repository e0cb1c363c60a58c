"""What answers add to an evidence pack: a receipt of each that was released in the period."""

from collections.abc import Iterator

from django.db.models import QuerySet

from answers.citations import marks
from answers.models import Answer
from answers.provenance.receipts import is_archived, proven_events, receipt
from answers.states import RELEASED, AnswerStatus
from audit.chain import workspace_chain
from audit.exceptions import Unprovable
from audit.receipts import Prover
from workspaces.auditing.evidence_pack import Period
from workspaces.models import Workspace


def receipts_of(workspace: Workspace, period: Period) -> Iterator[tuple[str, str]]:
    """File names and receipts, without quotes: whoever may read the trail may not therefore read documents."""
    released = Answer.objects.filter(
        workspace=workspace,
        status__in=(*RELEASED, AnswerStatus.SUSPENDED),
        released_at__gte=period.since,
        released_at__lt=period.until,
    )
    try:
        yield from _receipts(workspace, released)
    except Unprovable as error:
        # The chain does not hold. A pack about that is what an auditor needs; its verification says where.
        yield f"receipts-missing-{workspace.slug}.txt", f"{error}\n"


def _receipts(workspace: Workspace, released: QuerySet[Answer]) -> Iterator[tuple[str, str]]:
    prover: Prover | None = None
    for answer in released.select_related("question", "workspace", "asked_by", "released_by").order_by("released_at"):
        if is_archived(answer):
            continue
        events = proven_events(answer)
        if prover is None or (events and events[-1].seq > prover.checkpoint.seq):
            prover = Prover(workspace_chain(workspace.pk), upto=events[-1].seq if events else 1)
        shown = answer.citations.filter(number__in=marks.numbers(answer.released_text))
        citations = shown.select_related("version").defer("version__text", "version__sections")
        text = receipt(answer, prover, citations=citations, events=events, with_quotes=False)
        yield f"receipts/{answer.pk}.json", text
