"""What became of a question, who else may read it, and what each step did to make it."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from answers.models.endpoint import ModelEndpoint
from answers.models.question import Question
from answers.models.rag_template import TemplateVersion
from answers.states import OPEN, RELEASED, AnswerStatus
from workspaces.grants import UserGrant
from workspaces.models import Workspace

#: Among an answer's parameters, under "search".
SEARCH_LIMITED = "limited"


class Answer(models.Model):
    """What became of a question. A record before it is a stream; the row is the job."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    question = models.ForeignKey(Question, on_delete=models.PROTECT, related_name="answers")
    #: The question's, so that lists and rights need no join.
    workspace = models.ForeignKey(Workspace, on_delete=models.PROTECT, related_name="+")
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    status = models.CharField(max_length=30, choices=AnswerStatus.choices, default=AnswerStatus.WAITING)
    #: Sentences with `[n]` marks where citation n supports them; written once by the pipeline.
    text = models.TextField(blank=True)
    #: A follow-up as a question of its own, which is what was searched for; "" where the question stands alone.
    asked_as = models.TextField(blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    #: Provenance: which rights, prompt and model it was made with.
    policy = models.CharField(max_length=10, blank=True, help_text=_("The release policy in force."))
    endpoint = models.ForeignKey(ModelEndpoint, on_delete=models.SET_NULL, null=True, related_name="+")
    endpoint_label = models.CharField(max_length=300, blank=True)
    #: The version it is made with; None: the built-in knowledge template.
    template = models.ForeignKey(TemplateVersion, on_delete=models.PROTECT, null=True, related_name="answers")
    prompt_version = models.CharField(max_length=40, blank=True)
    prompt_sha256 = models.CharField(max_length=64, blank=True)
    parameters = models.JSONField(default=dict, blank=True)
    raw_output = models.TextField(blank=True)
    #: `[{text, start, end, citations: [n], grounding}]` over `text`.
    sentences = models.JSONField(default=list, blank=True)
    dropped_citations = models.PositiveIntegerField(default=0)
    failure_detail = models.CharField(max_length=300, blank=True)

    attempt = models.PositiveIntegerField(default=0)
    lease_until = models.DateTimeField(null=True, blank=True)
    #: Attempts whose worker died, and attempts that ended with an error of ours.
    deaths = models.PositiveIntegerField(default=0)
    errors = models.PositiveIntegerField(default=0)

    released_at = models.DateTimeField(null=True, blank=True)
    #: Who let it out: a reviewer, or nobody when the policy did.
    released_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    #: What the asker may read: exactly these bytes were released.
    released_text = models.TextField(blank=True)
    released_sha256 = models.CharField(max_length=64, blank=True)

    class Meta:
        verbose_name = _("answer")
        ordering = ["-created_at"]
        default_permissions = ()
        permissions = [
            ("read_answer", "Read this answer, which somebody else asked for"),
            ("review_answer", "Has the draft of this answer on their desk"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["question"], condition=Q(status__in=OPEN), name="answer_one_open"),
            models.CheckConstraint(
                condition=Q(status__in=RELEASED, released_at__isnull=False)
                & ~Q(released_text="")
                & ~Q(released_sha256="")
                # Of a suspended one the text may be erased, and what says which text it was stays.
                | Q(status=AnswerStatus.SUSPENDED, released_at__isnull=False) & ~Q(released_sha256="")
                | ~Q(status__in=(*RELEASED, AnswerStatus.SUSPENDED))
                & Q(released_at=None, released_text="", released_sha256=""),
                name="answer_released_together",
            ),
            models.CheckConstraint(
                condition=~Q(status=AnswerStatus.ANSWERED_APPROVED) | Q(released_by__isnull=False),
                name="answer_approval_has_a_person",
            ),
        ]
        indexes = [
            models.Index(fields=["workspace", "status", "-created_at"]),
            models.Index(fields=["asked_by", "workspace", "-created_at"]),
            # Lists across workspaces walk down this one and look at sources until a page is full.
            models.Index(fields=["-created_at"]),
            models.Index(F("lease_until").asc(nulls_first=True), name="answer_waiting", condition=Q(status__in=OPEN)),
        ]

    def __str__(self) -> str:
        return f"Answer {self.id}"

    @property
    def model_label(self) -> str:
        """What wrote it, for whoever reads it: without the address it was reached at, which is the operator's."""
        return self.endpoint_label.partition(" at ")[0]

    @property
    def was_limited(self) -> bool:
        """Whether part of the index was not available when evidence was looked for, so that passages may be missing."""
        return bool(self.parameters.get("search") == SEARCH_LIMITED)


class AnswerUserGrant(UserGrant):
    """An answer shared with a person, or its draft on a reviewer's desk. Neither opens a source."""

    content_object = models.ForeignKey(Answer, on_delete=models.CASCADE)


class StepRun(models.Model):
    """What one pipeline step did: the provenance of an answer is a by-product of running."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    answer = models.ForeignKey(Answer, on_delete=models.CASCADE, related_name="steps")
    attempt = models.PositiveIntegerField()
    position = models.PositiveIntegerField()
    step = models.CharField(max_length=20)
    outcome = models.CharField(max_length=30)
    seconds = models.FloatField()
    detail = models.JSONField(default=dict)

    class Meta:
        ordering = ["attempt", "position"]
        constraints = [
            models.UniqueConstraint(fields=["answer", "attempt", "position"], name="step_once_per_attempt"),
        ]

    def __str__(self) -> str:
        return f"{self.step} of {self.answer_id}"
