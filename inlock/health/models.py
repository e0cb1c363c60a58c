"""The models that are asked: which of them are left alone for now because they failed again and again."""

from django.utils.translation import gettext as _

from answers.governing import breaker
from answers.governing.breaker import BreakerState
from answers.models import EndpointKind, ModelEndpoint
from inlock.health.finding import Finding
from workspaces.endpoints.base import USABLE_STATES


def models(*, database_runs: bool, broker_runs: bool) -> list[Finding]:
    """One finding for each server in use; nothing while nobody can know."""
    if not database_runs or not broker_runs:
        return []
    servers = ModelEndpoint.objects.filter(kind=EndpointKind.OPENAI, state__in=USABLE_STATES)
    return [_server(endpoint) for endpoint in servers.order_by("name")]


def _server(endpoint: ModelEndpoint) -> Finding:
    name, stands = f"model {endpoint.name}", breaker.standing(endpoint.pk)
    if stands.state == BreakerState.CLOSED:
        if not stands.failures:
            return Finding(name, _("asked as usual"))
        return Finding(name, _("asked as usual, %(n)d failures in the last minute") % {"n": stands.failures})
    step = _("Test it in the admin. It is tried again by itself, with one call, and asked as usual once that succeeds.")
    fault = _("It failed again and again, so nobody asks it until one call succeeds.")
    if stands.seconds:
        fault = _("It failed again and again, so nobody asks it for %(n)d more seconds.") % {"n": stands.seconds}
    return Finding(name, _("left alone"), fault, step)
