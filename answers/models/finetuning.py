"""Fine-tuning under governance: assessments, training sets with examples and files, jobs, and what unsettles them."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from answers.models.answer import Answer
from answers.models.endpoint import ModelEndpoint
from answers.models.evaluation import EvaluationRun, QuestionSet
from documents.models import Deletion, Document
from workspaces.classification import Classification
from workspaces.models import Workspace


class Verdict(models.TextChoices):
    """What the adviser recommends for a use case. Codes are permanent."""

    RETRIEVAL = "retrieval", _("Retrieval")
    FINE_TUNING = "fine_tuning", _("Fine-tuning")
    HYBRID = "hybrid", _("Hybrid: fine-tuned, with retrieval")


class Assessment(models.Model):
    """One version of an assessment of a use case. It never changes; a new look is the next version of its series."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="+")
    series = models.UUIDField(default=uuid.uuid4, editable=False)
    version = models.PositiveIntegerField(default=1)
    name = models.CharField(_("use case"), max_length=120)
    note = models.TextField(_("description"), max_length=2000, blank=True)
    #: `{criterion: option}`, codes of `answers/finetuning/adviser.py`.
    choices = models.JSONField()
    #: Which table of weights was used.
    weights = models.CharField(max_length=20)
    verdict = models.CharField(max_length=12, choices=Verdict.choices)
    made_at = models.DateTimeField(auto_now_add=True)
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")

    class Meta:
        verbose_name = _("assessment")
        ordering = ["-made_at"]
        constraints = [models.UniqueConstraint(fields=["series", "version"], name="assessment_version_once")]

    def __str__(self) -> str:
        return f"Assessment {self.series}, version {self.version}"


class SetState(models.TextChoices):
    """How far a training set came. Codes are permanent."""

    BUILDING = "building", _("Being built")
    BUILT = "built", _("To be looked through")
    SEALED = "sealed", _("Sealed")
    FAILED = "failed", pgettext_lazy("training set", "Failed")


class TrainingSet(models.Model):
    """Questions and approved answers to train a model on. Once sealed it is exactly these bytes. The row is the job."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    workspace = models.ForeignKey(Workspace, on_delete=models.PROTECT, related_name="training_sets")
    name = models.CharField(_("name"), max_length=120)
    #: Nothing that rests on a document above it comes in.
    ceiling = models.CharField(
        _("documents up to"), max_length=12, choices=Classification.choices, default=Classification.INTERNAL
    )
    #: The codes of `documents.models.UsageRight` that every document of an answer has to have one of.
    usages = models.JSONField(default=list)
    validation_percent = models.PositiveIntegerField(_("share kept for validation, in percent"), default=10)
    #: The system message of every example.
    instructions = models.TextField(_("instructions"), max_length=2000, blank=True)
    state = models.CharField(max_length=10, choices=SetState.choices, default=SetState.BUILDING)
    problem = models.CharField(max_length=300, blank=True)
    #: `{reason: number}` of the answers that were left out.
    left_out = models.JSONField(default=dict)
    asked_at = models.DateTimeField(auto_now_add=True)
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    attempt = models.PositiveIntegerField(default=0)
    lease_until = models.DateTimeField(null=True, blank=True)
    sealed_at = models.DateTimeField(null=True, blank=True)
    sealed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    #: The signed manifest: lineage of each example, and the hash of each file. Ids and hashes, no text.
    manifest = models.TextField(blank=True)

    class Meta:
        verbose_name = _("training set")
        ordering = ["-asked_at"]
        constraints = [
            models.CheckConstraint(
                condition=Q(state="sealed", sealed_at__isnull=False, sealed_by__isnull=False) & ~Q(manifest="")
                | ~Q(state="sealed") & Q(sealed_at=None, sealed_by=None, manifest=""),
                name="training_set_sealed_together",
            ),
            models.CheckConstraint(condition=Q(validation_percent__lte=50), name="training_set_trains_on_most"),
        ]
        indexes = [models.Index(fields=["workspace", "-asked_at"])]

    def __str__(self) -> str:
        return f"Training set {self.id}"


class Split(models.TextChoices):
    """What an example is for. Codes are permanent."""

    TRAIN = "train", _("Training")
    VALIDATION = "validation", _("Validation")


class TrainingExample(models.Model):
    """A question and the approved answer to it, as a model is shown them. What it rests on is the answer's evidence."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    training_set = models.ForeignKey(TrainingSet, on_delete=models.CASCADE, related_name="examples")
    answer = models.ForeignKey(Answer, on_delete=models.PROTECT, related_name="+")
    #: Its line in the file of its split, once sealed.
    position = models.PositiveIntegerField()
    split = models.CharField(max_length=10, choices=Split.choices)
    question = models.TextField(blank=True)
    reply = models.TextField(blank=True)
    #: Of its line, and of the released text it was taken from.
    sha256 = models.CharField(max_length=64)
    released_sha256 = models.CharField(max_length=64)
    #: Codes of what looks like data of a person in it; see `answers/finetuning/personal.py`.
    personal = models.JSONField(default=list)
    dropped_at = models.DateTimeField(null=True, blank=True)
    dropped_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    #: Who said that what looks like data of a person may stay.
    kept_at = models.DateTimeField(null=True, blank=True)
    kept_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    #: Since when its texts are gone and only their hashes are left.
    erased_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint(fields=["training_set", "answer"], name="training_example_once"),
            models.CheckConstraint(
                condition=Q(dropped_at=None, dropped_by=None) | Q(dropped_at__isnull=False, dropped_by__isnull=False),
                name="training_example_dropped_together",
            ),
            models.CheckConstraint(
                condition=Q(kept_at=None, kept_by=None) | Q(kept_at__isnull=False, kept_by__isnull=False),
                name="training_example_kept_together",
            ),
        ]
        indexes = [models.Index(fields=["training_set", "split", "position"])]

    def __str__(self) -> str:
        return f"Example {self.position} of {self.training_set_id}"


