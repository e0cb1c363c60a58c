"""A person's own draft held against the workspace's guidance, and what was found in it.

An examined draft is not an answer under review (`Draft`): it is what somebody brought, and stays theirs.
"""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from answers.models.endpoint import ModelEndpoint
from answers.models.queue import InLine
from answers.models.rag_template import TemplateVersion
from documents.models import Document, Version
from workspaces.classification import Classification
from workspaces.models import Workspace


class ExaminationState(models.TextChoices):
    WAITING = "waiting", _("Waiting")
    WORKING = "working", _("Being examined")
    HELD = "held", _("Awaiting review")
    RETURNED = "returned", pgettext_lazy("findings", "Returned with questions")
    RELEASED = "released", pgettext_lazy("findings", "Released")
    REJECTED = "rejected", pgettext_lazy("findings", "Not released")
    REFUSED = "refused", _("Not possible")
    FAILED = "failed", _("Failed")
    ERASED = "erased", pgettext_lazy("draft", "Deleted")


#: Somebody owes these their next step; and those that came to findings.
OPEN_EXAMINATIONS = (ExaminationState.WAITING, ExaminationState.WORKING)
EXAMINED = (
    ExaminationState.HELD,
    ExaminationState.RETURNED,
    ExaminationState.RELEASED,
    ExaminationState.REJECTED,
)
#: A reviewer may still decide on these; a returned one waits for its owner, and need not.
UNDECIDED = (ExaminationState.HELD, ExaminationState.RETURNED)


