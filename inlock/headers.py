"""Response headers that keep a page from calling anywhere but home."""

from collections.abc import Callable

from asgiref.sync import iscoroutinefunction
from django.http import HttpRequest, HttpResponse
from django.utils.decorators import sync_and_async_middleware

PORTAL_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'; object-src 'none'; manifest-src 'self'"
)
#: The admin theme evaluates Alpine expressions and sets inline styles; this is confined to /admin/.
ADMIN_POLICY = (
    PORTAL_POLICY.replace("script-src 'self'", "script-src 'self' 'unsafe-inline' 'unsafe-eval'")
    .replace("style-src 'self'", "style-src 'self' 'unsafe-inline'")
    .replace("img-src 'self'", "img-src 'self' data:")
)


@sync_and_async_middleware
def ResponseHeadersMiddleware(get_response: Callable) -> Callable:  # noqa: N802 (Django names middleware as classes)
    """Content-Security-Policy on every response; nothing a signed-in person saw stays in a shared cache."""

    def finish(request: HttpRequest, response: HttpResponse) -> HttpResponse:
        policy = ADMIN_POLICY if request.path.startswith("/admin/") else PORTAL_POLICY
        response.headers.setdefault("Content-Security-Policy", policy)
        response.headers.setdefault("Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=()")
        response.headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
        response.headers.setdefault("Cache-Control", "private, no-store")
        return response

    if iscoroutinefunction(get_response):

        async def middleware(request: HttpRequest) -> HttpResponse:
            return finish(request, await get_response(request))

    else:

        def middleware(request: HttpRequest) -> HttpResponse:
            return finish(request, get_response(request))

    return middleware