class TrainingFile(models.Model):
    """The bytes of one split of a sealed set, by their hash; they are made of the examples whenever they are needed."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    training_set = models.ForeignKey(TrainingSet, on_delete=models.CASCADE, related_name="files")
    split = models.CharField(max_length=10, choices=Split.choices)
    sha256 = models.CharField(max_length=64)
    size = models.PositiveBigIntegerField()
    examples = models.PositiveIntegerField()

    class Meta:
        ordering = ["split"]
        constraints = [models.UniqueConstraint(fields=["training_set", "split"], name="training_file_once")]

    def __str__(self) -> str:
        return f"{self.split} of {self.training_set_id}"


class JobState(models.TextChoices):
    """How far a fine-tuning job came. Codes are permanent."""

    WAITING = "waiting", pgettext_lazy("fine-tuning job", "Waiting")
    UPLOADING = "uploading", _("Sending its files")
    RUNNING = "running", _("At the provider")
    SUCCEEDED = "succeeded", pgettext_lazy("fine-tuning job", "Succeeded")
    FAILED = "failed", pgettext_lazy("fine-tuning job", "Failed")
    CANCELLED = "cancelled", pgettext_lazy("fine-tuning job", "Cancelled")


OPEN_JOBS = (JobState.WAITING, JobState.UPLOADING, JobState.RUNNING)


class FineTuningJob(models.Model):
    """One training at a provider. The row is the job: what was sent is noted before it is sent, so nothing is twice."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    workspace = models.ForeignKey(Workspace, on_delete=models.PROTECT, related_name="+")
    training_set = models.ForeignKey(TrainingSet, on_delete=models.PROTECT, related_name="jobs")
    #: Whose server and key are used, and what the model is called that is trained further.
    endpoint = models.ForeignKey(ModelEndpoint, on_delete=models.PROTECT, related_name="+")
    endpoint_label = models.CharField(max_length=300)
    base_model = models.CharField(_("model to train"), max_length=200)
    #: None: as the provider sees fit.
    epochs = models.PositiveIntegerField(_("epochs"), null=True, blank=True)
    state = models.CharField(max_length=10, choices=JobState.choices, default=JobState.WAITING)
    problem = models.CharField(max_length=300, blank=True)
    asked_at = models.DateTimeField(auto_now_add=True)
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    #: Noted before the request is made: from then on the provider may have it, and is asked before it is sent again.
    train_sent_at = models.DateTimeField(null=True, blank=True)
    validation_sent_at = models.DateTimeField(null=True, blank=True)
    job_sent_at = models.DateTimeField(null=True, blank=True)
    #: What the provider calls them.
    train_file = models.CharField(max_length=200, blank=True)
    validation_file = models.CharField(max_length=200, blank=True)
    remote_id = models.CharField(max_length=200, blank=True)
    remote_status = models.CharField(max_length=40, blank=True)
    trained_tokens = models.PositiveBigIntegerField(null=True, blank=True)
    #: What these came to at the endpoint's price when it ended, which the ledger counts; None without such a price.
    cost = models.DecimalField(max_digits=16, decimal_places=8, null=True, blank=True)
    currency = models.CharField(max_length=3, blank=True)
    tuned_model = models.CharField(max_length=200, blank=True)
    #: The candidate it became.
    result = models.OneToOneField(
        ModelEndpoint, on_delete=models.SET_NULL, null=True, blank=True, related_name="tuned_by"
    )
    cancel_asked_at = models.DateTimeField(null=True, blank=True)
    cancel_asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    attempt = models.PositiveIntegerField(default=0)
    lease_until = models.DateTimeField(null=True, blank=True)
    #: Tries in a row that the provider did not answer well; when the next one is due.
    misses = models.PositiveIntegerField(default=0)
    next_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    #: Attempts since the last one that came to its end: their worker died, or they ended with an error of ours.
    errors = models.PositiveIntegerField(default=0)
    #: Since when the provider keeps no file of it any more, by what it said when it was asked to delete them.
    files_gone_at = models.DateTimeField(null=True, blank=True)
    #: The provider is to delete what it trained, and since when it is gone there, by what it said.
    model_unwanted_at = models.DateTimeField(null=True, blank=True)
    model_unwanted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    model_gone_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("fine-tuning job")
        ordering = ["-asked_at"]
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=OPEN_JOBS, ended_at=None) | ~Q(state__in=OPEN_JOBS) & Q(ended_at__isnull=False),
                name="tuning_job_ended_together",
            ),
            models.CheckConstraint(
                condition=~Q(state=JobState.SUCCEEDED) | ~Q(tuned_model=""), name="tuning_job_success_has_a_model"
            ),
            models.CheckConstraint(
                condition=Q(model_unwanted_at=None, model_unwanted_by=None, model_gone_at=None)
                | Q(model_unwanted_at__isnull=False, model_unwanted_by__isnull=False),
                name="tuning_job_unwanted_together",
            ),
            # An open job of a set is the only one: pressed twice is asked once.
            models.UniqueConstraint(
                fields=["training_set"], condition=Q(state__in=OPEN_JOBS), name="tuning_job_one_open"
            ),
        ]
        indexes = [
            models.Index(fields=["workspace", "-asked_at"]),
            models.Index(fields=["next_at"], name="tuning_job_open", condition=Q(state__in=OPEN_JOBS)),
        ]

    def __str__(self) -> str:
        return f"Fine-tuning job {self.id}"


