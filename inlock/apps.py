from django.apps import AppConfig


class InlockConfig(AppConfig):
    name = "inlock"
    verbose_name = "Inlock"

    def ready(self) -> None:
        from inlock import celery  # noqa: F401  (tasks of every app are sent through it)
