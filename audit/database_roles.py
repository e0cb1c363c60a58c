"""Two database roles: one owns the tables and migrates, the other one is what the portal runs as.

The second cannot change, delete or truncate the trail, nor switch off the triggers that forbid it: those belong to the
first, whose password the running portal does not have.
"""

from django.db import connection
from psycopg import sql

#: What the portal may do with the trail's own tables. With every other table it may do what it likes but change it.
_TRAIL = {
    "audit_event": ("SELECT", "INSERT"),
    "audit_checkpoint": ("SELECT", "INSERT"),
    "audit_treenode": ("SELECT", "INSERT"),
    "audit_archive": ("SELECT", "INSERT"),
    "audit_chainhead": ("SELECT", "INSERT", "UPDATE"),
    "django_migrations": ("SELECT",),
}

_SCRIPT = """\
-- Run by a superuser in the portal's database, once, and again after every migration.
BEGIN;

DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = {owner_text}) THEN
        CREATE ROLE {owner} LOGIN;
    END IF;
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = {application_text}) THEN
        CREATE ROLE {application} LOGIN;
    END IF;
END
$$;
ALTER ROLE {application} NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS;
-- Statements about rights look dear to the planner and take milliseconds: compiling them would cost more than running.
ALTER ROLE {application} SET jit = off;
REVOKE {owner} FROM {application};

ALTER DATABASE {database} OWNER TO {owner};
ALTER SCHEMA public OWNER TO {owner};
DO $$
DECLARE
    thing record;
BEGIN
    FOR thing IN
        SELECT oid::regclass AS name FROM pg_class
        WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'v', 'm')
    LOOP
        EXECUTE format('ALTER TABLE %s OWNER TO %I', thing.name, {owner_text});
    END LOOP;
END
$$;
ALTER FUNCTION audit_refuse() OWNER TO {owner};

REVOKE ALL ON DATABASE {database} FROM PUBLIC, {application};
REVOKE ALL ON SCHEMA public FROM PUBLIC, {application};
GRANT CONNECT ON DATABASE {database} TO {application};
GRANT USAGE ON SCHEMA public TO {application};
REVOKE ALL ON ALL TABLES IN SCHEMA public FROM {application};
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {application};
GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {application};
ALTER DEFAULT PRIVILEGES FOR ROLE {owner} IN SCHEMA public
    GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO {application};
ALTER DEFAULT PRIVILEGES FOR ROLE {owner} IN SCHEMA public
    GRANT USAGE, SELECT ON SEQUENCES TO {application};

{trail}
COMMIT;
"""


def script(*, owner: str, application: str) -> str:
    """The SQL that divides the current database between the two roles, which are made without a password."""
    names = {
        "owner": sql.Identifier(owner),
        "application": sql.Identifier(application),
        "database": sql.Identifier(str(connection.settings_dict["NAME"])),
        "owner_text": sql.Literal(owner),
        "application_text": sql.Literal(application),
    }
    quoted = {name: part.as_string() for name, part in names.items()}
    lines = []
    for table, rights in _TRAIL.items():
        lines.append(f"REVOKE ALL ON {table} FROM {quoted['application']};")
        lines.append(f"GRANT {', '.join(rights)} ON {table} TO {quoted['application']};")
    return _SCRIPT.format(**quoted, trail="\n".join(lines))


def powers_over_the_trail() -> list[str]:
    """What the role of this connection could do to the trail and should not be able to, as words for a person."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT rolsuper,
                   pg_has_role(current_user, (SELECT relowner FROM pg_class WHERE oid = 'audit_event'::regclass),
                               'MEMBER'),
                   has_table_privilege('audit_event', 'UPDATE, DELETE, TRUNCATE')
            FROM pg_roles WHERE rolname = current_user
            """
        )
        is_superuser, owns, may_change = cursor.fetchone()
    if is_superuser:
        return ["is a superuser"]
    words = {"owns the table of the trail": owns, "may change entries of the trail": may_change and not owns}
    return [word for word, applies in words.items() if applies]
