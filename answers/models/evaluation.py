"""Question sets of a workspace, runs of them through the pipeline, and the gate a change has to pass."""

import uuid

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from answers.models.endpoint import ModelEndpoint
from workspaces.models import Workspace


class QuestionSet(models.Model):
    """Questions of which it is known what a good answer holds. Every change of its cases is another version."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    workspace = models.ForeignKey(Workspace, on_delete=models.PROTECT, related_name="question_sets")
    name = models.CharField(_("name"), max_length=100)
    version = models.PositiveIntegerField(default=1)
    created_at = models.DateTimeField(auto_now_add=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")

    class Meta:
        verbose_name = _("question set")
        ordering = ["name"]
        constraints = [models.UniqueConstraint(fields=["workspace", "name"], name="question_set_name_once")]

    def __str__(self) -> str:
        return f"Question set {self.id}"


class QuestionCase(models.Model):
    """One question and what is expected of its answer. Never changed: another wording is another row under its code.

    A case stands in the versions from `since` up to, and without, `until`.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    question_set = models.ForeignKey(QuestionSet, on_delete=models.CASCADE, related_name="cases")
    #: The case's name in files, the same in every version.
    code = models.CharField(max_length=60)
    since = models.PositiveIntegerField()
    until = models.PositiveIntegerField(null=True, blank=True)
    position = models.PositiveIntegerField()
    question = models.TextField(_("question"))
    must_refuse = models.BooleanField(default=False)
    #: `[{"document": id, "page": number or null, "quote": text}]`; page and quote narrow it down to passages.
    expected = models.JSONField(default=list, blank=True)
    #: The documents of `expected`, and what the case was taken from: who may not open one of them reads no word of it.
    documents = ArrayField(models.UUIDField(), default=list, blank=True)
    #: What the answer has to say, a few words each.
    facts = ArrayField(models.CharField(max_length=300), default=list, blank=True)
    added_at = models.DateTimeField(auto_now_add=True)
    added_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    #: When its words were erased, with a document they were taken from.
    erased_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["position", "since"]
        constraints = [
            models.UniqueConstraint(
                fields=["question_set", "code"], condition=Q(until=None), name="question_case_code_once"
            ),
            models.CheckConstraint(
                condition=Q(until=None) | Q(until__gt=F("since")), name="question_case_until_after_since"
            ),
            models.CheckConstraint(
                condition=Q(must_refuse=False) | Q(expected=[], facts=[]), name="question_case_refusal_expects_nothing"
            ),
        ]

    def __str__(self) -> str:
        return f"Case {self.code} of {self.question_set_id}"


class CandidateState(models.TextChoices):
    """Where a change stands. Codes are permanent."""

    WAITING = "waiting", pgettext_lazy("candidate", "Has to pass")
    LIVE = "live", pgettext_lazy("candidate", "Went live")
    WITHDRAWN = "withdrawn", pgettext_lazy("candidate", "Withdrawn")


