"""The entry that passages were given to a model: written when they are, and only while the asker may open them all."""

from collections.abc import Sequence
from uuid import UUID

from answers import leases
from answers.models import EndpointKind, ModelEndpoint
from answers.steps.state import Source, State
from audit.events import EventType
from audit.record import record
from documents.models import Passage
from workspaces import access


class Closed(Exception):
    """A passage was closed to the asker since it was found; nothing was sent."""


class Sending:
    """What `governing.ask` calls before `passages` go out to an endpoint; one entry for each that is given them.

    Time may have passed since they were found: until a server had a turn for us, or came back from being busy. What is
    asked for is every source of the answer, because a text may say what stood in any. Raises Closed and LeaseLost.
    """

    def __init__(self, state: State, passages: Sequence[Source], *, to: str = "") -> None:
        self._state, self._passages, self._to = state, passages, to
        self._given: set[UUID] = set()

    def __call__(self, endpoint: ModelEndpoint) -> None:
        state = self._state
        if endpoint.kind != EndpointKind.EXTRACTIVE:
            # What stays in this process was looked at when it was found, a moment ago.
            leases.renew(state.answer)
            self._require_open()
        if endpoint.pk in self._given:
            return
        self._given.add(endpoint.pk)
        record(
            EventType.EVIDENCE_SENT,
            on=state.subject,
            workspace=state.workspace,
            by=state.asker,
            attempt=state.answer.attempt,
            endpoint=endpoint.label,
            passages=[{"id": source.passage_id, "sha256": source.sha256} for source in self._passages],
            **({"to": self._to} if self._to else {}),
        )

    def _require_open(self) -> None:
        wanted = {source.passage_id for source in self._state.sources}
        asker, workspace = self._state.asker, self._state.workspace
        still = access.visible(asker, Passage).filter(access.is_still_open(asker), pk__in=wanted, workspace=workspace)
        if still.order_by().count() != len(wanted):
            raise Closed
