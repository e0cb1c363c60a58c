"""Who may read a released text although a source of it is closed to them."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q

from answers.models.answer import Answer


class Declassification(models.Model):
    """A reviewer's decision that a released text may be read by people to whom a source of it is closed.

    It holds for exactly one text and the versions it rests on, never for the sources themselves.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    answer = models.ForeignKey(Answer, on_delete=models.PROTECT, related_name="declassifications")
    text_sha256 = models.CharField(max_length=64)
    #: `{version id: sha256}` of every version it rests on, cited or not.
    sources = models.JSONField(default=dict)
    reason = models.TextField()
    #: Everybody who may ask in the workspace; else `readers` alone.
    for_workspace = models.BooleanField()
    readers = models.ManyToManyField(settings.AUTH_USER_MODEL, blank=True, related_name="+")
    declassified_at = models.DateTimeField(auto_now_add=True)
    declassified_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )

    class Meta:
        ordering = ["declassified_at"]
        constraints = [
            models.CheckConstraint(condition=~Q(reason=""), name="declassification_has_a_reason"),
            models.CheckConstraint(
                condition=Q(ended_at=None, ended_by=None) | Q(ended_at__isnull=False, ended_by__isnull=False),
                name="declassification_ended_together",
            ),
            models.UniqueConstraint(
                fields=["answer"], condition=Q(ended_at=None), name="declassification_one_in_force"
            ),
        ]

    def __str__(self) -> str:
        return f"Declassification of {self.answer_id}"
