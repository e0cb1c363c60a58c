"""What becomes of documents at their end: deletions with their erasure, legal holds, and how long things are kept."""

import uuid

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from documents.models.document import Document
from documents.models.version import Version
from workspaces.models import Workspace
from workspaces.roles import Action, PlatformAction

#: Ten years: longer than any bin or rule is meant to be.
MOST_DAYS = 3660


class Cause(models.TextChoices):
    """Who or what deleted. Codes are permanent."""

    PERSON = "person", _("A person")
    SOURCE = "source", _("It is gone from its source")
    RETENTION = "retention", _("The workspace's retention rules")


class Deletion(models.Model):
    """One document, or one former version of it, on its way out. The row is the job of erasing it."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    workspace = models.ForeignKey(Workspace, on_delete=models.PROTECT, related_name="deletions")
    document = models.ForeignKey(Document, on_delete=models.PROTECT, related_name="deletions")
    #: A former version alone; none: the whole document.
    version = models.ForeignKey(Version, on_delete=models.PROTECT, null=True, related_name="+")
    cause = models.CharField(max_length=10, choices=Cause.choices, default=Cause.PERSON)
    reason = models.CharField(max_length=500, blank=True)
    deleted_at = models.DateTimeField(default=timezone.now)
    #: Nobody: the retention rules.
    deleted_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    #: The end of its time in the bin, where it is closed to everybody and can still be restored.
    erase_after = models.DateTimeField(default=timezone.now)
    #: `{version id: state}` as they were, for restoring.
    states_before = models.JSONField(default=dict)
    restored_at = models.DateTimeField(null=True, blank=True)
    restored_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )

    #: Who works on it, as for a version (documents/ingestion/leases.py).
    attempt = models.PositiveIntegerField(default=0)
    lease_until = models.DateTimeField(null=True, blank=True)
    #: From this moment on it cannot be restored or held: something of it may be gone.
    begun_at = models.DateTimeField(null=True, blank=True)
    #: What is looked for once it is erased (documents/deletion/probes.py), sealed, and gone when nothing was found.
    sealed_probes = models.TextField(blank=True, default="")
    erased_at = models.DateTimeField(null=True, blank=True)
    #: What was removed, by kind.
    removed = models.JSONField(default=dict)
    searched_at = models.DateTimeField(null=True, blank=True)
    #: The last search: `{places: [{place, looked_at, found}], probes: {kind: number}}`.
    search = models.JSONField(default=dict)
    #: The signed receipt, issued when a search found nothing any more.
    receipt = models.TextField(blank=True, default="")
    receipt_issued_at = models.DateTimeField(null=True, blank=True)

    #: Whether the person it is read for is told what it is called, why it went and its receipt: see
    #: documents/deletion/told.py.
    is_named: bool | None = False

    class Meta:
        verbose_name = _("deletion")
        verbose_name_plural = _("deletions")
        ordering = ["-deleted_at"]
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["document", "version"],
                condition=Q(restored_at=None),
                name="deletion_one_standing",
                nulls_distinct=False,
            ),
            models.CheckConstraint(
                condition=Q(restored_at=None, restored_by=None)
                | Q(restored_at__isnull=False, restored_by__isnull=False, begun_at=None),
                name="deletion_restored_before_begun",
            ),
            models.CheckConstraint(
                condition=Q(cause=Cause.RETENTION) | Q(deleted_by__isnull=False), name="deletion_has_a_person"
            ),
            models.CheckConstraint(
                condition=Q(erased_at=None) | Q(begun_at__isnull=False), name="deletion_erased_after_begun"
            ),
            models.CheckConstraint(
                condition=Q(receipt="", receipt_issued_at=None)
                | Q(receipt_issued_at__isnull=False, searched_at__isnull=False, erased_at__isnull=False)
                & ~Q(receipt=""),
                name="deletion_receipt_after_search",
            ),
        ]
        indexes = [
            models.Index(fields=["workspace", "-deleted_at"]),
            models.Index(
                F("lease_until").asc(nulls_first=True),
                name="deletion_open",
                condition=Q(receipt_issued_at=None, restored_at=None),
            ),
        ]

    def __str__(self) -> str:
        return self.document.title if self.is_named else gettext("A document")


class LegalHold(models.Model):
    """Nothing of a document, or of a whole workspace, is deleted or erased while one stands. Several may stand."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    workspace = models.ForeignKey(Workspace, on_delete=models.PROTECT, related_name="legal_holds")
    #: None: everything in the workspace.
    document = models.ForeignKey(Document, on_delete=models.PROTECT, null=True, blank=True, related_name="legal_holds")
    reason = models.CharField(_("reason"), max_length=500)
    #: The right it was placed by: a platform administrator's is lifted under theirs alone.
    placed_under = models.CharField(max_length=20)
    placed_at = models.DateTimeField(auto_now_add=True)
    placed_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    lifted_at = models.DateTimeField(null=True, blank=True)
    lifted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    lift_reason = models.CharField(max_length=500, blank=True, default="")

    #: Whether the person it is read for is told what its document is called (documents/deletion/told.py).
    is_named: bool | None = False

    class Meta:
        verbose_name = _("legal hold")
        verbose_name_plural = _("legal holds")
        ordering = ["-placed_at"]
        default_permissions = ()
        constraints = [
            models.CheckConstraint(condition=~Q(reason=""), name="hold_has_a_reason"),
            models.CheckConstraint(
                condition=Q(placed_under=Action.HOLD) | Q(placed_under=PlatformAction.HOLD_WORKSPACES, document=None),
                name="hold_under_a_right",
            ),
            models.CheckConstraint(
                condition=Q(lifted_at=None, lifted_by=None, lift_reason="")
                | Q(lifted_at__isnull=False, lifted_by__isnull=False) & ~Q(lift_reason=""),
                name="hold_lifted_together",
            ),
        ]
        indexes = [
            models.Index(fields=["workspace", "document"], name="hold_standing", condition=Q(lifted_at=None)),
        ]

    def __str__(self) -> str:
        if self.document is None:
            return str(self.workspace)
        return self.document.title if self.is_named else gettext("A document")

    @property
    def tells(self) -> bool:
        """Whether the person it is read for is told why it was placed and lifted: a reason may name the document."""
        return self.document_id is None or bool(self.is_named)


