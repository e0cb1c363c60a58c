"""What people do with documents: each a POST that makes one call and says what happened."""

from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_POST

from documents import library
from documents.access import restriction
from documents.cards import classifying, licensing
from documents.exceptions import DocumentError
from documents.folders.keeping import tree
from documents.folders.placing import path_in, usable_folder
from documents.forms import GrantForm
from documents.models import Document, Version
from workspaces import access
from workspaces.decorators import in_workspace, says_why
from workspaces.exceptions import Hidden, PortalError, Refused
from workspaces.middleware import record_refusal
from workspaces.models import User, Workspace
from workspaces.roles import Action

#: What a person reads about a received file.
OUTCOMES = {
    "added": gettext_lazy("Received."),
    "new_version": gettext_lazy("Received as a new version."),
    "same": gettext_lazy("Already here: these are the same bytes."),
}


@require_POST
@in_workspace(Action.ADD)
def upload(request: HttpRequest, workspace: Workspace) -> HttpResponse:
    """Receive files; each one gets its own answer, so that one bad file does not take the others along.

    `paths`, one for each file, say in which folders of a dropped one they lay; `folder` is the one that was open.
    """
    sent, told = request.FILES.getlist("files"), request.POST.getlist("paths")
    paths = told if len(told) == len(sent) else [""] * len(sent)
    answers = [_receive(request, workspace, file, path) for file, path in zip(sent, paths, strict=True)]
    if request.get_preferred_type(["text/html", "application/json"]) == "application/json":
        return JsonResponse({"files": answers})
    for answer in answers:
        said = messages.error if "error" in answer else messages.success
        said(request, f"{answer['name']}: {answer.get('error') or answer['sentence']}")
    if not answers:
        messages.error(request, _("Choose at least one file."))
    folder = request.POST.get("folder")
    back = reverse("documents:list", kwargs={"slug": workspace.slug})
    return redirect(f"{back}?{urlencode({'folder': folder})}" if folder else back)


@require_POST
@in_workspace(Action.ADD)
@says_why("documents:detail", "pk")
def retry(request: HttpRequest, workspace: Workspace, pk: UUID) -> HttpResponse:
    """Send a failed version through ingestion again."""
    document = _find(request, workspace, pk, Action.ADD)
    version = access.find(request.user, Action.ADD, Version, pk=request.POST.get("version"), document=document)
    library.retry(version, by=request.user)
    messages.success(request, _("“%(title)s” is being read again.") % {"title": document.title})
    if request.POST.get("next") == "list":
        return redirect("documents:list", slug=workspace.slug)
    return redirect("documents:detail", slug=workspace.slug, pk=pk)


@require_POST
@in_workspace(Action.ADD)
def retry_all(request: HttpRequest, workspace: Workspace) -> HttpResponse:
    """Send everything that failed through ingestion again."""
    count = library.retry_all_failed(workspace, by=request.user)
    said = ngettext("%(count)d document is being read again.", "%(count)d documents are being read again.", count)
    if count:
        messages.success(request, said % {"count": count})
    else:
        messages.info(request, _("Nothing is failed any more: there was nothing to try again."))
    return redirect("documents:list", slug=workspace.slug)


@require_POST
@in_workspace(Action.MANAGE_DOCUMENTS)
@says_why("documents:detail", "pk")
def classify(request: HttpRequest, workspace: Workspace, pk: UUID) -> HttpResponse:
    """Say how far the document may travel."""
    document = _find(request, workspace, pk, Action.MANAGE_DOCUMENTS)
    classifying.classify(document, request.POST.get("level", ""), by=request.user)
    document.refresh_from_db(fields=["classification"])
    level = document.get_classification_display()
    messages.success(request, _("The classification is “%(level)s” now.") % {"level": level})
    return redirect("documents:detail", slug=workspace.slug, pk=pk)


@require_POST
@in_workspace(Action.MANAGE_DOCUMENTS)
@says_why("documents:detail", "pk")
def state_usage(request: HttpRequest, workspace: Workspace, pk: UUID) -> HttpResponse:
    """State what the rights in the document allow."""
    document = _find(request, workspace, pk, Action.MANAGE_DOCUMENTS)
    licensing.state_usage(document, request.POST.get("usage", ""), by=request.user)
    messages.success(request, _("Saved."))
    return redirect("documents:detail", slug=workspace.slug, pk=pk)


