"""The functions of `workspaces/rights.py`. Another rule is another migration: `RULE` says which one this makes."""

from typing import Any

from django.db import migrations

from workspaces import rights

RULE = "6c7cff6025ec"


def define(_apps: Any, editor: Any) -> None:
    rights.define(editor.connection.alias)


class Migration(migrations.Migration):
    dependencies = [("workspaces", "0001_initial")]

    operations = [migrations.RunPython(define, migrations.RunPython.noop)]
