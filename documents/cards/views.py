"""What people say about a document beside its text: its owner, how long it holds, its review, its tags, its folder."""

from uuid import UUID

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from documents.analysis import fold
from documents.cards import metadata, tagging
from documents.cards.forms import CardForm, ConfirmForm
from documents.folders import keeping as folders
from documents.models import Document
from workspaces import access
from workspaces.decorators import in_workspace
from workspaces.exceptions import PortalError
from workspaces.models import User, Workspace
from workspaces.roles import Action


@require_http_methods(["GET", "POST"])
@in_workspace(Action.ADD)
def edit_card(request: HttpRequest, workspace: Workspace, pk: UUID) -> HttpResponse:
    """The form of a document's card, for who manages documents and for its owner."""
    document = _find(request, workspace, pk)
    tree = folders.tree(request.user, workspace)
    names_owner = access.allows(request.user, Action.MANAGE_DOCUMENTS, document)
    form = CardForm(request.POST or None, document=document, tree=tree, names_owner=names_owner)
    if request.method == "POST" and form.is_valid():
        try:
            _save(document, form, tree, by=request.user)
        except PortalError as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, _("Saved."))
            return redirect("documents:detail", slug=workspace.slug, pk=pk)
    status = 422 if request.method == "POST" else 200
    return render(request, "documents/card.html", {"document": document, "form": form}, status=status)


@require_POST
@in_workspace(Action.ADD)
def confirm(request: HttpRequest, workspace: Workspace, pk: UUID) -> HttpResponse:
    """Say that the document still holds until a day to come."""
    document = _find(request, workspace, pk)
    form = ConfirmForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("Choose a day to come."))
        return redirect("documents:detail", slug=workspace.slug, pk=pk)
    try:
        metadata.confirm(document, form.cleaned_data["until"], by=request.user)
    except PortalError as error:
        messages.error(request, str(error))
    else:
        said = _("“%(title)s” is still good until %(day)s.")
        day = date_format(form.cleaned_data["until"], "DATE_FORMAT")
        messages.success(request, said % {"title": document.title, "day": day})
    return redirect("documents:detail", slug=workspace.slug, pk=pk)


@transaction.atomic
def _save(document: Document, form: CardForm, tree: folders.Tree, *, by: User) -> None:
    """Everything the person changed in the form, or nothing."""
    data, touched = form.cleaned_data, form.touched
    folders.lock(document.workspace_id)
    document = metadata.locked_to_keep(document, by)
    # While the owner is still who they were: who keeps only what they own cannot hand it on in the same breath.
    if "valid_until" in touched:
        metadata.set_validity(document, data["valid_until"], by=by)
    if touched & {"review_on", "review_note"}:
        on = data["review_on"] if "review_on" in touched else document.review_on
        note = data["review_note"] if "review_note" in touched else document.review_note
        metadata.set_review(document, on, note=note, by=by)
    if "tags" in touched:
        shown, said = ({fold(name): name for name in names} for names in (form.shown_tags, data["tags"]))
        added = [name for folded, name in said.items() if folded not in shown]
        removed = [name for folded, name in shown.items() if folded not in said]
        tagging.change_tags(document, add=added, remove=removed, by=by)
    if "folder" in touched:
        folders.move(document, tree.get(data["folder"]) if data["folder"] else None, by=by)
    if "owner" in touched:
        metadata.set_owner(document, data["owner"], by=by)


def _find(request: HttpRequest, workspace: Workspace, pk: UUID) -> Document:
    """The document, if the person may keep it current."""
    document = access.find(request.user, Action.OPEN, Document, pk=pk, workspace=workspace)
    access.require(request.user, metadata.keeping_right(document, request.user), document)
    return document
