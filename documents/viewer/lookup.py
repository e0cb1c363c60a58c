"""What an address of the document pages names, for a person who may open it."""

from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.http import HttpRequest

from documents.models import Document, Version
from workspaces import access
from workspaces.exceptions import Hidden
from workspaces.models import Workspace
from workspaces.roles import Action


def document_of(request: HttpRequest, workspace: Workspace, pk: UUID) -> Document:
    """The document of this workspace. Raises Hidden or Forbidden."""
    return access.find(request.user, Action.OPEN, Document, pk=pk, workspace=workspace)


def version_of(request: HttpRequest, document: Document, pk: Any, *, without: tuple[str, ...] = ()) -> Version:
    """The version of this document, and of no other; `without` names fields that are not needed. Raises Hidden."""
    try:
        return access.visible(request.user, Version).defer(*without).get(pk=pk, document=document)
    except (Version.DoesNotExist, ValidationError) as error:
        raise Hidden(user=request.user, workspace=document.workspace, action=Action.OPEN, thing=document) from error
