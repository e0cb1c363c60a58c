"""Why a released answer is closed to everybody, what its sources became meanwhile, and who confirmed that it stands."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from answers.models.answer import Answer
from answers.models.evidence import Citation
from answers.states import AnswerStatus
from documents.models import Deletion, Document, Version
from workspaces.classification import Classification


class GroundLost(models.TextChoices):
    """What happened to a document that an answer rests on."""

    DELETED = "deleted", _("Deleted")
    REPLACED = "replaced", _("Replaced by a newer version")
    EXPIRED = "expired", _("Past its last valid day")
    RECLASSIFIED = "reclassified", _("Classified higher")


class Suspension(models.Model):
    """A released answer is closed to everybody, because of what happened to one document it rests on."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    answer = models.ForeignKey(Answer, on_delete=models.CASCADE, related_name="suspensions")
    document = models.ForeignKey(Document, on_delete=models.PROTECT, related_name="+")
    reason = models.CharField(max_length=12, choices=GroundLost.choices, default=GroundLost.DELETED)
    #: What closed it: a former version of a document may be erased for good while the document comes and goes.
    deletion = models.ForeignKey(Deletion, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    #: What the answer was before, and is again if the last of its documents comes back.
    status_before = models.CharField(max_length=30, choices=AnswerStatus.choices)
    suspended_at = models.DateTimeField(auto_now_add=True)
    #: Nobody: the calendar, or the workspace's retention rules.
    suspended_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    ended_at = models.DateTimeField(null=True, blank=True)
    #: Nobody: its ground came back by itself.
    ended_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    #: Since when its texts are gone and only their hashes are left.
    erased_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["suspended_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["answer", "deletion"],
                condition=Q(ended_at=None, deletion__isnull=False),
                name="suspension_one_standing",
            ),
            models.UniqueConstraint(
                fields=["answer", "document", "reason"],
                condition=Q(ended_at=None, deletion=None),
                name="suspension_one_for_a_reason",
            ),
            models.CheckConstraint(
                condition=Q(ended_at__isnull=False) | Q(ended_by=None), name="suspension_ended_together"
            ),
            models.CheckConstraint(
                condition=Q(reason=GroundLost.DELETED, deletion__isnull=False)
                | ~Q(reason=GroundLost.DELETED) & Q(deletion=None),
                name="suspension_by_deletion_names_it",
            ),
        ]
        indexes = [models.Index(fields=["reason", "document"], name="suspension_standing", condition=Q(ended_at=None))]

    def __str__(self) -> str:
        return f"Suspension of {self.answer_id}"


class SourceChange(models.Model):
    """A document changed under the answers that rest on it. The row is the job: the sweep closes what is left."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    document = models.ForeignKey(Document, on_delete=models.CASCADE, related_name="+")
    reason = models.CharField(max_length=12, choices=GroundLost.choices)
    #: The version that no longer answers, where it was replaced.
    version = models.ForeignKey(Version, on_delete=models.CASCADE, null=True, related_name="+")
    #: The level it was raised to, where it was classified anew.
    classification = models.CharField(max_length=12, choices=Classification.choices, blank=True)
    changed_at = models.DateTimeField(auto_now_add=True)
    changed_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")
    #: When the last answer that could still rest on what it was had been looked at.
    done_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["changed_at"]
        indexes = [models.Index(F("changed_at"), name="source_change_open", condition=Q(done_at=None))]

    def __str__(self) -> str:
        return f"{self.document_id}: {self.reason}"


class Confirmation(models.Model):
    """A reviewer found that a released text still stands although a source of it changed. It stays what it was."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    answer = models.ForeignKey(Answer, on_delete=models.CASCADE, related_name="confirmations")
    text_sha256 = models.CharField(max_length=64)
    #: `{version id: sha256}` of the versions that answered when it was confirmed.
    sources = models.JSONField(default=dict)
    reason = models.TextField(blank=True)
    confirmed_at = models.DateTimeField(auto_now_add=True)
    confirmed_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")

    class Meta:
        ordering = ["confirmed_at"]

    def __str__(self) -> str:
        return f"Confirmation of {self.answer_id}"


class StandingQuote(models.Model):
    """Where the quote of a citation stands, byte for byte, in a later version than the one that was cited."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    confirmation = models.ForeignKey(Confirmation, on_delete=models.CASCADE, related_name="quotes")
    citation = models.ForeignKey(Citation, on_delete=models.CASCADE, related_name="standing")
    version = models.ForeignKey(Version, on_delete=models.PROTECT, related_name="+")
    start = models.PositiveIntegerField()
    end = models.PositiveIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["confirmation", "citation"], name="standing_quote_once"),
            models.CheckConstraint(condition=Q(end__gt=F("start")), name="standing_quote_range_is_real"),
        ]

    def __str__(self) -> str:
        return f"Citation {self.citation_id} in {self.version_id}"
