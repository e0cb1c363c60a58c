"""The web application, served by uvicorn."""

import os

import django
from django.conf import settings

from inlock.bodies import limited

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "inlock.settings")
# Each request has a thread of its own, so without a pool each would make a connection, and those beyond what PostgreSQL
# allows would fail; with it they wait their turn, and find a session that has its plans already.
_POOL = {
    "min_size": 2,
    "max_size": settings.WEB_CONNECTIONS,
    "timeout": 30,
    # It tries a server that is gone less and less often for so long; then the next request has it tried at once.
    "reconnect_timeout": 1,
    "reconnect_failed": lambda _pool: outage.notice(),
}
_database = settings.DATABASES["default"]
settings.DATABASES = {
    "default": _database | {"CONN_MAX_AGE": 0, "OPTIONS": _database.get("OPTIONS", {}) | {"pool": _POOL}}
}
django.setup(set_prefix=False)

# They want the apps.
from documents.ingestion import room  # noqa: E402
from inlock.checks import require_safe  # noqa: E402
from inlock.handler import Handler  # noqa: E402
from inlock.outage import outage  # noqa: E402

require_safe()
application = limited(
    Handler(), most=settings.MAX_REQUEST_BYTES, small=settings.DATA_UPLOAD_MAX_MEMORY_SIZE, is_short=room.is_short
)
