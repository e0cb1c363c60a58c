"""Who is acting, and what a refusal looks like: said once for every request."""

import uuid
from collections.abc import Callable
from urllib.parse import urlencode

from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse

from audit import context
from audit.events import EventType
from audit.record import record
from workspaces.exceptions import Forbidden, Hidden, ReasonNeeded, Refused
from workspaces.problems import problem

#: Below this address programs call, and read problem details instead of pages.
API = "/api/"


def ActingMiddleware(get_response: Callable) -> Callable:  # noqa: N802 (Django names middleware as classes)
    """Open the audit context: the signed-in person and a request id, which also goes out as X-Request-Id."""

    def middleware(request: HttpRequest) -> HttpResponse:
        request_id = request.request_id = uuid.uuid4().hex  # which the logs tell, also after we are left
        user = request.user if request.user.is_authenticated else None
        with context.acting(user, request_id=request_id):
            response = get_response(request)
        response["X-Request-Id"] = request_id
        return response

    return middleware


class RefusalMiddleware:
    """Turn a Refused raised anywhere into its page, after the refused act was rolled back, and record it.

    A stranger gets the same 404 as for an id that never was; a member gets a 403 that says what they lack; a superuser
    who only looks is asked for a reason, and comes back when they have stated it.
    """

    def __init__(self, get_response: Callable) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        if not isinstance(error, Refused):
            return None
        record_refusal(error)
        if request.path_info.startswith(API):
            return problem(404 if isinstance(error, Hidden) else 403, error.sentence)
        if isinstance(error, ReasonNeeded) and request.method == "GET" and "HX-Request" not in request.headers:
            form = reverse("workspaces:glass", kwargs={"slug": error.workspace.slug})
            return HttpResponseRedirect(f"{form}?{urlencode({'next': request.get_full_path()})}")
        if isinstance(error, (Forbidden, ReasonNeeded)):
            # The page says by itself that the role does not allow it.
            sentence = "" if error.sentence is Forbidden.sentence else error.sentence
            return render(request, "403.html", {"sentence": sentence}, status=403)
        return render(request, "404.html", status=404)


def record_refusal(error: Refused) -> None:
    """Write the denial to the trail of the workspace that was reached for, or to the platform's."""
    with transaction.atomic():
        record(
            EventType.ACCESS_DENIED,
            on=error.thing,
            workspace=error.workspace,
            by=error.user,
            action=error.action,
            answered=_answered(error),
        )


def _answered(error: Refused) -> str:
    if isinstance(error, ReasonNeeded):
        return "reason needed"
    return "forbidden" if isinstance(error, Forbidden) else "hidden"
