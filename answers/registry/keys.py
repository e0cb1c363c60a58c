"""Keys of model endpoints: the database holds the name of an environment variable, never a key."""

from answers.exceptions import EndpointError
from answers.models import ModelEndpoint
from workspaces.endpoints import keys
from workspaces.endpoints.keys import KeyMissing


def check_reference(reference: str) -> None:
    """Return if `reference` is a name we would read. Raises EndpointError."""
    try:
        keys.check_reference(reference)
    except KeyMissing as error:
        raise EndpointError(str(error)) from error


def key_of(endpoint: ModelEndpoint) -> str:
    """The endpoint's key; "" when it needs none.

    Raises EndpointError when the reference is not one we read, or the variable is not set.
    """
    try:
        return keys.key_named(endpoint.key_reference)
    except KeyMissing as error:
        raise EndpointError(str(error)) from error
