from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class DocumentsConfig(AppConfig):
    name = "documents"
    verbose_name = _("Documents")

    def ready(self) -> None:
        from documents import (  # noqa: F401  (register below)
            checkpoint_bucket,
            explain,
            held_rights,
            news,
            querysets,
            readiness,
            timeline,
        )
        from documents.access import (  # noqa: F401  (register below)
            bars,
            granted,
        )
        from documents.access.restriction import end_grants
        from documents.bulk import tasks as bulk_tasks  # noqa: F401  (register below)
        from documents.deletion import tasks as deletion_tasks  # noqa: F401  (register below)
        from documents.deletion.receipts import receipts_of
        from documents.reembedding import rights, tasks  # noqa: F401  (beside what they guard and ring for)
        from documents.sources import keeping, schedule  # noqa: F401  (its tasks stand beside it)
        from workspaces import members
        from workspaces.auditing import evidence_pack
        from workspaces.identity import resealing

        members.when_left.append(end_grants)
        evidence_pack.contribute(receipts_of)
        resealing.others.append(keeping.reseal_secrets)
