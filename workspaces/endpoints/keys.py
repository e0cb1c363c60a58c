"""Keys of servers outside: the database holds the name of an environment variable, never a key."""

import os
import re

from django.utils.translation import gettext as _

from workspaces.exceptions import PortalError

PREFIX = "INLOCK_KEY_"
_REFERENCE = re.compile(rf"{PREFIX}[A-Z0-9_]+")


class KeyMissing(PortalError):
    """A key reference is not one we read, or nothing stands behind it."""


def check_reference(reference: str) -> None:
    """Return if `reference` is a name we would read. Raises KeyMissing."""
    # Without the prefix, an administrator could have the portal send any of its secrets to a server of theirs.
    if reference and not _REFERENCE.fullmatch(reference):
        raise KeyMissing(
            _(
                "A key reference is the name of an environment variable in capitals, digits and underscores that "
                "begins with %(prefix)s."
            )
            % {"prefix": PREFIX}
        )


def key_named(reference: str) -> str:
    """The key behind `reference`; "" for no reference. Raises KeyMissing."""
    check_reference(reference)
    key = os.environ.get(reference, "") if reference else ""
    if reference and not key:
        raise KeyMissing(_("The environment variable %(name)s is not set where the portal runs.") % {"name": reference})
    return key
