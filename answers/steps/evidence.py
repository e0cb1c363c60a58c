"""Store what an answer rests on: its passages, each with the hash of what was read of it."""

from answers.models import Evidence
from answers.models.evidence import FIRST_INHERITED
from answers.steps.state import State


def store(state: State) -> None:
    """Keep `state.sources` in place of what an attempt before stored; rights, and what closes it, follow them."""
    if state.answer.attempt > 1:
        Evidence.objects.filter(answer=state.answer, rank__lt=FIRST_INHERITED).delete()
    stored = Evidence.objects.bulk_create(
        Evidence(
            answer=state.answer,
            rank=source.number,
            passage_id=source.passage_id,
            document_id=source.document_id,
            version_id=source.version_id,
            start=source.start,
            end=source.end,
            page=source.page,
            locator=source.locator,
            sha256=source.sha256,
            scores=source.scores,
        )
        for source in state.sources
    )
    state.evidence_ids = {row.rank: row.pk for row in stored}
