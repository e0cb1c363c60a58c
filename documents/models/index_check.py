"""What each comparison of a workspace's search index with the database found, and what was left after mending."""

import uuid

from django.db import models
from django.utils.translation import gettext_lazy as _

from workspaces.models import User, Workspace


class CheckProblem(models.TextChoices):
    """Why a comparison could not be made or finished."""

    INDEX = "index_unavailable", _("the vector index does not answer")
    EMBEDDER = "embedder_unavailable", _("the embedding model does not answer")


class IndexCheck(models.Model):
    """One comparison, both ways. Counts are of passages; `left` is what still differed after mending."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="+")
    started_at = models.DateTimeField()
    seconds = models.FloatField()
    started_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    passages = models.PositiveIntegerField(default=0)
    missing = models.PositiveIntegerField(default=0)
    foreign = models.PositiveIntegerField(default=0)
    unembedded = models.PositiveIntegerField(default=0)
    left = models.PositiveIntegerField(default=0)
    problem = models.CharField(max_length=24, blank=True, choices=CheckProblem.choices)

    class Meta:
        ordering = ["-started_at"]
        indexes = [models.Index(fields=["workspace", "-started_at"], name="index_check_latest")]

    def __str__(self) -> str:
        return f"{self.workspace_id} at {self.started_at:%Y-%m-%d %H:%M}"

    @property
    def differed(self) -> int:
        """How many passages index and database disagreed about."""
        return self.missing + self.foreign + self.unembedded

    @property
    def agrees(self) -> bool:
        """Whether index and database agreed when it ended."""
        return not self.problem and not self.left
