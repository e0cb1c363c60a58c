"""The entry that passages were given to a model with a clause: written when they are, and only while all are open."""

from collections.abc import Callable, Sequence

from answers.draft_review import guides
from answers.draft_review.holding import renew
from answers.models import Clause, Examination, ModelEndpoint
from answers.steps.state import Source
from audit.events import EventType
from audit.record import record


class Closed(Exception):
    """A passage was closed to the draft's owner since it was found; nothing was sent."""


def sending(examination: Examination, clause: Clause, sources: Sequence[Source]) -> Callable[[ModelEndpoint], None]:
    """What `governing.ask` calls before the prompt goes out. It raises Closed and LeaseLost, and nothing goes."""

    def send(endpoint: ModelEndpoint) -> None:
        renew(examination)
        if not guides.still_open(examination.asked_by, examination.workspace, sources):
            raise Closed
        record(
            EventType.EXAMINATION_SENT,
            on=examination,
            workspace=examination.workspace_id,
            by=examination.asked_by,
            attempt=examination.attempt,
            clause=clause.place,
            endpoint=endpoint.label,
            passages=[{"id": source.passage_id, "sha256": source.sha256} for source in sources],
        )

    return send
