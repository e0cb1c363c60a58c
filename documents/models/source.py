"""Places outside that documents come from, what was seen there, and the runs that look."""

import uuid

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from documents.models.document import Document
from workspaces.classification import Classification
from workspaces.models import Workspace


class Schedule(models.TextChoices):
    """How often a source is looked at by itself, once somebody has started it."""

    MANUAL = "manual", _("Only when somebody starts it")
    HOURLY = "hourly", _("Every hour")
    DAILY = "daily", _("Every day")
    WEEKLY = "weekly", _("Every week")


class Source(models.Model):
    """A place outside whose documents are kept in step with a workspace, with the rights of its owner."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    workspace = models.ForeignKey(Workspace, on_delete=models.PROTECT, related_name="sources")
    name = models.CharField(_("name"), max_length=120)
    #: A key of `documents.sources.CONNECTORS`.
    kind = models.CharField(max_length=20, editable=False)
    #: What its connector declares as fields; never a secret.
    options = models.JSONField(default=dict)
    #: Sealed (`workspaces/secrets.py`); empty where none is needed.
    sealed_secret = models.TextField(blank=True, default="", editable=False)
    #: The first part of its documents' paths: fixed, so that a new name moves nothing.
    folder = models.CharField(max_length=140, editable=False)
    #: Globs over the path inside the source. No include: everything that can be read.
    include = models.JSONField(default=list, blank=True)
    exclude = models.JSONField(default=list, blank=True)
    classification = models.CharField(
        _("classification of new documents"),
        max_length=12,
        choices=Classification.choices,
        default=Classification.INTERNAL,
    )
    schedule = models.CharField(_("schedule"), max_length=10, choices=Schedule.choices, default=Schedule.MANUAL)
    max_removed_percent = models.PositiveSmallIntegerField(
        _("removals without asking, in percent"),
        default=20,
        validators=[MinValueValidator(0), MaxValueValidator(100)],
        help_text=_("When more than this share would go within a week, nothing is deleted until somebody confirms it."),
    )
    #: Whoever set it up or changed it last: scheduled runs act with their rights, and stop when they lose them.
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    #: The first sync somebody asked for; before it nothing runs by itself.
    started_at = models.DateTimeField(null=True, blank=True)
    started_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    #: Since when its schedule is held by a person; what they ask for by hand still runs.
    paused_at = models.DateTimeField(null=True, blank=True)
    paused_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    #: When the schedule wants it next.
    due_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("source")
        verbose_name_plural = _("sources")
        ordering = ["name"]
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["workspace", "name"], name="source_name_once"),
            models.UniqueConstraint(fields=["workspace", "folder"], name="source_folder_once"),
            models.CheckConstraint(condition=Q(max_removed_percent__lte=100), name="source_percent_is_one"),
            models.CheckConstraint(
                condition=Q(started_at=None, started_by=None) | Q(started_at__isnull=False, started_by__isnull=False),
                name="source_started_together",
            ),
            models.CheckConstraint(
                condition=Q(paused_at=None, paused_by=None) | Q(paused_at__isnull=False, paused_by__isnull=False),
                name="source_paused_together",
            ),
            models.CheckConstraint(condition=Q(paused_at=None) | Q(due_at=None), name="source_paused_is_not_due"),
        ]
        indexes = [
            models.Index(fields=["due_at"], name="source_due", condition=Q(due_at__isnull=False)),
        ]

    def __str__(self) -> str:
        return self.name


class SourceItem(models.Model):
    """One thing seen in a source, and the document it became."""

    source = models.ForeignKey(Source, on_delete=models.CASCADE, related_name="items")
    #: What the source calls it, for good; may be longer than an index takes, so it is found by its hash.
    key = models.CharField(max_length=2000)
    key_sha256 = models.CharField(max_length=64)
    path = models.CharField(max_length=1000)
    #: The state of it that the document holds; empty: unknown, it is fetched to see.
    tag = models.CharField(max_length=200, blank=True, default="")
    document = models.ForeignKey(Document, on_delete=models.SET_NULL, null=True, related_name="source_items")
    seen_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["source", "key_sha256"], name="source_item_once"),
        ]

    def __str__(self) -> str:
        return self.path


class RunKind(models.TextChoices):
    TEST = "test", _("Connection test")
    PREVIEW = "preview", _("Preview")
    SYNC = "sync", _("Sync")


class RunState(models.TextChoices):
    WAITING = "waiting", pgettext_lazy("run of a source", "Waiting")
    RUNNING = "running", pgettext_lazy("run of a source", "Running")
    DONE = "done", pgettext_lazy("run of a source", "Done")
    #: All is done but the removals, which wait for a person.
    HELD = "held", _("Removals wait for you")
    FAILED = "failed", pgettext_lazy("run of a source", "Failed")


OPEN_RUNS = (RunState.WAITING, RunState.RUNNING)


class SourceRun(models.Model):
    """One look at a source. The row is the job; counts grow while it works."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    source = models.ForeignKey(Source, on_delete=models.CASCADE, related_name="runs")
    kind = models.CharField(max_length=10, choices=RunKind.choices)
    state = models.CharField(max_length=10, choices=RunState.choices, default=RunState.WAITING)
    asked_at = models.DateTimeField(auto_now_add=True)
    #: Nobody: the schedule.
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    #: The held run whose removals a person confirmed by asking for this one.
    confirms = models.ForeignKey("self", on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    started_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    #: Who works on it, as for a version (documents/ingestion/leases.py).
    attempt = models.PositiveIntegerField(default=0)
    lease_until = models.DateTimeField(null=True, blank=True)
    #: Attempts since one got anything done; after three of them the run is given up.
    stalls = models.PositiveIntegerField(default=0)

    #: What the listing held: readable things, and others that were passed over by format or glob.
    listed = models.PositiveIntegerField(default=0)
    skipped = models.PositiveIntegerField(default=0)
    #: False: something kept the listing from being whole, so nothing is taken for gone.
    complete = models.BooleanField(default=True)
    to_do = models.PositiveIntegerField(default=0)
    added = models.PositiveIntegerField(default=0)
    changed = models.PositiveIntegerField(default=0)
    unchanged = models.PositiveIntegerField(default=0)
    removed = models.PositiveIntegerField(default=0)
    held = models.PositiveIntegerField(default=0)
    #: The items that `held` counts, by their number: exactly these are deleted when a person confirms.
    held_items = models.JSONField(default=list, blank=True)
    failed = models.PositiveIntegerField(default=0)
    #: Why the run as a whole failed: a code of documents/sources/problems.py and what its sentence names.
    problem = models.CharField(max_length=40, blank=True, default="")
    problem_detail = models.JSONField(default=dict, blank=True)
    #: `[{path, code, detail}]`, the first of them.
    problems = models.JSONField(default=list, blank=True)
    #: What a test or preview found; paths and counts, never text.
    found = models.JSONField(default=dict, blank=True)

    class Meta:
        ordering = ["-asked_at"]
        constraints = [
            models.UniqueConstraint(fields=["source"], condition=Q(state__in=OPEN_RUNS), name="source_run_one_open"),
            models.CheckConstraint(
                condition=~Q(state=RunState.FAILED) | ~Q(problem=""), name="source_run_failure_says_why"
            ),
            models.CheckConstraint(
                condition=Q(state__in=OPEN_RUNS) | Q(ended_at__isnull=False), name="source_run_settled_has_ended"
            ),
        ]
        indexes = [
            models.Index(
                F("lease_until").asc(nulls_first=True), name="source_run_open", condition=Q(state__in=OPEN_RUNS)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} of {self.source}"
