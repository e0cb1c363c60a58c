"""What stands in the admin's sidebar: only the lists the person may open."""

from collections.abc import Callable
from typing import Any

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _

from answers.admin import examinations
from answers.admin.drafts import waiting
from answers.models import Answer, Budget, Draft, Examination, ModelEndpoint, WorkspaceModels
from audit.models import Event
from documents.models import Deletion, Document, EmbeddingEndpoint, LegalHold, RerankEndpoint, Source
from workspaces.admin_base import platform_actions
from workspaces.models import ApiToken, ClaimRule, CustomRole, PeopleGroup, PlatformPolicy, User, Workspace
from workspaces.roles import PlatformAction

Item = tuple[str, str, type[Model]]


def navigation(request: HttpRequest) -> list[dict[str, Any]]:
    """The groups of the sidebar, in the form the theme wants."""
    return [
        _group(
            request,
            _("Review"),
            (_("Drafts"), "rate_review", Draft),
            (_("Examined drafts"), "fact_check", Examination),
            (_("Answers"), "forum", Answer),
        ),
        _group(
            request,
            _("Knowledge"),
            (_("Workspaces"), "workspaces", Workspace),
            (_("Documents"), "description", Document),
            (_("Sources"), "sync", Source),
            (_("Deletions"), "delete_history", Deletion),
            (_("Legal holds"), "gavel", LegalHold),
            (_("Models of workspaces"), "tune", WorkspaceModels),
        ),
        _group(
            request,
            _("Governance"),
            (_("Audit trail"), "history", Event),
            (_("Model endpoints"), "neurology", ModelEndpoint),
            (_("Budget for models"), "payments", Budget),
            (_("Embedding endpoints"), "scatter_plot", EmbeddingEndpoint),
            (_("Rerankers"), "sort", RerankEndpoint),
            (_("People"), "group", User),
            (_("Groups of people"), "groups", PeopleGroup),
            (_("Rules for a provider's groups"), "login", ClaimRule),
            (_("Rules of the installation"), "policy", PlatformPolicy),
            (_("Roles of our own"), "badge", CustomRole),
            (_("API tokens"), "key", ApiToken),
        ),
        _installation(request),
    ]


#: What is counted beside a name.
_BADGES: dict[type[Model], Callable[[HttpRequest], Any]] = {Draft: waiting, Examination: examinations.waiting}


def _installation(request: HttpRequest) -> dict[str, Any]:
    health = {"title": _("Health"), "icon": "monitor_heart", "link": reverse("admin_health")}
    watches = PlatformAction.WATCH_HEALTH in platform_actions(request)
    return {"title": _("Installation"), "items": [health] if watches else []}


def _group(request: HttpRequest, title: str, *items: Item) -> dict[str, Any]:
    shown = [
        _item(request, *item) for item in items if admin.site.get_model_admin(item[2]).has_view_permission(request)
    ]
    return {"title": title, "items": shown}


def _item(request: HttpRequest, title: str, icon: str, model: type[Model]) -> dict[str, Any]:
    item = {
        "title": title,
        "icon": icon,
        "link": reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist"),
    }
    if model in _BADGES:
        item |= {"badge": _BADGES[model](request), "badge_variant": "primary"}
    return item
