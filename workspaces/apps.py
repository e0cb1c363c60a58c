from django.apps import AppConfig
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _


class WorkspacesConfig(AppConfig):
    name = "workspaces"
    verbose_name = _("Workspaces and people")

    def ready(self) -> None:
        from workspaces import (
            checks,  # noqa: F401  (registers the system checks)
            timeline,  # noqa: F401  (adds its words to the trail's sentences)
        )
        from workspaces.auditing import evidence_pack
        from workspaces.identity.signals import note_ways_in, record_factors
        from workspaces.readiness import people, trail_checks  # noqa: F401  (register themselves)
        from workspaces.readiness.report import reports_of
        from workspaces.signals import record_sign_ins, renew_role_permissions

        post_migrate.connect(renew_role_permissions, sender=self)
        record_sign_ins()
        record_factors()
        note_ways_in()
        evidence_pack.contribute(reports_of)
