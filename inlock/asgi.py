"""The web application, served by uvicorn."""

import os

from django.conf import settings
from django.core.asgi import get_asgi_application

from inlock.bodies import limited

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "inlock.settings")
_django = get_asgi_application()

from inlock.checks import require_safe  # noqa: E402  (it asks Celery, which wants the apps)

require_safe()
application = limited(_django, most=settings.MAX_REQUEST_BYTES)
