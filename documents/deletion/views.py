"""Pages of what goes and of what must stay: the question before a deletion, the bin, receipts, holds, retention."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.db import transaction
from django.db.models import F
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from audit.events import EventType
from audit.record import record
from documents import library
from documents.deletion import dependants, holds, retention, told, tombstones
from documents.deletion.erasing import versions_of
from documents.deletion.forms import HoldForm, RetentionForm
from documents.deletion.receipts import hand_out
from documents.deletion.tasks import prove_erasure_task
from documents.deletion.traces_in_words import Findings, standing_of
from documents.forms import DeleteForm
from documents.models import Deletion, Document, LegalHold
from documents.viewer.reading import passages_of
from workspaces import access
from workspaces.decorators import in_workspace, says_why
from workspaces.dispatch import dispatch
from workspaces.exceptions import Hidden, PortalError
from workspaces.models import Workspace
from workspaces.roles import Action, PlatformAction

PER_PAGE = 50
#: Documents offered by title on the page of holds; more are found from the document itself.
OFFERED = 200

# --- Deleting -----------------------------------------------------------------------------------------------


@require_http_methods(["GET", "POST"])
@in_workspace(Action.MANAGE_DOCUMENTS)
def delete(request: HttpRequest, workspace: Workspace, pk: UUID) -> HttpResponse:
    """What a deletion takes along, and the deletion itself."""
    document = access.find(request.user, Action.MANAGE_DOCUMENTS, Document, pk=pk, workspace=workspace)
    if request.method == "GET":
        return _question(request, document)
    form = DeleteForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("Nothing was deleted: the reason is longer than 500 characters."))
        return redirect("documents:delete", slug=workspace.slug, pk=pk)
    try:
        deleted = library.delete(document, by=request.user, reason=form.cleaned_data["reason"])
    except PortalError as error:
        messages.error(request, str(error))
        return redirect("documents:detail", slug=workspace.slug, pk=pk)
    sentence = ngettext(
        "“%(title)s” was deleted. %(count)d passage leaves the index now.",
        "“%(title)s” was deleted. %(count)d passages leave the index now.",
        deleted.passages,
    )
    if tombstones.bin_days(workspace.pk):
        sentence = _("“%(title)s” is in the bin: closed to everybody, and it can be restored from there.")
    messages.success(request, sentence % {"title": document.title, "count": deleted.passages})
    return redirect("documents:list", slug=workspace.slug)


def _question(request: HttpRequest, document: Document) -> HttpResponse:
    context = {
        "document": document,
        "passages": passages_of(document),
        "versions": document.versions.count(),
        "resting": list(dependants.told(document, request.user)),
        "hold": holds.on_document(document).order_by("placed_at").first(),
        "rules": retention.rules_of(document.workspace),
    }
    return render(request, "documents/delete.html", context)


# --- The bin and the receipts -------------------------------------------------------------------------------


@require_GET
@in_workspace(Action.MANAGE_DOCUMENTS)
def list_deleted(request: HttpRequest, workspace: Workspace) -> HttpResponse:
    """What was deleted here, the latest first, and how far each has come."""
    deletions = access.visible(request.user, Deletion).filter(workspace=workspace, restored_at=None)
    rows = deletions.select_related("document", "version", "deleted_by").defer("receipt", "version__text")
    page = Paginator(rows.defer("version__sections").order_by("-deleted_at", "pk"), PER_PAGE).get_page(
        request.GET.get("page")
    )
    held = set(
        Document.objects.filter(holds.held_documents(workspace.pk), pk__in=[one.document_id for one in page])
        .order_by()
        .values_list("pk", flat=True)
    )
    context = {"page": page, "rows": [(one, standing_of(one, held=one.document_id in held)) for one in page]}
    return render(request, "documents/deleted.html", context)


@require_GET
@in_workspace(Action.MANAGE_DOCUMENTS)
def show_deleted(request: HttpRequest, workspace: Workspace, pk: UUID) -> HttpResponse:
    """One deletion: what went with it, what was found of it, its receipt."""
    deletion = _deletion(request, workspace, pk)
    context = {
        "deletion": deletion,
        "document": deletion.document,
        "versions": versions_of(deletion).order_by("number"),
        "standing": standing_of(deletion, held=holds.on_document(deletion.document).exists()),
        "findings": Findings(deletion),
        "may_hold": Action.HOLD in access.reach(request.user, workspace) and deletion.begun_at is None,
    }
    return render(request, "documents/deletion.html", context)


@require_GET
@in_workspace(Action.MANAGE_DOCUMENTS)
def download_receipt(request: HttpRequest, workspace: Workspace, pk: UUID) -> HttpResponse:
    """The signed receipt as a file to keep."""
    deletion = _deletion(request, workspace, pk)
    if not deletion.receipt or not deletion.is_named:
        raise Hidden(user=request.user, workspace=workspace, action=Action.MANAGE_DOCUMENTS, thing=deletion)
    response = HttpResponse(hand_out(deletion, by=request.user), content_type="application/json")
    response["Content-Disposition"] = f'attachment; filename="deletion-{pk}.json"'
    response["X-Content-Type-Options"] = "nosniff"
    return response


@require_POST
@in_workspace(Action.MANAGE_DOCUMENTS)
@says_why("documents:deleted")
def restore(request: HttpRequest, workspace: Workspace, pk: UUID) -> HttpResponse:
    """Take a document out of the bin."""
    deletion = _deletion(request, workspace, pk)
    tombstones.restore(deletion, by=request.user)
    messages.success(request, _("“%(title)s” is back. It answers again in a moment.") % {"title": deletion})
    return redirect("documents:deleted", slug=workspace.slug)


@require_POST
@in_workspace(Action.MANAGE_DOCUMENTS)
@says_why("documents:deleted")
def look_again(request: HttpRequest, workspace: Workspace, pk: UUID) -> HttpResponse:
    """Have an erasure searched for once more, now."""
    deletion = _deletion(request, workspace, pk)
    if deletion.erased_at is None or deletion.receipt_issued_at is not None:
        raise PortalError(_("There is nothing to look for: it is not erased yet, or proven already."))
    with transaction.atomic():
        about = {"workspace": workspace, "deletion": deletion.pk}
        record(EventType.TRACES_SEARCH_ASKED, on=deletion.document, by=request.user, **about)
        dispatch(prove_erasure_task, deletion.pk)
    messages.success(request, _("It is being looked for. Load the page again in a moment."))
    return redirect("documents:deletion", slug=workspace.slug, pk=pk)


# --- Holds --------------------------------------------------------------------------------------------------


@require_GET
@in_workspace(Action.HOLD)
def list_holds(request: HttpRequest, workspace: Workspace) -> HttpResponse:
    """The legal holds of the workspace, and a form for another."""
    return _holds_page(request, workspace, HoldForm(initial={"document": request.GET.get("document", "")}))


@require_POST
@in_workspace(Action.HOLD)
def place_hold(request: HttpRequest, workspace: Workspace) -> HttpResponse:
    """Hold one document, or everything in the workspace."""
    form = HoldForm(request.POST)
    if form.is_valid():
        document = _holdable(request, workspace, form.cleaned_data["document"])
        try:
            holds.place(workspace, document, by=request.user, reason=form.cleaned_data["reason"])
        except PortalError as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, _("The hold stands. Nothing under it is deleted until it is lifted."))
            going = holds.beyond_holding(workspace, document)
            if going:
                messages.warning(request, holds.BEYOND_HOLDING % {"count": going})
            return redirect("documents:holds", slug=workspace.slug)
    return _holds_page(request, workspace, form, status=400)


@require_POST
@in_workspace(Action.HOLD)
@says_why("documents:holds")
def lift_hold(request: HttpRequest, workspace: Workspace, pk: UUID) -> HttpResponse:
    """End a hold, with a reason."""
    hold = access.find(request.user, Action.HOLD, LegalHold, pk=pk, workspace=workspace)
    holds.lift(hold, by=request.user, reason=request.POST.get("reason", ""))
    messages.success(request, _("Lifted. What waited for it goes on."))
    return redirect("documents:holds", slug=workspace.slug)


# --- Retention ----------------------------------------------------------------------------------------------


@require_http_methods(["GET", "POST"])
@in_workspace(Action.MANAGE)
def change_retention(request: HttpRequest, workspace: Workspace) -> HttpResponse:
    """How long the workspace keeps what. Rules that would delete something are shown with their count first."""
    rules = retention.rules_of(workspace)
    form = RetentionForm(request.POST or None, instance=rules)
    due = None
    if request.method == "POST" and form.is_valid():
        due = retention.preview(form.instance)
        if request.POST.get("confirmed") == "yes" or not (due.documents or due.versions):
            retention.change(workspace, by=request.user, **form.cleaned_data)
            messages.success(request, _("Saved."))
            return redirect("documents:retention", slug=workspace.slug)
    context: dict[str, Any] = {"form": form, "due": due, "now": retention.preview(retention.rules_of(workspace))}
    return render(request, "documents/retention.html", context, status=400 if form.errors else 200)


# --- Inside -------------------------------------------------------------------------------------------------


def _deletion(request: HttpRequest, workspace: Workspace, pk: UUID) -> Deletion:
    return access.find(request.user, Action.MANAGE_DOCUMENTS, Deletion, pk=pk, workspace=workspace)


def _holdable(request: HttpRequest, workspace: Workspace, pk: UUID | None) -> Document | None:
    """The document a form names, if the person may hold it; None for the whole workspace."""
    if pk is None:
        return None
    document = holds.holdable(request.user).filter(workspace=workspace, pk=pk).first()
    if document is None:
        raise Hidden(user=request.user, workspace=workspace, action=Action.HOLD)
    return document


def _offered(request: HttpRequest, workspace: Workspace, asked: str | None) -> list[tuple[str, str]]:
    """The documents to choose from, by title; one that is closed to the person only when it was asked for."""
    holdable = holds.holdable(request.user).filter(workspace=workspace, erased_at=None)
    named = holdable.filter(pk__in=told.named_to(request.user).values("pk")).values_list("pk", "title")
    offered = [(str(pk), title) for pk, title in named.order_by("title", "path")[:OFFERED]]
    try:
        sought = UUID(asked or "")
    except ValueError:
        return offered
    if str(sought) not in dict(offered) and holdable.filter(pk=sought).exists():
        offered.append((str(sought), dict(named.filter(pk=sought)).get(sought, _("A document"))))
    return offered


def _holds_page(request: HttpRequest, workspace: Workspace, form: HoldForm, *, status: int = 200) -> HttpResponse:
    rows = access.visible(request.user, LegalHold).filter(workspace=workspace)
    rows = rows.select_related("document", "placed_by", "lifted_by").order_by(
        F("lifted_at").desc(nulls_first=True), "-placed_at"
    )
    form.offer(_offered(request, workspace, form["document"].value()))
    context = {
        "page": Paginator(rows, PER_PAGE).get_page(request.GET.get("page")),
        "form": form,
        "holds_workspaces": access.allows(request.user, PlatformAction.HOLD_WORKSPACES, None),
    }
    return render(request, "documents/holds.html", context, status=status)
