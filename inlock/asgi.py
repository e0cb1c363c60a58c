"""The web application, served by uvicorn."""

import os

from django.conf import settings
from django.core.asgi import get_asgi_application

from inlock.bodies import limited

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "inlock.settings")
_django = get_asgi_application()

# They want the apps.
from documents import room  # noqa: E402
from inlock.checks import require_safe  # noqa: E402

require_safe()
application = limited(
    _django, most=settings.MAX_REQUEST_BYTES, small=settings.DATA_UPLOAD_MAX_MEMORY_SIZE, is_short=room.is_short
)
