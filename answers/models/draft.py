"""An answer under review, and what named people decided about it."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import MD5
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from answers.models.answer import Answer
from answers.models.queue import InLine
from answers.states import DraftState
from audit.history import acting_user
from workspaces.models import Workspace


class Grounding(models.TextChoices):
    """How the weakest sentence of a text stands on what it cites."""

    SUPPORTED = "supported", _("Supported")
    PARTLY = "partly", _("Partly supported")
    UNSUPPORTED = "unsupported", _("Unsupported")


class Draft(InLine):
    """An answer's text while people decide on it. simple-history keeps every form it had."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    workspace = models.ForeignKey(Workspace, on_delete=models.PROTECT, related_name="+")
    answer = models.OneToOneField(Answer, on_delete=models.PROTECT, related_name="draft")
    text = models.TextField(_("text"))
    state = models.CharField(max_length=20, choices=DraftState.choices, default=DraftState.WAITING)
    #: Whether two people approve, as its sources were classified when it was held; lowering one changes nothing here.
    needs_second = models.BooleanField(default=False, editable=False)
    #: The approval that waits for a second person's; any edit takes it away.
    first_approval = models.ForeignKey(
        "Review", on_delete=models.PROTECT, null=True, blank=True, editable=False, related_name="+"
    )
    #: Of exactly this text, as the checks measured it; lists filter by it. Empty: not measured.
    grounding = models.CharField(_("grounding"), max_length=12, choices=Grounding.choices, blank=True, default="")
    #: `[{text, start, end, citations, …}]` over exactly this text, as the checks measured it.
    sentences = models.JSONField(default=list, blank=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    edited_at = models.DateTimeField(null=True, blank=True)
    edited_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    # A claim lasts minutes and is told by the trail; as a form of the draft it would bury the others.
    history = HistoricalRecords(
        get_user=acting_user,
        excluded_fields=["claimed_by", "claimed_until", "due_told_for", "late_told_for", "grounding", "sentences"],
    )

    class Meta:
        verbose_name = _("draft")
        verbose_name_plural = _("drafts")
        ordering = ["created_at"]
        constraints = [
            models.CheckConstraint(
                condition=Q(edited_at=None, edited_by=None) | Q(edited_at__isnull=False, edited_by__isnull=False),
                name="draft_edited_together",
            ),
            models.CheckConstraint(
                condition=Q(state=DraftState.APPROVED_ONCE, first_approval__isnull=False)
                | ~Q(state=DraftState.APPROVED_ONCE) & Q(first_approval=None),
                name="draft_approved_once_names_the_approval",
            ),
        ]
        indexes = [
            models.Index(fields=["workspace", "state", "created_at"]),
            # As for answers: the queue across workspaces, and all drafts there ever were.
            models.Index(fields=["state", "created_at"]),
            models.Index(fields=["state", "-priority", "due_at", "created_at"], name="draft_by_urgency"),
            models.Index(fields=["-priority", "due_at", "created_at"], name="draft_of_any_state_by_urgency"),
            models.Index(fields=["state", "due_at"], name="draft_by_due"),
            models.Index(fields=["state", "grounding", "-priority", "due_at", "created_at"], name="draft_by_grounding"),
            # Who looks at a draft is told how many others say the same.
            models.Index(
                MD5("text"),
                "workspace",
                name="draft_waiting_text",
                condition=Q(state__in=(DraftState.WAITING, DraftState.APPROVED_ONCE)),
            ),
            models.Index(fields=["created_at"]),
        ]

    def __str__(self) -> str:
        return f"Draft {self.id}"


class Decision(models.TextChoices):
    APPROVED = "approved", _("Approved")
    RETURNED = "returned", _("Returned for changes")
    REJECTED = "rejected", _("Rejected")
    REOPENED = "reopened", _("Put under review again")
    TAKEN_BACK = "taken_back", _("Taken back")


class Review(models.Model):
    """A named person's decision on a draft, bound to the exact text and the exact versions it rests on."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    draft = models.ForeignKey(Draft, on_delete=models.PROTECT, related_name="reviews")
    decision = models.CharField(max_length=10, choices=Decision.choices)
    decided_at = models.DateTimeField(auto_now_add=True)
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    reason = models.TextField(blank=True)
    text_sha256 = models.CharField(max_length=64)
    #: `{version id: sha256}` of every version cited by the text.
    sources = models.JSONField(default=dict)

    class Meta:
        ordering = ["decided_at"]
        constraints = [
            models.CheckConstraint(
                condition=Q(decision=Decision.APPROVED) | ~Q(reason=""), name="review_refusal_has_a_reason"
            ),
        ]
        # The cockpit counts what was decided in a stretch of time.
        indexes = [models.Index(fields=["decided_at"], name="review_by_time")]

    def __str__(self) -> str:
        return f"{self.get_decision_display()} by {self.decided_by}"
