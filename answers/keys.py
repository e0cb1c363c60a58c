"""Keys of model endpoints: the database holds the name of an environment variable, never a key."""

import os
import re

from django.utils.translation import gettext as _

from answers.exceptions import EndpointError
from answers.models import ModelEndpoint

PREFIX = "INLOCK_KEY_"
_REFERENCE = re.compile(rf"{PREFIX}[A-Z0-9_]+")


def check_reference(reference: str) -> None:
    """Return if `reference` is a name we would read. Raises EndpointError."""
    # Without the prefix, an administrator could have the portal send any of its secrets to a server of theirs.
    if reference and not _REFERENCE.fullmatch(reference):
        raise EndpointError(
            _(
                "A key reference is the name of an environment variable in capitals, digits and underscores that "
                "begins with %(prefix)s."
            )
            % {"prefix": PREFIX}
        )


def key_of(endpoint: ModelEndpoint) -> str:
    """The endpoint's key; "" when it needs none.

    Raises EndpointError when the reference is not one we read, or the variable is not set.
    """
    check_reference(endpoint.key_reference)
    key = os.environ.get(endpoint.key_reference, "") if endpoint.key_reference else ""
    if endpoint.key_reference and not key:
        raise EndpointError(
            _("The environment variable %(name)s is not set where the portal runs.") % {"name": endpoint.key_reference}
        )
    return key
