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
#: Not read, for a reason that is told; somebody may try again.
STOPPED = (VersionState.FAILED, VersionState.QUARANTINED)
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


# --- A change of the embedding model ------------------------------------------------------------------------------


class MigrationState(models.TextChoices):
    """Where the move of a workspace to another embedding space stands. In all of them questions are answered."""

    PLANNED = "planned", _("Estimated")
    BUILDING = "building", _("Being built")
    PAUSED = "paused", _("Paused")
    FAILED = "failed", _("Stopped by an error")
    COMPARING = "comparing", _("Built, to be compared")
    READY = "ready", _("Ready to switch")
    SWITCHED = "switched", _("Switched")
    ROLLED_BACK = "rolled_back", _("Rolled back")
    DROPPING = "dropping", _("Unused vectors are being removed")
    DONE = "done", _("Finished")
    CANCELLED = "cancelled", _("Given up")


#: Vectors are kept, and made for what arrives, in the space that is not searched in.
BOTH_KEPT = (
    MigrationState.BUILDING,
    MigrationState.COMPARING,
    MigrationState.READY,
    MigrationState.SWITCHED,
    MigrationState.ROLLED_BACK,
)
#: The system owes these their next step.
MIGRATION_WORKS = (*BOTH_KEPT, MigrationState.DROPPING)
#: Both spaces are whole, so that they can be compared.
COMPARABLE = (
    MigrationState.COMPARING,
    MigrationState.READY,
    MigrationState.SWITCHED,
    MigrationState.ROLLED_BACK,
)
#: A workspace has no more than one of these.
MOVING = (MigrationState.PLANNED, MigrationState.PAUSED, MigrationState.FAILED, *MIGRATION_WORKS)

MIGRATION_NEXT: dict[str, frozenset[str]] = {
    MigrationState.PLANNED: frozenset({MigrationState.BUILDING, MigrationState.CANCELLED}),
    MigrationState.BUILDING: frozenset(
        {MigrationState.COMPARING, MigrationState.PAUSED, MigrationState.FAILED, MigrationState.CANCELLED}
    ),
    MigrationState.PAUSED: frozenset({MigrationState.BUILDING, MigrationState.CANCELLED}),
    MigrationState.FAILED: frozenset({MigrationState.BUILDING, MigrationState.CANCELLED}),
    MigrationState.COMPARING: frozenset({MigrationState.READY, MigrationState.CANCELLED}),
    MigrationState.READY: frozenset({MigrationState.SWITCHED, MigrationState.CANCELLED}),
    MigrationState.SWITCHED: frozenset({MigrationState.ROLLED_BACK, MigrationState.DROPPING}),
    # What was switched once may be switched to again: nothing has to be made anew.
    MigrationState.ROLLED_BACK: frozenset({MigrationState.SWITCHED, MigrationState.DROPPING}),
    MigrationState.DROPPING: frozenset({MigrationState.DONE}),
    MigrationState.DONE: frozenset(),
    # Its vectors stay, so that another try pays for none of them again, until somebody has them removed.
    MigrationState.CANCELLED: frozenset({MigrationState.DROPPING}),
}


def migration_may_become(before: str, after: str) -> bool:
    """Whether a migration in state `before` may become `after`."""
    return after in MIGRATION_NEXT[before]
