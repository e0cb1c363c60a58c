"""A document: a thing with a name whose text changes over time, who keeps it current, and who it is open to."""

import uuid
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from documents.analysis import fold
from documents.models.filing import DocumentTag, Folder, Tag
from workspaces.classification import Classification
from workspaces.grants import GroupGrant, UserGrant
from workspaces.models import Bar, Workspace


class UsageRight(models.TextChoices):
    """What the rights in a document allow beyond reading and citing it here. Codes are permanent."""

    UNSTATED = "unstated", _("Not stated")
    OWN = "own", _("Our own work")
    OPEN = "open", _("Open licence or public domain")
    LICENSED = "licensed", _("Licensed, with training allowed")
    RESERVED = "reserved", _("Reserved: not to train on")


class Document(models.Model):
    """A thing with a name whose text changes over time. Its current version is the one that answers."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    workspace = models.ForeignKey(Workspace, on_delete=models.PROTECT, related_name="documents")
    #: Where it came from inside its source: an upload's file name, a folder's relative path.
    path = models.CharField(_("path"), max_length=1000)
    title = models.CharField(_("title"), max_length=300)
    restricted = models.BooleanField(
        _("restricted"), default=False, help_text=_("Open only to people it was granted to by name or group.")
    )
    classification = models.CharField(
        _("classification"), max_length=12, choices=Classification.choices, default=Classification.INTERNAL
    )
    #: Whether a model may be trained on what rests on it; see `documents/cards/licensing.py`.
    usage = models.CharField(_("usage rights"), max_length=10, choices=UsageRight.choices, default=UsageRight.UNSTATED)
    current_version = models.ForeignKey(
        "Version", on_delete=models.SET_NULL, null=True, blank=True, related_name="+", editable=False
    )
    #: The version whose bytes arrived last: there is news about it, or it is the current one. Kept by `Version`.
    latest_version = models.ForeignKey(
        "Version", on_delete=models.SET_NULL, null=True, blank=True, related_name="+", editable=False
    )
    #: Title and path as they are searched, folded by `documents.analysis.fold`.
    folded = models.TextField(editable=False, default="")
    folder = models.ForeignKey(
        Folder, on_delete=models.PROTECT, null=True, blank=True, related_name="documents", verbose_name=_("folder")
    )
    tags = models.ManyToManyField(Tag, through=DocumentTag, related_name="documents", verbose_name=_("tags"))
    #: Who keeps it current, and is asked to review it.
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="owned_documents",
        verbose_name=_("owner"),
    )
    #: The last day on which it holds, by the portal's calendar.
    valid_until = models.DateField(_("valid until"), null=True, blank=True)
    review_on = models.DateField(_("to be reviewed on"), null=True, blank=True)
    review_note = models.CharField(_("what to look at"), max_length=300, blank=True, default="")
    #: The dates the trail was told about when they came: each is told once.
    expiry_told_for = models.DateField(null=True, blank=True, editable=False)
    review_told_for = models.DateField(null=True, blank=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")
    #: A tombstone: from this moment on nothing of it is found, whatever an index still holds.
    deleted_at = models.DateTimeField(null=True, blank=True, editable=False)
    deleted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        editable=False,
    )
    #: When its text, passages, vectors and files were gone; the row stays as a tombstone.
    erased_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        verbose_name = _("document")
        verbose_name_plural = _("documents")
        ordering = ["title", "path"]
        default_permissions = ()
        permissions = [("open_document", "Open this restricted document")]
        constraints = [
            models.UniqueConstraint(
                fields=["workspace", "path"], condition=Q(deleted_at=None), name="document_path_once"
            ),
            models.CheckConstraint(
                condition=Q(erased_at=None) | Q(deleted_at__isnull=False), name="document_erased_after_deleted"
            ),
        ]
        indexes = [
            models.Index(
                fields=["deleted_at"], name="document_to_erase", condition=Q(deleted_at__isnull=False, erased_at=None)
            ),
            models.Index(fields=["workspace", "title", "path"], name="document_by_title", condition=Q(deleted_at=None)),
            models.Index(
                fields=["workspace", "valid_until"],
                name="document_by_validity",
                condition=Q(deleted_at=None, valid_until__isnull=False),
            ),
            models.Index(
                fields=["workspace", "review_on"],
                name="document_by_review",
                condition=Q(deleted_at=None, review_on__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return self.title

    def save(self, *args: Any, **kwargs: Any) -> None:
        fields = kwargs.get("update_fields")
        if fields is None or {"title", "path"} & set(fields):
            self.refold()
            if fields is not None:
                kwargs["update_fields"] = {*fields, "folded"}
        super().save(*args, **kwargs)

    def refold(self) -> None:
        """Note title and path as they are searched."""
        self.folded = fold(f"{self.title} {self.path}")

    @property
    def is_expired(self) -> bool:
        """Whether its last valid day is over."""
        return self.valid_until is not None and self.valid_until < timezone.localdate()

    @property
    def is_to_review(self) -> bool:
        """Whether the day of its review has come."""
        return self.review_on is not None and self.review_on <= timezone.localdate()


class Reclassification(models.Model):
    """One change of a document's classification, and who made it: whoever lowers one does not profit from it."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    document = models.ForeignKey(Document, on_delete=models.CASCADE, related_name="reclassifications")
    before = models.CharField(max_length=12, choices=Classification.choices)
    after = models.CharField(max_length=12, choices=Classification.choices)
    lowers = models.BooleanField()
    changed_at = models.DateTimeField(auto_now_add=True)
    changed_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")

    class Meta:
        ordering = ["changed_at"]
        indexes = [
            models.Index(fields=["document", "changed_by"], name="document_lowered_by", condition=Q(lowers=True)),
        ]

    def __str__(self) -> str:
        return f"{self.document_id}: {self.before} → {self.after}"


class DocumentUserGrant(UserGrant):
    content_object = models.ForeignKey(Document, on_delete=models.CASCADE)


class DocumentGroupGrant(GroupGrant):
    content_object = models.ForeignKey(Document, on_delete=models.CASCADE)


class DocumentBar(Bar):
    """Keeps somebody from one document, whatever opens it to them."""

    document = models.ForeignKey(Document, on_delete=models.CASCADE, related_name="bars")

    class Meta(Bar.Meta):
        verbose_name = _("never rule")
        verbose_name_plural = _("never rules")
        constraints = [
            *Bar.Meta.constraints,
            models.UniqueConstraint(
                fields=["document", "user", "group"], name="document_bar_once", nulls_distinct=False
            ),
        ]

    def __str__(self) -> str:
        return f"{self.holder} never {self.document}"
