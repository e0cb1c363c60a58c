"""Damage as only a database superuser can do it, undone by rolling back."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection, connections, transaction

from tests import engines


@pytest.fixture
def all_powerful(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """Django's own connection as a superuser, with triggers off, in a transaction that is never committed."""
    settings = connections["default"].settings_dict
    ordinary = dict(settings)
    with django_db_blocker.unblock():
        connection.close()
        settings |= {"USER": "postgres", "PASSWORD": engines.password(engines.engines.var_directory(), "postgres")}
        try:
            with transaction.atomic():
                with connection.cursor() as cursor:
                    cursor.execute("SET LOCAL session_replication_role = replica")
                yield
                transaction.set_rollback(True)
        finally:
            connection.close()
            settings |= {"USER": ordinary["USER"], "PASSWORD": ordinary["PASSWORD"]}
