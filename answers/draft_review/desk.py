"""On whose desk the findings in somebody's draft are until a reviewer decides. It opens nothing, and forbids nobody."""

from django.db import transaction
from django.utils.translation import gettext as _

from answers.draft_review import news
from answers.draft_review.releasing import held_for
from answers.draft_review.separation import refusal
from answers.exceptions import ExaminationError
from answers.models import UNDECIDED, Examination
from audit.events import EventType
from audit.record import Entry, record_all
from workspaces import access
from workspaces.models import User, Workspace
from workspaces.roles import Action


@transaction.atomic
def assign(examination: Examination, *, to: User | None, by: User) -> Examination:
    """Put the findings on one reviewer's desk, or on nobody's. They stay open to the others.

    Raises Hidden or Forbidden, WrongState when they are decided already, and ExaminationError when `to` could not
    decide.
    """
    held = held_for(by, examination)
    if to is not None:
        if not access.allows(to, Action.REVIEW, held):
            raise ExaminationError(_("%(name)s may not review this draft.") % {"name": to.name})
        if tied := refusal(to, held):
            told = _("%(name)s brought this draft, or approved or added what the findings rest on.") % {"name": to.name}
            raise ExaminationError(tied if to == by else told)
    if held.assigned_to_id == (to.pk if to else None):
        return held
    _put([held], to, by)
    news.assigned(held, to=to, by=by)
    return held


def leave(workspace: Workspace, person: User, by: User | None) -> None:
    """Clear the desk of who is about to leave the workspace; what was decided keeps who had it."""
    rows = Examination.objects.select_for_update(of=("self",), no_key=True).order_by("pk")
    _put(list(rows.filter(workspace=workspace, assigned_to=person, state__in=UNDECIDED)), None, by)


def _put(held: list[Examination], to: User | None, by: User | None) -> None:
    """These are of one workspace."""
    named = {"to": to.pk if to else None, "to_label": to.get_username() if to else ""}
    for one in held:
        one.assigned_to = to
        one.save(update_fields=["assigned_to"])
    if held:
        entries = [Entry(EventType.EXAMINATION_ASSIGNED, one, details=named) for one in held]
        record_all(entries, workspace=held[0].workspace_id, by=by)
