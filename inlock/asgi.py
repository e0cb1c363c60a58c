"""The web application, served by uvicorn."""

import os

from django.conf import settings
from django.core.asgi import get_asgi_application

from inlock.bodies import limited

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "inlock.settings")
application = limited(get_asgi_application(), most=settings.MAX_REQUEST_BYTES)
