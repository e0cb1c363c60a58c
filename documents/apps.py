from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class DocumentsConfig(AppConfig):
    name = "documents"
    verbose_name = _("Documents")

    def ready(self) -> None:
        from documents import (  # noqa: F401  (register below)
            bars,
            bulk_tasks,
            checkpoint_bucket,
            deletion_tasks,
            explain,
            granted,
            held_rights,
            news,
            querysets,
            readiness,
            timeline,
        )
        from documents.deletion_receipts import receipts_of
        from documents.reembedding import rights, tasks  # noqa: F401  (beside what they guard and ring for)
        from documents.restriction import end_grants
        from documents.sources import keeping, schedule  # noqa: F401  (its tasks stand beside it)
        from workspaces import evidence_pack, members
        from workspaces.identity import resealing

        members.when_left.append(end_grants)
        evidence_pack.contribute(receipts_of)
        resealing.others.append(keeping.reseal_secrets)
