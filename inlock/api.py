"""The API, version 1: the operations of the apps under one address, one credential and one way to say what went wrong.

Another protocol over the same rights takes a place of its own below /api/, where
`workspaces/tokens/authentication.py` lets nobody unknown in.
"""

from typing import Any, NoReturn

import pydantic
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from ninja import NinjaAPI
from ninja.errors import HttpError, ValidationError
from ninja.security.base import AuthBase
from ninja.utils import check_csrf

from answers.api import router as answers
from answers.draft_review.api import router as examinations
from answers.exceptions import WrongState
from answers.precedents.api import router as precedents
from documents.api import router as documents
from documents.embeddings import EmbeddingUnavailable
from documents.exceptions import DocumentError
from workspaces.api import router as workspaces
from workspaces.exceptions import PortalError
from workspaces.problems import problem
from workspaces.tokens.authentication import token_of


class NotAsPromisedError(Exception):
    """An operation answered something else than it describes."""


class TokenOrSession(AuthBase):
    """Both were looked at before; here a session proves that the request was not forged by another site's page."""

    openapi_type = "http"
    openapi_scheme = "bearer"

    def __call__(self, request: HttpRequest) -> Any:
        if token_of(request) is None and check_csrf(request) is not None:
            raise HttpError(403, _("A session sends the CSRF token with whatever changes something."))
        return request.user


api = NinjaAPI(
    title="Inlock",
    version="1",
    description="Governed, cited answers for programs, with the rights of the person behind the token: docs/api.md.",
    auth=TokenOrSession(),
    docs_url=None,
    urls_namespace="api",
)
api.add_router("", workspaces)
api.add_router("", documents)
api.add_router("", answers)
api.add_router("", examinations)
api.add_router("", precedents)


@api.exception_handler(Exception)
def _unforeseen(request: HttpRequest, error: Exception) -> NoReturn:
    """Refusals and faults are answered where the portal answers them: in its middleware."""
    raise error


@api.exception_handler(pydantic.ValidationError)
def _not_as_promised(request: HttpRequest, error: pydantic.ValidationError) -> NoReturn:
    """A fault of ours. The error as it came would carry what it stumbled over, document text included, into the log."""
    places = sorted({".".join(map(str, one["loc"])) for one in error.errors(include_input=False)})
    raise NotAsPromisedError(f"The answer is not as described at {', '.join(places)}.") from None


@api.exception_handler(PortalError)
def _cannot_be_done(request: HttpRequest, error: PortalError) -> HttpResponse:
    return problem(409 if isinstance(error, WrongState) else 400, error)


#: What the code of a sentence is to a program that goes by the status.
_STATUSES = {"too_large": 413, "legal_hold": 409, "disk_full": 507}


@api.exception_handler(DocumentError)
def _document_cannot(request: HttpRequest, error: DocumentError) -> HttpResponse:
    return problem(_STATUSES.get(error.code, 400), error)


@api.exception_handler(EmbeddingUnavailable)
def _no_search(request: HttpRequest, error: EmbeddingUnavailable) -> HttpResponse:
    return problem(503, error)


@api.exception_handler(HttpError)
def _not_understood(request: HttpRequest, error: HttpError) -> HttpResponse:
    return problem(error.status_code, error.message)


@api.exception_handler(ValidationError)
def _not_as_described(request: HttpRequest, error: ValidationError) -> HttpResponse:
    # Where and why, never what was sent: a question must not come back in an error or lie in a log of errors.
    errors = [{"at": ".".join(map(str, one["loc"])), "why": one["msg"]} for one in error.errors]
    return problem(400, _("What was sent is not as this address describes it."), errors=errors)
