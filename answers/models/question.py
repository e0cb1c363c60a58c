"""What a person asked."""

import uuid

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from answers.models.conversation import Conversation
from workspaces.models import Workspace


class Question(models.Model):
    """What a person asked, in their words."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    workspace = models.ForeignKey(Workspace, on_delete=models.PROTECT, related_name="questions")
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="questions")
    asked_at = models.DateTimeField(auto_now_add=True)
    text = models.TextField(_("question"))
    language = models.CharField(max_length=8, blank=True)
    #: None for one that stands alone, asked by a program or from the command line.
    conversation = models.ForeignKey(
        Conversation, on_delete=models.PROTECT, null=True, blank=True, related_name="questions"
    )
    #: The earlier form, when the asker put it differently. Once only: the later form is the one that is edited.
    replaces = models.OneToOneField("self", on_delete=models.PROTECT, null=True, blank=True, related_name="replaced_by")

    class Meta:
        verbose_name = _("question")
        ordering = ["-asked_at"]
        indexes = [
            models.Index(fields=["workspace", "asked_by", "-asked_at"]),
            # The cockpit counts what was asked in a stretch of time.
            models.Index(fields=["asked_at"], name="question_by_time"),
        ]

    def __str__(self) -> str:
        return f"Question {self.id}"
