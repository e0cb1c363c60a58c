"""Response headers that keep a page from calling anywhere but home, and out of every cache."""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse

#: Nothing inline at all, so that no nonce is needed: not a script, not a style, not an image in the address itself.
PORTAL_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'; object-src 'none'; manifest-src 'self'"
)
#: What the admin's theme cannot work without, measured in a browser (tests/admin/test_admin_policy.py): Alpine
#: evaluates the expressions in its attributes, and theme and widgets set styles inline. No inline script runs here.
ADMIN_POLICY = PORTAL_POLICY.replace("script-src 'self'", "script-src 'self' 'unsafe-eval'").replace(
    "style-src 'self'", "style-src 'self' 'unsafe-inline'"
)
#: Nothing of a browser but passkeys, which the sign-in page asks for.
PERMISSIONS = (
    "accelerometer=(), autoplay=(), camera=(), display-capture=(), encrypted-media=(), fullscreen=(), geolocation=(), "
    "gyroscope=(), local-fonts=(), magnetometer=(), microphone=(), midi=(), payment=(), picture-in-picture=(), "
    "publickey-credentials-create=(self), publickey-credentials-get=(self), screen-wake-lock=(), serial=(), "
    "storage-access=(), usb=(), web-share=(), xr-spatial-tracking=()"
)


def _policy(path: str) -> str:
    if path.startswith("/admin/"):
        return ADMIN_POLICY
    if path.startswith(("/sign-in/", "/account/")) and settings.OIDC_HOSTS:
        # The button of the identity provider is a form of ours that is answered with the way there.
        scheme = settings.OIDC_ISSUER.partition("://")[0]
        origins = " ".join(f"{scheme}://{host}" for host in settings.OIDC_HOSTS)
        return PORTAL_POLICY.replace("form-action 'self'", f"form-action 'self' {origins}")
    return PORTAL_POLICY


def ResponseHeadersMiddleware(get_response: Callable) -> Callable:  # noqa: N802 (Django names middleware as classes)
    """The outermost middleware: its headers are on every response, also on those that never reach a view.

    Only a response that names its own caching keeps it: static files, which are the same for everybody.
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        response.headers.setdefault("Content-Security-Policy", _policy(request.path))
        response.headers.setdefault("Permissions-Policy", PERMISSIONS)
        response.headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
        response.headers.setdefault("Cache-Control", "private, no-store")
        return response

    return middleware
