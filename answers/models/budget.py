"""How much of its models a workspace may use, what the installation may spend, and who is asked where one fails."""

import uuid

from django.core.validators import MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from answers.models.endpoint import ModelEndpoint
from workspaces.models import Workspace


def _tokens(label: object) -> models.PositiveBigIntegerField:
    return models.PositiveBigIntegerField(label, null=True, blank=True)  # type: ignore[arg-type]


def _money(label: object) -> models.DecimalField:
    return models.DecimalField(
        label,  # type: ignore[arg-type]
        max_digits=12,
        decimal_places=2,
        null=True,
        blank=True,
        validators=[MinValueValidator(0)],
    )


class Budget(models.Model):
    """What may be spent on models at most; an empty limit is none. `workspace` None: the whole installation.

    A person's day counts in each workspace apart; under the installation's budget, too.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, null=True, blank=True, related_name="+")
    day_tokens = _tokens(_("tokens a day"))
    day_cost = _money(_("money a day"))
    month_tokens = _tokens(_("tokens a month"))
    month_cost = _money(_("money a month"))
    person_day_tokens = _tokens(_("tokens a day for each person"))
    person_day_cost = _money(_("money a day for each person"))

    class Meta:
        verbose_name = _("budget for models")
        verbose_name_plural = _("budgets for models")
        constraints = [models.UniqueConstraint(fields=["workspace"], nulls_distinct=False, name="budget_once")]

    def __str__(self) -> str:
        return str(self.workspace or _("The whole installation"))


class Fallback(models.Model):
    """A model that a workspace allows to answer where the chosen one cannot, in the order of `position`."""

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="fallbacks")
    endpoint = models.ForeignKey(ModelEndpoint, on_delete=models.PROTECT, related_name="+")
    position = models.PositiveSmallIntegerField()

    class Meta:
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint(fields=["workspace", "endpoint"], name="fallback_once"),
            models.UniqueConstraint(fields=["workspace", "position"], name="fallback_has_its_place"),
        ]

    def __str__(self) -> str:
        return f"{self.workspace_id}: {self.position} {self.endpoint_id}"
