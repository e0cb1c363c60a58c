"""The template of a run, migrated from nothing as a first start would: `python -m tests.migrating`."""

import os

import django

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "inlock.settings")
    django.setup()
    from inlock import migrating

    migrating.migrate()
