"""Tell simple-history who is acting, from the same context the trail reads."""

from typing import Any

from audit import context


def acting_user(instance: Any, **kwargs: Any) -> Any:
    """The `get_user` of every HistoricalRecords."""
    return context.current().by
