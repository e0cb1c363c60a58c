"""What a workspace could not answer: questions of one meaning, and what somebody does about them."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from answers.models.answer import Answer
from documents.models import Document
from workspaces.models import Workspace


class GapState(models.TextChoices):
    """Where a gap stands. Codes are permanent."""

    OPEN = "open", pgettext_lazy("gap", "Open")
    ASSIGNED = "assigned", pgettext_lazy("gap", "Assigned")
    WAITING = "waiting", _("Waiting for its document")
    CLOSED = "closed", pgettext_lazy("gap", "Closed")
    DISMISSED = "dismissed", pgettext_lazy("gap", "Dismissed")


#: Somebody still has to do something, and new questions of the same meaning join.
UNSETTLED = (GapState.OPEN, GapState.ASSIGNED, GapState.WAITING)


class GapCause(models.TextChoices):
    """Why a question is in a gap. Codes are permanent."""

    NO_EVIDENCE = "no_evidence", _("No evidence was found")
    WEAK = "weak", _("The answer was weakly supported")
    FEEDBACK = "feedback", _("A reader said that it is incomplete or out of date")
    SENT = "sent", _("Its asker sent it")


class Gap(models.Model):
    """Questions of one meaning that nobody could answer well here."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    workspace = models.ForeignKey(Workspace, on_delete=models.PROTECT, related_name="gaps")
    state = models.CharField(max_length=10, choices=GapState.choices, default=GapState.OPEN)
    opened_at = models.DateTimeField(auto_now_add=True)
    assigned_to = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    due_on = models.DateField(_("due on"), null=True, blank=True)
    #: For which day somebody was told that it has come, and that it is over.
    due_told_for = models.DateField(null=True, blank=True, editable=False)
    late_told_for = models.DateField(null=True, blank=True, editable=False)
    #: What closes it, once its current version answers; `is_written`: somebody wrote it for this gap.
    document = models.ForeignKey(Document, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    is_written = models.BooleanField(default=False)
    settled_at = models.DateTimeField(null=True, blank=True)
    #: Who named the document, or dismissed it.
    settled_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    #: Why it was dismissed; the askers are told.
    reason = models.CharField(_("reason"), max_length=300, blank=True)

    class Meta:
        verbose_name = _("gap")
        ordering = ["-opened_at"]
        constraints = [
            models.CheckConstraint(
                condition=~Q(state=GapState.ASSIGNED) | Q(assigned_to__isnull=False), name="gap_assigned_to_somebody"
            ),
            models.CheckConstraint(
                condition=~Q(state__in=(GapState.WAITING, GapState.CLOSED))
                | Q(document__isnull=False, settled_by__isnull=False),
                name="gap_closed_by_a_document",
            ),
            models.CheckConstraint(
                condition=~Q(state=GapState.DISMISSED) | Q(settled_by__isnull=False) & ~Q(reason=""),
                name="gap_dismissed_with_a_reason",
            ),
            models.CheckConstraint(
                condition=Q(state__in=UNSETTLED, settled_at=None)
                | Q(state__in=(GapState.CLOSED, GapState.DISMISSED), settled_at__isnull=False),
                name="gap_settled_together",
            ),
        ]
        indexes = [models.Index(fields=["workspace", "state", "-opened_at"])]

    def __str__(self) -> str:
        return f"Gap {self.id}"


class GapQuestion(models.Model):
    """One question in a gap. Its words stay in the question's row alone; the vector is erased with them."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    gap = models.ForeignKey(Gap, on_delete=models.CASCADE, related_name="questions")
    answer = models.OneToOneField(Answer, on_delete=models.CASCADE, related_name="gap_question")
    asker = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    cause = models.CharField(max_length=12, choices=GapCause.choices)
    added_at = models.DateTimeField(auto_now_add=True)
    #: When its asker asked for help with it; else nobody is told who asked.
    sent_at = models.DateTimeField(null=True, blank=True)
    #: When its asker was told what became of it.
    told_at = models.DateTimeField(null=True, blank=True)
    #: Its meaning, in the space of that fingerprint: little-endian float32. Empty where the model reads no such text.
    vector = models.BinaryField(blank=True, default=b"")
    space = models.CharField(max_length=16, blank=True)

    class Meta:
        ordering = ["added_at"]
        indexes = [models.Index(fields=["asker", "-added_at"])]

    def __str__(self) -> str:
        return f"Question of {self.gap_id}"


class GapMeaning(models.Model):
    """What a gap's questions mean on average in one space; made of them alone, see `answers/gaps/meanings.py`."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    gap = models.ForeignKey(Gap, on_delete=models.CASCADE, related_name="meanings")
    #: The fingerprint of the space.
    space = models.CharField(max_length=16)
    questions = models.PositiveIntegerField()
    #: Little-endian float32, not of length one.
    vector = models.BinaryField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["gap", "space"], name="gap_meaning_once")]

    def __str__(self) -> str:
        return f"Meaning of {self.gap_id}"
