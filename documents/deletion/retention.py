"""How long a workspace keeps what: the rules, what they would delete now, and the deleting, with the rules as actor.

Everything goes through the same door as a person's deletion, and a legal hold stands above every rule.
"""

import logging
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, Max, Min, OuterRef, QuerySet, Subquery
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from audit.events import EventType
from audit.record import record
from documents.deletion import holds
from documents.deletion.tombstones import entomb, entomb_version
from documents.exceptions import DocumentError, RetentionError, RetentionFailed
from documents.models import HEAVY, MOST_DAYS, Cause, Deletion, Document, RetentionRules, Version
from documents.states import OPEN, VersionState
from workspaces import access
from workspaces.models import User, Workspace
from workspaces.roles import Action

logger = logging.getLogger(__name__)

#: Deleted by the rules in one workspace at a time; the next sweep goes on.
AT_ONCE = 500
_RULES = ("bin_days", "after_added_days", "after_expired_days", "after_replaced_days", "keeps_answers")


@dataclass(frozen=True, slots=True)
class Due:
    """What the rules would delete now, less what is held."""

    documents: int
    versions: int
    held: int

    @property
    def is_none(self) -> bool:
        return not (self.documents or self.versions or self.held)


def rules_of(workspace: Workspace) -> RetentionRules:
    """The rules in force; unsaved ones that keep everything where none were set."""
    return RetentionRules.objects.filter(workspace=workspace).first() or RetentionRules(workspace=workspace)


@transaction.atomic
def change(workspace: Workspace, *, by: User, **rules: Any) -> RetentionRules:
    """Set the rules of the workspace; they are carried out by the next sweep, not now.

    Raises RetentionError for days that cannot be.
    """
    access.require(by, Action.MANAGE, workspace)
    for name, days in rules.items():
        if name not in _RULES:
            raise LookupError(f"{name} is not a retention rule.")
        if name.startswith("after_") and days is not None and not 1 <= days <= MOST_DAYS:
            raise RetentionError(_("Days are between 1 and %(most)d.") % {"most": MOST_DAYS})
    Workspace.objects.select_for_update(no_key=True).get(pk=workspace.pk)
    found = rules_of(workspace)
    before = {name: getattr(found, name) for name in _RULES}
    after = before | rules
    if before == after:
        return found
    for name, value in after.items():
        setattr(found, name, value)
    found.changed_at, found.changed_by = timezone.now(), by
    found.save()
    record(EventType.RETENTION_CHANGED, on=workspace, workspace=workspace, by=by, before=before, after=after)
    return found


def preview(rules: RetentionRules) -> Due:
    """What these rules, set or not, would delete now."""
    held = holds.held_documents(rules.workspace_id)
    documents, versions = due_documents(rules), due_versions(rules)
    of_held = Document.objects.filter(held).values("pk")
    return Due(
        documents=documents.exclude(held).count(),
        versions=versions.exclude(document__in=of_held).count(),
        held=documents.filter(held).count() + versions.filter(document__in=of_held).count(),
    )


def run(workspace: Workspace) -> int:
    """Delete what the rules no longer keep, each by its own transaction and entry; how many that were.

    A fault in one keeps no other waiting: RetentionFailed is raised when all had their turn.
    """
    rules = rules_of(workspace)
    held = holds.held_documents(workspace.pk)
    of_held = Document.objects.filter(held).values("pk")
    documents = list(due_documents(rules).exclude(held).values_list("pk", flat=True)[:AT_ONCE])
    versions = list(due_versions(rules).exclude(document__in=of_held).values_list("pk", flat=True)[:AT_ONCE])
    with translation.override(None):
        acts = [(pk, partial(_delete_document, workspace, pk)) for pk in documents]
        acts += [(pk, partial(_delete_version, workspace, pk)) for pk in versions]
        done, faults = _each(acts)
    if done:
        logger.info("Workspace %s: %s things were deleted by its retention rules", workspace.pk, done)
    if faults:
        raise RetentionFailed(faults)
    return done


def run_everywhere() -> int:
    """`run` for every workspace that has rules; a fault in one keeps no other waiting. Raises RetentionFailed then."""
    done, faults = _each([(workspace.pk, partial(run, workspace)) for workspace in _with_rules()])
    if faults:
        raise RetentionFailed(faults)
    return done


