"""Erase examined drafts: by their owner, after the days they are kept, or with a document they repeat."""

from collections.abc import Sequence
from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from answers.exceptions import ExaminationError
from answers.models import Clause, Examination, ExaminationState, Finding, FindingForm, FindingsQuestion
from audit.events import EventType
from audit.record import Entry, record_all
from documents.deletion.telling import ERASED
from documents.models import LegalHold
from workspaces import access
from workspaces.exceptions import Forbidden
from workspaces.models import User
from workspaces.roles import Action

_AT_ONCE = 200


@transaction.atomic
def erase(examination: Examination, *, by: User) -> None:
    """The owner's draft goes, with all that was found in it; hashes stay in the trail.

    Raises Hidden or Forbidden, and ExaminationError while the whole workspace is under a legal hold.
    """
    access.require(by, Action.ASK, examination)
    if examination.asked_by_id != by.pk:
        raise Forbidden(user=by, workspace=examination.workspace, action=Action.ASK, thing=examination)
    if LegalHold.objects.filter(workspace=examination.workspace_id, document=None, lifted_at=None).exists():
        raise ExaminationError(_("This workspace is under a legal hold: nothing is deleted until it is lifted."))
    wipe(list(_lock().filter(pk=examination.pk)), by=by, because="owner")


def erase_old() -> int:
    """Erase what was kept for as long as the installation keeps drafts, unless under a legal hold; how many."""
    until = timezone.now() - timedelta(days=settings.DRAFT_REVIEW_DAYS)
    held = LegalHold.objects.filter(document=None, lifted_at=None).values("workspace")
    old = Examination.objects.filter(asked_at__lt=until).exclude(state=ExaminationState.ERASED)
    erased = 0
    for workspace in list(old.exclude(workspace__in=held).order_by().values_list("workspace", flat=True).distinct()):
        with transaction.atomic():
            rows = list(_lock().filter(workspace=workspace, asked_at__lt=until)[:_AT_ONCE])
            wipe(rows, by=None, because="age")
            erased += len(rows)
    return erased


def wipe(rows: Sequence[Examination], *, by: User | None, because: str) -> None:
    """Remove every text of these, which are locked and of one workspace, with an entry for each."""
    for examination in rows:
        examination.state, examination.erased_at, examination.lease_until = (
            ExaminationState.ERASED,
            timezone.now(),
            None,
        )
        examination.text, examination.title, examination.problem = "", ERASED, ""
        examination.save(update_fields=["state", "erased_at", "lease_until", "text", "title", "problem"])
    Clause.objects.filter(examination__in=rows).update(label="")
    Finding.objects.filter(examination__in=rows).update(explanation="", suggestion="", wording="")
    FindingForm.objects.filter(finding__examination__in=rows).update(explanation="", suggestion="", reason="")
    FindingsQuestion.objects.filter(examination__in=rows).update(text="", reply="")
    if rows:
        record_all([_entry(one, because) for one in rows], workspace=rows[0].workspace_id, by=by)


def _lock() -> QuerySet[Examination]:
    rows = Examination.objects.select_for_update(of=("self",), no_key=True).order_by("pk")
    return rows.exclude(state=ExaminationState.ERASED)


def _entry(examination: Examination, because: str) -> Entry:
    details = {"because": because, "text_sha256": examination.text_sha256}
    return Entry(EventType.EXAMINATION_ERASED, examination, details=details)
