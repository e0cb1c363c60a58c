"""A second run of what made an answer, with the same evidence and model, to see whether it comes out the same."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from answers.models.answer import Answer


class ReplayState(models.TextChoices):
    WAITING = "waiting", _("Waiting")
    WORKING = "working", _("Working")
    SAME = "same", _("The same")
    DIFFERENT = "different", _("Different")
    REFUSED = "refused", _("Not possible")
    FAILED = "failed", _("Failed")


#: Somebody owes these their next step.
OPEN_REPLAYS = (ReplayState.WAITING, ReplayState.WORKING)


class Replay(models.Model):
    """What a model wrote when an answer was made once more. It answers nobody: it is compared, and kept beside it.

    The row is the job. `text` goes with the answer's texts when a document it rests on is erased; hashes stay.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    answer = models.ForeignKey(Answer, on_delete=models.CASCADE, related_name="replays")
    state = models.CharField(max_length=10, choices=ReplayState.choices, default=ReplayState.WAITING)
    asked_at = models.DateTimeField(auto_now_add=True)
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    ended_at = models.DateTimeField(null=True, blank=True)
    #: Why there is no text, as a sentence; never anything of a document.
    problem = models.CharField(max_length=300, blank=True)

    endpoint_label = models.CharField(max_length=300, blank=True)
    prompt_sha256 = models.CharField(max_length=64, blank=True)
    #: All that the model wrote this time, where it differs, and the hash of what it had written for the answer.
    text = models.TextField(blank=True)
    text_sha256 = models.CharField(max_length=64, blank=True)
    compared_sha256 = models.CharField(max_length=64, blank=True)
    #: What citing and grounding made of it: counts and figures.
    checks = models.JSONField(default=dict, blank=True)
    seconds = models.FloatField(null=True, blank=True)

    attempt = models.PositiveIntegerField(default=0)
    lease_until = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("replay")
        ordering = ["-asked_at"]
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["answer"], condition=Q(state__in=OPEN_REPLAYS), name="replay_one_open_per_answer"
            ),
            models.CheckConstraint(
                condition=Q(state__in=OPEN_REPLAYS, ended_at=None)
                | ~Q(state__in=OPEN_REPLAYS) & Q(ended_at__isnull=False),
                name="replay_ended_together",
            ),
            models.CheckConstraint(
                condition=Q(state__in=(ReplayState.SAME, ReplayState.DIFFERENT)) & ~Q(text_sha256="")
                | ~Q(state__in=(ReplayState.SAME, ReplayState.DIFFERENT)) & Q(text="", text_sha256=""),
                name="replay_text_once_compared",
            ),
        ]

    def __str__(self) -> str:
        return f"Replay of {self.answer_id}"

    @property
    def is_open(self) -> bool:
        return self.state in OPEN_REPLAYS

    @property
    def is_erased(self) -> bool:
        """Whether there was a text, and only its hash is left."""
        return self.state == ReplayState.DIFFERENT and not self.text
