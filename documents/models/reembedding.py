"""A workspace's move from one embedding space to another, and the comparisons made on the way."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from documents.models.space import EmbeddingSpace
from documents.states import MOVING, MigrationState
from workspaces.models import Workspace


def _person() -> "models.ForeignKey[models.Model | None, models.Model | None]":
    return models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )


class Job(models.Model):
    """Work in the background whose row is the job: who holds it, and when it may be tried again."""

    attempt = models.PositiveIntegerField(default=0)
    lease_until = models.DateTimeField(null=True, blank=True)
    #: Attempts since something was last got done; too many of them end the job.
    stalls = models.PositiveIntegerField(default=0)
    #: Nobody takes it before: a provider asked to wait.
    retry_at = models.DateTimeField(null=True, blank=True)
    #: A code of `documents/reembedding/problems.py`, with what its sentence names.
    problem = models.CharField(max_length=40, blank=True)
    problem_detail = models.JSONField(default=dict, blank=True)

    class Meta:
        abstract = True


class SpaceMigration(Job):
    """One change of the embedding model of a workspace. Both spaces are kept complete until one is dropped."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="space_migrations")
    source = models.ForeignKey(EmbeddingSpace, on_delete=models.PROTECT, related_name="+")
    target = models.ForeignKey(EmbeddingSpace, on_delete=models.PROTECT, related_name="+")
    state = models.CharField(max_length=12, choices=MigrationState.choices, default=MigrationState.PLANNED)
    #: What was expected before it was started, see `documents/reembedding/estimate.py`.
    estimate = models.JSONField(default=dict)
    #: Passages to bring over, those that are over, and the vectors that had to be computed for that.
    total = models.PositiveIntegerField(default=0)
    done = models.PositiveIntegerField(default=0)
    computed = models.PositiveIntegerField(default=0)
    #: As the provider counted them.
    tokens = models.PositiveBigIntegerField(default=0)
    #: The workspace's `index_revision` up to which the space not searched in is complete, index included.
    covered_revision = models.PositiveBigIntegerField(null=True, blank=True)
    #: Of the target, measured on the workspace's passages; None: too few to say.
    floor = models.FloatField(null=True, blank=True)
    scale = models.FloatField(default=1.0)
    #: Of the source, as it was: a roll-back puts it back.
    source_floor = models.FloatField(null=True, blank=True)
    source_scale = models.FloatField(default=1.0)

    planned_at = models.DateTimeField(auto_now_add=True)
    planned_by = _person()
    started_at = models.DateTimeField(null=True, blank=True)
    started_by = _person()
    switched_at = models.DateTimeField(null=True, blank=True)
    switched_by = _person()
    rolled_back_at = models.DateTimeField(null=True, blank=True)
    rolled_back_by = _person()
    #: Somebody confirmed that the space not searched in may go, or gave the change up.
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_by = _person()

    class Meta:
        verbose_name = _("change of the embedding model")
        verbose_name_plural = _("changes of the embedding model")
        ordering = ["-planned_at"]
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["workspace"], condition=Q(state__in=MOVING), name="space_migration_one_at_a_time"
            ),
            models.CheckConstraint(condition=~Q(source=F("target")), name="space_migration_leads_elsewhere"),
            models.CheckConstraint(
                condition=~Q(state=MigrationState.SWITCHED) | Q(switched_at__isnull=False),
                name="space_migration_switched_when",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.source_id} → {self.target_id}"


class ComparisonKind(models.TextChoices):
    RECENT = "recent", _("Questions asked here lately")
    SET = "set", _("Questions of your own")


class ComparisonState(models.TextChoices):
    RUNNING = "running", _("Comparing")
    DONE = "done", _("Compared")
    FAILED = "failed", _("Could not be compared")


class SpaceComparison(Job):
    """What both spaces of a migration find for the same questions, asked with the rights of one person. Kept."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    migration = models.ForeignKey(SpaceMigration, on_delete=models.CASCADE, related_name="comparisons")
    kind = models.CharField(max_length=10, choices=ComparisonKind.choices)
    state = models.CharField(max_length=10, choices=ComparisonState.choices, default=ComparisonState.RUNNING)
    asked_at = models.DateTimeField(auto_now_add=True)
    asked_by = _person()
    ended_at = models.DateTimeField(null=True, blank=True)
    #: `{question}`: the id of one that was asked here; or `{text, documents}`: pasted, with the paths expected.
    questions = models.JSONField(default=list)
    #: One entry a question, in order, as far as it has come; see `documents/reembedding/comparing.py`.
    results = models.JSONField(default=list)
    summary = models.JSONField(default=dict)

    class Meta:
        ordering = ["-asked_at"]
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["migration"], condition=Q(state=ComparisonState.RUNNING), name="space_comparison_one_at_a_time"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} comparison of {self.migration_id}"
