"""One act on many documents: what is chosen and will happen, the order itself, and what became of it."""

from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_POST

from documents.bulk import orders as bulk
from documents.bulk.forms import ChoiceForm, OrderForm
from documents.folders import keeping as folders
from documents.forms import FilterForm
from documents.listing import matching
from documents.models import BulkAct, BulkRun, Document
from workspaces import access
from workspaces.decorators import in_workspace
from workspaces.exceptions import PortalError
from workspaces.models import Workspace
from workspaces.roles import Action

#: A filter that is left out would widen the choice.
_UNREADABLE = gettext_lazy("Nothing was changed: what narrows the list cannot be read. Choose it again.")


@require_GET
@in_workspace(Action.ADD)
def choose(request: HttpRequest, workspace: Workspace) -> HttpResponse:
    """Ask before many documents are changed: which act, with which value, on how many."""
    choice = ChoiceForm(request.GET)
    acts = bulk.acts_for(access.reach(request.user, workspace))
    if not choice.is_valid() or choice.cleaned_data["act"] not in acts:
        messages.error(request, _("Choose documents and what to do with them."))
        return redirect("documents:list", slug=workspace.slug)
    if choice.cleaned_data["everything"]:
        filters = FilterForm(request.GET)
        if not filters.is_valid():
            messages.error(request, str(_UNREADABLE))
            return redirect("documents:list", slug=workspace.slug)
        documents = matching(request.user, workspace, filters.asked())
    else:
        documents = access.visible(request.user, Document).filter(
            pk__in=choice.cleaned_data["document"], workspace=workspace
        )
    ids = list(documents.order_by().values_list("pk", flat=True))
    if not ids:
        messages.error(request, _("Choose at least one document."))
        return redirect("documents:list", slug=workspace.slug)
    context = {
        "count": len(ids),
        "named": list(documents.order_by("title", "path").only("title")[:8]),
        "form": _order_form(request, workspace, choice.cleaned_data["act"], bulk.fingerprint(ids)),
        "act": BulkAct(choice.cleaned_data["act"]),
        "kept": _kept(request, choice),
    }
    return render(request, "documents/bulk.html", context)


@require_POST
@in_workspace(Action.ADD)
def order(request: HttpRequest, workspace: Workspace) -> HttpResponse:
    """Have it done; a choice by filter must still be of the documents that were confirmed."""
    choice = ChoiceForm(request.POST)
    if not choice.is_valid():
        messages.error(request, _("Choose documents and what to do with them."))
        return redirect("documents:list", slug=workspace.slug)
    try:
        ordered, chosen, confirmed = _ordered(request, workspace, choice)
        run = bulk.ask(workspace, ordered, chosen, confirmed=confirmed, by=request.user)
    except PortalError as error:
        messages.error(request, str(error))
        return redirect("documents:list", slug=workspace.slug)
    bulk.start(run)
    return redirect("documents:bulk_run", slug=workspace.slug, pk=run.pk)


@require_GET
@in_workspace(Action.ADD)
def show_run(request: HttpRequest, workspace: Workspace, pk: UUID) -> HttpResponse:
    """How far it has come, and what became of the documents; htmx asks for the part that changes."""
    run = access.find(request.user, Action.ADD, BulkRun, pk=pk, workspace=workspace)
    outcome = bulk.outcome_of(run)
    context = {"run": run, "outcome": outcome}
    if run.ended_at is not None:
        context["unchanged"] = bulk.unchanged(run, to=request.user)
    template = "documents/_bulk_run.html" if request.headers.get("HX-Request") else "documents/bulk_run.html"
    return render(request, template, context)


def _order_form(
    request: HttpRequest, workspace: Workspace, act: str, confirmed: str = "", *, sent: bool = False
) -> OrderForm:
    tree = folders.tree(request.user, workspace) if act == BulkAct.MOVE else None
    people = access.people_allowed(workspace, Action.ADD).order_by("username") if act == BulkAct.OWNER else None
    data = request.POST if sent else None
    return OrderForm(data, act=BulkAct(act), confirmed=confirmed, tree=tree, people=people)


def _ordered(request: HttpRequest, workspace: Workspace, choice: ChoiceForm) -> tuple[bulk.Order, Any, str | None]:
    """The order, the documents it is for, and what was confirmed of a choice by filter. Raises PortalError where it
    cannot be read.
    """
    act = BulkAct(choice.cleaned_data["act"])
    form = _order_form(request, workspace, act, sent=True)
    if not form.is_valid():
        raise PortalError(_("Nothing was changed: %(why)s") % {"why": form.first_error})
    if not choice.cleaned_data["everything"]:
        return form.order(act), choice.cleaned_data["document"], None
    filters = FilterForm(_filters(choice))
    if not filters.is_valid():
        raise PortalError(str(_UNREADABLE))
    return form.order(act), matching(request.user, workspace, filters.asked()), form.cleaned_data["confirmed"]


def _filters(choice: ChoiceForm) -> dict[str, str]:
    """The filters as the confirmation kept them."""
    return QueryDict(choice.cleaned_data["filters"]).dict()


def _kept(request: HttpRequest, choice: ChoiceForm) -> list[tuple[str, str]]:
    """What the confirmation sends along: the ids, or that everything of these filters is meant."""
    if choice.cleaned_data["everything"]:
        filters = FilterForm(request.GET).asked().filters
        return [("everything", "1"), ("filters", urlencode(filters))]
    return [("document", str(pk)) for pk in choice.cleaned_data["document"]]
