"""Have a workspace's readiness checked: by a person, by the operator, or by the workspace's own schedule."""

from datetime import timedelta

from django.db import IntegrityError, transaction
from django.db.models import F, Max, Q
from django.utils import timezone
from django.utils.translation import gettext as _

from audit.events import EventType
from audit.record import record
from workspaces import access
from workspaces.dispatch import dispatch
from workspaces.exceptions import ReadinessError
from workspaces.models import OPEN_READINESS, ReadinessRun, Rhythm, RunCause, User, Workspace
from workspaces.readiness import registry
from workspaces.readiness.bell import check_readiness
from workspaces.roles import Action

_EVERY = {Rhythm.DAILY: timedelta(days=1), Rhythm.WEEKLY: timedelta(days=7)}


def check(workspace: Workspace, *, by: User) -> ReadinessRun:
    """Have everything looked at in the background. Raises Hidden or Forbidden, and ReadinessError while it is already.

    What the checks look at is told by the report; whoever manages the workspace may ask.
    """
    access.require(by, Action.MANAGE, workspace)
    return _put_in_line(workspace, RunCause.PERSON, by)


def check_for_operator(workspace: Workspace) -> ReadinessRun:
    """As `check`, for whoever owns the machine."""
    return _put_in_line(workspace, RunCause.OPERATOR, None)


def check_when_due() -> int:
    """Have every workspace checked whose schedule wants it by now; how many. Workspaces in setup are not hurried."""
    now, begun = timezone.now(), 0
    rows = Workspace.objects.filter(archived_at=None, readiness_settings__rhythm__in=_EVERY)
    rows = rows.exclude(readiness_runs__state__in=OPEN_READINESS)
    last = Max("readiness_runs__asked_at", filter=Q(readiness_runs__isnull=False))
    for workspace in rows.annotate(last=last, rhythm=F("readiness_settings__rhythm")):
        if workspace.last is not None and workspace.last > now - _EVERY[workspace.rhythm]:
            continue
        try:
            _put_in_line(workspace, RunCause.SCHEDULE, None)
        except ReadinessError:
            continue  # somebody asked in between
        begun += 1
    return begun


@transaction.atomic
def _put_in_line(workspace: Workspace, cause: RunCause, by: User | None) -> ReadinessRun:
    if workspace.archived_at is not None:
        raise ReadinessError(_("This workspace is archived: nobody is going to use it."))
    try:
        with transaction.atomic():
            run = ReadinessRun.objects.create(
                workspace=workspace, cause=cause, asked_by=by, planned=len(registry.checks())
            )
    except IntegrityError as error:
        raise ReadinessError(_("Its readiness is being checked at this moment.")) from error
    record(EventType.READINESS_ASKED, on=run, workspace=workspace, by=by, cause=cause.value, checks=run.planned)
    dispatch(check_readiness, run.pk)
    return run
