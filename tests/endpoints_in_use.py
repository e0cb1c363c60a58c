"""Endpoints as tests want them most of the time: approved."""

from typing import Any

from workspaces.endpoints import states as endpoint_states


def in_use(endpoint: Any, *, by: Any) -> Any:
    """The stored endpoint, approved by `by`, who is the only administrator."""
    endpoint.refresh_from_db()
    endpoint_states.approve(endpoint, seen=endpoint_states.fingerprint(endpoint), by=by)
    return endpoint
