"""The API's ground: what its operations share, who one is, and which workspaces one may enter."""

from collections.abc import Callable
from datetime import datetime
from functools import wraps
from typing import Any
from uuid import UUID

from django.http import HttpRequest
from django.utils.translation import gettext as _
from ninja import Router, Schema
from pydantic import ConfigDict

from workspaces import access
from workspaces.exceptions import PortalError
from workspaces.models import Workspace
from workspaces.tokens.authentication import token_of

router = Router(tags=["You"])


class Asked(Schema):
    """What a program sends. A field that is not named here is an error, not a setting that is silently ignored."""

    model_config = ConfigDict(extra="forbid")


class Told(Schema):
    """What a program is told: exactly the fields named here."""

    model_config = ConfigDict(extra="forbid")


def refuse_unknown(request: HttpRequest, filter: type[Asked]) -> None:
    """Raise PortalError for a parameter in the address that `filter` does not name; ninja would drop it."""
    if unknown := sorted(set(request.GET) - set(filter.model_fields)):
        raise PortalError(_("This address knows no parameter called %(list)s.") % {"list": ", ".join(unknown)})


def refuse_unknown_parts(request: HttpRequest, form: type[Asked], *files: str) -> None:
    """Raise PortalError for a part of a multipart body that neither `form` nor `files` names, or that comes twice."""
    known = {*form.model_fields, *files}
    sent = [*request.POST.lists(), *request.FILES.lists()]
    if wrong := sorted({name for name, values in sent if name not in known or len(values) != 1}):
        raise PortalError(_("This address takes no such parts, or each once: %(list)s.") % {"list": ", ".join(wrong)})


def in_workspace(action: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Give the operation `request.workspace`, the one its `slug` names, if `action` may be done there.

    A stranger gets 404, a member without the action 403, both in the trail; so does a token outside of its scope. The
    wrapped operation carries `required_action`, which the contract tests read.
    """

    def decorate(operation: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(operation)
        def wrapped(request: HttpRequest, slug: str, **given: Any) -> Any:
            request.workspace = access.find_workspace(request.user, action, slug)  # type: ignore[attr-defined]
            return operation(request, slug, **given)

        wrapped.required_action = action  # type: ignore[attr-defined]
        return wrapped

    return decorate


# --- Operations ---------------------------------------------------------------------------------------------


class Person(Told):
    id: UUID
    username: str
    name: str


class Token(Told):
    id: UUID
    name: str
    prefix: str
    actions: list[str]
    expires_at: datetime


class Me(Told):
    person: Person
    #: None for a person in a browser session.
    token: Token | None


class WorkspaceEntry(Told):
    slug: str
    name: str
    description: str
    archived: bool
    #: What may be done there with this credential; see the roles' table.
    actions: list[str]


class Workspaces(Told):
    items: list[WorkspaceEntry]


@router.get("/me", response=Me, summary="Who am I?")
def me(request: HttpRequest) -> dict[str, Any]:
    """The person behind the credential, and the token if it is one."""
    user, token = request.user, token_of(request)
    return {
        "person": {"id": user.pk, "username": user.get_username(), "name": user.name},
        "token": token
        and {
            "id": token.pk,
            "name": token.name,
            "prefix": token.prefix,
            "actions": token.actions,
            "expires_at": token.expires_at,
        },
    }


@router.get("/workspaces", response=Workspaces, summary="Workspaces I may enter")
def workspaces(request: HttpRequest) -> dict[str, Any]:
    """Every workspace this credential may enter, and what it may do there."""
    found = access.visible(request.user, Workspace).order_by("name", "slug")
    return {
        "items": [
            {
                "slug": workspace.slug,
                "name": workspace.name,
                "description": workspace.description,
                "archived": workspace.archived_at is not None,
                "actions": sorted(access.actions(request.user, workspace)),
            }
            for workspace in found
        ]
    }
