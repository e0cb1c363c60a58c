"""The models that write, and which of them a workspace uses."""

import uuid

from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from answers.registry import hosts as model_hosts
from audit.chain import canonical, digest
from audit.history import acting_user
from workspaces.endpoints.base import EndpointState, GovernedEndpoint, approval_is_kept
from workspaces.models import Workspace


class EndpointKind(models.TextChoices):
    EXTRACTIVE = "extractive", _("Built in: quotes the documents, needs no network")
    OPENAI = "openai", _("Any server that speaks the OpenAI chat protocol")


class KeyHeader(models.TextChoices):
    """How a server wants its key. Stored codes."""

    BEARER = "bearer", _("Authorization: Bearer")
    API_KEY = "api-key", _("api-key")


class LengthField(models.TextChoices):
    """What a server calls the longest answer it may give. Stored codes are what is sent."""

    COMPLETION = "max_completion_tokens", "max_completion_tokens"
    TOKENS = "max_tokens", "max_tokens"


#: What decides what a model writes; prices, limits and names do not.
_DECIDES = (
    "kind", "base_url", "model", "api_version", "length_field", "sends_temperature", "max_output_tokens",
    "context_tokens",
)  # fmt: skip


class ModelEndpoint(GovernedEndpoint):
    """A place where a model answers. Its key is a reference to the environment, never the key itself."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.SlugField(_("name"), max_length=60, unique=True)
    kind = models.CharField(_("kind"), max_length=12, choices=EndpointKind.choices, default=EndpointKind.OPENAI)
    #: A code of `answers/registry/presets.py`: what its form was filled in from.
    provider = models.SlugField(_("provider"), max_length=20, default="other")
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
    key_header = models.CharField(
        _("header of the key"), max_length=12, choices=KeyHeader.choices, default=KeyHeader.BEARER
    )
    api_version = models.CharField(
        _("API version"), max_length=30, blank=True, help_text=_("Sent as api-version in the address, for Azure.")
    )
    length_field = models.CharField(
        _("name of the limit"), max_length=24, choices=LengthField.choices, default=LengthField.COMPLETION
    )
    sends_temperature = models.BooleanField(
        _("send a temperature"), default=True, help_text=_("Reasoning models refuse a request that has one.")
    )
    asks_usage = models.BooleanField(
        _("ask for the count of tokens"),
        default=False,
        help_text=_("Needed for exact costs; some servers refuse a request that asks."),
    )
    context_tokens = models.PositiveIntegerField(
        _("context in tokens"), null=True, blank=True, validators=[MinValueValidator(256)]
    )
    concurrent_requests = models.PositiveIntegerField(
        _("requests at a time"), null=True, blank=True, validators=[MinValueValidator(1)]
    )
    #: In the installation's currency; None: not known, which is not the same as free.
    input_price = models.DecimalField(
        _("price of a million tokens read"), max_digits=12, decimal_places=4, null=True, blank=True,
        validators=[MinValueValidator(0)],
    )  # fmt: skip
    output_price = models.DecimalField(
        _("price of a million tokens written"), max_digits=12, decimal_places=4, null=True, blank=True,
        validators=[MinValueValidator(0)],
    )  # fmt: skip
    training_price = models.DecimalField(
        _("price of a million tokens trained on"), max_digits=12, decimal_places=4, null=True, blank=True,
        validators=[MinValueValidator(0)],
        help_text=_("Of all epochs, as the provider counts. Empty: what a training costs stands on its bill alone."),
    )  # fmt: skip
    connect_seconds = models.PositiveIntegerField(_("seconds to connect"), default=5)
    first_token_seconds = models.PositiveIntegerField(_("seconds until the first word"), default=30)
    total_seconds = models.PositiveIntegerField(_("seconds for a whole answer"), default=120)
    max_output_tokens = models.PositiveIntegerField(_("longest answer in tokens"), default=800)
    #: The model this one was fine-tuned from, and what it was made of.
    parent = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, editable=False, related_name="tuned", verbose_name=_("parent")
    )
    lineage = models.JSONField(_("lineage"), default=dict, blank=True, editable=False)
    history = HistoricalRecords(get_user=acting_user)

    class Meta:
        verbose_name = _("model endpoint")
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(
                condition=Q(kind=EndpointKind.EXTRACTIVE) | (~Q(base_url="") & ~Q(model="")),
                name="endpoint_openai_has_url_and_model",
            ),
            models.UniqueConstraint(
                fields=["state"], condition=Q(state=EndpointState.DEFAULT), name="endpoint_one_default"
            ),
            approval_is_kept("endpoint_approval_is_kept", kind=EndpointKind.EXTRACTIVE),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def label(self) -> str:
        """The endpoint as records name it, whatever becomes of its row."""
        if self.kind == EndpointKind.EXTRACTIVE:
            return self.name
        return f"{self.name}: {self.model} at {self.base_url}"[:300]

    @property
    def mark(self) -> str:
        """The hash over what decides what it writes: another server, model or way to ask it is another mark."""
        return digest(canonical({name: getattr(self, name) for name in _DECIDES}))


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
