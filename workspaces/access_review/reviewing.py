"""The verbs of an access review: a manager looks at everybody who holds a right, keeps or removes each, and signs.

Until it is signed a review only collects verdicts. Signing carries the removals out and keeps the outcome, whose
hash stands in the trail.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from audit.chain import canonical, digest
from audit.events import EventType
from audit.record import record
from workspaces import access
from workspaces.access_review.kinds import Right, kinds, manages_people
from workspaces.exceptions import PortalError, Refused, ReviewError
from workspaces.models import AccessReview, AccessReviewLine, User, Verdict, Workspace
from workspaces.roles import Action

#: What the outcome is written as; a change of its shape is another format.
FORMAT = "inlock-access-review/1"

#: A right of a person: their id, its kind, its code.
Key = tuple[UUID, str, str]


@dataclass(frozen=True, slots=True)
class Standing:
    """How a review under way stands against the rights that are held now."""

    #: Rights under review that are still held; whatever line is not among them is gone.
    held: frozenset[Key]
    #: Rights given since the review began, which it does not cover yet.
    missing: int
    decided: int
    undecided: int


@transaction.atomic
def start(workspace: Workspace, *, by: User) -> AccessReview:
    """Begin a review of every right held in the workspace now. Raises ReviewError while another is under way."""
    access.require(by, Action.MANAGE_PEOPLE, workspace)
    try:
        with transaction.atomic():
            review = AccessReview.objects.create(workspace=workspace, started_by=by)
    except IntegrityError as error:
        raise ReviewError(_("A review of this workspace is under way already. Sign that one first.")) from error
    lines = _add_lines(review, _rights(workspace))
    record(EventType.ACCESS_REVIEW_STARTED, on=review, workspace=workspace, by=by, lines=lines)
    return review


@transaction.atomic
def catch_up(review: AccessReview, *, by: User) -> int:
    """Put the rights that were given since the review began into it; returns how many."""
    access.require(by, Action.MANAGE_PEOPLE, review.workspace)
    review = _open(review)
    rights = _rights(review.workspace)
    known = {key_of(line) for line in review.lines.all()}
    added = _add_lines(review, {key: right for key, right in rights.items() if key not in known})
    if added:
        record(EventType.ACCESS_REVIEW_EXTENDED, on=review, workspace=review.workspace, by=by, lines=added)
    return added


@transaction.atomic
def decide(review: AccessReview, verdicts: Mapping[UUID, tuple[str, str]], *, by: User) -> int:
    """Take verdict and note for some lines, by their ids; the last word before the signature counts.

    Returns how many lines changed. Raises ReviewError for a signed review, and for lines or verdicts that are none.
    """
    access.require(by, Action.MANAGE_PEOPLE, review.workspace)
    review = _open(review)
    lines = {line.pk: line for line in review.lines.filter(pk__in=verdicts)}
    if set(lines) != set(verdicts) or not {verdict for verdict, _note in verdicts.values()} <= {*Verdict.values, ""}:
        raise ReviewError(_("These verdicts do not belong to this review. Reload the page."))
    now, changed = timezone.now(), []
    for pk, (verdict, note) in verdicts.items():
        line = lines[pk]
        if (line.verdict, line.note) == (verdict, note[:300]):
            continue
        line.verdict, line.note = verdict, note[:300]
        line.decided_at, line.decided_by = (now, by) if verdict else (None, None)
        changed.append(line)
    _keep_verdicts(review, changed, by)
    return len(changed)


@transaction.atomic
def keep_the_rest(review: AccessReview, *, by: User) -> int:
    """Keep every right that is held and not decided on yet; returns how many."""
    access.require(by, Action.MANAGE_PEOPLE, review.workspace)
    review = _open(review)
    held = _rights(review.workspace)
    rest = [line for line in review.lines.filter(verdict="") if key_of(line) in held]
    for line in rest:
        line.verdict, line.decided_at, line.decided_by = Verdict.KEEP, timezone.now(), by
    _keep_verdicts(review, rest, by)
    return len(rest)


@transaction.atomic
def sign(review: AccessReview, *, statement: str, by: User) -> AccessReview:
    """Carry the removals out and keep the outcome under `by`'s name: all of it, or nothing.

    Raises ReviewError while a right that is held has no verdict, and when somebody else signed first; and what a
    removal that cannot be made raises, such as that of the last manager.
    """
    workspace = review.workspace
    access.require(by, Action.MANAGE_PEOPLE, workspace)
    review = _open(review)
    if not statement.strip():
        raise ReviewError(_("Say in a sentence what you looked at. It is kept with your name."))
    lines = list(review.lines.select_related("user"))
    removals = [line for line in lines if line.verdict == Verdict.REMOVE]
    for code, kind in kinds.items():
        kind.lock(workspace, [line.code for line in removals if line.kind == code])
    held = _rights(workspace)
    _require_complete(lines, held)
    review.signed_at, review.signed_by, review.statement = timezone.now(), by, statement.strip()[:1000]
    review.outcome_sha256 = digest(canonical(outcome(review)))
    review.save(update_fields=["signed_at", "signed_by", "statement", "outcome_sha256"])
    # By the right that is ended last, the others are ended.
    for line in sorted(removals, key=lambda one: (one.user_id == by.pk, manages_people(one.kind, one.code))):
        _end(line, workspace, by)
    record(
        EventType.ACCESS_REVIEW_SIGNED,
        on=review,
        workspace=workspace,
        by=by,
        outcome_sha256=review.outcome_sha256,
        kept=sum(line.verdict == Verdict.KEEP for line in lines),
        removed=len(removals),
        gone=sum(not line.verdict for line in lines),
    )
    return review


# --- Questions ----------------------------------------------------------------------------------------------


def outcome(review: AccessReview) -> dict[str, Any]:
    """What was signed, from the kept rows: the same for ever, or somebody changed them.

    A line without a verdict is a right that was gone when the review was signed.
    """
    lines = review.lines.order_by("pk").values_list(
        "user_id", "kind", "code", "label", "reason", "verdict", "note", "decided_by_id", "decided_at"
    )
    names = ("person", "kind", "code", "label", "reason", "verdict", "note", "decided_by", "decided_at")
    return {
        "format": FORMAT,
        "review": str(review.pk),
        "workspace": str(review.workspace_id),
        "started_at": _plain(review.started_at),
        "started_by": _plain(review.started_by_id),
        "signed_at": _plain(review.signed_at),
        "signed_by": _plain(review.signed_by_id),
        "statement": review.statement,
        "lines": [{name: _plain(value) for name, value in zip(names, line, strict=True)} for line in lines],
    }


def is_as_signed(review: AccessReview) -> bool:
    """Whether the kept outcome still has the hash it was signed with."""
    return digest(canonical(outcome(review))) == review.outcome_sha256


def standing(review: AccessReview) -> Standing:
    """How the review stands against the rights that are held now."""
    held = frozenset(_rights(review.workspace))
    lines = [(key_of(line), bool(line.verdict)) for line in review.lines.all()]
    counted = [decided for key, decided in lines if key in held]
    missing = len(held - {key for key, _decided in lines})
    return Standing(held, missing, sum(counted), len(counted) - sum(counted))


def key_of(line: AccessReviewLine) -> Key:
    """Which right of whom a line is about."""
    return line.user_id, line.kind, line.code


def is_due(workspace: Workspace) -> datetime | None:
    """Since when a review is due, counted from the last signature or the workspace's beginning. None: not yet."""
    last = AccessReview.objects.filter(workspace=workspace, signed_at__isnull=False).order_by("-signed_at").first()
    since = (last.signed_at if last else workspace.created_at) + timedelta(days=settings.ACCESS_REVIEW_DAYS)
    return since if since <= timezone.now() else None


