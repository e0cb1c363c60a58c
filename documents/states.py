"""The life of a version as a table: which state follows which, and who moves it on."""

from itertools import pairwise

from django.db import models
from django.utils.translation import gettext_lazy as _


class VersionState(models.TextChoices):
    """Where a version stands. Half-done states are never visible to search."""

    RECEIVED = "received", _("Received")
    STORED = "stored", _("Stored")
    PARSED = "parsed", _("Text read")
    SPLIT = "split", _("Split into passages")
    EMBEDDED = "embedded", _("Understood")
    INDEXED = "indexed", _("Indexed")
    READY = "ready", _("Ready")
    FAILED = "failed", _("Failed")
    QUARANTINED = "quarantined", _("Set aside")
    SUPERSEDED = "superseded", _("Replaced by a newer version")
    DELETED = "deleted", _("Deleted")


#: In order: each stage of `documents/ingest.py` moves a version one step along.
PROGRESS = (
    VersionState.RECEIVED,
    VersionState.STORED,
    VersionState.PARSED,
    VersionState.SPLIT,
    VersionState.EMBEDDED,
    VersionState.INDEXED,
    VersionState.READY,
)
#: The system owes these their next step; the sweep looks for them.
OPEN = PROGRESS[:-1]
#: Nothing more happens by itself.
SETTLED = (
    VersionState.READY,
    VersionState.FAILED,
    VersionState.QUARANTINED,
    VersionState.SUPERSEDED,
    VersionState.DELETED,
)

#: Their vectors do not belong in the index. (A deleted version's go with the rest of its document.)
WITHDRAWN = (VersionState.FAILED, VersionState.QUARANTINED, VersionState.SUPERSEDED)

NEXT: dict[str, frozenset[str]] = {
    **{
        state: frozenset(
            {
                after,
                # A new parser or splitter starts over what an older one left half done.
                VersionState.RECEIVED,
                VersionState.FAILED,
                VersionState.QUARANTINED,
                VersionState.SUPERSEDED,
                VersionState.DELETED,
            }
        )
        for state, after in pairwise(PROGRESS)
    },
    VersionState.READY: frozenset({VersionState.SUPERSEDED, VersionState.DELETED}),
    # A retry starts over; an uploaded older version becomes current again by being received again.
    VersionState.FAILED: frozenset({VersionState.RECEIVED, VersionState.DELETED}),
    VersionState.QUARANTINED: frozenset({VersionState.RECEIVED, VersionState.DELETED}),
    VersionState.SUPERSEDED: frozenset({VersionState.RECEIVED, VersionState.DELETED}),
    VersionState.DELETED: frozenset(),
}


def may_follow(before: str, after: str) -> bool:
    """Whether a version in state `before` may become `after`."""
    return after in NEXT[before]
