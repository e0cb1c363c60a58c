"""A reviewer changes a finding before it is let out, or leaves it out; every form of it is kept."""

from uuid import UUID

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from answers.draft_review.keeping import digest_of
from answers.draft_review.querysets import findings_open_to
from answers.draft_review.releasing import held_for, require_deciders, stated_in
from answers.exceptions import ExaminationError, WrongState
from answers.models import Examination, Finding, FindingDecision, FindingForm, Severity
from audit.events import EventType
from audit.record import record
from documents.parse.normalise import normalise
from workspaces.models import User

MAX_CHARACTERS = 8_000
_FORM = ("severity", "explanation", "suggestion", "left_out")


@transaction.atomic
def reword(
    examination: Examination,
    finding: UUID,
    *,
    by: User,
    reason: str,
    severity: str,
    explanation: str,
    suggestion: str,
    left_out: bool = False,
    seen: str = "",
) -> Finding:
    """Give a held finding another form. Whoever does lets somebody else decide; an approval that was given is void.

    `seen` is the hash of the findings that were read. What the draft's owner had decided on it is open again. Raises
    Hidden or Forbidden, WrongState when they are decided or others by now, and ExaminationError for a form that cannot
    be, without a reason, and where nobody would be left to decide.
    """
    held = held_for(by, examination)
    if seen and seen != held.findings_sha256:
        raise WrongState(_("Somebody changed these findings since you read them. Read them again."))
    found = findings_open_to(by, held).filter(pk=finding).first()
    if found is None:
        raise WrongState(_("This finding is closed or not open to you any more."))
    wanted = {
        "severity": severity,
        "explanation": normalise(explanation).strip(),
        "suggestion": normalise(suggestion),
        "left_out": left_out,
    }
    _require_possible(wanted)
    stated = stated_in(reason)
    before = held.findings_sha256
    if all(getattr(found, name) == value for name, value in wanted.items()):
        raise ExaminationError(_("Nothing in this finding was changed."))
    _keep_forms(found, wanted, by, stated)
    for name, value in wanted.items():
        setattr(found, name, value)
    found.decision, found.wording, found.decided_at, found.decided_by = FindingDecision.OPEN, "", None, None
    found.save(update_fields=[*_FORM, "decision", "wording", "decided_at", "decided_by"])
    held.findings_sha256 = digest_of(held)
    held.first_approved_at = held.first_approved_by = None
    held.save(update_fields=["findings_sha256", "first_approved_at", "first_approved_by"])
    require_deciders(held)
    record(
        EventType.EXAMINATION_EDITED,
        on=held,
        workspace=held.workspace_id,
        by=by,
        reason=stated,
        finding=str(found.pk),
        left_out=left_out,
        before_sha256=before,
        findings_sha256=held.findings_sha256,
    )
    return found


def _require_possible(wanted: dict[str, object]) -> None:
    if wanted["severity"] not in Severity.values:
        raise ExaminationError(_("Choose how grave it is."))
    if not wanted["explanation"]:
        raise ExaminationError(_("Say what was found."))
    if any(len(str(wanted[name])) > MAX_CHARACTERS for name in ("explanation", "suggestion")):
        raise ExaminationError(_("Write at most %(most)d characters.") % {"most": MAX_CHARACTERS})


def _keep_forms(found: Finding, wanted: dict[str, object], by: User, reason: str) -> None:
    last = found.forms.order_by("-number").first()
    number = last.number if last else 1
    forms = []
    if last is None:
        now = {name: getattr(found, name) for name in _FORM}
        forms.append(FindingForm(finding=found, number=1, made_at=found.examination.examined_at, **now))
    forms.append(
        FindingForm(finding=found, number=number + 1, made_by=by, made_at=timezone.now(), reason=reason, **wanted)
    )
    FindingForm.objects.bulk_create(forms)