# --- Inside -------------------------------------------------------------------------------------------------


def _open(review: AccessReview) -> AccessReview:
    """The review, locked, while it is under way."""
    # Without joining who signed: a row that was waited for is read anew, a joined one is not.
    rows = AccessReview.objects.select_for_update(of=("self",), no_key=True).select_related("workspace")
    review = rows.get(pk=review.pk)
    if review.signed_at:
        raise ReviewError(
            _("%(name)s has signed this review. Nothing in it changes any more.") % {"name": review.signed_by.name}
        )
    return review


def _rights(workspace: Workspace) -> dict[Key, Right]:
    return {(right.user.pk, code, right.code): right for code, kind in kinds.items() for right in kind.held(workspace)}


def _add_lines(review: AccessReview, rights: Mapping[Key, Right]) -> int:
    lines = [
        AccessReviewLine(
            review=review, user=right.user, kind=kind, code=code, label=right.label[:300], reason=right.reason[:300]
        )
        for (_user, kind, code), right in rights.items()
    ]
    AccessReviewLine.objects.bulk_create(lines, batch_size=500)
    return len(lines)


def _keep_verdicts(review: AccessReview, changed: list[AccessReviewLine], by: User) -> None:
    if not changed:
        return
    AccessReviewLine.objects.bulk_update(changed, ["verdict", "note", "decided_at", "decided_by"], batch_size=500)
    counts = {verdict.value: sum(line.verdict == verdict for line in changed) for verdict in Verdict}
    record(EventType.ACCESS_REVIEW_DECIDED, on=review, workspace=review.workspace, by=by, lines=len(changed), **counts)


def _require_complete(lines: list[AccessReviewLine], held: Mapping[Key, Right]) -> None:
    missing = len(set(held) - {key_of(line) for line in lines})
    if missing:
        sentence = ngettext(
            "%(n)d right was given since the review began. Take it in, and look at it, before you sign.",
            "%(n)d rights were given since the review began. Take them in, and look at them, before you sign.",
            missing,
        )
        raise ReviewError(sentence % {"n": missing})
    undecided = sum(not line.verdict and key_of(line) in held for line in lines)
    if undecided:
        sentence = ngettext("%(n)d right has no verdict yet.", "%(n)d rights have no verdict yet.", undecided)
        raise ReviewError(sentence % {"n": undecided})


def _end(line: AccessReviewLine, workspace: Workspace, by: User) -> None:
    try:
        kinds[line.kind].end(workspace, line.user, line.code, by)
    except (PortalError, Refused) as error:
        label = kinds[line.kind].name_of(line.label, access.actions(by, workspace))
        words = {"label": label, "name": line.user.name, "why": error}
        raise ReviewError(_("“%(label)s” of %(name)s cannot be removed: %(why)s") % words) from error


def _plain(value: Any) -> str:
    if value is None:
        return ""
    return value.isoformat() if isinstance(value, datetime) else str(value)
