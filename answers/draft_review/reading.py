"""What a person is shown of an examined draft: its text, the findings they may read, and the words those rest on."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from django.db import transaction
from django.db.models import F, Prefetch
from django.db.models.functions import Substr

from answers.draft_review.deciding import edit_of
from answers.draft_review.improved import pieces
from answers.draft_review.querysets import findings_open_to
from answers.models import (
    EXAMINED,
    Examination,
    ExaminationState,
    Finding,
    FindingCategory,
    FindingDecision,
    FindingForm,
    Severity,
)
from audit.chain import digest
from audit.events import EventType
from audit.record import record
from documents.changes.differences import Piece, Room, difference
from workspaces.models import User

TONES = {Severity.BLOCKER: "fail", Severity.MAJOR: "wait", Severity.MINOR: "none", Severity.STYLE: "none"}
_GRAVITY = {severity: place for place, severity in enumerate(Severity)}


@dataclass(slots=True)
class Shown:
    """A finding with the words it names; `quote` is read from the stored version and checked by its hash."""

    number: int
    finding: Finding
    words: str
    other: str
    quote: str
    title: str
    tone: str
    pieces: list[Piece] = field(default_factory=list)
    #: Every form it had, for reviewers; none while nobody changed it.
    forms: list[FindingForm] = field(default_factory=list)

    @property
    def proposed(self) -> str:
        return self.finding.wording or self.finding.suggestion


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of the draft: `number` and `tone` of the gravest finding on it, and what was accepted in its place."""

    text: str
    number: int = 0
    tone: str = ""
    is_removed: bool = False
    added: str = ""


@dataclass(frozen=True, slots=True)
class View:
    """All that the page needs; `findings` are empty where they are not released to this person."""

    findings: list[Shown]
    segments: list[Segment]
    counts: list[tuple[str, str, int]]
    decided: Counter[str]
    closed: int
    hidden: int


def findings_of(examination: Examination, user: User) -> list[Shown]:
    """What `user` may read of the findings now, in the order of the draft; nothing before they are released to them."""
    if not _may_read(examination, user):
        return []
    rows = (
        findings_open_to(user, examination)
        .select_related("document", "clause")
        .annotate(quote=Substr("version__text", F("source_start") + 1, F("source_end") - F("source_start")))
    )
    if examination.asked_by_id != user.pk:
        rows = rows.prefetch_related(Prefetch("forms", FindingForm.objects.select_related("made_by")))
    found: list[Shown] = []
    room = Room()
    for row in rows.order_by("start", "end", "source_start", "pk"):
        quote = row.quote or ""
        if row.source_sha256 and digest(quote) != row.source_sha256:
            continue
        words = examination.text[row.start : row.end]
        one = Shown(
            number=len(found) + 1,
            finding=row,
            words=words,
            other=examination.text[row.other_start : row.other_end] if row.other_end else "",
            quote=quote,
            title=row.document.title if row.document else "",
            tone=TONES[Severity(row.severity)],
            forms=list(row.forms.all()) if examination.asked_by_id != user.pk else [],
        )
        if words and one.proposed:
            one.pieces = difference(words, one.proposed, room)
        found.append(one)
    return found


def view(examination: Examination, user: User) -> View:
    """The page of `examination` for `user`."""
    found = findings_of(examination, user)
    known = examination.findings.all()
    if examination.asked_by_id == user.pk:
        known = known.filter(left_out=False)
    total = known.count() if _may_read(examination, user) else 0
    closed = known.exclude(closed_because="").count() if total else 0
    by_severity = Counter(one.finding.severity for one in found)
    return View(
        findings=found,
        segments=segments(examination.text, found),
        counts=[(level.value, str(level.label), by_severity[level.value]) for level in Severity],
        decided=Counter(one.finding.decision for one in found),
        closed=closed,
        hidden=total - closed - len(found),
    )


@transaction.atomic
def note_read(examination: Examination, *, by: User) -> None:
    """The trail is told who read findings, or somebody else's draft."""
    if not _may_read(examination, by):
        return
    record(
        EventType.EXAMINATION_READ,
        on=examination,
        workspace=examination.workspace_id,
        by=by,
        text_sha256=examination.text_sha256,
        findings_sha256=examination.findings_sha256,
    )


def segments(text: str, found: Sequence[Shown]) -> list[Segment]:
    """The whole draft; what was accepted stands struck out with the new words after it."""
    rows = [one.finding for one in found]
    shown: list[Segment] = []
    for piece in pieces(text, rows):
        accepted = next((n for n in piece.on if rows[n].decision == FindingDecision.ACCEPTED), None)
        if accepted is not None:
            ends = piece.end == rows[accepted].end
            added = edit_of(rows[accepted]).to if ends else ""
            shown.append(Segment(piece.text, found[accepted].number, found[accepted].tone, bool(piece.text), added))
            continue
        open_ones = [n for n in piece.on if rows[n].decision == FindingDecision.OPEN and piece.text]
        if not open_ones:
            shown.append(Segment(piece.text))
            continue
        gravest = min(open_ones, key=lambda n: (_GRAVITY[Severity(rows[n].severity)], rows[n].end - rows[n].start))
        shown.append(Segment(piece.text, found[gravest].number, found[gravest].tone))
    return [one for one in shown if one.text or one.added]


def _may_read(examination: Examination, user: User) -> bool:
    if examination.asked_by_id == user.pk:
        return examination.state == ExaminationState.RELEASED
    # Who else may know of it is a reviewer of the run: `answers.draft_review.querysets`.
    return examination.state in EXAMINED


def kinds(found: Sequence[Shown]) -> list[tuple[str, str]]:
    """The categories that open findings have, for acting on all of one kind."""
    held = {one.finding.category for one in found if one.finding.decision == FindingDecision.OPEN}
    return [(category.value, str(category.label)) for category in FindingCategory if category.value in held]
