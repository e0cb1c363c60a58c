"""How a workspace's documents are filed: a tree of folders, and tags."""

import uuid

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from workspaces.models import Workspace

MAX_TAG = 60
MAX_FOLDED_TAG = 4 * MAX_TAG


class Folder(models.Model):
    """A place in a workspace's tree. Folders of uploads and sources come by themselves, others are made by people."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    workspace = models.ForeignKey(Workspace, on_delete=models.PROTECT, related_name="folders")
    parent = models.ForeignKey("self", on_delete=models.PROTECT, null=True, blank=True, related_name="folders")
    #: The names from the top to here, joined by `/`: what lies below begins with it.
    path = models.CharField(_("path"), max_length=1000)
    created_at = models.DateTimeField(auto_now_add=True)
    #: Nobody: it came with a document.
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )

    class Meta:
        verbose_name = _("folder")
        verbose_name_plural = _("folders")
        ordering = ["path"]
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["workspace", "path"], name="folder_path_once")]

    def __str__(self) -> str:
        return self.path

    @property
    def name(self) -> str:
        return self.path.rpartition("/")[2]


class Tag(models.Model):
    """A word of a workspace's own vocabulary; spellings that fold alike are one tag."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    workspace = models.ForeignKey(Workspace, on_delete=models.PROTECT, related_name="tags")
    name = models.CharField(_("name"), max_length=MAX_TAG)
    #: By `documents.analysis.fold`.
    folded = models.CharField(max_length=MAX_FOLDED_TAG)

    class Meta:
        verbose_name = _("tag")
        verbose_name_plural = _("tags")
        ordering = ["name"]
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["workspace", "folded"], name="tag_once")]

    def __str__(self) -> str:
        return self.name


class DocumentTag(models.Model):
    """That a document bears a tag."""

    # No index of its own: the unique one begins with it.
    document = models.ForeignKey("Document", on_delete=models.CASCADE, related_name="tagging", db_index=False)
    tag = models.ForeignKey(Tag, on_delete=models.PROTECT, related_name="tagging")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["document", "tag"], name="document_tag_once")]

    def __str__(self) -> str:
        return f"{self.tag_id} on {self.document_id}"
