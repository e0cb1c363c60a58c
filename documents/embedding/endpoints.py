"""What platform administrators do with embedding endpoints: connect one, change it, test it.

Each verb checks the right of `by`, and leaves its entry in the trail.
"""

import logging
import time
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from audit.events import EventType
from audit.record import record
from documents.embedding.remote import require_listed
from documents.embedding.spaces import of_endpoint
from documents.embedding.vector_space import EmbeddingUnavailable, Space
from documents.embeddings import built_in, embed_passages
from documents.models import EmbeddingEndpoint
from documents.outgoing import Account
from documents.reembedding.probe import require_same_model
from documents.reembedding.problems import ReembeddingError, Stopped, sentence
from workspaces import access
from workspaces.endpoints.keys import check_reference
from workspaces.endpoints.states import keep, propose
from workspaces.models import User
from workspaces.roles import PlatformAction

logger = logging.getLogger(__name__)

#: They say which space its vectors are in: with another value it would be another endpoint.
FOR_EVER = ("name", "model", "dimension", "query_prefix", "passage_prefix")
_SETTINGS = (
    *FOR_EVER,
    "base_url",
    "languages",
    "key_reference",
    "ceiling",
    "price",
    "currency",
    "batch",
    "seconds",
    "requests_per_minute",
    "floor",
    "residency",
    "residency_note",
    "purpose",
    "owner",
)
#: Two that mean the same and one that does not: whatever model it is, it has to tell them apart.
_ALIKE = ("The library is open until six.", "Readers may use the library till six o'clock.")
_APART = "The engine burns two tonnes of oil an hour."


@dataclass(frozen=True, slots=True)
class EmbeddingTest:
    """Whether the endpoint gave vectors that can be used, in a sentence for the administrator."""

    ok: bool
    sentence: str
    seconds: float


@transaction.atomic
def save_endpoint(endpoint: EmbeddingEndpoint, *, by: User) -> EmbeddingEndpoint:
    """Store a new or changed endpoint; the trail keeps before and after.

    Raises ReembeddingError, KeyMissing and EmbeddingUnavailable for settings that cannot work, ReembeddingError too for
    another address that gives other vectors than the one before. An address that does not answer yet, such as one whose
    key is still to be entered, is looked at when documents are next embedded there.
    """
    access.require(by, PlatformAction.MANAGE_ENDPOINTS, None)
    endpoint.base_url = endpoint.base_url.rstrip("/")
    check_reference(endpoint.key_reference)
    space = of_endpoint(endpoint)
    if space.remote is not None:
        require_listed(space.remote)
    if endpoint.name in {space.name for space in built_in()}:
        raise ReembeddingError(_("The built-in model has this name."))
    stored = EmbeddingEndpoint.objects.select_for_update(no_key=True).filter(pk=endpoint.pk).first()
    try:
        endpoint.full_clean()
    except ValidationError as error:
        raise ReembeddingError(" ".join(error.messages)) from error
    if stored and any(getattr(stored, name) != getattr(endpoint, name) for name in FOR_EVER):
        raise ReembeddingError(_("Name, model, dimension and prefixes stay as they are. Connect another endpoint."))
    if stored and stored.base_url != endpoint.base_url and stored.key_reference == endpoint.key_reference:
        # The key would go to another server than it was entered for.
        endpoint.key_reference = ""
    if stored and stored.base_url != endpoint.base_url and endpoint.usable and endpoint.spaces.exists():
        _require_same_vectors(of_endpoint(endpoint))
    propose(endpoint, stored, {"base_url": stored.base_url} if stored else {}, by=by)
    keep(endpoint, stored, _SETTINGS, by=by)
    return endpoint


def try_endpoint(endpoint: EmbeddingEndpoint, *, by: User) -> EmbeddingTest:
    """Have three sentences of our own embedded, and say how it went."""
    access.require(by, PlatformAction.MANAGE_ENDPOINTS, None)
    started = time.monotonic()
    ok, said = _tried(endpoint, by)
    outcome = EmbeddingTest(ok, said, round(time.monotonic() - started, 3))
    with transaction.atomic():
        record(EventType.ENDPOINT_TESTED, on=endpoint, by=by, ok=outcome.ok, outcome=outcome.sentence)
    return outcome


def _require_same_vectors(space: Space) -> None:
    try:
        require_same_model(space)
    except EmbeddingUnavailable as error:
        logger.warning("The new address of %s gives no vectors yet: %s", space.name, error)
    except Stopped as stopped:
        raise ReembeddingError(sentence(stopped.code, stopped.detail)) from stopped


def _tried(endpoint: EmbeddingEndpoint, by: User) -> tuple[bool, str]:
    space = of_endpoint(endpoint, trial=True)
    try:
        first, second, third = embed_passages([*_ALIKE, _APART], space, account=Account(person=by, is_ours=True))
        if endpoint.spaces.exists():
            require_same_model(space)
    except EmbeddingUnavailable as error:
        return False, str(error)
    except Stopped as stopped:
        return False, sentence(stopped.code, stopped.detail)
    near, far = float(first @ second), float(first @ third)
    if near <= far:
        return False, _("It answered, but what means the same is no nearer to each other than what does not.")
    details: dict[str, Any] = {"near": f"{near:.2f}", "far": f"{far:.2f}"}
    return True, _("It answered: alike %(near)s, unlike %(far)s.") % details
