"""A throw-away installation for benchmarks: engines of its own in a temporary directory, migrated and empty."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def installation() -> Iterator[None]:
    """Inside the block Django is set up against engines that nothing else uses."""
    for name in ("DATABASE_URL", "REDIS_URL", "CHROMA_URL", "INLOCK_MODE"):
        os.environ.pop(name, None)
    with tempfile.TemporaryDirectory(prefix="inlock-bench-") as var:
        os.environ |= {"INLOCK_VAR": var, "DJANGO_SETTINGS_MODULE": "inlock.settings", "LOG_LEVEL": "WARNING"}
        from inlock import engines

        with engines.attached():
            import django
            from django.core.management import call_command

            django.setup()
            call_command("migrate", verbosity=0, skip_checks=True)
            yield
            from django.db import connections

            connections.close_all()
