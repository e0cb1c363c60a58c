"""Legal holds: while one stands on a document or on its workspace, nothing under it is deleted or erased.

A hold and the beginning of an erasure both lock the document, then the workspace: whichever is first wins, and the
other is told so.
"""

from collections.abc import Iterable
from uuid import UUID

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from audit.events import EventType
from audit.record import record
from documents import news
from documents.deletion import told
from documents.exceptions import Held, HoldError
from documents.models import Deletion, Document, LegalHold
from documents.querysets import not_barred
from workspaces import access
from workspaces.exceptions import Hidden
from workspaces.models import User, Workspace
from workspaces.roles import Action, PlatformAction

MAX_REASON = 500
BEYOND_HOLDING = gettext_lazy("Not held, because their erasure had begun: %(count)d (documents or former versions).")


def on_document(document: Document) -> QuerySet[LegalHold]:
    """The holds under which `document` stands, its own and those of its workspace."""
    return LegalHold.objects.filter(
        Q(document=document) | Q(document=None), workspace=document.workspace_id, lifted_at=None
    )


def held_documents(workspace_id: UUID) -> Q:
    """Matches documents of the workspace under a hold of their own or of the whole workspace."""
    standing = LegalHold.objects.filter(workspace=workspace_id, lifted_at=None)
    if standing.filter(document=None).exists():
        return Q(workspace=workspace_id)
    return Q(pk__in=standing.values("document"))


def require_none(document: Document) -> None:
    """Raise Held, with a sentence, while a hold stands. The caller has locked the document and its workspace."""
    hold = on_document(document).select_related("placed_by").order_by("placed_at").first()
    if hold is not None:
        raise Held(
            _("“%(title)s” is under a legal hold since %(when)s: nothing of it is deleted until the hold is lifted.")
            % {"title": document.title, "when": date_format(timezone.localtime(hold.placed_at), "DATE_FORMAT")}
        )


@transaction.atomic
def place(workspace: Workspace, document: Document | None = None, *, by: User, reason: str) -> LegalHold:
    """Keep `document`, or all of `workspace`, from being deleted and erased until the hold is lifted.

    Raises HoldError without a reason, and where the erasure of the document has begun already.
    """
    right = _right_to_place(workspace, by, whole=document is None)
    reason = _stated(reason)
    if document is not None:
        _require_known(workspace, document, by)
        Document.objects.select_for_update(no_key=True).get(pk=document.pk)
        if Deletion.objects.filter(document=document, version=None, begun_at__isnull=False).exists():
            raise HoldError(_("Its erasure has begun, so it can no longer be held."))
    else:
        Workspace.objects.select_for_update(no_key=True).get(pk=workspace.pk)
    hold = LegalHold.objects.create(
        workspace=workspace, document=document, reason=reason, placed_by=by, placed_under=right
    )
    news.held(hold)
    record(
        EventType.HOLD_PLACED,
        on=document or workspace,
        workspace=workspace,
        by=by,
        reason=reason,
        hold=hold.pk,
        whole_workspace=document is None,
        beyond_holding=beyond_holding(workspace, document),
    )
    return hold


def beyond_holding(workspace: Workspace, document: Document | None) -> int:
    """How many erasures under a hold on either had begun already, of former versions too: they go on."""
    begun = Deletion.objects.filter(workspace=workspace, begun_at__isnull=False, erased_at=None)
    return begun.count() if document is None else begun.filter(document=document).count()


@transaction.atomic
def lift(hold: LegalHold, *, by: User, reason: str) -> None:
    """End a hold; what waited for it goes on. Raises HoldError without a reason, or when it is lifted already.

    What a platform administrator placed only they lift: a manager would be free to delete what they are kept from.
    """
    if hold.placed_under == PlatformAction.HOLD_WORKSPACES:
        access.require(by, PlatformAction.HOLD_WORKSPACES, None)
    else:
        _right_to_place(hold.workspace, by, whole=hold.document_id is None)
    reason = _stated(reason)
    hold = LegalHold.objects.select_for_update(no_key=True, of=("self",)).select_related("workspace").get(pk=hold.pk)
    if hold.lifted_at is not None:
        raise HoldError(_("This hold was lifted already."))
    if hold.document is not None:
        _require_known(hold.workspace, hold.document, by)
    hold.lifted_at, hold.lifted_by, hold.lift_reason = timezone.now(), by, reason
    hold.save(update_fields=["lifted_at", "lifted_by", "lift_reason"])
    record(
        EventType.HOLD_LIFTED,
        on=hold.document or hold.workspace,
        workspace=hold.workspace,
        by=by,
        reason=reason,
        hold=hold.pk,
        whole_workspace=hold.document_id is None,
    )


def holdable(user: User) -> QuerySet[Document]:
    """The documents `user` may hold, deleted ones too; that they exist may be known, not what is in them."""
    return Document.objects.filter(access.where_allowed(user, Action.HOLD), not_barred(user))


def holds_known_to(user: User) -> QuerySet[LegalHold]:
    """Holds where `user` places them or reads the trail; for platform administrators those of whole workspaces.

    Those on documents that are closed to the person do not name them (decision 12).
    """
    held = access.where_allowed(user, Action.HOLD) | access.where_allowed(user, Action.READ_TRAIL)
    theirs = Document.objects.filter(not_barred(user)).order_by()
    known = held & (Q(document=None) | Q(document__in=theirs.values("pk")))
    if PlatformAction.HOLD_WORKSPACES in access.platform_actions(user):
        known |= Q(document=None)
    return told.telling(LegalHold.objects.filter(known), to=user)


def _right_to_place(workspace: Workspace, by: User, *, whole: bool) -> str:
    """The right under which the person places a hold; raises Refused where they have none."""
    if whole and access.allows(by, PlatformAction.HOLD_WORKSPACES, None):
        return PlatformAction.HOLD_WORKSPACES
    access.require(by, Action.HOLD, workspace)
    return Action.HOLD


def _require_known(workspace: Workspace, document: Document, by: User) -> None:
    if not holdable(by).filter(pk=document.pk, workspace=workspace).exists():
        raise Hidden(user=by, workspace=workspace, action=Action.HOLD, thing=document)


def _stated(reason: str) -> str:
    reason = " ".join(reason.split())
    if not reason or len(reason) > MAX_REASON:
        raise HoldError(_("State a reason of at most %(limit)d characters.") % {"limit": MAX_REASON})
    return reason


def titles(holds: Iterable[LegalHold]) -> list[str]:
    """What each hold is on, for the person it was read for."""
    return [str(hold) if hold.document_id else _("Everything in the workspace") for hold in holds]


access.guard(LegalHold, visible=holds_known_to, workspace_of=lambda hold: hold.workspace, names_only=True)
