"""What can go wrong when the trail is written."""


class AuditError(Exception):
    """An entry could not be written as asked; the act it belongs to must not happen."""
