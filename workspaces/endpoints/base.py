"""What is known of every kind of endpoint: owner and purpose, what it may read, where it stands, who approved it."""

from typing import Any

from django.conf import settings
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from workspaces.classification import Classification


class EndpointState(models.TextChoices):
    """How far an endpoint came. Stored codes."""

    CANDIDATE = "candidate", _("Candidate: may be tried, answers nothing yet")
    APPROVED = "approved", _("Approved")
    DEFAULT = "default", _("Default: for every workspace that chose none")
    RETIRED = "retired", _("Retired: receives nothing any more")


#: The states in which an endpoint is given questions and passages.
USABLE_STATES = (EndpointState.APPROVED, EndpointState.DEFAULT)


class Residency(models.TextChoices):
    """Where what is sent is processed, as its owner says. Stored codes."""

    UNKNOWN = "unknown", _("Not known")
    PREMISES = "premises", _("On our own machines")
    COUNTRY = "country", _("In our country")
    EEA = "eea", _("In the European Economic Area")
    ELSEWHERE = "elsewhere", _("Elsewhere")


class GovernedEndpoint(models.Model):
    """A server that is sent text. It is used once somebody else than who entered it approved it."""

    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("owner"),
        help_text=_("Who answers for it: for its contract, its bill and its end."),
    )
    purpose = models.CharField(_("purpose"), max_length=300, blank=True, help_text=_("What it is for, in a sentence."))
    residency = models.CharField(
        _("where text is processed"), max_length=12, choices=Residency.choices, default=Residency.UNKNOWN
    )
    residency_note = models.CharField(
        _("more on that"), max_length=200, blank=True, help_text=_("The provider, the region, the contract.")
    )
    ceiling = models.CharField(
        _("takes documents up to"),
        max_length=12,
        choices=Classification.choices,
        # What most documents are; anything more guarded is a decision that a person takes and another one approves.
        default=Classification.INTERNAL,
        help_text=_("Text of documents that are classified higher is never sent there."),
    )
    requests_per_minute = models.PositiveIntegerField(
        _("requests a minute"), null=True, blank=True, validators=[MinValueValidator(1)]
    )
    state = models.CharField(
        _("state"), max_length=12, choices=EndpointState.choices, default=EndpointState.CANDIDATE, editable=False
    )
    #: Who entered it, or had it trained, and who changed last what an approval covers: somebody else approves.
    entered_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        editable=False,
        related_name="+",
        verbose_name=_("entered by"),
    )
    proposed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, editable=False, related_name="+"
    )
    approved_at = models.DateTimeField(_("approved"), null=True, editable=False)
    approved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        editable=False,
        related_name="+",
        verbose_name=_("approved by"),
    )

    class Meta:
        abstract = True

    @property
    def usable(self) -> bool:
        """Whether it may be given questions and passages; a candidate only what tries it."""
        return self.state in USABLE_STATES

    @property
    def may_be_tried(self) -> bool:
        return self.state != EndpointState.RETIRED


def approval_is_kept(name: str, **born_approved: Any) -> models.CheckConstraint:
    """The rule that what is in use has a time of approval, but for rows that are `born_approved`."""
    approved = ~Q(state__in=USABLE_STATES) | Q(approved_at__isnull=False)
    return models.CheckConstraint(condition=approved | Q(**born_approved) if born_approved else approved, name=name)
