"""The database itself refuses to change, delete or truncate the tables of the trail."""

from django.db import migrations

TABLES = ("audit_event", "audit_checkpoint", "audit_treenode", "audit_archive")

FUNCTION = """
CREATE FUNCTION audit_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'The audit trail is append-only: % on % is refused.', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'insufficient_privilege';
END
$$;
"""
TRIGGERS = """
CREATE TRIGGER {table}_no_change BEFORE UPDATE OR DELETE ON {table}
    FOR EACH ROW EXECUTE FUNCTION audit_refuse();
CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table}
    FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse();
"""
NO_TRIGGERS = """
DROP TRIGGER {table}_no_truncate ON {table};
DROP TRIGGER {table}_no_change ON {table};
"""


class Migration(migrations.Migration):
    dependencies = [("audit", "0001_initial")]
    operations = [
        migrations.RunSQL(FUNCTION, "DROP FUNCTION audit_refuse();"),
        *[migrations.RunSQL(TRIGGERS.format(table=table), NO_TRIGGERS.format(table=table)) for table in TABLES],
    ]
