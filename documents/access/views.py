"""Pages on which managers govern who opens a document: also of restricted ones they may not open themselves."""

from collections.abc import Callable
from functools import wraps
from uuid import UUID

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from audit.events import EventType
from audit.record import record
from documents import explain
from documents.access import bars, restriction
from documents.forms import HolderForm
from documents.models import Document, DocumentBar
from documents.querysets import documents_governed_by
from workspaces import access
from workspaces.bars.rules import Holder
from workspaces.decorators import in_workspace, says_why
from workspaces.exceptions import Hidden, PortalError
from workspaces.forms import BarForm
from workspaces.models import Workspace
from workspaces.roles import Action

#: More names than a page shows at once.
MOST_PEOPLE = 200


@require_GET
@in_workspace(Action.MANAGE_DOCUMENTS)
def restricted(request: HttpRequest, workspace: Workspace) -> HttpResponse:
    """The restricted documents of the workspace by title, those the person may not open too."""
    documents = (
        documents_governed_by(request.user).filter(workspace=workspace, restricted=True).order_by("title", "path")
    )
    mine = set(
        access.visible(request.user, Document).filter(workspace=workspace).order_by().values_list("pk", flat=True)
    )
    rows = [(document, document.pk in mine) for document in documents]
    return render(request, "documents/restricted.html", {"rows": rows})


@require_GET
@in_workspace(Action.MANAGE_DOCUMENTS)
def who(request: HttpRequest, workspace: Workspace, pk: UUID) -> HttpResponse:
    """Who can open one document and why, its grants and its never rules. Its text is not shown here."""
    document = _governed(request, workspace, pk)
    with transaction.atomic():
        record(EventType.RIGHTS_READ, on=document, workspace=workspace, by=request.user)
    return _page(request, document, BarForm())


@require_POST
@in_workspace(Action.MANAGE_DOCUMENTS)
def bar(request: HttpRequest, workspace: Workspace, pk: UUID) -> HttpResponse:
    """Make a never rule about the document."""
    document = _governed(request, workspace, pk)
    form = BarForm(request.POST)
    if form.is_valid():
        try:
            bars.bar(document, form.cleaned_data["holder"], reason=form.cleaned_data["reason"], by=request.user)
        except PortalError as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, _("The rule holds from now on, whatever else opens it to them."))
            return redirect("documents:who", slug=workspace.slug, pk=pk)
    return _page(request, document, form, status=400)


def _acts(view: Callable[..., None]) -> Callable[..., HttpResponse]:
    """A change on the document's page, which says why when it cannot be done."""

    @says_why("documents:who", "pk")
    @wraps(view)
    def wrapped(request: HttpRequest, workspace: Workspace, pk: UUID, **ids: UUID) -> HttpResponse:
        view(request, _governed(request, workspace, pk), **ids)
        return redirect("documents:who", slug=workspace.slug, pk=pk)

    return wrapped


@require_POST
@in_workspace(Action.MANAGE_DOCUMENTS)
@_acts
def lift(request: HttpRequest, document: Document, rule: UUID) -> None:
    """End a never rule about the document, with a reason."""
    found = DocumentBar.objects.filter(document=document, pk=rule).first()
    if found is None:
        raise Hidden(user=request.user, workspace=document.workspace, action=Action.MANAGE_DOCUMENTS, thing=document)
    bars.lift(found, by=request.user, reason=request.POST.get("reason", ""))
    messages.success(request, _("Lifted."))


@require_POST
@in_workspace(Action.MANAGE_DOCUMENTS)
@_acts
def let_in(request: HttpRequest, document: Document) -> None:
    """Grant a restricted document to a person or a group."""
    holder = _holder(request, HolderForm(request.POST, document=document))
    restriction.grant(document, holder, by=request.user)
    messages.success(request, _("%(name)s can open it now.") % {"name": holder.name})


@require_POST
@in_workspace(Action.MANAGE_DOCUMENTS)
@_acts
def take_back(request: HttpRequest, document: Document) -> None:
    """Take the grant of a person or a group back."""
    holder = _holder(request, HolderForm(request.POST, document=document, granted=True))
    restriction.revoke_grant(document, holder, by=request.user)
    messages.success(request, _("%(name)s can no longer open it.") % {"name": holder.name})


def _holder(request: HttpRequest, form: HolderForm) -> Holder:
    if not form.is_valid():
        raise PortalError(_("Choose somebody from the list."))
    return form.cleaned_data["holder"]


def _governed(request: HttpRequest, workspace: Workspace, pk: UUID) -> Document:
    document = documents_governed_by(request.user).filter(workspace=workspace, pk=pk).first()
    if document is None:
        raise Hidden(user=request.user, workspace=workspace, action=Action.MANAGE_DOCUMENTS)
    return document


def _page(request: HttpRequest, document: Document, form: BarForm, *, status: int = 200) -> HttpResponse:
    found = explain.who_can_open(document)
    rules = document.bars.select_related("user", "group__people_group", "created_by").order_by("-created_at")
    context = {
        "document": document,
        "may_open": access.visible(request.user, Document).filter(pk=document.pk).exists(),
        "people": found[:MOST_PEOPLE],
        "more": max(0, len(found) - MOST_PEOPLE),
        "granted": [*restriction.granted_groups(document), *restriction.granted_people(document)],
        "holders": HolderForm(document=document),
        "rules": rules,
        "form": form,
    }
    return render(request, "documents/who.html", context, status=status)