def due_documents(rules: RetentionRules) -> QuerySet[Document]:
    """Documents that are older than the rules keep them, oldest first; nothing that is being read in.

    One that came back from the bin is as new as that.
    """
    there = Document.objects.filter(workspace=rules.workspace_id, deleted_at=None)
    there = there.annotate(last_arrival=Max("versions__created_at"))
    in_work = Version.objects.filter(document=OuterRef("pk"), state__in=OPEN)
    due = there.none()
    if rules.after_added_days is not None:
        early = _days_ago(rules.after_added_days)
        due |= there.filter(last_arrival__lt=early).exclude(_restored_since(early))
    if rules.after_expired_days is not None:
        early = _days_ago(rules.after_expired_days)
        due |= there.filter(valid_until__lt=timezone.localtime(early).date()).exclude(_restored_since(early))
    return due.exclude(Exists(in_work)).order_by("created_at", "pk")


def due_versions(rules: RetentionRules) -> QuerySet[Version]:
    """Former versions that were replaced longer ago than the rules keep them."""
    if rules.after_replaced_days is None:
        return Version.objects.none()
    later = Version.objects.filter(document=OuterRef("document"), turn__gt=OuterRef("turn"), ready_at__isnull=False)
    first = later.order_by().values("document").annotate(at=Min("ready_at")).values("at")
    former = Version.objects.filter(
        document__workspace=rules.workspace_id, document__deleted_at=None, state=VersionState.SUPERSEDED
    )
    former = former.annotate(replaced_at=Subquery(first)).defer(*HEAVY)
    return former.filter(replaced_at__lt=_days_ago(rules.after_replaced_days)).order_by("replaced_at", "pk")


# --- Inside -------------------------------------------------------------------------------------------------


def _each(acts: Iterable[tuple[UUID, Callable[[], int]]]) -> tuple[int, list[tuple[object, str]]]:
    """Do every act, each named by what it is about; how much they did, and for the caller to raise, what kept some."""
    done, faults = 0, list[tuple[object, str]]()
    for pk, act in acts:
        try:
            done += act()
        except DocumentError:
            # Somebody deleted or held it since.
            continue
        except RetentionFailed as failed:
            faults += failed.faults
        except Exception as error:
            # Raised when the others had their turn, by its kind alone: a message may quote a document.
            faults.append((pk, type(error).__name__))
    return done, faults


@transaction.atomic
def _delete_document(workspace: Workspace, pk: UUID) -> bool:
    rules = _locked_rules(workspace, pk)
    document = due_documents(rules).filter(pk=pk).first()
    if document is None:
        return False
    entomb(document, by=None, cause=Cause.RETENTION, reason=_reason(rules, document))
    return True


@transaction.atomic
def _delete_version(workspace: Workspace, pk: UUID) -> bool:
    rules = _locked_rules(workspace, Version.objects.values_list("document", flat=True).get(pk=pk))
    version = due_versions(rules).filter(pk=pk).first()
    if version is None:
        return False
    entomb_version(version, reason=_("Replaced more than %(days)d days ago.") % {"days": rules.after_replaced_days})
    return True


def _locked_rules(workspace: Workspace, document_id: UUID) -> RetentionRules:
    """The rules as they are now, and until the end of the transaction; document first, as everything locks."""
    Document.objects.select_for_update(no_key=True).get(pk=document_id)
    Workspace.objects.select_for_update(no_key=True).get(pk=workspace.pk)
    return rules_of(workspace)


def _restored_since(when: datetime) -> Exists:
    return Exists(Deletion.objects.filter(document=OuterRef("pk"), restored_at__gte=when))


def _with_rules() -> Iterator[Workspace]:
    ids: list[UUID] = list(RetentionRules.objects.values_list("workspace", flat=True))
    yield from Workspace.objects.filter(pk__in=ids).order_by("pk")


def _days_ago(days: int) -> datetime:
    return timezone.now() - timedelta(days=days)


def _reason(rules: RetentionRules, document: Document) -> str:
    """The rule that was met, as the trail and the receipt name it."""
    expired = document.valid_until
    if rules.after_expired_days is not None and expired is not None:
        last_day = (timezone.localtime() - timedelta(days=rules.after_expired_days)).date()
        if expired < last_day:
            return _("Valid until %(day)s, and kept %(days)d days after.") % {
                "day": expired.isoformat(),
                "days": rules.after_expired_days,
            }
    return _("Last changed more than %(days)d days ago.") % {"days": rules.after_added_days}
