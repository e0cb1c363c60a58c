from django.apps import AppConfig


class InlockConfig(AppConfig):
    name = "inlock"
    verbose_name = "Inlock"

    def ready(self) -> None:
        # Tasks of every app are sent through celery; checks registers the system checks.
        from inlock import celery, checks  # noqa: F401
