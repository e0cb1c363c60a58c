"""The servers that are asked, for answers, vectors and order: which of them are left alone for now, and why."""

from uuid import UUID

from django.utils.translation import gettext as _

from answers.models import EndpointKind, ModelEndpoint
from documents.models import EmbeddingEndpoint, RerankEndpoint
from inlock.health.finding import Finding
from workspaces.endpoints import breaker
from workspaces.endpoints.base import USABLE_STATES
from workspaces.endpoints.breaker import BreakerState


def models(*, database_runs: bool, broker_runs: bool) -> list[Finding]:
    """One finding for each server in use; nothing while nobody can know."""
    if not database_runs or not broker_runs:
        return []
    servers = {
        "model": ModelEndpoint.objects.filter(kind=EndpointKind.OPENAI),
        "embedding endpoint": EmbeddingEndpoint.objects.all(),
        "reranker": RerankEndpoint.objects.all(),
    }
    return [
        _server(f"{kind} {endpoint.name}", endpoint.pk)
        for kind, known in servers.items()
        for endpoint in known.filter(state__in=USABLE_STATES).only("name").order_by("name")
    ]


def _server(name: str, endpoint: UUID) -> Finding:
    stands = breaker.standing(endpoint)
    if stands.state == BreakerState.CLOSED:
        if not stands.failures:
            return Finding(name, _("asked as usual"))
        return Finding(name, _("asked as usual, %(n)d failures in the last minute") % {"n": stands.failures})
    step = _("Test it in the admin. It is tried again by itself, with one call, and asked as usual once that succeeds.")
    fault = _("It failed again and again, so nobody asks it until one call succeeds.")
    if stands.is_paused:
        step, fault = "", _("It asked for a pause, so nobody asks it for %(n)d more seconds.") % {"n": stands.seconds}
    elif stands.seconds:
        fault = _("It failed again and again, so nobody asks it for %(n)d more seconds.") % {"n": stands.seconds}
    return Finding(name, _("left alone"), fault, step)
