"""A database that begins with nothing is made in a third of the time, and comes out as Django alone would make it."""

import os
import subprocess
import sys
from typing import Any

import pytest

from inlock import engines
from tests import engines as own_engines

#: What there is, by name, without the ids that differ from one database to the next.
_DEFINITIONS = """
SELECT 'column ' || table_name || '.' || column_name || ' ' || ordinal_position || ' ' || udt_name || ' ' || is_nullable
    || ' ' || coalesce(column_default, '') || ' ' || coalesce(character_maximum_length, 0)
FROM information_schema.columns WHERE table_schema = 'public'
UNION ALL SELECT 'index ' || indexname || ' ' || indexdef FROM pg_indexes WHERE schemaname = 'public'
UNION ALL SELECT 'constraint ' || conrelid::regclass || ' ' || conname || ' ' || pg_get_constraintdef(oid)
FROM pg_constraint WHERE connamespace = 'public'::regnamespace
UNION ALL SELECT 'function ' || proname || ' ' || pg_get_functiondef(p.oid)
FROM pg_proc p WHERE pronamespace = 'public'::regnamespace AND prokind = 'f'
UNION ALL SELECT 'trigger ' || tgrelid::regclass || ' ' || pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal
UNION ALL SELECT 'sequence ' || sequencename || ' ' || data_type FROM pg_sequences WHERE schemaname = 'public'
UNION ALL SELECT 'migration ' || app || '.' || name FROM django_migrations
UNION ALL SELECT 'right ' || codename || ' ' || model FROM auth_permission p
JOIN django_content_type c ON c.id = p.content_type_id
UNION ALL SELECT 'group ' || name FROM auth_group
"""


def definitions(database: str) -> set[str]:
    with own_engines.as_superuser(database) as connection:
        return {row[0] for row in connection.execute(_DEFINITIONS)}


@pytest.fixture
def plainly_migrated() -> Any:
    """A database that Django's own command made from nothing."""
    name = f"plainly_migrated_{own_engines.WORKER or 'alone'}"
    own_engines.copy_template(name, of="template0")
    given = {"DATABASE_URL": engines.addresses().database_url.rpartition("/")[0] + f"/{name}"}
    subprocess.run(
        [sys.executable, "manage.py", "migrate", "--verbosity=0"],
        cwd=engines.PROJECT_ROOT,
        env=os.environ | given,
        check=True,
    )
    yield name
    own_engines.drop(name)


def test_what_a_first_start_makes_is_what_the_migrations_alone_would_make(plainly_migrated: str) -> None:
    whole = definitions(own_engines.TEMPLATE)

    assert len(whole) > 1000
    assert definitions(plainly_migrated) == whole
