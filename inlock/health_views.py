"""How the installation fares: a page for the people who run it, and two addresses for machines that watch it."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

import psycopg
import redis
from django.conf import settings
from django.contrib import admin, messages
from django.contrib.auth.decorators import login_not_required
from django.db import connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from documents.indexing import checks as index_checks
from documents.models import IndexCheck
from inlock import health, migrating
from workspaces.decorators import on_platform
from workspaces.exceptions import Hidden
from workspaces.models import Workspace
from workspaces.roles import PlatformAction

TITLES = {
    "engines": gettext_lazy("Engines and disk"),
    "work": gettext_lazy("Background work"),
    "knowledge": gettext_lazy("Documents and answers"),
    "governance": gettext_lazy("Accounts and the trail"),
    "machine": gettext_lazy("Readers and settings"),
}
#: Workspaces listed with their indexes; those that differ come first.
MOST_INDEXES = 200
_PROBE_SECONDS = 2


@dataclass(frozen=True)
class Indexed:
    """A workspace and the last comparison of its index."""

    workspace: Workspace
    check: IndexCheck | None


@never_cache
@require_GET
@login_not_required
def live(request: HttpRequest) -> HttpResponse:
    """200 while this process answers at all. Asks nothing of any engine, so that no fault of one restarts the web."""
    return HttpResponse("ok\n", content_type="text/plain; charset=utf-8")


@never_cache
@require_GET
@login_not_required
def ready(request: HttpRequest) -> HttpResponse:
    """200 when people can be served, else 503; names what is missing and nothing else, because strangers may ask."""
    lacks = [name for name, answers in (("database", _database), ("broker", _broker)) if not answers()]
    if "database" not in lacks and not migrating.is_current():
        lacks.append("migrations")
    return JsonResponse({"ready": not lacks, "lacks": lacks}, status=503 if lacks else 200)


@require_GET
@on_platform(PlatformAction.WATCH_HEALTH)
def page(request: HttpRequest) -> HttpResponse:
    """Everything `doctor` knows, and the indexes of all workspaces."""
    sections = health.sections()
    context = {
        **admin.site.each_context(request),
        "title": _("Health"),
        "sections": [(TITLES[section.code], section.findings) for section in sections],
        "faults": sum(bool(finding.fault) for section in sections for finding in section.findings),
        "indexes": _indexes(),
    }
    return TemplateResponse(request, "admin/health/page.html", context)


@require_POST
@on_platform(PlatformAction.WATCH_HEALTH)
def compare(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Compare one workspace's index with the database now."""
    workspace = Workspace.objects.filter(pk=pk).first()
    if workspace is None:
        raise Hidden(user=request.user, action=PlatformAction.WATCH_HEALTH)
    check = index_checks.check(workspace, by=request.user)
    told: dict[str, Any] = {"name": workspace.name, "passages": check.passages, "differed": check.differed}
    if check.problem:
        told["why"] = check.get_problem_display()
        messages.error(request, _("%(name)s was not compared: %(why)s.") % told)
    elif check.left:
        messages.error(request, _("%(name)s: %(left)d passages still differ.") % {**told, "left": check.left})
    elif check.differed:
        messages.success(request, _("%(name)s: %(differed)d passages differed and were mended.") % told)
    else:
        messages.success(request, _("%(name)s: index and database agree on %(passages)d passages.") % told)
    return redirect("admin_health")


def _indexes() -> list[Indexed]:
    workspaces = list(Workspace.objects.order_by("name"))
    last = index_checks.latest([workspace.pk for workspace in workspaces])
    rows = [Indexed(workspace, last.get(workspace.pk)) for workspace in workspaces]
    return sorted(rows, key=lambda row: row.check is not None and row.check.agrees)[:MOST_INDEXES]


def _database() -> bool:
    # By a connection of its own: the pool of the web process waits for a server that is gone.
    try:
        psycopg.connect(**connection.get_connection_params() | {"connect_timeout": _PROBE_SECONDS}).close()
    except psycopg.OperationalError:
        return False
    return True


def _broker() -> bool:
    seconds = {"socket_timeout": _PROBE_SECONDS, "socket_connect_timeout": _PROBE_SECONDS}
    try:
        with redis.Redis.from_url(settings.REDIS_URL, **seconds) as client:
            return bool(client.ping())
    except (redis.RedisError, OSError):
        return False
