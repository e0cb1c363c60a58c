"""A document: a thing with a name whose text changes over time, and who it is open to."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from workspaces.classification import Classification
from workspaces.grants import GroupGrant, UserGrant
from workspaces.models import Bar, Workspace


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
    current_version = models.ForeignKey(
        "Version", on_delete=models.SET_NULL, null=True, blank=True, related_name="+", editable=False
    )
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
        ]

    def __str__(self) -> str:
        return self.title


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
