from django.apps import AppConfig
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _


class AnswersConfig(AppConfig):
    name = "answers"
    verbose_name = _("Answers")

    def ready(self) -> None:
        # They register themselves below.
        from answers import (  # noqa: F401
            asked,
            explain,
            held_rights,
            querysets,
            readiness,
            reranking,
            source_changes,
            staleness,
            timeline,
        )
        from answers.access import given  # noqa: F401
        from answers.access.sharing import end_grants
        from answers.chat import suggestions  # noqa: F401
        from answers.citations import citing  # noqa: F401
        from answers.draft_review import forgetting as _forgetting_findings  # noqa: F401
        from answers.draft_review import querysets as _examinations  # noqa: F401
        from answers.draft_review.desk import leave as leave_examinations
        from answers.drafts import comments  # noqa: F401
        from answers.endpoints import ensure_built_in
        from answers.evaluation import changes as _changes  # noqa: F401
        from answers.evaluation import check_changes as _check_changes  # noqa: F401
        from answers.evaluation import forgetting as _forgetting_cases  # noqa: F401
        from answers.evaluation import querysets as _evaluation  # noqa: F401
        from answers.evaluation import template_changes as _template_changes  # noqa: F401
        from answers.finetuning import erasing as _erasing_training  # noqa: F401
        from answers.gaps import forgetting as _forgetting_gaps  # noqa: F401
        from answers.gaps import querysets as _gaps  # noqa: F401
        from answers.gaps.steering import leave as leave_gaps
        from answers.governing import servers as _servers  # noqa: F401
        from answers.provenance.packing import receipts_of
        from answers.rag_templates import forgetting as _forgetting_previews  # noqa: F401
        from answers.rag_templates import querysets as _templates  # noqa: F401
        from answers.replays import forgetting  # noqa: F401
        from answers.reuse import offering  # noqa: F401
        from answers.review import erasing as _erasing  # noqa: F401
        from workspaces import members
        from workspaces.auditing import evidence_pack

        members.when_left.append(end_grants)
        members.when_left.append(leave_gaps)
        members.when_left.append(leave_examinations)
        evidence_pack.contribute(receipts_of)
        post_migrate.connect(ensure_built_in, sender=self)
