"""Where vectors live: the models that make them, the spaces these define, and the space each workspace searches in."""

import uuid

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from audit.history import acting_user
from workspaces.endpoints.base import GovernedEndpoint, approval_is_kept
from workspaces.models import Workspace


class EmbeddingEndpoint(GovernedEndpoint):
    """A server that makes vectors. Model, dimension and prefixes are for ever: they say which space its vectors are in.

    Its key is a reference to the environment, never the key itself.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.SlugField(_("name"), max_length=60, unique=True)
    base_url = models.CharField(
        _("base URL"), max_length=200, help_text=_("For example https://embeddings.example/v1, without /embeddings.")
    )
    model = models.CharField(_("model name"), max_length=200)
    dimension = models.PositiveIntegerField(
        _("numbers in a vector"), validators=[MinValueValidator(2), MaxValueValidator(8192)]
    )
    query_prefix = models.CharField(
        _("put before a question"), max_length=200, blank=True, help_text=_("Some models want “query: ”; most nothing.")
    )
    passage_prefix = models.CharField(
        _("put before a passage"), max_length=200, blank=True, help_text=_("Some models want “passage: ”.")
    )
    languages = models.CharField(
        _("languages it reads"),
        max_length=200,
        default="*",
        help_text=_("Codes separated by commas, as in en,sr; * for all. Elsewhere its vectors are not counted."),
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
    )  # fmt: skip
    currency = models.CharField(_("currency"), max_length=3, default="EUR")
    batch = models.PositiveSmallIntegerField(
        _("texts in one request"), default=32, validators=[MinValueValidator(1), MaxValueValidator(256)]
    )
    seconds = models.PositiveSmallIntegerField(
        _("seconds for a request"), default=30, validators=[MinValueValidator(1), MaxValueValidator(300)]
    )
    floor = models.FloatField(
        _("cosine below which nothing is evidence"),
        default=0.35,
        validators=[MinValueValidator(-1), MaxValueValidator(1)],
        help_text=_("Used until it is measured on a workspace's own passages, which a change of model does."),
    )
    history = HistoricalRecords(get_user=acting_user)

    class Meta:
        verbose_name = _("embedding endpoint")
        verbose_name_plural = _("embedding endpoints")
        ordering = ["name"]
        constraints = [approval_is_kept("embedding_approval_is_kept")]

    def __str__(self) -> str:
        return self.name


class EmbeddingSpace(models.Model):
    """A model, its files and its settings: vectors of different spaces are never compared."""

    fingerprint = models.CharField(primary_key=True, max_length=64)
    name = models.CharField(max_length=120)
    dimension = models.PositiveIntegerField()
    created_at = models.DateTimeField(auto_now_add=True)
    #: None: a model that ships with the product.
    endpoint = models.ForeignKey(
        EmbeddingEndpoint, on_delete=models.PROTECT, null=True, blank=True, related_name="spaces"
    )
    #: The vector of a fixed sentence: a server whose model was exchanged gives itself away.
    probe = models.BinaryField(null=True, blank=True)

    def __str__(self) -> str:
        return self.name


class WorkspaceSpace(models.Model):
    """The space a workspace is searched in; without a row it is the built-in model's.

    `floor` and `scale` were measured on its passages; None: as the model's settings say.
    """

    workspace = models.OneToOneField(Workspace, on_delete=models.CASCADE, primary_key=True, related_name="embedding")
    space = models.ForeignKey(EmbeddingSpace, on_delete=models.PROTECT, related_name="+")
    floor = models.FloatField(null=True)
    scale = models.FloatField(default=1.0)

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(scale__gt=0), name="space_scale_is_positive")]

    def __str__(self) -> str:
        return f"{self.workspace_id} in {self.space_id}"