class GateCandidate(models.Model):
    """A change that waits at the gate: what would go live, until its run passes or two people override."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    workspace = models.ForeignKey(Workspace, on_delete=models.PROTECT, related_name="gate_candidates")
    #: A code of `answers.evaluation.kinds`, and the id of the thing there.
    kind = models.CharField(max_length=20)
    target = models.CharField(max_length=80)
    #: The thing's name when it was proposed.
    label = models.CharField(max_length=300)
    state = models.CharField(max_length=10, choices=CandidateState.choices, default=CandidateState.WAITING)
    proposed_at = models.DateTimeField(auto_now_add=True)
    proposed_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    #: Somebody wants it to go live without passing; another person has to agree. Of exactly this configuration.
    override_sha256 = models.CharField(max_length=64, blank=True)
    override_reason = models.CharField(max_length=500, blank=True)
    override_asked_at = models.DateTimeField(null=True, blank=True)
    override_asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    override_agreed_at = models.DateTimeField(null=True, blank=True)
    override_agreed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    settled_at = models.DateTimeField(null=True, blank=True)
    settled_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )

    class Meta:
        verbose_name = _("candidate")
        ordering = ["-proposed_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["workspace", "kind", "target"],
                condition=Q(state=CandidateState.WAITING),
                name="gate_candidate_waits_once",
            ),
            models.CheckConstraint(
                condition=Q(state=CandidateState.WAITING, settled_at=None, settled_by=None)
                | ~Q(state=CandidateState.WAITING) & Q(settled_at__isnull=False, settled_by__isnull=False),
                name="gate_candidate_settled_together",
            ),
            models.CheckConstraint(
                condition=Q(override_asked_by=None, override_asked_at=None, override_reason="", override_sha256="")
                | Q(override_asked_by__isnull=False, override_asked_at__isnull=False)
                & ~Q(override_reason="")
                & ~Q(override_sha256=""),
                name="gate_override_has_a_reason",
            ),
            models.CheckConstraint(
                condition=Q(override_agreed_by=None, override_agreed_at=None)
                | Q(override_asked_by__isnull=False, override_agreed_at__isnull=False)
                & ~Q(override_agreed_by=F("override_asked_by")),
                name="gate_override_by_two_people",
            ),
        ]

    def __str__(self) -> str:
        return f"Candidate {self.label}"


class RunState(models.TextChoices):
    """Where a run stands. Codes are permanent."""

    WAITING = "waiting", pgettext_lazy("run", "Waiting")
    WORKING = "working", pgettext_lazy("run", "Running")
    STOPPED = "stopped", pgettext_lazy("run", "Stopped")
    DONE = "done", pgettext_lazy("run", "Done")
    FAILED = "failed", pgettext_lazy("run", "Broken off")


#: Somebody owes these their next case.
OPEN_RUNS = (RunState.WAITING, RunState.WORKING)


class EvaluationRun(models.Model):
    """One version of a question set, asked through the pipeline with one person's rights. The row is the job."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    workspace = models.ForeignKey(Workspace, on_delete=models.PROTECT, related_name="evaluation_runs")
    question_set = models.ForeignKey(QuestionSet, on_delete=models.PROTECT, related_name="runs")
    set_version = models.PositiveIntegerField()
    cases_sha256 = models.CharField(max_length=64)
    case_count = models.PositiveIntegerField()
    #: What would go live; None for what is live.
    candidate = models.ForeignKey(GateCandidate, on_delete=models.PROTECT, null=True, blank=True, related_name="runs")
    #: Whether it is asked with what the candidate would take the place of.
    replaced = models.BooleanField(default=False)
    #: A model that was named for this run; None for the one of the candidate or the workspace.
    endpoint = models.ForeignKey(ModelEndpoint, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    state = models.CharField(max_length=10, choices=RunState.choices, default=RunState.WAITING)
    started_at = models.DateTimeField(auto_now_add=True)
    started_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    ended_at = models.DateTimeField(null=True, blank=True)
    #: Why it broke off, as a sentence; never anything of a document or question.
    problem = models.CharField(max_length=300, blank=True)
    #: Everything it ran with, by name and fingerprint, to do the same again; see `answers.evaluation.setup`.
    setup = models.JSONField(default=dict, blank=True)
    setup_sha256 = models.CharField(max_length=64, blank=True)
    seed = models.PositiveIntegerField(default=0)
    #: `{metric: {value, low, high, n, method}}` once it is done.
    figures = models.JSONField(default=dict, blank=True)

    attempt = models.PositiveIntegerField(default=0)
    #: Attempts whose worker died, and attempts that ended with an error of ours, since a case was last got done.
    deaths = models.PositiveIntegerField(default=0)
    errors = models.PositiveIntegerField(default=0)
    lease_until = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("run of a question set")
        ordering = ["-started_at"]
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=OPEN_RUNS, ended_at=None) | ~Q(state__in=OPEN_RUNS) & Q(ended_at__isnull=False),
                name="evaluation_run_ended_together",
            ),
        ]
        indexes = [models.Index(fields=["workspace", "-started_at"])]

    def __str__(self) -> str:
        return f"Run {self.id}"

    @property
    def is_open(self) -> bool:
        return self.state in OPEN_RUNS


