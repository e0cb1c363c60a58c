"""Findings close when what they rest on is deleted, replaced, classified higher or runs out, and are erased with it."""

from collections.abc import Iterable, Sequence

from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy

from answers.draft_review import news
from answers.draft_review.erasing import wipe
from answers.models import (
    ClauseSource,
    Examination,
    ExaminationState,
    Finding,
    FindingClosure,
    FindingForm,
    FindingsQuestion,
)
from audit.events import EventType
from audit.record import Entry, record_all
from documents.cards import reminders
from documents.deletion import dependants
from documents.deletion.dependants import Resting
from documents.deletion.telling import ERASED, repeating, telling
from documents.models import Deletion, Document, Version
from workspaces.models import User


def told(document: Document, by: User) -> Iterable[Resting]:
    """How many findings a deletion would close; whose drafts they are in is nobody's business."""
    yield Resting(
        gettext_lazy("Findings in examined drafts"),
        gettext_lazy("They are closed at once, and the drafts' owners are told."),
        _resting(Q(document=document)).filter(closed_because="").count(),
    )


def close(deletion: Deletion) -> None:
    """Close what rests on what was deleted, in the same transaction."""
    _close(_of(deletion).filter(closed_because=""), FindingClosure.DELETED, deletion.workspace_id, deletion.deleted_by)


def reopen(deletion: Deletion) -> None:
    """Open again what rests on nothing else that is deleted."""
    others = Q(document__deleted_at__isnull=False) & ~Q(document=deletion.document_id)
    given = ClauseSource.objects.filter(others, clause=OuterRef("clause"))
    closed = _of(deletion).filter(closed_because=FindingClosure.DELETED)
    _reopen(closed.exclude(Q(by_model=True) & Exists(given)), deletion.workspace_id, deletion.restored_by)


def erase(deletion: Deletion, phrases: Sequence[str], _keeps_answers: bool) -> dict[str, int]:
    """Remove the words of findings that rest on it, and drafts and findings that repeat it word for word."""
    close(deletion)
    blank = {"explanation": "", "suggestion": "", "wording": ""}
    erased = _of(deletion).exclude(**blank).update(**blank)
    form = {"explanation": "", "suggestion": "", "reason": ""}
    FindingForm.objects.filter(finding__in=_of(deletion)).update(**form)
    repeated = telling(deletion, phrases)
    if not repeated:
        return {"findings": erased}
    here = Q(examination__workspace=deletion.workspace_id)
    erased += Finding.objects.filter(here, repeating(blank, repeated)).update(**blank)
    forms = FindingForm.objects.filter(finding__examination__workspace=deletion.workspace_id)
    forms.filter(repeating(form, repeated)).update(**form)
    for name in ("text", "reply"):
        FindingsQuestion.objects.filter(here, repeating((name,), repeated)).update(**{name: ERASED})
    rows = Examination.objects.select_for_update(of=("self",), no_key=True).order_by("pk")
    rows = rows.filter(workspace=deletion.workspace_id).exclude(state=ExaminationState.ERASED)
    drafts = list(rows.filter(repeating(("text", "title"), repeated)))
    wipe(drafts, by=None, because="document")
    reasons = Examination.objects.filter(workspace=deletion.workspace_id)
    reasons.filter(repeating(("reason",), repeated)).update(reason=ERASED)
    return {"findings": erased, "examined_drafts": len(drafts)}


def note_replaced(version: Version) -> None:
    """Another version begins to answer in place of `version`, in this transaction."""
    document = Document.objects.only("workspace_id", "current_version_id").get(pk=version.document_id)
    _close(Finding.objects.filter(version=version, closed_because=""), FindingClosure.REPLACED, document.workspace_id)
    back = Finding.objects.filter(document=document, closed_because=FindingClosure.REPLACED)
    _reopen(back.filter(version=document.current_version_id), document.workspace_id)


def note_raised(document: Document, by: User) -> None:
    """`document` is classified higher: what was let out while it was lower is closed, what waits is decided as it is.

    Nobody decided on it at this level. Bringing the draft again has it examined at the level of then.
    """
    # What is closed for another reason too: it must not come back by that other way.
    rows = _resting(Q(document=document)).filter(examination__state=ExaminationState.RELEASED)
    _close(rows.exclude(closed_because=FindingClosure.RAISED), FindingClosure.RAISED, document.workspace_id, by)


def note_expired(document: Document) -> None:
    """The last valid day of `document` is over."""
    rows = Finding.objects.filter(document=document, closed_because="")
    _close(rows, FindingClosure.EXPIRED, document.workspace_id)


def note_valid_again(document: Document, by: User) -> None:
    """`document` holds longer than it did."""
    rows = Finding.objects.filter(document=document, closed_because=FindingClosure.EXPIRED)
    _reopen(rows.filter(version=F("document__current_version")), document.workspace_id, by)


# --- Inside -------------------------------------------------------------------------------------------------


def _of(deletion: Deletion) -> QuerySet[Finding]:
    rests = Q(document=deletion.document_id)
    return _resting(rests & Q(version=deletion.version_id) if deletion.version_id else rests)


def _resting(rests: Q) -> QuerySet[Finding]:
    """What cites it, and what a model wrote that was given it."""
    given = ClauseSource.objects.filter(rests, clause=OuterRef("clause"))
    return Finding.objects.filter(rests | Q(by_model=True) & Exists(given))


def _close(rows: QuerySet[Finding], why: FindingClosure, workspace: object, by: User | None = None) -> None:
    found = list(rows.order_by("pk").values_list("pk", "examination"))
    if not found:
        return
    ids = [pk for pk, _examination in found]
    Finding.objects.filter(pk__in=ids).update(closed_because=why, closed_at=timezone.now())
    examinations = _told(EventType.FINDINGS_CLOSED, found, workspace, by, because=why.value)
    news.closed([one for one in examinations if one.state == ExaminationState.RELEASED])


def _reopen(rows: QuerySet[Finding], workspace: object, by: User | None = None) -> None:
    found = list(rows.order_by("pk").values_list("pk", "examination"))
    if found:
        Finding.objects.filter(pk__in=[pk for pk, _one in found]).update(closed_because="", closed_at=None)
        _told(EventType.FINDINGS_REOPENED, found, workspace, by)


def _told(
    event: EventType, found: Sequence[tuple[object, object]], workspace: object, by: User | None, **details: str
) -> list[Examination]:
    """One entry for each draft."""
    rows = Examination.objects.filter(pk__in={one for _pk, one in found}).select_related("asked_by").order_by("pk")
    examinations = list(rows)
    entries = [
        Entry(event, one, details=details | {"findings": [str(pk) for pk, of in found if of == one.pk]})
        for one in examinations
    ]
    record_all(entries, workspace=workspace, by=by)
    return examinations


dependants.kinds.append(dependants.Kind(told=told, close=close, reopen=reopen, erase=erase))
dependants.when_replaced.append(note_replaced)
dependants.when_raised.append(note_raised)
dependants.when_valid_again.append(note_valid_again)
reminders.when_expired.append(note_expired)
