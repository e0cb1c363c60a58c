"""One act on many documents: what was asked, and what became of each of them."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from documents.models.document import Document
from workspaces.models import Workspace


class BulkAct(models.TextChoices):
    """What can be done with many documents at once."""

    CLASSIFY = "classify", _("Classify")
    USAGE = "usage", _("State the usage rights")
    TAG = "tag", _("Add a tag")
    UNTAG = "untag", _("Take a tag off")
    OWNER = "owner", _("Name the owner")
    VALID_UNTIL = "valid_until", _("Set how long they hold")
    REVIEW = "review", _("Set when to review them")
    MOVE = "move", _("Move to a folder")
    RETRY = "retry", _("Read again")
    DELETE = "delete", _("Delete")


class ItemOutcome(models.TextChoices):
    """What became of one document of the choice."""

    PENDING = "pending", pgettext_lazy("documents of one act", "not looked at yet")
    DONE = "done", pgettext_lazy("documents of one act", "changed")
    SAME = "same", pgettext_lazy("documents of one act", "were so already")
    FORBIDDEN = "forbidden", pgettext_lazy("documents of one act", "you may not change")
    UNFIT = "unfit", pgettext_lazy("documents of one act", "their state does not allow it")
    GONE = "gone", pgettext_lazy("documents of one act", "are not there any more")
    FAILED = "failed", pgettext_lazy("documents of one act", "could not be changed, by a fault of the portal")


class BulkRun(models.Model):
    """An act somebody asked for on many documents. The row and its items are the job."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    workspace = models.ForeignKey(Workspace, on_delete=models.PROTECT, related_name="bulk_runs")
    act = models.CharField(max_length=20, choices=BulkAct.choices)
    #: What the act takes: a level, a tag, a person's or a folder's id, a date.
    value = models.CharField(max_length=200, blank=True, default="")
    reason = models.CharField(max_length=500, blank=True, default="")
    asked_at = models.DateTimeField(auto_now_add=True)
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    #: Documents of the choice, and how many of them were not there to begin with.
    total = models.PositiveIntegerField()
    missing = models.PositiveIntegerField(default=0)
    #: Shows that somebody works on it.
    moved_at = models.DateTimeField(auto_now_add=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-asked_at"]
        default_permissions = ()
        indexes = [models.Index(fields=["moved_at"], name="bulk_run_open", condition=Q(ended_at=None))]

    def __str__(self) -> str:
        return f"{self.act} of {self.total}"


class BulkItem(models.Model):
    """One document of the choice. It is changed and gets its outcome in one transaction."""

    run = models.ForeignKey(BulkRun, on_delete=models.CASCADE, related_name="items", db_index=False)
    document = models.ForeignKey(Document, on_delete=models.CASCADE, related_name="+")
    outcome = models.CharField(max_length=10, choices=ItemOutcome.choices, default=ItemOutcome.PENDING)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["run", "document"], name="bulk_item_once")]
        indexes = [
            models.Index(fields=["run", "id"], name="bulk_item_pending", condition=Q(outcome="pending")),
        ]

    def __str__(self) -> str:
        return f"{self.document_id}: {self.outcome}"
