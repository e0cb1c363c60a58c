"""Where a model may be: only at hosts the operator listed, and only at addresses those names may have.

An administrator of the portal types the address of an endpoint, and questions with passages of documents travel there.
The list is the operator's (INLOCK_MODEL_HOSTS), so that no account of the portal can send them elsewhere or reach
into the network the portal runs in. It is asked when an endpoint is saved and before each connection
(`answers/registry/pinned.py`), with the address that is then connected to. What a list says: `workspaces/hosts.py`.
"""

import re
from collections.abc import Sequence

from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from answers.exceptions import EndpointError
from workspaces import hosts
from workspaces.hosts import HostList, HostRefused, IPAddress, Target

_PORTS = {"http": 80, "https": 443}
_PATH = re.compile(r"(?:/[A-Za-z0-9._~/-]*)?")


def validate_url(url: str) -> None:
    """For forms: raise ValidationError for anything but a plain http or https address."""
    try:
        target_of(url)
    except EndpointError as error:
        raise ValidationError(str(error)) from error


def require_allowed(url: str) -> None:
    """Return if a model may be asked at `url`. Raises EndpointError, with no word about what the name resolves to."""
    target = target_of(url)
    try:
        _listed().require_known(target)
    except HostRefused as refused:
        raise EndpointError(_sentence(refused)) from refused
    literal = hosts.literal_address(target.host)
    if literal is not None:
        require_address([literal], target)


def require_resolved(url: str) -> None:
    """As `require_allowed`, and of what the name resolves to now. A name that resolves to nothing passes: the
    connection will be refused."""
    require_allowed(url)
    target = target_of(url)
    try:
        found = hosts.resolve(target.host, target.port)
    except HostRefused:
        return
    require_address(found, target)


def require_address(found: Sequence[IPAddress], target: Target) -> str:
    """The address to connect to, if `target` may be at each of `found`. Raises EndpointError.

    Outside of the listed networks a model is asked over HTTPS only.
    """
    try:
        return str(_listed().require_addresses(found, target))
    except HostRefused as refused:
        raise EndpointError(_sentence(refused)) from refused


def target_of(url: str) -> Target:
    """The host of an endpoint's address. Raises EndpointError for anything but a plain http or https address."""
    try:
        return hosts.read_target(url, ports=_PORTS, rest=_PATH)
    except HostRefused as refused:
        raise EndpointError(_sentence(refused)) from refused


def _listed() -> HostList:
    return hosts.read_list(settings.MODEL_HOSTS)


def _sentence(refused: HostRefused) -> str:
    match refused.why:
        case "unlisted":
            return _(
                "The host %(host)s is not on this installation's list of model hosts. Its operator can add it."
            ) % {"host": refused.host}
        case "inside":
            return _("This address leads into a network that is not on the list of model hosts.")
        case "plain":
            return _("Outside of the listed networks a model is asked over HTTPS only.")
        case "unknown":
            return _("The name of the model's host is not known.")
    return _(
        "The base URL is only scheme, host, port and path, as in https://llm.example/v1. A key belongs into "
        "the environment, named by its reference."
    )