@require_POST
@in_workspace(Action.MANAGE_DOCUMENTS)
@says_why("documents:detail", "pk")
def restrict(request: HttpRequest, workspace: Workspace, pk: UUID) -> HttpResponse:
    """Close the document to everybody but named people."""
    document = _find(request, workspace, pk, Action.MANAGE_DOCUMENTS)
    restriction.restrict(document, by=request.user)
    messages.success(request, _("Restricted. Only you can open it until you grant it to others."))
    return redirect("documents:detail", slug=workspace.slug, pk=pk)


@require_POST
@in_workspace(Action.MANAGE_DOCUMENTS)
@says_why("documents:detail", "pk")
def unrestrict(request: HttpRequest, workspace: Workspace, pk: UUID) -> HttpResponse:
    """Open the document to the workspace."""
    document = _find(request, workspace, pk, Action.MANAGE_DOCUMENTS)
    restriction.unrestrict(document, by=request.user)
    messages.success(request, _("Everybody who may open documents here can open it now."))
    return redirect("documents:detail", slug=workspace.slug, pk=pk)


@require_POST
@in_workspace(Action.MANAGE_DOCUMENTS)
@says_why("documents:detail", "pk")
def grant(request: HttpRequest, workspace: Workspace, pk: UUID) -> HttpResponse:
    """Let one more person open a restricted document."""
    document = _find(request, workspace, pk, Action.MANAGE_DOCUMENTS)
    form = GrantForm(request.POST, people=restriction.people_to_grant(document))
    if not form.is_valid():
        raise PortalError(_("Choose somebody of this workspace who cannot open the document yet."))
    person = form.cleaned_data["person"]
    restriction.grant(document, person, by=request.user)
    messages.success(request, _("%(name)s can open it now.") % {"name": person.name})
    return redirect("documents:detail", slug=workspace.slug, pk=pk)


@require_POST
@in_workspace(Action.MANAGE_DOCUMENTS)
@says_why("documents:detail", "pk")
def revoke(request: HttpRequest, workspace: Workspace, pk: UUID) -> HttpResponse:
    """Take a person's grant back; who takes their own loses sight of the document."""
    document = _find(request, workspace, pk, Action.MANAGE_DOCUMENTS)
    person = _granted_person(request, document)
    restriction.revoke_grant(document, person, by=request.user)
    messages.success(request, _("%(name)s can no longer open it.") % {"name": person.name})
    if person == request.user:
        return redirect("documents:list", slug=workspace.slug)
    return redirect("documents:detail", slug=workspace.slug, pk=pk)


# --- Inside -------------------------------------------------------------------------------------------------


def _receive(request: HttpRequest, workspace: Workspace, file: UploadedFile, told: str) -> dict[str, str]:
    """What became of one uploaded file, as plain data."""
    name = file.name or ""
    # The folders as they were told, the name as it arrived: it is what decides how the file is read.
    folders = usable_folder(told.rpartition("/")[0])
    path = f"{folders}/{name}" if folders else name
    try:
        received = library.receive(
            workspace=workspace,
            path=path_in(workspace, _open_folder(request, workspace), path, by=request.user),
            file=file,
            filename=name,
            by=request.user,
            classification=request.POST.get("classification", ""),
        )
    except PortalError as error:
        return {"name": name, "outcome": "refused", "error": str(error)}
    except Refused as error:
        # Of several files, one may belong to a restricted document: the others have arrived all the same.
        record_refusal(error)
        return {"name": name, "outcome": "refused", "error": str(error.sentence)}
    return {
        "name": name,
        "outcome": received.outcome,
        "sentence": str(OUTCOMES[received.outcome]),
        "document_id": str(received.version.document_id),
        "url": reverse("documents:detail", args=[workspace.slug, received.version.document_id]),
        "state": received.version.state,
    }


def _open_folder(request: HttpRequest, workspace: Workspace) -> str:
    """The path of the folder that was open when the files were sent, "" for the top. Raises DocumentError."""
    chosen = request.POST.get("folder", "")
    folder = tree(request.user, workspace).get(chosen) if chosen else None
    if chosen and folder is None:
        raise DocumentError(_("This folder is not there any more."))
    return folder.path if folder else ""


def _find(request: HttpRequest, workspace: Workspace, pk: UUID, action: str) -> Document:
    """The document of this workspace, if the person may do `action` with it."""
    return access.find(request.user, action, Document, pk=pk, workspace=workspace)


def _granted_person(request: HttpRequest, document: Document) -> User:
    """A person id from a form counts only if that person holds a grant on this document."""
    for person in restriction.granted_people(document):
        if str(person.pk) == request.POST.get("person"):
            return person
    raise Hidden(user=request.user, workspace=document.workspace, action=Action.MANAGE_DOCUMENTS, thing=document)