def _days(label: object, help_text: object) -> models.PositiveSmallIntegerField:
    return models.PositiveSmallIntegerField(
        label,
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(MOST_DAYS)],
        help_text=help_text,
    )


class RetentionRules(models.Model):
    """How long a workspace keeps what: its bin, its documents, their former versions. No row: for ever, and no bin."""

    workspace = models.OneToOneField(
        Workspace, on_delete=models.CASCADE, primary_key=True, related_name="retention_rules"
    )
    bin_days = models.PositiveSmallIntegerField(
        _("days in the bin"),
        default=0,
        validators=[MaxValueValidator(365)],
        help_text=_("A deleted document is closed to everybody at once and can be restored for this long. 0: no bin."),
    )
    after_added_days = _days(
        _("days after the last version arrived"), _("Documents are deleted this long after they last changed.")
    )
    after_expired_days = _days(
        _("days after a document expired"), _("Documents are deleted this long after the date they are valid until.")
    )
    after_replaced_days = _days(
        _("days after a version was replaced"), _("Former versions are erased; the document and its newest one stay.")
    )
    keeps_answers = models.BooleanField(
        _("keep the texts of answers that rest on what was deleted"),
        default=False,
        help_text=_("They stay closed to everybody. While one of them quotes the document, there is no receipt."),
    )
    changed_at = models.DateTimeField(null=True, blank=True)
    changed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )

    class Meta:
        verbose_name = verbose_name_plural = _("retention rules")
        default_permissions = ()

    def __str__(self) -> str:
        return str(self.workspace)
