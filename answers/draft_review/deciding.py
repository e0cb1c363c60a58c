"""The verbs of a draft's owner: accept, edit or reject findings, alone or all of a kind, and take that back."""

from collections.abc import Sequence
from uuid import UUID

from django.db import transaction
from django.db.models import Max
from django.utils import timezone
from django.utils.translation import gettext as _

from answers.draft_review.improved import Edit, apply, overlaps
from answers.draft_review.querysets import findings_open_to
from answers.exceptions import ExaminationError, WrongState
from answers.models import Examination, ExaminationState, Finding, FindingDecision
from audit.chain import digest
from audit.events import EventType
from audit.record import record
from documents.parse.normalise import normalise
from workspaces import access
from workspaces.exceptions import Forbidden
from workspaces.models import User
from workspaces.roles import Action

MAX_WORDING = 8_000


def accept(examination: Examination, finding: UUID, *, by: User, wording: str | None = None) -> None:
    """Take what a finding proposes into the draft, or `wording` in its place; "" takes the words out.

    Raises Hidden or Forbidden, WrongState, and ExaminationError where there is nothing to propose or it overlaps what
    was accepted already.
    """
    own = normalise(wording) if wording is not None else None
    if own is not None and len(own) > MAX_WORDING:
        raise ExaminationError(_("Write at most %(most)d characters.") % {"most": MAX_WORDING})
    _decide(examination, [finding], FindingDecision.ACCEPTED, by=by, wording=own)


def reject(examination: Examination, finding: UUID, *, by: User) -> None:
    """Leave the draft's words as they are."""
    _decide(examination, [finding], FindingDecision.REJECTED, by=by)


def decide_all(examination: Examination, decision: str, *, by: User, severity: str = "", category: str = "") -> int:
    """Accept or reject every open finding of a kind; how many. Those that cannot be accepted stay open."""
    return _decide(examination, None, FindingDecision(decision), by=by, severity=severity, category=category)


@transaction.atomic
def undo(examination: Examination, *, by: User, finding: UUID | None = None) -> int:
    """Put back one finding, or all that the last act decided; how many. Raises as the others."""
    locked = _locked(examination, by)
    rows = findings_open_to(by, locked).exclude(decision=FindingDecision.OPEN)
    if finding is None:
        last = rows.aggregate(last=Max("decided_at"))["last"]
        rows = rows.filter(decided_at=last)
    else:
        rows = rows.filter(pk=finding)
    ids = list(rows.values_list("pk", flat=True))
    if not ids:
        raise WrongState(_("There is nothing to take back."))
    Finding.objects.filter(pk__in=ids).update(
        decision=FindingDecision.OPEN, wording="", decided_at=None, decided_by=None
    )
    _record(locked, by, ids, FindingDecision.OPEN, "")
    return len(ids)


def improved(examination: Examination, findings: Sequence[Finding]) -> str:
    """The draft with what was accepted among `findings`."""
    return apply(examination.text, [edit_of(one) for one in findings if one.decision == FindingDecision.ACCEPTED])


def edit_of(finding: Finding) -> Edit:
    """What an accepted finding does to the draft."""
    return Edit(finding.start, finding.end, finding.wording or finding.suggestion)


# --- Inside -------------------------------------------------------------------------------------------------


@transaction.atomic
def _decide(
    examination: Examination,
    chosen: Sequence[UUID] | None,
    decision: FindingDecision,
    *,
    by: User,
    wording: str | None = None,
    severity: str = "",
    category: str = "",
) -> int:
    locked = _locked(examination, by)
    shown = list(findings_open_to(by, locked).order_by("start", "end", "source_start", "pk"))
    if chosen is not None:
        wanted = [one for one in shown if one.pk in set(chosen)]
        if not wanted:
            raise WrongState(_("This finding is closed or not open to you any more."))
    else:
        wanted = [
            one
            for one in shown
            if one.decision == FindingDecision.OPEN
            and severity in ("", one.severity)
            and category in ("", one.category)
        ]
    taken = [one for one in shown if one.decision == FindingDecision.ACCEPTED and one not in wanted]
    done: list[Finding] = []
    for one in wanted:
        problem = _objection(one, taken, wording) if decision == FindingDecision.ACCEPTED else ""
        if problem and chosen is not None:
            raise ExaminationError(problem)
        if not problem:
            done.append(one)
            taken += [one] if decision == FindingDecision.ACCEPTED else []
    if not done:
        raise WrongState(_("There is no finding left of which this can be done."))
    ids = [one.pk for one in done]
    Finding.objects.filter(pk__in=ids).update(
        decision=decision, wording=wording or "", decided_at=timezone.now(), decided_by=by
    )
    _record(locked, by, ids, decision, wording or "")
    return len(ids)


def _objection(finding: Finding, taken: Sequence[Finding], wording: str | None) -> str:
    """Why a finding cannot be accepted, as a sentence; "" when it can."""
    if not (wording or finding.suggestion):
        return _("Nothing is proposed here. Write the words yourself, or reject the finding.")
    if any(overlaps(finding, other) for other in taken):
        return _("This changes words that another accepted finding changes too. Take that one back first.")
    return ""


def _locked(examination: Examination, by: User) -> Examination:
    """The row, locked, once it is known that `by` is its owner and may decide now."""
    access.require(by, Action.ASK, examination)
    if examination.asked_by_id != by.pk:
        raise Forbidden(user=by, workspace=examination.workspace, action=Action.ASK, thing=examination)
    rows = Examination.objects.select_for_update(of=("self",), no_key=True).select_related("workspace")
    locked = rows.get(pk=examination.pk)
    if locked.state != ExaminationState.RELEASED:
        raise WrongState(_("What was found in this draft is not released."))
    return locked


def _record(examination: Examination, by: User, ids: Sequence[UUID], decision: FindingDecision, wording: str) -> None:
    record(
        EventType.FINDINGS_DECIDED,
        on=examination,
        workspace=examination.workspace_id,
        by=by,
        decision=decision.value,
        findings=sorted(str(one) for one in ids),
        wording_sha256=digest(wording) if wording else "",
    )
