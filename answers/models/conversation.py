"""Questions that follow each other, and what a workspace suggests to begin with."""

import uuid

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from answers.models.rag_template import RagTemplate
from workspaces.models import Workspace


class Conversation(models.Model):
    """A thread of questions of one person in one workspace. It gives nobody a right: its answers decide that."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    workspace = models.ForeignKey(Workspace, on_delete=models.PROTECT, related_name="conversations")
    started_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="conversations")
    started_at = models.DateTimeField(auto_now_add=True)
    last_asked_at = models.DateTimeField(auto_now_add=True)
    #: The name its owner gave it; without one it goes by its first question.
    title = models.CharField(_("name"), max_length=120, blank=True)
    #: What its last question was asked with, which the next one keeps; None: the workspace's standard.
    template = models.ForeignKey(RagTemplate, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    #: Taken out of its owner's view. What was asked stays, and so does its trail.
    archived_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("conversation")
        ordering = ["-last_asked_at"]
        indexes = [models.Index(fields=["workspace", "started_by", "-last_asked_at"])]

    def __str__(self) -> str:
        return f"Conversation {self.id}"


class SuggestedQuestion(models.Model):
    """A question that a workspace's manager offers to whoever does not know yet what to ask."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="suggested_questions")
    position = models.PositiveSmallIntegerField()
    text = models.CharField(_("question"), max_length=200)

    class Meta:
        verbose_name = _("suggested question")
        ordering = ["position"]
        constraints = [models.UniqueConstraint(fields=["workspace", "position"], name="suggestion_position_once")]

    def __str__(self) -> str:
        return f"Suggested question {self.id}"
