"""What a test commits never reaches the next one, and what cannot be put back is noticed."""

from collections.abc import Iterator

import psycopg
import pytest

from tests import engines
from tests.databases import Original

NAME = f"test_{engines.WORKER or 'main'}_probe"
A_SITTING = "INSERT INTO django_session VALUES ('key', 'data', now())"


@pytest.fixture
def original(django_db_setup: None) -> Iterator[Original]:
    engines.copy_template(NAME)
    original = Original(NAME)
    yield original
    original.close()
    engines.drop(NAME)


@pytest.fixture
def other(original: Original) -> Iterator[psycopg.Connection]:
    with engines.as_superuser(NAME) as connection:
        yield connection


def _look(query: str) -> int:
    with engines.as_superuser(NAME) as connection:
        return connection.execute(query).fetchone()[0]  # type: ignore[arg-type, index]


def test_rows_that_came_went_or_changed_are_put_back(original, other):
    before = _look("SELECT count(*) FROM django_migrations")
    other.execute(A_SITTING)
    other.execute("DELETE FROM django_migrations WHERE id = 1")
    other.execute("UPDATE django_migrations SET name = 'another' WHERE id = 2")

    assert original.is_put_back()

    assert _look("SELECT count(*) FROM django_session") == 0
    assert _look("SELECT count(*) FROM django_migrations WHERE name <> 'another'") == before


def test_a_session_that_would_commit_later_is_ended(original, other):
    other.autocommit = False
    other.execute(A_SITTING)

    assert original.is_put_back()

    with pytest.raises(psycopg.OperationalError):
        other.commit()


@pytest.mark.parametrize(
    "change",
    [
        "ALTER TABLE audit_event DISABLE TRIGGER ALL",
        "ALTER TABLE audit_event DROP CONSTRAINT event_chain_seq",
        "ALTER TABLE audit_event ADD COLUMN more text",
        "CREATE TABLE another (n int)",
        "GRANT SELECT ON audit_event TO PUBLIC",
        "DROP TRIGGER audit_event_no_change ON audit_event",
    ],
)
def test_a_changed_definition_asks_for_a_new_copy(original, other, change):
    other.execute(change)

    assert not original.is_put_back()
