"""Passages of a version and their vectors, each vector in the space it belongs to."""

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from documents.models.space import EmbeddingSpace
from documents.models.version import Version
from workspaces.models import Workspace


class Passage(models.Model):
    """A located piece of a version's text: `version.text[start:end] == text`. What is indexed and cited.

    The id is a hash of version, position and text, so an id never stands for different content.
    """

    id = models.UUIDField(primary_key=True, editable=False)
    workspace = models.ForeignKey(Workspace, on_delete=models.PROTECT, related_name="+")
    version = models.ForeignKey(Version, on_delete=models.CASCADE, related_name="passages")
    position = models.PositiveIntegerField()
    text = models.TextField()
    start = models.PositiveIntegerField()
    end = models.PositiveIntegerField()
    page = models.PositiveIntegerField(null=True, blank=True)
    locator = models.CharField(max_length=300, help_text=_("Page, slide, sheet or heading, for a person."))
    language = models.CharField(max_length=8, blank=True)

    class Meta:
        ordering = ["version", "position"]
        constraints = [
            models.UniqueConstraint(fields=["version", "position"], name="passage_position_once"),
            models.CheckConstraint(condition=Q(end__gt=F("start")), name="passage_range_is_real"),
        ]

    def __str__(self) -> str:
        return f"{self.locator} of {self.version_id}"


class Embedding(models.Model):
    """A passage's vector in one space: little-endian float32, L2-normalised. The index is rebuilt from these."""

    pk = models.CompositePrimaryKey("passage_id", "space_id")
    # No index of their own: the key begins with the one, and the other has a handful of values.
    passage = models.ForeignKey(Passage, on_delete=models.CASCADE, related_name="embeddings", db_index=False)
    space = models.ForeignKey(EmbeddingSpace, on_delete=models.PROTECT, related_name="+", db_index=False)
    vector = models.BinaryField()

    def __str__(self) -> str:
        return f"{self.passage_id} in {self.space_id}"
