"""How far a document may travel: four levels that policies and models are chosen by."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Classification(models.TextChoices):
    """Stored codes, from the least to the most guarded; each level includes the care of those before it."""

    PUBLIC = "public", _("Public")
    INTERNAL = "internal", _("Internal")
    CONFIDENTIAL = "confidential", _("Confidential")
    RESTRICTED = "restricted", _("Restricted")

    @property
    def rank(self) -> int:
        """Its place in the order: `a.rank <= b.rank` says that `b` asks for at least the care of `a`."""
        return list(Classification).index(self)
