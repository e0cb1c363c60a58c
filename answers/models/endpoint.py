"""The models that write, and which of them a workspace uses."""

import uuid

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from answers import model_hosts
from audit.history import acting_user
from workspaces.models import Workspace


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
