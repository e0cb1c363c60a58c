"""How ready a workspace is: its phase, the runs that looked, and what each check found."""

import uuid

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from workspaces.models.workspace import Workspace


class Phase(models.TextChoices):
    """How far a workspace is on its way into use."""

    SETUP = "setup", _("Being set up")
    PILOT = "pilot", _("In pilot")
    LIVE = "live", _("Live")


class Rhythm(models.TextChoices):
    """How often readiness is checked by itself."""

    OFF = "off", pgettext_lazy("rhythm of checks", "Only when somebody asks")
    DAILY = "daily", pgettext_lazy("rhythm of checks", "Every day")
    WEEKLY = "weekly", pgettext_lazy("rhythm of checks", "Every week")


class Outcome(models.TextChoices):
    """What a check found, from good to bad, and what does not concern this workspace."""

    PASS = "pass", pgettext_lazy("outcome of a check", "Passed")
    WARN = "warn", pgettext_lazy("outcome of a check", "Look at it")
    BLOCK = "block", pgettext_lazy("outcome of a check", "Blocks")
    NONE = "none", pgettext_lazy("outcome of a check", "Does not apply")


class RunCause(models.TextChoices):
    PERSON = "person", _("Asked for by a person")
    SCHEDULE = "schedule", _("By schedule")
    OPERATOR = "operator", _("By the operator")


class ReadinessState(models.TextChoices):
    WAITING = "waiting", pgettext_lazy("check of readiness", "Waiting")
    WORKING = "working", pgettext_lazy("check of readiness", "Under way")
    DONE = "done", pgettext_lazy("check of readiness", "Done")
    FAILED = "failed", pgettext_lazy("check of readiness", "Broken off")


OPEN_READINESS = (ReadinessState.WAITING, ReadinessState.WORKING)


class WorkspaceReadiness(models.Model):
    """A workspace's phase, and how its readiness is watched. A workspace without a row is being set up."""

    workspace = models.OneToOneField(
        Workspace, on_delete=models.CASCADE, primary_key=True, related_name="readiness_settings"
    )
    phase = models.CharField(max_length=10, choices=Phase.choices, default=Phase.SETUP)
    phase_changed_at = models.DateTimeField(null=True, blank=True)
    phase_changed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    rhythm = models.CharField(_("checked by itself"), max_length=10, choices=Rhythm.choices, default=Rhythm.WEEKLY)
    #: A go counts for so many days.
    valid_days = models.PositiveSmallIntegerField(
        _("a go counts for, in days"), default=14, validators=[MinValueValidator(1), MaxValueValidator(365)]
    )
    #: Since when it is in use and found to have no go any more. Empty while it has one, and while it is being set up.
    lapsed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        default_permissions = ()
        constraints = [
            models.CheckConstraint(condition=Q(valid_days__gte=1, valid_days__lte=365), name="readiness_days_are_some"),
        ]

    def __str__(self) -> str:
        return f"Readiness of {self.workspace_id}"


class ReadinessRun(models.Model):
    """One look at everything. The row is the job; results come one by one while it works."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="readiness_runs")
    cause = models.CharField(max_length=10, choices=RunCause.choices)
    asked_at = models.DateTimeField(default=timezone.now)
    #: Nobody: the schedule or the operator.
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    state = models.CharField(max_length=10, choices=ReadinessState.choices, default=ReadinessState.WAITING)
    #: Who works on it, as for an answer (answers/leases.py).
    attempt = models.PositiveIntegerField(default=0)
    lease_until = models.DateTimeField(null=True, blank=True)
    #: How many checks there are to be made.
    planned = models.PositiveSmallIntegerField(default=0)
    ended_at = models.DateTimeField(null=True, blank=True)
    #: Whether it is a go: nothing blocks. Empty until it is done.
    is_go = models.BooleanField(null=True, blank=True)
    #: 0 to 100, of the whole and of each area.
    score = models.PositiveSmallIntegerField(null=True, blank=True)
    scores = models.JSONField(default=dict, blank=True)
    #: The signed report, exactly as it leaves the portal; empty while the trail cannot be signed.
    report = models.TextField(blank=True, editable=False)

    class Meta:
        verbose_name = _("check of readiness")
        verbose_name_plural = _("checks of readiness")
        ordering = ["-asked_at"]
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["workspace"], condition=Q(state__in=OPEN_READINESS), name="readiness_one_open"
            ),
            models.CheckConstraint(
                condition=Q(state__in=OPEN_READINESS, ended_at=None)
                | ~Q(state__in=OPEN_READINESS) & Q(ended_at__isnull=False),
                name="readiness_ended_together",
            ),
            models.CheckConstraint(
                condition=Q(state=ReadinessState.DONE, is_go__isnull=False, score__isnull=False)
                | ~Q(state=ReadinessState.DONE) & Q(is_go=None, score=None, report=""),
                name="readiness_verdict_once_done",
            ),
        ]
        indexes = [
            models.Index(fields=["workspace", "-ended_at"], name="readiness_newest"),
            models.Index(
                F("lease_until").asc(nulls_first=True), name="readiness_open", condition=Q(state__in=OPEN_READINESS)
            ),
        ]

    def __str__(self) -> str:
        return f"Readiness of {self.workspace_id} at {self.asked_at:%Y-%m-%d %H:%M}"

    @property
    def is_open(self) -> bool:
        return self.state in OPEN_READINESS


class ReadinessResult(models.Model):
    """What one check found. `sentence` is English with places for `facts`: it is translated when it is read."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    run = models.ForeignKey(ReadinessRun, on_delete=models.CASCADE, related_name="results")
    #: A code of the registry, as `rbac.manager`.
    code = models.CharField(max_length=40)
    area = models.CharField(max_length=20)
    place = models.PositiveSmallIntegerField()
    outcome = models.CharField(max_length=10, choices=Outcome.choices)
    sentence = models.CharField(max_length=400)
    #: Counts, names of people and settings, dates; never text or titles of documents, questions or answers.
    facts = models.JSONField(default=dict, blank=True)
    milliseconds = models.PositiveIntegerField()
    made_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["place"]
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["run", "code"], name="readiness_check_once")]

    def __str__(self) -> str:
        return f"{self.code}: {self.outcome}"
