"""Of many rows that one task works on: what the database refuses of one ends that one, and not those behind it."""

import logging
from collections.abc import Callable
from typing import TypeVar

from django.db import DatabaseError, OperationalError, connection, transaction

T = TypeVar("T")

logger = logging.getLogger(__name__)


def apart(what: str, row_id: object, act: Callable[[], T]) -> T | None:
    """What `act` returns, done in a transaction or savepoint of its own; None where the database refused it.

    A refused row is undone alone and logged. A database that is away, or a deadlock, is no fault of the row and goes
    on as OperationalError.
    """
    try:
        with transaction.atomic():
            done = act()
            # What is checked when a transaction ends is checked here, while it can still be undone alone.
            connection.check_constraints()
            return done
    except OperationalError:
        raise
    except DatabaseError as error:
        # Its code alone: the message may hold what the row says.
        logger.error("%s of %s was refused by the database: %s", what, row_id, _code(error))  # noqa: TRY400
        return None


def _code(error: DatabaseError) -> str:
    return getattr(error.__cause__, "sqlstate", None) or type(error).__name__
