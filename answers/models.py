"""Questions, answers with their evidence and citations, drafts under review, and the models that write."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from answers import model_hosts
from answers.states import OPEN, RELEASED, AnswerStatus, DraftState
from audit.history import acting_user
from documents.models import Deletion, Document, Version
from workspaces.grants import UserGrant
from workspaces.models import Workspace

#: Among an answer's parameters, under "search".
SEARCH_LIMITED = "limited"


class EndpointKind(models.TextChoices):
    EXTRACTIVE = "extractive", _("Built in: quotes the documents, needs no network")
    OPENAI = "openai", _("Any server that speaks the OpenAI chat protocol")


class ModelEndpoint(models.Model):
    """A place where a model answers. Its key is a reference to the environment, never the key itself."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.SlugField(_("name"), max_length=60, unique=True)
    kind = models.CharField(_("kind"), max_length=12, choices=EndpointKind.choices, default=EndpointKind.OPENAI)
    #: No URLField: that knows no host of one label, such as a container's name.
    base_url = models.CharField(
        _("base URL"),
        max_length=200,
        blank=True,
        validators=[model_hosts.validate_url],
        help_text=_("For example http://127.0.0.1:11434/v1"),
    )
    model = models.CharField(_("model name"), max_length=200, blank=True)
    key_reference = models.CharField(
        _("key reference"),
        max_length=100,
        blank=True,
        help_text=_("The name of the environment variable that holds the key; it must begin with INLOCK_KEY_."),
    )
    connect_seconds = models.PositiveIntegerField(_("seconds to connect"), default=5)
    first_token_seconds = models.PositiveIntegerField(_("seconds until the first word"), default=30)
    total_seconds = models.PositiveIntegerField(_("seconds for a whole answer"), default=120)
    max_output_tokens = models.PositiveIntegerField(_("longest answer in tokens"), default=800)
    enabled = models.BooleanField(_("enabled"), default=True)
    history = HistoricalRecords(get_user=acting_user)

    class Meta:
        verbose_name = _("model endpoint")
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(
                condition=Q(kind=EndpointKind.EXTRACTIVE) | (~Q(base_url="") & ~Q(model="")),
                name="endpoint_openai_has_url_and_model",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class WorkspaceModels(models.Model):
    """Which endpoints a workspace uses: one by default, others when a person may choose."""

    workspace = models.OneToOneField(Workspace, on_delete=models.CASCADE, primary_key=True, related_name="models")
    default_endpoint = models.ForeignKey(ModelEndpoint, on_delete=models.PROTECT, related_name="+")
    choices = models.ManyToManyField(
        ModelEndpoint, blank=True, related_name="+", verbose_name=_("endpoints people may choose")
    )

    class Meta:
        verbose_name = verbose_name_plural = _("models of the workspace")

    def __str__(self) -> str:
        return f"{self.workspace}: {self.default_endpoint}"


class Question(models.Model):
    """What a person asked, in their words."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    workspace = models.ForeignKey(Workspace, on_delete=models.PROTECT, related_name="questions")
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="questions")
    asked_at = models.DateTimeField(auto_now_add=True)
    text = models.TextField(_("question"))
    language = models.CharField(max_length=8, blank=True)

    class Meta:
        verbose_name = _("question")
        ordering = ["-asked_at"]
        indexes = [models.Index(fields=["workspace", "asked_by", "-asked_at"])]

    def __str__(self) -> str:
        return f"Question {self.id}"


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
    created_at = models.DateTimeField(auto_now_add=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    #: Provenance: which rights, prompt and model it was made with.
    policy = models.CharField(max_length=10, blank=True, help_text=_("The release policy in force."))
    endpoint = models.ForeignKey(ModelEndpoint, on_delete=models.SET_NULL, null=True, related_name="+")
    endpoint_label = models.CharField(max_length=300, blank=True)
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


class Evidence(models.Model):
    """A passage that was authorised for this asker and given to the model, with why it ranked where it did.

    An answer rests on all of its evidence, cited or not: whoever may not open one of these documents sees no text.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    answer = models.ForeignKey(Answer, on_delete=models.CASCADE, related_name="evidence")
    rank = models.PositiveIntegerField()
    passage_id = models.UUIDField()
    document = models.ForeignKey(Document, on_delete=models.PROTECT, related_name="+")
    version = models.ForeignKey(Version, on_delete=models.PROTECT, related_name="+")
    start = models.PositiveIntegerField()
    end = models.PositiveIntegerField()
    page = models.PositiveIntegerField(null=True)
    locator = models.CharField(max_length=300)
    sha256 = models.CharField("SHA-256 of the passage", max_length=64)
    scores = models.JSONField(default=dict)

    class Meta:
        ordering = ["rank"]
        constraints = [models.UniqueConstraint(fields=["answer", "rank"], name="evidence_rank_once")]

    def __str__(self) -> str:
        return f"Evidence {self.rank} of {self.answer_id}"


class Citation(models.Model):
    """Where a claim stands: `quote` is byte-equal to `version.text[start:end]`, checked before it is stored."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    answer = models.ForeignKey(Answer, on_delete=models.CASCADE, related_name="citations")
    number = models.PositiveIntegerField()
    evidence = models.ForeignKey(Evidence, on_delete=models.CASCADE, related_name="citations")
    document = models.ForeignKey(Document, on_delete=models.PROTECT, related_name="citations")
    version = models.ForeignKey(Version, on_delete=models.PROTECT, related_name="citations")
    start = models.PositiveIntegerField()
    end = models.PositiveIntegerField()
    page = models.PositiveIntegerField(null=True)
    locator = models.CharField(max_length=300)
    quote = models.TextField()

    class Meta:
        ordering = ["number"]
        constraints = [
            models.UniqueConstraint(fields=["answer", "number"], name="citation_number_once"),
            models.CheckConstraint(condition=Q(end__gt=F("start")), name="citation_range_is_real"),
        ]

    def __str__(self) -> str:
        return f"Citation {self.number} of {self.answer_id}"


class Suspension(models.Model):
    """A released answer is closed to everybody, because a document it rests on was deleted."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    answer = models.ForeignKey(Answer, on_delete=models.CASCADE, related_name="suspensions")
    document = models.ForeignKey(Document, on_delete=models.PROTECT, related_name="+")
    #: What closed it: a former version of a document may be erased for good while the document comes and goes.
    deletion = models.ForeignKey(Deletion, on_delete=models.PROTECT, related_name="+")
    #: What the answer was before, and is again if the last of its documents comes back.
    status_before = models.CharField(max_length=30, choices=AnswerStatus.choices)
    suspended_at = models.DateTimeField(auto_now_add=True)
    #: Nobody: the workspace's retention rules.
    suspended_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    #: Since when its texts are gone and only their hashes are left.
    erased_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["suspended_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["answer", "deletion"], condition=Q(ended_at=None), name="suspension_one_standing"
            ),
            models.CheckConstraint(
                condition=Q(ended_at=None, ended_by=None) | Q(ended_at__isnull=False, ended_by__isnull=False),
                name="suspension_ended_together",
            ),
        ]

    def __str__(self) -> str:
        return f"Suspension of {self.answer_id}"


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


