"""What people do with a gap before it is closed: give it to somebody, take it apart, put two together, dismiss it."""

from collections.abc import Iterable
from datetime import date
from uuid import UUID

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from answers.exceptions import GapError
from answers.gaps import meanings, telling
from answers.models import UNSETTLED, Gap, GapQuestion, GapState
from audit.chain import digest
from audit.events import EventType
from audit.record import Entry, record, record_all
from workspaces import access
from workspaces.models import User, Workspace
from workspaces.notifications import notify
from workspaces.notifications.registry import Kind
from workspaces.roles import Action

MAX_REASON = 300


@transaction.atomic
def assign(gap: Gap, *, to: User | None, by: User, due_on: date | None = None) -> Gap:
    """Give the gap to somebody who may add documents here, until a day; or to nobody.

    Raises Hidden or Forbidden as access does, and GapError for who may not add documents, for a day that is over, and
    for a gap that is settled.
    """
    gap = locked(gap, Action.MANAGE_DOCUMENTS, by)
    if to is not None and not access.allows(to, Action.ADD, gap.workspace):
        raise GapError(_("%(name)s may not add documents here, so could not close this.") % {"name": to.name})
    if due_on is not None and due_on < timezone.localdate():
        raise GapError(_("The day by which it is due is over already."))
    due_on = due_on if to is not None else None
    was, was_due = gap.assigned_to, gap.due_on
    if (was, was_due) == (to, due_on):
        return gap
    gap.assigned_to, gap.due_on = to, due_on
    if gap.state != GapState.WAITING:
        gap.state = GapState.ASSIGNED if to is not None else GapState.OPEN
    gap.save(update_fields=["assigned_to", "due_on", "state"])
    record(
        EventType.GAP_ASSIGNED,
        on=gap,
        workspace=gap.workspace_id,
        by=by,
        to=to.pk if to else None,
        to_label=to.get_username() if to else "",
        due_on=due_on.isoformat() if due_on else "",
    )
    if to is not None and to != was:
        notify(Kind.GAP_ASSIGNED, to=[to], about=gap, workspace=gap.workspace, by=by)
    return gap


@transaction.atomic
def dismiss(gap: Gap, *, reason: str, by: User) -> Gap:
    """Say that nothing will be done, and why; those who asked are told both.

    Raises as `assign`, and GapError without a reason.
    """
    gap = locked(gap, Action.MANAGE_DOCUMENTS, by)
    reason = reason.replace("\0", "").strip()
    if not reason or len(reason) > MAX_REASON:
        raise GapError(_("Say why, in at most %(limit)d characters: those who asked read it.") % {"limit": MAX_REASON})
    gap.state, gap.reason, gap.settled_at, gap.settled_by = GapState.DISMISSED, reason, timezone.now(), by
    gap.save(update_fields=["state", "reason", "settled_at", "settled_by"])
    told = telling.tell(gap, by=by)
    record(
        EventType.GAP_DISMISSED,
        on=gap,
        workspace=gap.workspace_id,
        by=by,
        reason_sha256=digest(reason),
        told=told,
    )
    return gap


@transaction.atomic
def split(gap: Gap, *, questions: Iterable[UUID], by: User) -> Gap:
    """Take questions out into a gap of their own, which is returned. Raises as `assign`, also for none and for all."""
    gap = locked(gap, Action.MANAGE_DOCUMENTS, by)
    chosen = GapQuestion.objects.filter(gap=gap, pk__in=list(questions))
    count = chosen.count()
    if not count or count == gap.questions.count():
        raise GapError(_("Choose some of the questions, and leave at least one where it is."))
    apart = Gap.objects.create(workspace=gap.workspace)
    chosen.update(gap=apart)
    meanings.renew([gap.pk, apart.pk])
    record(EventType.GAP_SPLIT, on=gap, workspace=gap.workspace_id, by=by, into=apart.pk, questions=count)
    return apart


@transaction.atomic
def merge(gap: Gap, *, into: Gap, by: User) -> Gap:
    """Put all questions of `gap` into `into`; the emptied one is gone, and the trail says where they went.

    Raises as `assign`, and GapError for one gap twice or two of different workspaces.
    """
    if gap.pk == into.pk or gap.workspace_id != into.workspace_id:
        raise GapError(_("Choose another gap of this workspace."))
    # In one order, so that two who merge crosswise wait for each other once.
    held = {one.pk: locked(one, Action.MANAGE_DOCUMENTS, by) for one in sorted((gap, into), key=lambda one: one.pk)}
    gap, into = held[gap.pk], held[into.pk]
    count = gap.questions.update(gap=into)
    meanings.renew([gap.pk, into.pk])
    record(EventType.GAP_MERGED, on=into, workspace=into.workspace_id, by=by, merged=gap.pk, questions=count)
    gap.delete()
    return into


def leave(workspace: Workspace, person: User, by: User | None) -> None:
    """Take the gaps of somebody who leaves the workspace from them."""
    rows = Gap.objects.select_for_update(of=("self",), no_key=True).filter(workspace=workspace, assigned_to=person)
    held = list(rows.filter(state__in=UNSETTLED).order_by("pk"))
    for gap in held:
        gap.assigned_to, gap.due_on = None, None
        gap.state = GapState.OPEN if gap.state == GapState.ASSIGNED else gap.state
        gap.save(update_fields=["assigned_to", "due_on", "state"])
    if held:
        details = {"to": None, "to_label": "", "due_on": "", "left": True}
        entries = [Entry(EventType.GAP_ASSIGNED, gap, details=details) for gap in held]
        record_all(entries, workspace=workspace, by=by)


def locked(gap: Gap, action: str, by: User) -> Gap:
    """The gap as it stands now, locked, if `by` may do this and nobody settled it."""
    rows = Gap.objects.select_for_update(of=("self",), no_key=True).select_related("workspace", "assigned_to")
    held = rows.filter(pk=gap.pk).first()
    if held is None:
        raise GapError(_("Somebody put these questions into another gap."))
    access.require(by, action, held)
    if held.state not in UNSETTLED:
        raise GapError(_("Somebody was faster: this gap is “%(state)s”.") % {"state": held.get_state_display()})
    return held
