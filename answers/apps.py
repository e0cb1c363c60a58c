from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class AnswersConfig(AppConfig):
    name = "answers"
    verbose_name = _("Answers")

    def ready(self) -> None:
        from answers import querysets  # noqa: F401  (registers the access rules)
