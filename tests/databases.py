"""This worker's databases: one as migrations leave it, one where the cast has its roles, and, once a test asks for it,
one where the handbook is ingested as well. Nothing is ever committed in the last.

A test that commits leaves rows behind, and a new copy of the whole database after each of them took a tenth of the
run. So what differs is found by fingerprints of every table, sequence and definition, and put back; a database whose
definitions differ, or in which putting back did not help, is copied anew.
"""

import time
from collections.abc import Callable
from typing import Any

from django.db import connections
from psycopg import sql

from tests import engines

#: What is not rows: relations with their owners and rights, columns, constraints, triggers, functions, settings.
_DEFINITIONS = """
SELECT count(*), sum(hashtextextended(told, 0)) FROM (
    SELECT c::text AS told FROM (
        SELECT oid, relname, relkind, relowner, relacl, relnatts, relrowsecurity FROM pg_class
        WHERE oid >= 16384 AND relnamespace <> 'pg_toast'::regnamespace
    ) c
    UNION ALL SELECT a::text FROM (
        SELECT attrelid, attname, atttypid, attnotnull, attacl, attisdropped FROM pg_attribute
        WHERE attrelid >= 16384 AND attnum > 0
    ) a
    UNION ALL SELECT x::text FROM pg_trigger x WHERE oid >= 16384 AND NOT tgisinternal
    UNION ALL SELECT x::text FROM pg_proc x WHERE oid >= 16384
    UNION ALL SELECT x::text FROM pg_constraint x WHERE oid >= 16384
    UNION ALL SELECT x::text FROM pg_attrdef x
    UNION ALL SELECT x::text FROM pg_rewrite x WHERE oid >= 16384
    UNION ALL SELECT x::text FROM pg_policy x
    UNION ALL SELECT x::text FROM pg_event_trigger x
    UNION ALL SELECT x::text FROM pg_namespace x WHERE nspname !~ '^pg_(toast|temp)'
    UNION ALL SELECT x::text FROM pg_default_acl x
    UNION ALL SELECT x::text FROM pg_largeobject_metadata x
    UNION ALL SELECT d::text FROM (SELECT datdba, datacl FROM pg_database WHERE datname = current_database()) d
    UNION ALL SELECT x::text FROM pg_db_role_setting x
        WHERE setdatabase = (SELECT oid FROM pg_database WHERE datname = current_database())
) definitions
"""
_TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY tablename"
_SEQUENCES = "SELECT sequencename, coalesce(last_value, 0), start_value FROM pg_sequences WHERE schemaname = 'public'"
_ROWS = "SELECT {name} AS name, count(*) AS rows, coalesce(sum(hashtextextended(t::text, 0)), 0) AS sum FROM {table} t"
_OTHERS = "FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() AND usename IS NOT NULL"
#: So many dead rows slow the tests after it.
_MANY = 500