class JobEvent(models.Model):
    """What the provider told of a job while it ran."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    job = models.ForeignKey(FineTuningJob, on_delete=models.CASCADE, related_name="events")
    remote_id = models.CharField(max_length=200)
    at = models.DateTimeField()
    level = models.CharField(max_length=10)
    message = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering = ["at", "remote_id"]
        constraints = [models.UniqueConstraint(fields=["job", "remote_id"], name="job_event_once")]

    def __str__(self) -> str:
        return f"{self.level} of {self.job_id}"


class FlagReason(models.TextChoices):
    """What happened to something that a training set contains. Codes are permanent."""

    DELETED = "deleted", _("A document was deleted")
    REPLACED = "replaced", _("A document was replaced by a newer version")
    EXPIRED = "expired", _("A document is past its last valid day")
    RECLASSIFIED = "reclassified", _("A document was classified higher")
    RESTRICTED = "restricted", _("A document was closed to some people here")
    USAGE = "usage", _("A document's usage rights do not allow it any more")
    TAKEN_BACK = "taken_back", _("Approved answers were taken back")


class FlagDecision(models.TextChoices):
    """What a person decided about a flag. Codes are permanent."""

    KEEP = "keep", _("The models may be approved again")
    RETIRE = "retire", _("The models are retired")


class TrainingFlag(models.Model):
    """A sealed set, its files, jobs and models contain what should not stand any more, until somebody decides."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    training_set = models.ForeignKey(TrainingSet, on_delete=models.CASCADE, related_name="flags")
    reason = models.CharField(max_length=12, choices=FlagReason.choices)
    #: None where the answers themselves were taken back.
    document = models.ForeignKey(Document, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    deletion = models.ForeignKey(Deletion, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    examples = models.PositiveIntegerField()
    #: Whether the models made of it were taken out of use by it.
    suspends = models.BooleanField()
    flagged_at = models.DateTimeField(auto_now_add=True)
    #: Nobody: the calendar, or a sweep.
    flagged_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    settled_at = models.DateTimeField(null=True, blank=True)
    settled_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    decision = models.CharField(max_length=10, choices=FlagDecision.choices, blank=True)
    note = models.CharField(_("reason"), max_length=300, blank=True)

    class Meta:
        verbose_name = _("flag of a training set")
        ordering = ["-flagged_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["training_set", "reason", "document", "deletion"],
                condition=Q(settled_at=None),
                nulls_distinct=False,
                name="training_flag_one_open",
            ),
            models.CheckConstraint(
                condition=Q(settled_at=None, settled_by=None, decision="")
                | Q(settled_at__isnull=False) & (~Q(decision="") | Q(settled_by=None)),
                name="training_flag_settled_together",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.training_set_id}: {self.reason}"


class TrainingRules(models.Model):
    """What takes a model out of use by itself. No row: everything does but a newer version and a passed day."""

    workspace = models.OneToOneField(
        Workspace, on_delete=models.CASCADE, primary_key=True, related_name="training_rules"
    )
    #: Codes of `FlagReason`; the others flag without taking anything out of use.
    suspends_on = models.JSONField(default=list)

    class Meta:
        verbose_name = verbose_name_plural = _("rules for fine-tuned models")

    def __str__(self) -> str:
        return f"{self.workspace}: {', '.join(self.suspends_on)}"


class ComparisonSide(models.TextChoices):
    """The three ways to answer that are put side by side. Codes are permanent."""

    RETRIEVAL = "retrieval", _("Retrieval")
    TUNED = "tuned", _("Fine-tuned alone")
    HYBRID = "hybrid", _("Hybrid")


class TuningComparison(models.Model):
    """Retrieval, fine-tuned and hybrid on one question set. The runs of two are the evaluation's, the third is ours."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="+")
    job = models.ForeignKey(FineTuningJob, on_delete=models.CASCADE, related_name="comparisons")
    #: Of the evaluation: its question set, and its runs of retrieval and hybrid.
    question_set = models.ForeignKey(QuestionSet, on_delete=models.CASCADE, related_name="+")
    retrieval_run = models.ForeignKey(EvaluationRun, on_delete=models.SET_NULL, null=True, related_name="+")
    hybrid_run = models.ForeignKey(EvaluationRun, on_delete=models.SET_NULL, null=True, related_name="+")
    #: Figures of the model alone, which sees no passage, so cites nothing and is released to nobody.
    tuned = models.JSONField(default=dict)
    problem = models.CharField(max_length=300, blank=True)
    asked_at = models.DateTimeField(auto_now_add=True)
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    attempt = models.PositiveIntegerField(default=0)
    lease_until = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("comparison of a fine-tuned model")
        ordering = ["-asked_at"]

    def __str__(self) -> str:
        return f"Comparison {self.id}"
