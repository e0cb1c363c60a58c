"""What can go wrong with documents. Every message is a sentence for the person it happens to."""

from workspaces.exceptions import PortalError


class DocumentError(PortalError):
    """A document cannot be added, changed or deleted as asked."""


class LeaseLost(Exception):
    """Another worker took this version over; whoever sees this stops and writes nothing."""
