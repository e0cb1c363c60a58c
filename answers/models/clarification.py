"""What a reviewer asks the person whose answer is under review, and what that person says."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q

from answers.models.draft import Review


class Clarification(models.Model):
    """A reviewer's question to the asker, put when a draft was returned. The asker reads it and may reply once."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    review = models.ForeignKey(Review, on_delete=models.PROTECT, related_name="clarifications")
    position = models.PositiveSmallIntegerField()
    text = models.TextField()
    reply = models.TextField(blank=True)
    replied_at = models.DateTimeField(null=True, blank=True)
    replied_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )

    class Meta:
        ordering = ["review__decided_at", "position"]
        constraints = [
            models.UniqueConstraint(fields=["review", "position"], name="clarification_position_once"),
            models.CheckConstraint(
                condition=Q(replied_at=None, replied_by=None, reply="")
                | Q(replied_at__isnull=False, replied_by__isnull=False) & ~Q(reply=""),
                name="clarification_replied_together",
            ),
        ]

    def __str__(self) -> str:
        return f"Clarification {self.position} of {self.review_id}"
