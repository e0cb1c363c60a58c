"""The pages of the cockpit: a workspace for those who run or audit it, all for administrators."""

from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from answers.cockpit import readers
from answers.cockpit.choices import choices
from answers.cockpit.figures import PERIODS, cockpit
from answers.cockpit.table import as_csv
from workspaces.decorators import in_workspace, on_platform
from workspaces.models import Workspace
from workspaces.roles import Action, PlatformAction


@require_GET
@in_workspace(Action.ENTER)
def show(request: HttpRequest, workspace: Workspace) -> HttpResponse:
    """The figures of a workspace, each chart with its table."""
    readers.require(request.user, workspace)
    offered = choices(workspace, days=_days(request))
    chosen = offered.taken(request.GET)
    found = cockpit(workspace, days=_days(request), chosen=chosen)
    context = {"cockpit": found, "periods": PERIODS, "offered": offered, "chosen": chosen, "narrowed": _asked(request)}
    return render(request, "answers/cockpit/cockpit.html", context)


@require_GET
@in_workspace(Action.ENTER)
def download(request: HttpRequest, workspace: Workspace) -> HttpResponse:
    """The figures of a workspace as a table."""
    readers.require(request.user, workspace)
    chosen = choices(workspace, days=_days(request)).taken(request.GET)
    found = cockpit(workspace, days=_days(request), chosen=chosen)
    return _file(as_csv(found, workspace, by=request.user, chosen=chosen), f"cockpit-{workspace.slug}.csv")


@require_GET
@on_platform(PlatformAction.WATCH_HEALTH)
def show_all(request: HttpRequest) -> HttpResponse:
    """The figures of the whole installation, or of one workspace as it is seen from outside."""
    about = _about(request)
    offered = choices(about, days=_days(request), from_outside=True)
    chosen = offered.taken(request.GET)
    context = {
        "cockpit": cockpit(about, days=_days(request), from_outside=True, chosen=chosen),
        "periods": PERIODS,
        "about": about,
        "workspaces": Workspace.objects.order_by("name"),
        "offered": offered,
        "chosen": chosen,
        "narrowed": _asked(request),
    }
    return render(request, "answers/cockpit/cockpit.html", context)


@require_GET
@on_platform(PlatformAction.WATCH_HEALTH)
def download_all(request: HttpRequest) -> HttpResponse:
    """The same as a table."""
    about = _about(request)
    chosen = choices(about, days=_days(request), from_outside=True).taken(request.GET)
    found = cockpit(about, days=_days(request), from_outside=True, chosen=chosen)
    return _file(as_csv(found, None, by=request.user, about=about, chosen=chosen), "cockpit.csv")


def _asked(request: HttpRequest) -> str:
    """What was chosen, as an address goes on with it."""
    kept = {name: request.GET[name] for name in ("template", "model") if request.GET.get(name)}
    return f"&{urlencode(kept)}" if kept else ""


def _about(request: HttpRequest) -> Workspace | None:
    """The workspace that was chosen; None for all, and for one there is not."""
    return Workspace.objects.filter(slug=request.GET.get("workspace", "")).first()


def _days(request: HttpRequest) -> int:
    asked = request.GET.get("days", "")
    return next((days for days in PERIODS if str(days) == asked), 30)


def _file(text: str, name: str) -> HttpResponse:
    response = HttpResponse(text, content_type="text/csv")
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response
