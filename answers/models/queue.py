"""Places in line of what waits for reviewers, each person's saved views of it, each workspace's time for a decision."""

import uuid

from django.conf import settings
from django.core.validators import MaxValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from workspaces.models import Workspace

#: What a workspace gives its reviewers unless its manager says otherwise.
DUE_HOURS = 48
#: How long before that they are told.
REMIND_HOURS = 4


class Priority(models.IntegerChoices):
    """How soon something wants a decision; numbers, because the queue is sorted by them."""

    LOW = 1, _("Low")
    NORMAL = 2, _("Normal")
    HIGH = 3, _("High")
    URGENT = 4, _("Urgent")


class InLine(models.Model):
    """What waits for a reviewer: on whose desk it is, how urgent, by when, and who reads it now."""

    assigned_to = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    priority = models.PositiveSmallIntegerField(_("priority"), choices=Priority.choices, default=Priority.NORMAL)
    #: By when it should be decided; first what the workspace's rule says. Empty: whenever.
    due_at = models.DateTimeField(_("due"), null=True, blank=True)
    #: For which due date somebody was told that it comes soon, and that it is past.
    due_told_for = models.DateTimeField(null=True, blank=True, editable=False)
    late_told_for = models.DateTimeField(null=True, blank=True, editable=False)
    #: Who is reading it now, and until when that keeps the others from starting on it too. It forbids nothing.
    claimed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    claimed_until = models.DateTimeField(null=True, blank=True)

    class Meta:
        abstract = True


class QueueName(models.TextChoices):
    """The lists of what waits for reviewers; a saved view is of one."""

    DRAFTS = "drafts", _("Drafts")
    EXAMINATIONS = "examinations", _("Examined drafts")


class SavedView(models.Model):
    """A named choice of filters and order of a queue. It belongs to one person and is seen by nobody else."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    queue = models.CharField(max_length=12, choices=QueueName.choices, default=QueueName.DRAFTS)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    name = models.CharField(_("name"), max_length=60)
    #: `{parameter: code}` of the list's own filters and its order; never a search, which may hold anybody's words.
    filters = models.JSONField(default=dict)
    #: What the queue opens with.
    is_default = models.BooleanField(default=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("saved view")
        verbose_name_plural = _("saved views")
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(fields=["owner", "queue", "name"], name="saved_view_name_once"),
            models.UniqueConstraint(
                fields=["owner", "queue"], condition=Q(is_default=True), name="saved_view_one_default"
            ),
        ]

    def __str__(self) -> str:
        # No name: it is the person's own words, and the trail keeps what this says.
        return f"View {self.id}"


class ReviewTime(models.Model):
    """How long a workspace gives its reviewers; where it has no row, `DUE_HOURS` and `REMIND_HOURS`."""

    LONGEST = 24 * 365
    EARLIEST_REMINDER = 24 * 7

    workspace = models.OneToOneField(Workspace, on_delete=models.CASCADE, primary_key=True, related_name="review_time")
    hours = models.PositiveIntegerField(
        _("hours until a draft is due"),
        default=DUE_HOURS,
        validators=[MaxValueValidator(LONGEST)],
        help_text=_("0: drafts have no due date."),
    )
    remind_hours = models.PositiveIntegerField(
        _("hours before that to remind"),
        default=REMIND_HOURS,
        validators=[MaxValueValidator(EARLIEST_REMINDER)],
        help_text=_("0: nobody is reminded before a draft is overdue."),
    )
    changed_at = models.DateTimeField(auto_now=True)
    changed_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")

    class Meta:
        verbose_name = verbose_name_plural = _("time for review")

    def __str__(self) -> str:
        return f"{self.workspace}: {self.hours} h"
