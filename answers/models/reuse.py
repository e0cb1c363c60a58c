"""Approved answers that may be given again, for how long, and the answers that were."""

import uuid

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from answers.models.answer import Answer
from workspaces.models import Workspace


class ReuseRules(models.Model):
    """Whether a workspace gives approved answers again, and for how long an approval counts. No row: it does not."""

    workspace = models.OneToOneField(Workspace, on_delete=models.CASCADE, primary_key=True, related_name="reuse_rules")
    enabled = models.BooleanField(_("give approved answers again to the same question"), default=False)
    days = models.PositiveIntegerField(
        _("days after its approval or last check"),
        default=90,
        validators=[MinValueValidator(1), MaxValueValidator(1095)],
    )
    remind_days = models.PositiveIntegerField(
        _("days before the end at which its approver is reminded"), default=14, validators=[MaxValueValidator(365)]
    )

    class Meta:
        verbose_name = verbose_name_plural = _("reuse of approved answers")

    def __str__(self) -> str:
        return f"{self.workspace}: {self.days if self.enabled else 0}"


class ApprovedAnswer(models.Model):
    """An approved answer that may be given again until it expires, unless somebody stopped it."""

    answer = models.OneToOneField(Answer, on_delete=models.CASCADE, primary_key=True, related_name="approved")
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="+")
    language = models.CharField(max_length=8, blank=True)
    #: Its question's meaning, in the space of that fingerprint: little-endian float32. Erased with the question.
    vector = models.BinaryField(blank=True, default=b"")
    space = models.CharField(max_length=16, blank=True)
    #: When a person last stood by it: its approval, or a check since.
    verified_at = models.DateTimeField()
    verified_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    expires_at = models.DateTimeField()
    reminded_at = models.DateTimeField(null=True, blank=True)
    stopped_at = models.DateTimeField(null=True, blank=True)
    stopped_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )

    class Meta:
        verbose_name = _("approved answer")
        ordering = ["expires_at"]
        constraints = [
            models.CheckConstraint(
                condition=Q(stopped_at=None, stopped_by=None) | Q(stopped_at__isnull=False, stopped_by__isnull=False),
                name="approved_stopped_together",
            ),
        ]
        indexes = [models.Index(fields=["workspace", "expires_at"])]

    def __str__(self) -> str:
        return f"Approved {self.answer_id}"


class Reuse(models.Model):
    """An answer that is an approved one, given again. The verifier and the date are as they were then."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    answer = models.OneToOneField(Answer, on_delete=models.CASCADE, related_name="reuse")
    approved = models.ForeignKey(Answer, on_delete=models.PROTECT, related_name="reuses")
    similarity = models.FloatField()
    verified_at = models.DateTimeField()
    verified_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    reused_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-reused_at"]

    def __str__(self) -> str:
        return f"{self.approved_id} again as {self.answer_id}"
