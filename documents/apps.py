from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class DocumentsConfig(AppConfig):
    name = "documents"
    verbose_name = _("Documents")

    def ready(self) -> None:
        from documents import bars, explain, granted, held_rights, querysets, timeline  # noqa: F401  (register below)
        from documents.restriction import end_grants
        from documents.sources import keeping, schedule  # noqa: F401  (its tasks stand beside it)
        from workspaces import members
        from workspaces.identity import resealing

        members.when_left.append(end_grants)
        resealing.others.append(keeping.reseal_secrets)
