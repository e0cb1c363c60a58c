"""What readers of an answer say about it."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from answers.models.answer import Answer


class FeedbackReason(models.TextChoices):
    """Why an answer did not help. Codes are permanent."""

    WRONG = "wrong", _("It is wrong")
    INCOMPLETE = "incomplete", _("Something is missing")
    OUTDATED = "outdated", _("It is out of date")
    SOURCE_WRONG = "source_wrong", _("It cites the wrong source")
    OFF_TOPIC = "off_topic", _("It does not answer my question")
    OTHER = "other", pgettext_lazy("feedback", "Something else")


class Feedback(models.Model):
    """One reader's judgement of one answer. It can be changed and taken back by whoever gave it."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    answer = models.ForeignKey(Answer, on_delete=models.CASCADE, related_name="feedback")
    given_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    given_at = models.DateTimeField()
    helped = models.BooleanField()
    #: Of a negative one.
    reason = models.CharField(max_length=20, choices=FeedbackReason.choices, blank=True)
    words = models.TextField(_("in your words"), max_length=1000, blank=True)
    #: The text that was judged, of an answer that a reviewer may change later.
    text_sha256 = models.CharField(max_length=64)

    class Meta:
        verbose_name = _("feedback")
        ordering = ["-given_at"]
        constraints = [
            models.UniqueConstraint(fields=["answer", "given_by"], name="feedback_once"),
            models.CheckConstraint(
                condition=Q(helped=True, reason="") | Q(helped=False) & ~Q(reason=""),
                name="feedback_says_why_it_did_not_help",
            ),
        ]
        indexes = [models.Index(fields=["-given_at"])]

    def __str__(self) -> str:
        return f"Feedback on {self.answer_id}"
