"""Who has which answer, as entries of the trail tell it and as the tables hold it: see `workspaces.auditing.replay`."""

from collections.abc import Iterator

from answers.models import AnswerUserGrant, Declassification
from answers.querysets import READ_ANSWER
from audit.events import EventType
from workspaces.auditing.replay import Held, Right, Told, has, tells
from workspaces.models import Workspace

#: Whoever may ask in the workspace, where a text was declassified for all of them.
_WHOEVER_ASKS = "members"


@tells(EventType.ANSWER_SHARED, EventType.ANSWER_UNSHARED)
def _shared(held: Held, told: Told) -> None:
    """Shared with a person, or taken back; `declassification` names one whose reader left the workspace."""
    holder, what = f"person:{told.details.get('person')}", f"answer:{told.about}"
    if told.type == EventType.ANSWER_SHARED:
        held.give("shared", holder, what)
    elif "declassification" in told.details:
        held.take("declassified", holder=holder, how=str(told.details["declassification"]))
    else:
        held.take("shared", holder=holder, what=what)


@tells(EventType.ANSWER_DECLASSIFIED)
def _declassified(held: Held, told: Told) -> None:
    readers = [f"person:{reader}" for reader in told.details.get("readers", [])] or [_WHOEVER_ASKS]
    for reader in readers:
        held.give("declassified", reader, f"answer:{told.about}", str(told.details.get("declassification", "")))


@tells(EventType.DECLASSIFICATION_ENDED)
def _closed_again(held: Held, told: Told) -> None:
    held.take("declassified", how=str(told.details.get("declassification", "")))


@tells(EventType.DRAFT_ASSIGNED)
def _on_a_desk(held: Held, told: Told) -> None:
    what = f"answer:{told.details.get('answer')}"
    held.take("desk", what=what)
    if told.details.get("to"):
        held.give("desk", f"person:{told.details['to']}", what)


@tells(EventType.DRAFT_EDITED)
def _edited(held: Held, told: Told) -> None:
    """Whoever edits can no longer decide, so it leaves their desk."""
    held.take("desk", holder=f"person:{told.actor}", what=f"answer:{told.details.get('answer')}")


@tells(
    EventType.DRAFT_APPROVED_ONCE,
    EventType.DRAFT_APPROVED,
    EventType.DRAFT_REJECTED,
    EventType.DRAFT_WITHDRAWN,
    EventType.DRAFT_STRANDED,
)
def _off_the_desk(held: Held, told: Told) -> None:
    held.take("desk", what=f"answer:{told.details.get('answer')}")


@has
def _grants(workspace: Workspace | None) -> Iterator[Right]:
    if workspace is None:
        return
    grants = AnswerUserGrant.objects.filter(content_object__workspace=workspace)
    for answer, user, code in grants.values_list("content_object", "user", "permission__codename"):
        yield Right("shared" if code == READ_ANSWER else "desk", f"person:{user}", f"answer:{answer}")
    in_force = Declassification.objects.filter(answer__workspace=workspace, ended_at=None)
    for made, answer, reader in in_force.filter(for_workspace=False).values_list("pk", "answer", "readers"):
        if reader is not None:  # the last of its readers left
            yield Right("declassified", f"person:{reader}", f"answer:{answer}", str(made))
    for made, answer in in_force.filter(for_workspace=True).values_list("pk", "answer"):
        yield Right("declassified", _WHOEVER_ASKS, f"answer:{answer}", str(made))
