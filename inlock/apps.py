import gc

from django.apps import AppConfig


class InlockConfig(AppConfig):
    name = "inlock"
    verbose_name = "Inlock"

    def ready(self) -> None:
        # Tasks of every app are sent through celery; checks registers the system checks.
        from inlock import celery, checks, readiness  # noqa: F401

        # What was loaded stays: never look through it again, and begin to look at what comes (see settings.py).
        gc.freeze()
        gc.enable()