class CaseResult(models.Model):
    """What became of one case in one run. It answers nobody; its text goes with the documents it rests on."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    run = models.ForeignKey(EvaluationRun, on_delete=models.CASCADE, related_name="results")
    case = models.ForeignKey(QuestionCase, on_delete=models.PROTECT, related_name="+")
    #: How the answer would have ended, or `closed`: a document of the case is not open to who started the run.
    outcome = models.CharField(max_length=30)
    problem = models.CharField(max_length=300, blank=True)
    #: 0 to 1 each; None where it does not apply to this case.
    recall = models.FloatField(null=True)
    precision = models.FloatField(null=True)
    grounding = models.FloatField(null=True)
    facts = models.FloatField(null=True)
    refusal_right = models.BooleanField(null=True)
    seconds = models.FloatField(null=True)
    tokens_in = models.PositiveIntegerField(null=True)
    tokens_out = models.PositiveIntegerField(null=True)
    #: In `settings.CURRENCY`; None where tokens or price are not known.
    cost = models.DecimalField(max_digits=14, decimal_places=8, null=True)
    text = models.TextField(blank=True)
    text_sha256 = models.CharField(max_length=64, blank=True)
    #: The documents whose passages the model was given: whoever may not open one of them reads no text.
    documents = ArrayField(models.UUIDField(), default=list, blank=True)
    #: `[{"passage", "version", "document", "page", "sha256", "expected", "cited"}]` in the order they were found.
    passages = models.JSONField(default=list, blank=True)
    #: What each step did: `[{"step", "outcome", "seconds"}]`.
    steps = models.JSONField(default=list, blank=True)
    made_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["case__position"]
        constraints = [models.UniqueConstraint(fields=["run", "case"], name="case_result_once")]

    def __str__(self) -> str:
        return f"Result of {self.case_id} in {self.run_id}"


class WorkspaceGate(models.Model):
    """Whether changes have to pass a question set in this workspace, and how well. Without a row there is no gate."""

    workspace = models.OneToOneField(Workspace, on_delete=models.CASCADE, primary_key=True, related_name="gate")
    enabled = models.BooleanField(default=False)
    question_set = models.ForeignKey(QuestionSet, on_delete=models.PROTECT, related_name="+")
    #: The version that is asked: who takes hard questions out of the set does not make the gate wider.
    set_version = models.PositiveIntegerField()
    #: `[{"metric", "limit", "by_bound", "worse_by"}]`; see `answers.evaluation.thresholds`.
    thresholds = models.JSONField(default=list)
    #: `{endpoint id: mark}`: what each model that answers here was when it passed, or when the gate was switched on.
    passed = models.JSONField(default=dict, blank=True)
    changed_at = models.DateTimeField(auto_now=True)
    changed_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    #: What somebody wants to be asked in place of this, and why; another person has to agree. None: nothing.
    wanted = models.JSONField(null=True, blank=True)
    wanted_reason = models.CharField(max_length=500, blank=True)
    wanted_at = models.DateTimeField(null=True, blank=True)
    wanted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )

    class Meta:
        verbose_name = verbose_name_plural = _("change gate of the workspace")
        constraints = [
            models.CheckConstraint(
                condition=Q(wanted__isnull=True, wanted_reason="", wanted_at=None, wanted_by=None)
                | Q(wanted__isnull=False, wanted_at__isnull=False, wanted_by__isnull=False) & ~Q(wanted_reason=""),
                name="gate_wanted_together",
            ),
        ]

    def __str__(self) -> str:
        return f"Gate of {self.workspace_id}"
