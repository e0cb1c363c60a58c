from django.apps import AppConfig


class InlockConfig(AppConfig):
    name = "inlock"
    verbose_name = "Inlock"
