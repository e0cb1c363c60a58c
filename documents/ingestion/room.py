"""Whether the disks have room for more files. Below the operator's line none is taken in, and everything else goes on.

Asking, reviewing and deleting write little, and are what a full disk must not stop.
"""

import shutil
from pathlib import Path

from django.conf import settings
from django.utils.translation import gettext as _

from documents.exceptions import DocumentError


class NoRoom(DocumentError):
    """The disk is nearly full."""

    code = "disk_full"


def free_bytes() -> int:
    """What is free where files and databases are kept; of several disks the fullest."""
    return min(shutil.disk_usage(place).free for place in (settings.VAR, _existing(Path(settings.MEDIA_ROOT))))


def is_short() -> bool:
    """Whether less is free than the operator wants to keep."""
    return free_bytes() < settings.LOW_DISK_BYTES


def require() -> None:
    """Raises NoRoom, with a sentence for whoever adds files."""
    if is_short():
        raise NoRoom(
            _(
                "The portal's disk is nearly full, so no files are taken in. Asking goes on. Tell the operator, "
                "and try again once there is room."
            )
        )


def _existing(place: Path) -> Path:
    while not place.exists():
        place = place.parent
    return place
