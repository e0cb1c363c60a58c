"""What every call to a model's server cost, and what was spent in each period that a budget counts by."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from answers.models.answer import Answer
from answers.models.endpoint import ModelEndpoint
from workspaces.models import Workspace


class Purpose(models.TextChoices):
    """What a model is asked for."""

    ANSWER = "answer", _("Answer to a question")
    FOLLOW_UP = "follow_up", _("Understanding of a follow-up question")
    JUDGE = "judge", _("Check of an answer's sentences")
    RERANK = "rerank", _("Order of what a search found")
    SEARCH = "search", _("Vector of a question")
    VECTORS = "vectors", _("Vectors of documents")
    REPLAY = "replay", _("Answer made once more to compare")
    SUGGESTION = "suggestion", _("Suggestion of a question")
    EVALUATION = "evaluation", _("Evaluation on a question set")
    DRAFT_REVIEW = "draft_review", _("Examination of a draft")
    COMPARISON = "comparison", _("Comparison of models")
    PREVIEW = "preview", _("Preview of a template")
    TEST = "test", _("Test of an endpoint")
    FINE_TUNING = "fine_tuning", _("Training of a model")


class UsageState(models.TextChoices):
    """Whether the tokens of a call are set aside, counted, or given back after its worker died."""

    OPEN = "open", _("Under way")
    SETTLED = "settled", _("Counted")
    RELEASED = "released", _("Given back")


class Usage(models.Model):
    """One call to a model's server. While it is open its tokens and cost are the most it can come to."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    #: None for a test of an endpoint.
    workspace = models.ForeignKey(Workspace, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    endpoint = models.ForeignKey(ModelEndpoint, on_delete=models.SET_NULL, null=True, related_name="+")
    endpoint_label = models.CharField(max_length=300)
    purpose = models.CharField(max_length=12, choices=Purpose.choices)
    answer = models.ForeignKey(Answer, on_delete=models.SET_NULL, null=True, blank=True, related_name="usage")
    at = models.DateTimeField(auto_now_add=True)
    #: The day it counts for, on the installation's calendar.
    day = models.DateField()
    input_tokens = models.PositiveBigIntegerField()
    output_tokens = models.PositiveBigIntegerField()
    #: Whether the tokens were counted from the length of the text, because the server told none.
    is_estimated = models.BooleanField(default=True)
    #: None where nobody said what the model costs.
    cost = models.DecimalField(max_digits=16, decimal_places=8, null=True)
    currency = models.CharField(max_length=3)
    state = models.CharField(max_length=8, choices=UsageState.choices, default=UsageState.OPEN)
    #: When a call that is still open by then is given back: its worker died.
    open_until = models.DateTimeField()
    seconds = models.FloatField(null=True)

    class Meta:
        verbose_name = _("call to a model")
        verbose_name_plural = _("calls to models")
        ordering = ["-at"]
        constraints = [
            models.CheckConstraint(condition=Q(state__in=UsageState.values), name="usage_state_is_known"),
            models.CheckConstraint(condition=Q(cost=None) | Q(cost__gte=0), name="usage_cost_is_no_gain"),
        ]
        indexes = [
            models.Index(fields=["workspace", "day"]),
            models.Index(fields=["day", "endpoint"]),
            models.Index(fields=["open_until"], condition=Q(state="open"), name="usage_open"),
        ]

    def __str__(self) -> str:
        return f"{self.purpose} by {self.endpoint_label}"


class Period(models.TextChoices):
    """How long a budget counts before it begins anew."""

    DAY = "day", _("day")
    MONTH = "month", _("month")


class Spend(models.Model):
    """What was spent or is set aside in one period: by everybody, by a workspace, or by a person in a workspace.

    One row of each is what calls that come at once lock, one after the other; see `answers/governing/ledger.py`.
    """

    #: None: the whole installation.
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, null=True, related_name="+")
    #: None: everybody there.
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, null=True, related_name="+")
    period = models.CharField(max_length=5, choices=Period.choices)
    since = models.DateField()
    tokens = models.BigIntegerField(default=0)
    cost = models.DecimalField(max_digits=16, decimal_places=8, default=0)

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["workspace", "person", "period", "since"], nulls_distinct=False, name="spend_once_a_period"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.period} from {self.since}"
