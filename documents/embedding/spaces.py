"""Which embedding spaces there are, and in which one a workspace is searched: asked of the database each time.

A workspace without a row of its own is in the built-in model's space. A search asks once and stays in what it was
told, so that a switch in between never compares vectors of two models.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import replace
from uuid import UUID

from documents.embedding.vector_space import Remote, Space
from documents.embeddings import built_in, default_space, is_installed
from documents.models import EmbeddingEndpoint, EmbeddingSpace, WorkspaceSpace
from workspaces.endpoints.base import USABLE_STATES


def space_of(workspace_id: UUID) -> Space:
    """The space the workspace is searched in, as it is now."""
    chosen = WorkspaceSpace.objects.select_related("space__endpoint").filter(pk=workspace_id).first()
    if chosen is None:
        return default_space()
    return known(chosen.space, floor=chosen.floor, scale=chosen.scale)


def known(row: EmbeddingSpace, *, floor: float | None = None, scale: float = 1.0) -> Space:
    """The space of a row, also when nothing can compute it any more: enough to name its collection.

    `floor` and `scale` as they were measured somewhere.
    """
    if row.endpoint is not None:
        space = of_endpoint(row.endpoint)
    else:
        space = next((each for each in built_in() if each.fingerprint == row.fingerprint), _unknown(row))
    return space if floor is None else replace(space, floor=floor, scale=scale)


def _unknown(row: EmbeddingSpace) -> Space:
    return Space(row.name, row.fingerprint, row.dimension, floor=1.0, languages=frozenset())


def of_endpoint(endpoint: EmbeddingEndpoint, *, trial: bool = False) -> Space:
    """The space of the vectors that an endpoint makes. Its address, key and prices have no part in it.

    A candidate is only asked in a `trial`, with sentences of our own.
    """
    recipe = "\0".join(
        [endpoint.pk.hex, endpoint.model, str(endpoint.dimension), endpoint.query_prefix, endpoint.passage_prefix]
    )
    return Space(
        name=endpoint.name,
        fingerprint=hashlib.sha256(recipe.encode()).hexdigest()[:16],
        dimension=endpoint.dimension,
        floor=endpoint.floor,
        languages=frozenset(code.strip() for code in endpoint.languages.split(",") if code.strip()),
        remote=Remote(
            endpoint=endpoint.pk,
            name=endpoint.name,
            base_url=endpoint.base_url,
            model=endpoint.model,
            key_reference=endpoint.key_reference,
            query_prefix=endpoint.query_prefix,
            passage_prefix=endpoint.passage_prefix,
            batch=endpoint.batch,
            seconds=endpoint.seconds,
            requests_per_minute=endpoint.requests_per_minute,
            off=not (endpoint.may_be_tried if trial else endpoint.usable),
        ),
    )


def row_of(space: Space) -> EmbeddingSpace:
    """The row that vectors of the space point to, made when they are the first."""
    endpoint = space.remote.endpoint if space.remote else None
    row, _made = EmbeddingSpace.objects.get_or_create(
        fingerprint=space.fingerprint,
        defaults={"name": space.name, "dimension": space.dimension, "endpoint_id": endpoint},
    )
    return row


def offered() -> list[Space]:
    """Every space this installation can make vectors in, the built-in ones first."""
    endpoints = EmbeddingEndpoint.objects.filter(state__in=USABLE_STATES)
    return [*filter(is_installed, built_in()), *map(of_endpoint, endpoints)]


def all_known() -> Iterable[Space]:
    """Every space that vectors were ever stored in."""
    return [known(row) for row in EmbeddingSpace.objects.select_related("endpoint")]
