"""Compare the database with the code's migrations, and apply them where the database is ours."""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.recorder import MigrationRecorder
from django.db.migrations.state import ProjectState

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
            with nullcontext() if MigrationRecorder(connection).has_table() else _each_model_alone():
                call_command("migrate", interactive=False, verbosity=0)
        finally:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [ADVISORY_LOCK])


@contextmanager
def _each_model_alone() -> Iterator[None]:
    """For a database that begins with nothing: a new model is rendered without those that can be reached from it.

    Django renders every model anew that is connected with a new one, and ours all are: nine tenths of its time go
    there. What comes out is the same, which `tests/inlock/test_migrating.py` compares.
    """
    plain = ProjectState.add_model

    def add_model(self: Any, model_state: Any) -> None:
        key = model_state.app_label, model_state.name_lower
        self.models[key] = model_state
        if self._relations is not None:
            self.resolve_model_relations(key)
        if "apps" in self.__dict__:
            self.apps.render_multiple([model_state])

    ProjectState.add_model = add_model
    try:
        yield
    finally:
        ProjectState.add_model = plain
