"""Start the database, broker and vector server that have no URL, and stop them with us.

Nothing here imports Django: settings read `addresses()`, and every command
runs inside `attached()`. Each embedded engine has a keeper process
(`keeper.py`); whoever uses an engine holds a shared lock, and the keeper ends
the engine when the kernel says that the last holder is gone, however it went.
"""

from inlock.engines.addresses import PROJECT_ROOT, Addresses, addresses, celery_broker_url, var_directory
from inlock.engines.attach import Attachment, attached, ensure
from inlock.engines.exceptions import EngineFailed
from inlock.engines.places import Place
from inlock.engines.set_aside import SetAside, all_set_aside
from inlock.engines.status import EngineStatus, size, status

__all__ = [
    "PROJECT_ROOT",
    "Addresses",
    "Attachment",
    "EngineFailed",
    "EngineStatus",
    "Place",
    "SetAside",
    "addresses",
    "all_set_aside",
    "attached",
    "celery_broker_url",
    "ensure",
    "size",
    "status",
    "var_directory",
]
