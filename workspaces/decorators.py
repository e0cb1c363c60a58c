"""The way into a workspace's pages: the workspace is looked up and the right is checked before the view runs."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from workspaces import access
from workspaces.exceptions import PortalError
from workspaces.models import Workspace


def in_workspace(action: str) -> Callable[[Callable[..., HttpResponse]], Callable[..., HttpResponse]]:
    """Give the view `request.workspace` if the person may do `action` there.

    The view's `slug` is replaced by the workspace. A stranger gets 404, a member without the action 403, both in
    the trail. The wrapped view carries `required_action`, which the contract tests read.
    """

    def decorate(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
        @wraps(view)
        def wrapped(request: HttpRequest, slug: str, *args: Any, **kwargs: Any) -> HttpResponse:
            workspace = access.find_workspace(request.user, action, slug)
            request.workspace = workspace  # type: ignore[attr-defined]
            return view(request, workspace, *args, **kwargs)

        wrapped.required_action = action  # type: ignore[attr-defined]
        return wrapped

    return decorate


def on_platform(action: str) -> Callable[[Callable[..., HttpResponse]], Callable[..., HttpResponse]]:
    """Let the view run only for those who hold the platform action."""

    def decorate(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
        @wraps(view)
        def wrapped(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            access.require(request.user, action, None)
            return view(request, *args, **kwargs)

        wrapped.required_action = action  # type: ignore[attr-defined]
        return wrapped

    return decorate


def says_why(place: str, *kept: str) -> Callable[[Callable[..., HttpResponse]], Callable[..., HttpResponse]]:
    """When the act cannot be done (PortalError), lead to the page named `place` and say why there.

    Inside of `in_workspace`. `kept` names the parts of the view's address that the page's has too, such as `pk`.
    """

    def decorate(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
        @wraps(view)
        def wrapped(request: HttpRequest, workspace: Workspace, **ids: Any) -> HttpResponse:
            try:
                return view(request, workspace, **ids)
            except PortalError as error:
                messages.error(request, str(error))
                return redirect(place, slug=workspace.slug, **{name: ids[name] for name in kept})

        return wrapped

    return decorate
