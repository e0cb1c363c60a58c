"""The rules by which a workspace releases or holds its answers, and what was decided by them on each."""

import uuid

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _

from answers.models.answer import Answer
from workspaces.classification import Classification
from workspaces.models import Workspace


class ReleaseRules(models.Model):
    """One set of rules as somebody saved it. Never changed: the next set is another row, and the newest is in force."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    workspace = models.ForeignKey(Workspace, on_delete=models.PROTECT, related_name="release_rules")
    number = models.PositiveIntegerField()
    #: As `answers.policy.rules.Rule` reads and writes them, in order.
    rules = models.JSONField(default=list)
    made_at = models.DateTimeField(auto_now_add=True)
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")

    class Meta:
        verbose_name = _("release rules")
        ordering = ["-number"]
        constraints = [models.UniqueConstraint(fields=["workspace", "number"], name="release_rules_number_once")]

    def __str__(self) -> str:
        return f"Rules {self.number} of {self.workspace_id}"


class ReleaseDecision(models.Model):
    """What the policy went by when an answer was finished, and the rule that released or held it.

    The facts stand for every policy, so that a set of rules can be tried on answers that were made under another one.
    """

    answer = models.OneToOneField(Answer, on_delete=models.CASCADE, primary_key=True, related_name="release")
    workspace = models.ForeignKey(Workspace, on_delete=models.PROTECT, related_name="+")
    decided_at = models.DateTimeField()
    policy = models.CharField(max_length=10)
    #: The set of rules that was asked; None where the policy asks none.
    rules_number = models.PositiveIntegerField(null=True)
    #: The code of the rule that decided, as that set names it, or one of `answers.policy.deciding.Guard`.
    rule = models.CharField(max_length=40, blank=True)
    held = models.BooleanField()
    #: Whether that rule asks for two approvals.
    takes_two = models.BooleanField(default=False)

    # the facts; what is not known is NULL, or empty
    classification = models.CharField(max_length=12, choices=Classification.choices, blank=True)
    lowest_grounding = models.FloatField(null=True)
    unsupported_share = models.FloatField(null=True)
    template = models.CharField(max_length=60, blank=True)
    endpoint = models.CharField(max_length=60, blank=True)
    roles = ArrayField(models.CharField(max_length=40), default=list)
    #: 0 to 9999, drawn with this installation's key from who asked what: the share of the rest that is held.
    draw = models.PositiveSmallIntegerField()
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")

    class Meta:
        indexes = [models.Index(fields=["workspace", "decided_at"])]

    def __str__(self) -> str:
        return f"Release of {self.answer_id}"
