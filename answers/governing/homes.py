"""Where a model that was trained here may answer: in the workspace of its examples, whatever endpoint leads to it."""

from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import CharField, ExpressionWrapper, F, OuterRef, Q, Value
from django.db.models.functions import Concat

from answers.models import FineTuningJob, ModelEndpoint


def trained_in(model: Any) -> ArraySubquery:
    """The workspaces, as a part of a query, in which a model of this name was trained, or one whose step it is.

    By its name alone: a server is reached at many addresses, and what a model learnt it says at each.
    """
    rows = (
        FineTuningJob.objects.exclude(tuned_model="")
        .annotate(asked=ExpressionWrapper(model, output_field=CharField()))
        .order_by()
    )
    named = Q(asked=F("tuned_model")) | Q(asked__startswith=Concat(F("tuned_model"), Value(":")))
    return ArraySubquery(rows.filter(named).values("workspace"))


def of(endpoint: ModelEndpoint) -> set[str]:
    """The workspaces whose examples the model learnt, as text; `endpoint` was read with `homes=trained_in(…)`."""
    found = {str(workspace) for workspace in endpoint.homes or ()}  # type: ignore[attr-defined]
    written = endpoint.lineage.get("workspace")
    return found | {written} if written else found


def is_trained(endpoint: ModelEndpoint) -> bool:
    """Whether the model of that name was made by a training here."""
    read = ModelEndpoint.objects.filter(pk=endpoint.pk).annotate(homes=trained_in(OuterRef("model"))).first()
    return read is not None and bool(read.homes)