class Draft(models.Model):
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
    assigned_to = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    edited_at = models.DateTimeField(null=True, blank=True)
    edited_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    history = HistoricalRecords(get_user=acting_user)

    class Meta:
        verbose_name = _("draft")
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
            models.Index(fields=["created_at"]),
        ]

    def __str__(self) -> str:
        return f"Draft {self.id}"


class Decision(models.TextChoices):
    APPROVED = "approved", _("Approved")
    RETURNED = "returned", _("Returned for changes")
    REJECTED = "rejected", _("Rejected")


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

    def __str__(self) -> str:
        return f"{self.get_decision_display()} by {self.decided_by}"


class Declassification(models.Model):
    """A reviewer's decision that a released text may be read by people to whom a source of it is closed.

    It holds for exactly one text and the versions it rests on, never for the sources themselves.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    answer = models.ForeignKey(Answer, on_delete=models.PROTECT, related_name="declassifications")
    text_sha256 = models.CharField(max_length=64)
    #: `{version id: sha256}` of every version it rests on, cited or not.
    sources = models.JSONField(default=dict)
    reason = models.TextField()
    #: Everybody who may ask in the workspace; else `readers` alone.
    for_workspace = models.BooleanField()
    readers = models.ManyToManyField(settings.AUTH_USER_MODEL, blank=True, related_name="+")
    declassified_at = models.DateTimeField(auto_now_add=True)
    declassified_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )

    class Meta:
        ordering = ["declassified_at"]
        constraints = [
            models.CheckConstraint(condition=~Q(reason=""), name="declassification_has_a_reason"),
            models.CheckConstraint(
                condition=Q(ended_at=None, ended_by=None) | Q(ended_at__isnull=False, ended_by__isnull=False),
                name="declassification_ended_together",
            ),
            models.UniqueConstraint(
                fields=["answer"], condition=Q(ended_at=None), name="declassification_one_in_force"
            ),
        ]

    def __str__(self) -> str:
        return f"Declassification of {self.answer_id}"
