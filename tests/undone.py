"""Transactions around tests that are not pytest-django's own: of modules, of state machines, of single requests."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import transaction


def outermost() -> transaction.Atomic:
    """A transaction that counts for none: what insists on being outermost may run in it, as in Django's test cases."""
    around = transaction.atomic()
    around._from_testcase = True
    return around


@contextmanager
def undone() -> Iterator[None]:
    """Whatever happens inside did not."""
    with outermost():
        yield
        transaction.set_rollback(True)
