"""What a request is while an administrator looks at the portal as somebody else: that person's, and only reading."""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render

from audit import context
from workspaces.exceptions import Viewing
from workspaces.identity.rotation import rotate
from workspaces.middleware import record_refusal
from workspaces.models import ViewAs
from workspaces.roles import Action
from workspaces.view_as import looks as view_as

#: Where the session remembers which look is under way.
_KEY = "view_as"

#: Ways out. There the request stays the administrator's own.
_WAYS_OUT = {"workspaces:end_view", "account_logout"}
_READING = {"GET", "HEAD", "OPTIONS"}


class ViewAsMiddleware:
    """Turns requests of a look into the person's own; refuses what would act, administer or stream.

    Stands behind whatever checks the session and the second factor, because those are the administrator's.
    """

    def __init__(self, get_response: Callable) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        return _refuse(request) if _streams(request, response) else response

    def process_view(
        self, request: HttpRequest, view: Callable, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> HttpResponseBase | None:
        look = look_of(request)
        name = request.resolver_match.view_name if request.resolver_match else ""
        if look is None or name in _WAYS_OUT:
            return None
        if request.method not in _READING or not _is_a_workspace_page(view, name):
            return _refuse(request)
        _become(request, look)
        return None


def look_of(request: HttpRequest) -> ViewAs | None:
    """The look this request belongs to; asked of the database once a request."""
    if not hasattr(request, "look"):
        request.look = _under_way(request)  # type: ignore[attr-defined]
    return request.look  # type: ignore[attr-defined]


def enter(request: HttpRequest, look: ViewAs) -> None:
    """From the next request on, this session sees the portal as `look` says."""
    request.session[_KEY] = str(look.pk)
    rotate(request)


def leave(request: HttpRequest) -> ViewAs | None:
    """Have this session see the portal as itself again. Returns the look that ended, if there was one."""
    look = look_of(request)
    if look is not None:
        view_as.end_all(ViewAs.objects.filter(pk=look.pk))
        _forget(request)
    return look


# --- Inside -------------------------------------------------------------------------------------------------


def _under_way(request: HttpRequest) -> ViewAs | None:
    session, user = getattr(request, "session", None), getattr(request, "user", None)
    if session is None or user is None or not session.get(_KEY) or not user.is_authenticated:
        return None
    look = view_as.under_way(session[_KEY], user)
    if look is None:
        _forget(request)
    return look


def _forget(request: HttpRequest) -> None:
    del request.session[_KEY]
    rotate(request)
    request.look = None  # type: ignore[attr-defined]


def _become(request: HttpRequest, look: ViewAs) -> None:
    async def person() -> Any:
        return look.person

    request.user, request.auser = look.person, person
    context.look_as(look.person, viewer=look.viewer)


def _is_a_workspace_page(view: Callable, name: str) -> bool:
    """Whatever asks for no right inside a workspace is not for another's eyes: the admin, one's account, tokens."""
    return name == "home" or getattr(view, "required_action", None) in Action.values


def _streams(request: HttpRequest, response: HttpResponseBase) -> bool:
    """A stream outlives the look it began in, and carries text that is checked for the person alone."""
    is_stream = response.get("Content-Type", "").startswith("text/event-stream")
    return is_stream and getattr(request, "look", None) is not None


def _refuse(request: HttpRequest) -> HttpResponse:
    look = look_of(request)
    refusal = Viewing(user=look.viewer if look else None, action=request.method or "", thing=look)
    record_refusal(refusal)
    return render(request, "403.html", {"sentence": refusal.sentence, "look": look}, status=403)
