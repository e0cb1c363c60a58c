"""received → stored: the bytes on the disk are the bytes that arrived."""

import hashlib
from typing import Any

from django.utils.translation import gettext_noop

from documents.ingestion.leases import Lease
from documents.models import Version
from documents.stages import Stage, StageFailed
from documents.states import VersionState


def check(version: Version, lease: Lease) -> None:
    """Hash the stored original again. Raises StageFailed when it is missing or another."""
    try:
        with version.file.open("rb") as stored:
            found = hashlib.file_digest(stored, "sha256").hexdigest()
    except FileNotFoundError as error:
        raise StageFailed(
            "original_missing", gettext_noop("The stored file is missing. Upload it again."), retryable=True
        ) from error
    if found != version.sha256:
        raise StageFailed(
            "original_changed",
            gettext_noop("The stored file is not the one that was uploaded: its content changed on the disk."),
        )


def save(version: Version, result: None) -> dict[str, Any]:
    """Note what was checked."""
    return {"bytes": version.size}


def nothing(version: Version, result: None) -> None:
    """Nobody works from the check."""


STAGE = Stage(VersionState.STORED, check, save, waits=nothing, lasting=False)
