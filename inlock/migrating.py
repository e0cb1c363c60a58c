"""Compare the database with the code's migrations, and apply them where the database is ours."""

from django.conf import settings
from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

# Any number, the same for every process of ours: two first commands must not migrate at once.
ADVISORY_LOCK = 4_811_200_001


_found_current = False


class DatabaseBehind(Exception):
    """The database lacks migrations and is not ours to change."""


def pending() -> list[str]:
    """Names of the migrations the database lacks, in the order they would run."""
    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    return [f"{migration.app_label}.{migration.name}" for migration, _ in plan]


def is_current() -> bool:
    """Whether nothing is missing. Found once, that is not looked at again by this process: it costs the whole graph."""
    global _found_current
    _found_current = _found_current or not pending()
    return _found_current


def require_current() -> None:
    """Return with a database that fits the code: ours is migrated, another raises DatabaseBehind."""
    missing = pending()
    if not missing:
        return
    if not settings.EMBEDDED_DATABASE:
        raise DatabaseBehind(
            f"The database of DATABASE_URL lacks {len(missing)} migrations (first: {missing[0]}). "
            "Make a backup, then run `manage.py migrate`."
        )
    migrate()


def migrate() -> None:
    """Apply what is missing; a second process that asks at the same moment waits and finds nothing to do."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [ADVISORY_LOCK])
        try:
            call_command("migrate", interactive=False, verbosity=0)
        finally:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [ADVISORY_LOCK])
