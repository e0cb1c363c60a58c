"""How strictly a workspace answers, and who else looks at what was written."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from answers.models.endpoint import ModelEndpoint
from workspaces.models import Workspace


class Strictness(models.TextChoices):
    """How sure a workspace wants to be that its documents hold an answer before one is written."""

    LENIENT = "lenient", _("Lenient")
    BALANCED = "balanced", _("Balanced")
    STRICT = "strict", _("Strict")


class WorkspaceChecks(models.Model):
    """A workspace's strictness and its judge; without a row it is balanced and has no judge."""

    workspace = models.OneToOneField(Workspace, on_delete=models.CASCADE, primary_key=True, related_name="checks")
    strictness = models.CharField(max_length=10, choices=Strictness.choices, default=Strictness.BALANCED)
    #: The model that reads each sentence against its passages once more. None: no model does.
    judge = models.ForeignKey(ModelEndpoint, on_delete=models.PROTECT, null=True, blank=True, related_name="+")

    class Meta:
        verbose_name = verbose_name_plural = _("checks of the workspace")
        constraints = [
            models.CheckConstraint(condition=Q(strictness__in=Strictness.values), name="checks_strictness_is_known")
        ]

    def __str__(self) -> str:
        return f"{self.workspace_id}: {self.strictness}"
