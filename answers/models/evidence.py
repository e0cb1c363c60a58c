"""What an answer stands on: the passages a model was given, and the quotes its claims cite."""

import uuid

from django.db import models
from django.db.models import F, Q

from answers.models.answer import Answer
from documents.models import Document, Version

#: From this rank on: passages that came with an earlier turn of the conversation, as what its text rests on.
FIRST_INHERITED = 1001


class Evidence(models.Model):
    """A passage that was authorised for this asker and given to the model, with why it ranked where it did.

    An answer rests on all of its evidence, cited or not: whoever may not open one of these documents sees no text.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    answer = models.ForeignKey(Answer, on_delete=models.CASCADE, related_name="evidence")
    rank = models.PositiveIntegerField()
    passage_id = models.UUIDField()
    document = models.ForeignKey(Document, on_delete=models.PROTECT, related_name="+")
    version = models.ForeignKey(Version, on_delete=models.PROTECT, related_name="+")
    start = models.PositiveIntegerField()
    end = models.PositiveIntegerField()
    page = models.PositiveIntegerField(null=True)
    locator = models.CharField(max_length=300)
    sha256 = models.CharField("SHA-256 of the passage", max_length=64)
    scores = models.JSONField(default=dict)

    class Meta:
        ordering = ["rank"]
        constraints = [models.UniqueConstraint(fields=["answer", "rank"], name="evidence_rank_once")]

    def __str__(self) -> str:
        return f"Evidence {self.rank} of {self.answer_id}"


class Citation(models.Model):
    """Where a claim stands: `quote` is byte-equal to `version.text[start:end]`, checked before it is stored."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    answer = models.ForeignKey(Answer, on_delete=models.CASCADE, related_name="citations")
    number = models.PositiveIntegerField()
    evidence = models.ForeignKey(Evidence, on_delete=models.CASCADE, related_name="citations")
    document = models.ForeignKey(Document, on_delete=models.PROTECT, related_name="citations")
    version = models.ForeignKey(Version, on_delete=models.PROTECT, related_name="citations")
    start = models.PositiveIntegerField()
    end = models.PositiveIntegerField()
    page = models.PositiveIntegerField(null=True)
    locator = models.CharField(max_length=300)
    quote = models.TextField()

    class Meta:
        ordering = ["number"]
        constraints = [
            models.UniqueConstraint(fields=["answer", "number"], name="citation_number_once"),
            models.CheckConstraint(condition=Q(end__gt=F("start")), name="citation_range_is_real"),
        ]

    def __str__(self) -> str:
        return f"Citation {self.number} of {self.answer_id}"
