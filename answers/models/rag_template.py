"""RAG templates of a workspace: what each does with a question, version by version, and trials of a version."""

import uuid
from typing import Any

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from answers.models.endpoint import ModelEndpoint
from workspaces.models import ReviewPolicy, Workspace

#: The built-in template that answers where nothing else was chosen.
KNOWLEDGE = "knowledge"
LONGEST_INSTRUCTIONS = 4000
MOST_PASSAGES = 20


class Shape(models.TextChoices):
    """The form an answer takes. Codes are permanent: versions keep them."""

    ANSWER = "answer", _("Answer in sentences")
    LIST = "list", _("List")
    TABLE = "table", _("Table")
    CHECKLIST = "checklist", _("Checklist")
    FINDINGS = "findings", _("Findings by severity")


class RagTemplate(models.Model):
    """A template of one workspace: its current version says what it does, and rules and answers know it by its code."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    workspace = models.ForeignKey(Workspace, on_delete=models.PROTECT, related_name="rag_templates")
    code = models.SlugField(max_length=40)
    #: The code of the built-in one it began as; "" for one written here.
    built_in = models.CharField(max_length=40, blank=True)
    enabled = models.BooleanField(_("switched on"), default=False)
    #: The version in force; None until the first one is.
    current = models.ForeignKey("TemplateVersion", on_delete=models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")

    class Meta:
        verbose_name = _("RAG template")
        ordering = ["created_at", "code"]
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["workspace", "code"], name="rag_template_code_once"),
            models.CheckConstraint(
                condition=Q(enabled=False) | Q(current__isnull=False), name="rag_template_enabled_has_version"
            ),
        ]

    def __str__(self) -> str:
        return f"Template {self.code}"


class TemplateVersion(models.Model):
    """What a template says and asks for. Never changed: an answer names the version it was made with."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    template = models.ForeignKey(RagTemplate, on_delete=models.PROTECT, related_name="versions")
    number = models.PositiveIntegerField()
    name = models.CharField(_("name"), max_length=80)
    purpose = models.CharField(_("what it is for"), max_length=300)
    use_when = models.CharField(_("when to use it"), max_length=500, blank=True)
    avoid_when = models.CharField(_("when not to use it"), max_length=500, blank=True)
    #: What a model is told beside the rules that always hold; "" leaves it at those.
    instructions = models.TextField(_("instructions"), blank=True, max_length=LONGEST_INSTRUCTIONS)
    shape = models.CharField(_("form of the answer"), max_length=10, choices=Shape.choices, default=Shape.ANSWER)
    #: Of a table: the headings of its columns.
    columns = models.JSONField(default=list, blank=True)
    passages = models.PositiveSmallIntegerField(
        _("passages a model is given"),
        default=8,
        validators=[MinValueValidator(1), MaxValueValidator(MOST_PASSAGES)],
    )
    #: Which documents are looked at, as `rag_templates.filters` reads it; {} are all that the asker may open.
    filters = models.JSONField(default=dict, blank=True)
    #: The model that answers whoever asks; None: the workspace's default, or the asker's choice.
    endpoint = models.ForeignKey(ModelEndpoint, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    #: At least so strict, whatever the workspace says; "": as the workspace.
    review = models.CharField(_("release"), max_length=10, choices=ReviewPolicy.choices, blank=True)
    examples = models.JSONField(default=list, blank=True)
    note = models.CharField(_("what changed"), max_length=300, blank=True)
    made_at = models.DateTimeField(auto_now_add=True)
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    #: Over everything above that changes what is answered.
    sha256 = models.CharField(max_length=64)

    class Meta:
        verbose_name = _("version of a template")
        ordering = ["-number"]
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["template", "number"], name="template_version_number_once"),
        ]

    def __str__(self) -> str:
        return f"Version {self.number} of template {self.template_id}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise TypeError("A version of a template is never changed; make a new one.")
        super().save(*args, **kwargs)


class WorkspaceTemplates(models.Model):
    """Which template answers where the asker chose none. No row, or none named: the built-in knowledge template."""

    workspace = models.OneToOneField(
        Workspace, on_delete=models.CASCADE, primary_key=True, related_name="templates_choice"
    )
    standard = models.ForeignKey(RagTemplate, on_delete=models.PROTECT, null=True, blank=True, related_name="+")

    class Meta:
        verbose_name = verbose_name_plural = _("choice of templates")

    def __str__(self) -> str:
        return f"{self.workspace}: {self.standard_id}"


class PreviewState(models.TextChoices):
    WAITING = "waiting", _("Waiting")
    WORKING = "working", _("Working")
    DONE = "done", pgettext_lazy("preview", "Done")
    FAILED = "failed", _("Failed")


#: Somebody owes these their next step.
OPEN_PREVIEWS = (PreviewState.WAITING, PreviewState.WORKING)


class TemplatePreview(models.Model):
    """A version tried beside the one in force on chosen questions, for who manages. It answers nobody.

    The row is the job.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    workspace = models.ForeignKey(Workspace, on_delete=models.PROTECT, related_name="+")
    candidate = models.ForeignKey(TemplateVersion, on_delete=models.PROTECT, related_name="previews")
    #: What it is held against; None: the built-in knowledge template.
    beside = models.ForeignKey(TemplateVersion, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    questions = models.JSONField(default=list)
    state = models.CharField(max_length=10, choices=PreviewState.choices, default=PreviewState.WAITING)
    #: Why it did not come to its end, as a sentence.
    problem = models.CharField(max_length=300, blank=True)
    asked_at = models.DateTimeField(auto_now_add=True)
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    ended_at = models.DateTimeField(null=True, blank=True)
    attempt = models.PositiveIntegerField(default=0)
    #: Attempts since the last result that were broken off.
    deaths = models.PositiveIntegerField(default=0)
    lease_until = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("preview of a template")
        ordering = ["-asked_at"]
        default_permissions = ()
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=OPEN_PREVIEWS, ended_at=None)
                | ~Q(state__in=OPEN_PREVIEWS) & Q(ended_at__isnull=False),
                name="preview_ended_together",
            ),
        ]

    def __str__(self) -> str:
        return f"Preview of {self.candidate_id}"

    @property
    def is_open(self) -> bool:
        return self.state in OPEN_PREVIEWS


class PreviewResult(models.Model):
    """What one version made of one question. `text` and `quotes` go with the documents they rest on; the hash stays."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    preview = models.ForeignKey(TemplatePreview, on_delete=models.CASCADE, related_name="results")
    position = models.PositiveSmallIntegerField()
    #: Whether it is the tried version's, and not that of the one in force.
    is_candidate = models.BooleanField()
    #: A code of `states.AnswerStatus`.
    ending = models.CharField(max_length=30)
    text = models.TextField(blank=True)
    text_sha256 = models.CharField(max_length=64, blank=True)
    #: `[{number, title, place, quote}]`.
    quotes = models.JSONField(default=list, blank=True)
    #: Ids of every document whose passages the model was given.
    documents = models.JSONField(default=list, blank=True)
    figures = models.JSONField(default=dict, blank=True)

    class Meta:
        ordering = ["position", "is_candidate"]
        constraints = [
            models.UniqueConstraint(fields=["preview", "position", "is_candidate"], name="preview_result_once"),
        ]

    def __str__(self) -> str:
        return f"Result {self.position} of {self.preview_id}"
