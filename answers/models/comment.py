"""What reviewers say to each other about a draft."""

import uuid

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from answers.models.draft import Draft


class Comment(models.Model):
    """A remark of one reviewer to the others who may read the draft. Askers never see one; it is not changed later."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    draft = models.ForeignKey(Draft, on_delete=models.PROTECT, related_name="comments")
    text = models.TextField(_("comment"))
    written_at = models.DateTimeField(auto_now_add=True)
    written_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    #: Whom it calls by name: people who could review this draft when it was written.
    mentioned = models.ManyToManyField(settings.AUTH_USER_MODEL, blank=True, related_name="+")

    class Meta:
        verbose_name = _("comment")
        verbose_name_plural = _("comments")
        ordering = ["written_at"]
        indexes = [models.Index(fields=["draft", "written_at"])]

    def __str__(self) -> str:
        return f"Comment {self.id}"