class Examination(InLine):
    """A draft, its state on the way to released findings, and who holds the row. The row is the job.

    `text` and the words of its findings are erased with the draft; hashes and counts stay.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="examinations")
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    asked_at = models.DateTimeField(auto_now_add=True)
    title = models.CharField(max_length=200)
    language = models.CharField(max_length=8, blank=True)
    text = models.TextField()
    text_sha256 = models.CharField(max_length=64)
    #: How confidential its owner says it is: no model below that is given any of it.
    classification = models.CharField(max_length=12, choices=Classification.choices, default=Classification.INTERNAL)
    #: Characters nobody sees were taken out of what was brought.
    had_hidden = models.BooleanField(default=False)

    state = models.CharField(max_length=10, choices=ExaminationState.choices, default=ExaminationState.WAITING)
    #: Why there are no findings, as a sentence; never anything of a document or of the draft.
    problem = models.CharField(max_length=300, blank=True)
    #: The workspace's template “Draft review” as it was in force; None where it had not taken that in.
    template = models.ForeignKey(TemplateVersion, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    endpoint = models.ForeignKey(ModelEndpoint, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    endpoint_label = models.CharField(max_length=300, blank=True)
    #: Which prompt a model was given; "" where the built-in checks alone ran.
    prompt_version = models.CharField(max_length=40, blank=True)
    #: What a model claimed and could not be verified, and was left out.
    dropped = models.PositiveIntegerField(default=0)
    #: Clauses for which a search or a model failed, so that findings may be missing.
    unread = models.PositiveIntegerField(default=0)
    findings_sha256 = models.CharField(max_length=64, blank=True)
    examined_at = models.DateTimeField(null=True, blank=True)

    #: What decided whether the findings are held: a release rule's code or a guard; and whether two let them out.
    release_rule = models.CharField(max_length=40, blank=True)
    takes_two = models.BooleanField(default=False)
    first_approved_at = models.DateTimeField(null=True, blank=True)
    first_approved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    #: Released or not, by a reviewer; both empty where the policy released them.
    reviewed_at = models.DateTimeField(null=True, blank=True)
    reviewed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    reason = models.CharField(max_length=500, blank=True)
    erased_at = models.DateTimeField(null=True, blank=True)

    attempt = models.PositiveIntegerField(default=0)
    #: Attempts that ended without letting go of the row: their worker died, or an error of ours ended them.
    deaths = models.PositiveIntegerField(default=0)
    lease_until = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("examined draft")
        verbose_name_plural = _("examined drafts")
        ordering = ["-asked_at"]
        default_permissions = ()
        constraints = [
            models.CheckConstraint(
                condition=Q(state=ExaminationState.ERASED, text="", erased_at__isnull=False)
                | ~Q(state=ExaminationState.ERASED) & Q(erased_at=None),
                name="examination_erased_together",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=EXAMINED) | Q(examined_at__isnull=False) & ~Q(findings_sha256=""),
                name="examination_held_once_examined",
            ),
            models.CheckConstraint(
                condition=Q(first_approved_at=None, first_approved_by=None)
                | Q(first_approved_at__isnull=False, first_approved_by__isnull=False),
                name="examination_first_approval_together",
            ),
            models.CheckConstraint(
                condition=Q(reviewed_at=None, reviewed_by=None)
                | Q(reviewed_at__isnull=False, reviewed_by__isnull=False),
                name="examination_reviewed_together",
            ),
            # Separation of duties: nobody lets out findings they asked for, or gives both of two approvals.
            models.CheckConstraint(
                condition=~Q(reviewed_by=F("asked_by")) & ~Q(first_approved_by=F("asked_by")),
                name="examination_not_by_asker",
            ),
            models.CheckConstraint(
                condition=Q(first_approved_by=None) | ~Q(reviewed_by=F("first_approved_by")),
                name="examination_two_people",
            ),
        ]
        indexes = [
            models.Index(fields=["workspace", "asked_by", "-asked_at"]),
            models.Index(fields=["workspace", "state"]),
            # The queue across workspaces, and how many of it are late.
            models.Index(fields=["state", "-priority", "due_at", "examined_at"], name="examination_by_urgency"),
            models.Index(fields=["state", "due_at"], name="examination_by_due"),
        ]

    def __str__(self) -> str:
        return f"Examination {self.pk}"

    @property
    def is_open(self) -> bool:
        return self.state in OPEN_EXAMINATIONS


class Clause(models.Model):
    """A numbered provision, article or paragraph of an examined draft: `examination.text[start:end]`."""

    examination = models.ForeignKey(Examination, on_delete=models.CASCADE, related_name="clauses")
    place = models.PositiveIntegerField()
    label = models.CharField(max_length=120, blank=True)
    start = models.PositiveIntegerField()
    end = models.PositiveIntegerField()
    #: Held against the guidance, in whichever attempt.
    done_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["place"]
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["examination", "place"], name="clause_one_per_place"),
            models.CheckConstraint(condition=Q(start__lt=F("end")), name="clause_has_words"),
        ]

    def __str__(self) -> str:
        return f"{self.label or self.place}"


class ClauseSource(models.Model):
    """A passage that was authorised for the asker and read for a clause, cited or not.

    What was found in the clause rests on all of them: whoever may not open one sees none of it.
    """

    clause = models.ForeignKey(Clause, on_delete=models.CASCADE, related_name="sources")
    passage_id = models.UUIDField()
    document = models.ForeignKey(Document, on_delete=models.PROTECT, related_name="+")
    version = models.ForeignKey(Version, on_delete=models.PROTECT, related_name="+")
    sha256 = models.CharField("SHA-256 of the passage", max_length=64)

    class Meta:
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["clause", "passage_id"], name="clause_source_once")]

    def __str__(self) -> str:
        return f"Passage {self.passage_id} for clause {self.clause_id}"


class Severity(models.TextChoices):
    BLOCKER = "blocker", _("Blocker")
    MAJOR = "major", pgettext_lazy("severity", "Major")
    MINOR = "minor", pgettext_lazy("severity", "Minor")
    STYLE = "style", pgettext_lazy("severity", "Style")


class FindingCategory(models.TextChoices):
    CONFLICT = "conflict", _("Conflicts with the guidance")
    INCONSISTENT = "inconsistent", _("Contradicts itself")
    MISSING = "missing", _("Missing section")
    TERM = "term", _("Defined term")
    DEVIATION = "deviation", _("Differs from the approved wording")
    RISK = "risk", _("Risk")
    CLARITY = "clarity", _("Clarity")


class FindingDecision(models.TextChoices):
    OPEN = "open", pgettext_lazy("finding", "To decide")
    ACCEPTED = "accepted", pgettext_lazy("finding", "Accepted")
    REJECTED = "rejected", pgettext_lazy("finding", "Rejected")


class FindingClosure(models.TextChoices):
    DELETED = "deleted", _("Its source was deleted.")
    REPLACED = "replaced", _("Its source was replaced by another version.")
    EXPIRED = "expired", _("Its source is no longer valid.")
    RAISED = "raised", _("Its source was classified higher.")


class Finding(models.Model):
    """One thing found in a clause: `examination.text[start:end]`, what it rests on, and what was decided.

    The words of the guidance are not copied: they are `version.text[source_start:source_end]`, or nothing.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    examination = models.ForeignKey(Examination, on_delete=models.CASCADE, related_name="findings")
    clause = models.ForeignKey(Clause, on_delete=models.CASCADE, null=True, blank=True, related_name="findings")
    severity = models.CharField(max_length=10, choices=Severity.choices)
    category = models.CharField(max_length=12, choices=FindingCategory.choices)
    #: Whether a model said so, or one of the built-in checks.
    by_model = models.BooleanField(default=False)
    #: The draft's words. Empty for what is missing, which belongs at `start`.
    start = models.PositiveIntegerField()
    end = models.PositiveIntegerField()
    #: Where the draft itself says otherwise, for what contradicts itself.
    other_start = models.PositiveIntegerField(null=True, blank=True)
    other_end = models.PositiveIntegerField(null=True, blank=True)
    document = models.ForeignKey(Document, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    version = models.ForeignKey(Version, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    source_start = models.PositiveIntegerField(null=True, blank=True)
    source_end = models.PositiveIntegerField(null=True, blank=True)
    source_sha256 = models.CharField(max_length=64, blank=True)
    explanation = models.TextField(blank=True)
    #: What may stand in place of the draft's words; "" where there is nothing to propose.
    suggestion = models.TextField(blank=True)
    #: A reviewer found that it is none: its owner does not see it.
    left_out = models.BooleanField(default=False)

    decision = models.CharField(max_length=10, choices=FindingDecision.choices, default=FindingDecision.OPEN)
    #: The person's own wording in place of the suggestion.
    wording = models.TextField(blank=True)
    decided_at = models.DateTimeField(null=True, blank=True)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    closed_because = models.CharField(max_length=10, choices=FindingClosure.choices, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["start", "end", "pk"]
        default_permissions = ()
        constraints = [
            models.CheckConstraint(condition=Q(start__lte=F("end")), name="finding_in_order"),
            models.CheckConstraint(
                condition=Q(decision=FindingDecision.OPEN, decided_at=None, decided_by=None)
                | ~Q(decision=FindingDecision.OPEN) & Q(decided_at__isnull=False, decided_by__isnull=False),
                name="finding_decided_together",
            ),
            models.CheckConstraint(
                condition=Q(document=None, version=None, source_start=None, source_end=None)
                | Q(
                    document__isnull=False,
                    version__isnull=False,
                    source_start__isnull=False,
                    source_end__gt=F("source_start"),
                )
                & ~Q(source_sha256=""),
                name="finding_source_together",
            ),
            models.CheckConstraint(
                condition=Q(closed_because="", closed_at=None) | ~Q(closed_because="") & Q(closed_at__isnull=False),
                name="finding_closed_together",
            ),
        ]
        indexes = [models.Index(fields=["document"], condition=Q(document__isnull=False), name="finding_document")]

    def __str__(self) -> str:
        return f"Finding {self.pk}"


class FindingForm(models.Model):
    """One form of a finding that a reviewer changed: the first is what was found, the last is what stands now."""

    finding = models.ForeignKey(Finding, on_delete=models.CASCADE, related_name="forms")
    number = models.PositiveSmallIntegerField()
    severity = models.CharField(max_length=10, choices=Severity.choices)
    explanation = models.TextField(blank=True)
    suggestion = models.TextField(blank=True)
    left_out = models.BooleanField(default=False)
    #: None: a model or a built-in check.
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    made_at = models.DateTimeField()
    reason = models.CharField(max_length=500, blank=True)

    class Meta:
        ordering = ["number"]
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["finding", "number"], name="finding_form_once")]

    def __str__(self) -> str:
        return f"Form {self.number} of finding {self.finding_id}"


class FindingsQuestion(models.Model):
    """What a reviewer wants to know from the draft's owner before deciding, and what the owner replied."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    examination = models.ForeignKey(Examination, on_delete=models.CASCADE, related_name="questions")
    #: Those of one return have the same number.
    round = models.PositiveSmallIntegerField()
    position = models.PositiveSmallIntegerField()
    text = models.CharField(max_length=500)
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    asked_at = models.DateTimeField()
    reply = models.TextField(blank=True)
    replied_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["round", "position"]
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["examination", "round", "position"], name="findings_question_once"),
        ]

    def __str__(self) -> str:
        return f"Question {self.position} of round {self.round} about {self.examination_id}"