class Original:
    """One database as it was when its copy was new, and how to make it so again."""

    def __init__(self, name: str) -> None:
        self._connection = engines.as_superuser(name)
        # What a test may not do to the trail is done here; constraints held when the rows were written.
        self._connection.execute("SET session_replication_role = replica")
        tables = [row[0] for row in self._connection.execute(_TABLES)]
        self._rows_query = sql.SQL(" UNION ALL ").join(
            sql.SQL(_ROWS).format(name=sql.Literal(table), table=sql.Identifier(table)) for table in tables
        )
        self._definitions, self._rows, self._sequences = self._look()
        self._content = {table: self._read(table) for table, (count, _sum) in self._rows.items() if count}

    def is_put_back(self) -> bool:
        """End every session, undo what was committed, and say whether everything is as it was."""
        self._end_other_sessions()
        definitions, rows, sequences = self._look()
        if definitions != self._definitions:
            return False
        changed = [table for table, mark in rows.items() if mark != self._rows[table]]
        for table in changed:
            self._put_back(table)
            if rows[table][0] > _MANY:
                self._connection.execute(sql.SQL("VACUUM {}").format(sql.Identifier(table)))
        for name, (last, start) in sequences.items():
            if last != self._sequences[name][0]:
                was = self._sequences[name][0]
                self._connection.execute("SELECT setval(%s::regclass, %s, %s)", [f'"{name}"', was or start, bool(was)])
        return not changed or self._look()[1] == self._rows

    def close(self) -> None:
        self._connection.close()

    def _look(self) -> tuple[Any, dict[str, tuple[int, int]], dict[str, tuple[int, int]]]:
        with self._connection.transaction():
            definitions = self._connection.execute(_DEFINITIONS, prepare=True).fetchone()
            rows = self._connection.execute(self._rows_query, prepare=True).fetchall()
            sequences = self._connection.execute(_SEQUENCES, prepare=True).fetchall()
        return definitions, {row[0]: row[1:] for row in rows}, {row[0]: row[1:] for row in sequences}

    def _end_other_sessions(self) -> None:
        deadline = time.monotonic() + 30
        while self._connection.execute(f"SELECT pg_terminate_backend(pid) {_OTHERS}").fetchall():
            assert time.monotonic() < deadline, "somebody keeps using a test's database"
            time.sleep(0.002)

    def _put_back(self, table: str) -> None:
        self._connection.execute(sql.SQL("DELETE FROM {}").format(sql.Identifier(table)))
        if table in self._content:
            statement = sql.SQL("COPY {} FROM STDIN (FORMAT binary)").format(sql.Identifier(table))
            with self._connection.cursor().copy(statement) as copy:
                copy.write(self._content[table])

    def _read(self, table: str) -> bytes:
        statement = sql.SQL("COPY {} TO STDOUT (FORMAT binary)").format(sql.Identifier(table))
        with self._connection.cursor().copy(statement) as copy:
            return b"".join(copy)


class Databases:
    """The databases of this worker, and which of them Django's connection is at."""

    def __init__(self, hire: Callable[[], list[Any]]) -> None:
        self._hire = hire
        self._kind = "bare"
        self._originals: dict[str, Original] = {}
        self._made: set[str] = set()
        #: Ids of the cast's workspaces.
        self.workspaces: list[Any] = []

    @property
    def kind(self) -> str:
        return self._kind

    @property
    def name(self) -> str:
        return f"test_{engines.WORKER or 'main'}_{self._kind}"

    @property
    def _template(self) -> str:
        return f"{self.name}_template" if self._kind == "cast" else engines.TEMPLATE

    def choose(self, kind: str) -> None:
        """Point the connection at the database of that kind, once there is one."""
        self._kind = kind
        if kind in self._made and connections["default"].settings_dict["NAME"] != self.name:
            self._connect_to(self.name)

    def make(self) -> None:
        """Make both, and go to the one that was chosen last."""
        chosen = self._kind
        self._kind = "cast"
        engines.copy_template(self._template)
        self._connect_to(self._template)
        self.workspaces = self._hire()
        for self._kind in ("cast", "bare"):
            self._copy_anew()
        self.choose(chosen)

    def make_library(self, furnish: Callable[[], Any]) -> Any:
        """Make the one with the cast in which `furnish` commits, go back, and return what that returned."""
        chosen = self._kind
        self._kind = "library"
        engines.copy_template(self.name)
        self._connect_to(self.name)
        furnished = furnish()
        self._made.add(self._kind)
        self.choose(chosen)
        return furnished

    def renew(self) -> None:
        """What a test committed is gone."""
        connections["default"].close()
        if not self._originals[self._kind].is_put_back():
            self._copy_anew()

    def drop(self) -> None:
        connections["default"].close()
        for original in self._originals.values():
            original.close()
        for kind in self._made:
            self._kind = kind
            engines.drop(self.name)
        engines.drop(f"test_{engines.WORKER or 'main'}_cast_template")

    def _copy_anew(self) -> None:
        if self._kind in self._originals:
            self._originals.pop(self._kind).close()
        connections["default"].close()
        engines.copy_template(self.name, of=self._template)
        self._originals[self._kind] = Original(self.name)
        self._made.add(self._kind)
        self._connect_to(self.name)

    @staticmethod
    def _connect_to(name: str) -> None:
        connections["default"].close()
        connections["default"].settings_dict["NAME"] = name
