"""An installation for benchmarks: engines of its own, migrated and empty, thrown away unless it is to be kept."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path


@contextmanager
def installation(keep: Path | None = None) -> Iterator[None]:
    """Inside the block Django is set up against engines of its own; `keep` is where it stays and is found again."""
    for name in ("DATABASE_URL", "REDIS_URL", "CHROMA_URL", "INLOCK_MODE"):
        os.environ.pop(name, None)
    if keep is not None:
        keep.mkdir(parents=True, exist_ok=True)
    place = nullcontext(str(keep.resolve())) if keep else tempfile.TemporaryDirectory(prefix="inlock-bench-")
    with place as var:
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
