"""Why a released answer is closed to everybody."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q

from answers.models.answer import Answer
from answers.states import AnswerStatus
from documents.models import Deletion, Document


class Suspension(models.Model):
    """A released answer is closed to everybody, because a document it rests on was deleted."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    answer = models.ForeignKey(Answer, on_delete=models.CASCADE, related_name="suspensions")
    document = models.ForeignKey(Document, on_delete=models.PROTECT, related_name="+")
    #: What closed it: a former version of a document may be erased for good while the document comes and goes.
    deletion = models.ForeignKey(Deletion, on_delete=models.PROTECT, related_name="+")
    #: What the answer was before, and is again if the last of its documents comes back.
    status_before = models.CharField(max_length=30, choices=AnswerStatus.choices)
    suspended_at = models.DateTimeField(auto_now_add=True)
    #: Nobody: the workspace's retention rules.
    suspended_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    #: Since when its texts are gone and only their hashes are left.
    erased_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["suspended_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["answer", "deletion"], condition=Q(ended_at=None), name="suspension_one_standing"
            ),
            models.CheckConstraint(
                condition=Q(ended_at=None, ended_by=None) | Q(ended_at__isnull=False, ended_by__isnull=False),
                name="suspension_ended_together",
            ),
        ]

    def __str__(self) -> str:
        return f"Suspension of {self.answer_id}"
