"""What went wrong, as programs read it: problem details (RFC 9457), with the sentence a person would have read."""

from http import HTTPStatus
from typing import Any

from django.http import HttpResponse, JsonResponse


def problem(status: int, detail: Any, **members: Any) -> HttpResponse:
    """A response of `status` whose body says why. `members` are added to the body; they hold no content."""
    body = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": int(status),
        "detail": str(detail),
        **members,
    }
    return JsonResponse(
        body, status=status, content_type="application/problem+json", json_dumps_params={"ensure_ascii": False}
    )
