"""Rerankers: servers that read a question beside each passage, and which workspace uses which."""

import uuid

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from audit.chain import canonical, digest
from audit.history import acting_user
from workspaces.endpoints.base import GovernedEndpoint, approval_is_kept
from workspaces.models import Workspace


class RerankProtocol(models.TextChoices):
    """How a server is asked, and what it calls a score."""

    COHERE = "cohere", _("Cohere, Jina, vLLM: documents in, relevance_score out")
    TEI = "tei", _("Text Embeddings Inference: texts in, score out")


class RerankEndpoint(GovernedEndpoint):
    """A server that says how well passages answer a question. Its key is a reference to the environment."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.SlugField(_("name"), max_length=60, unique=True)
    protocol = models.CharField(
        _("protocol"), max_length=12, choices=RerankProtocol.choices, default=RerankProtocol.COHERE
    )
    base_url = models.CharField(
        _("base URL"), max_length=200, help_text=_("For example https://rerank.example/v1, without /rerank.")
    )
    model = models.CharField(
        _("model name"), max_length=200, blank=True, help_text=_("Where the server has more than one.")
    )
    key_reference = models.CharField(
        _("key reference"),
        max_length=100,
        blank=True,
        help_text=_("The name of the environment variable that holds the key; it must begin with INLOCK_KEY_."),
    )
    price = models.DecimalField(
        _("price of a million tokens"), max_digits=10, decimal_places=4, null=True, blank=True,
        validators=[MinValueValidator(0)],
        help_text=_("In the installation's currency; empty: not known, which is not the same as free."),
    )  # fmt: skip
    seconds = models.PositiveSmallIntegerField(
        _("seconds for a request"),
        default=5,
        validators=[MinValueValidator(1), MaxValueValidator(30)],
        help_text=_("A person waits for it. After that the order is that of the search."),
    )
    history = HistoricalRecords(get_user=acting_user)

    class Meta:
        verbose_name = _("reranker")
        verbose_name_plural = _("rerankers")
        ordering = ["name"]
        constraints = [approval_is_kept("reranker_approval_is_kept")]

    def __str__(self) -> str:
        return self.name

    @property
    def mark(self) -> str:
        """The hash over what decides the order it gives: another server or model is another mark."""
        return digest(canonical({name: getattr(self, name) for name in ("protocol", "base_url", "model")}))


class WorkspaceReranker(models.Model):
    """That a workspace's finds are put in order anew before they are used; without a row the search's order stands."""

    workspace = models.OneToOneField(Workspace, on_delete=models.CASCADE, primary_key=True, related_name="reranker")
    #: None: the workspace's own chat model reads the passages.
    endpoint = models.ForeignKey(RerankEndpoint, on_delete=models.PROTECT, null=True, blank=True, related_name="+")

    def __str__(self) -> str:
        return f"{self.workspace_id} by {self.endpoint_id or 'its chat model'}"
